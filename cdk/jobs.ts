/** The Spark jobs: what each runs on, and the least that it may do. Who starts it stands where it is made. */
import { join } from 'node:path';
import { Duration, Validations } from 'aws-cdk-lib';
import { Code, GlueVersion, PySparkEtlJob, WorkerType } from 'aws-cdk-lib/aws-glue';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Key } from 'aws-cdk-lib/aws-kms';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { Construct } from 'constructs';
import { WORK_PREFIX } from '#lake/layout';
import type { StageConfig } from './config.ts';
import { logPolicyOf } from './functions.ts';
import type { LakeBucket, ObjectRights } from './lake-bucket.ts';

/** The scripts of glue-jobs/ that are jobs, each by the name of its job. */
export const JOB_SCRIPTS = {
    'consolidate-days': 'consolidate_days.py',
    'export-features': 'export_features.py',
    'transform-readings': 'transform_readings.py',
    'wide-tables': 'wide_tables.py',
} as const;

interface SparkJobProps {
    job: keyof typeof JOB_SCRIPTS;
    /** Name of the job as it is deployed. */
    jobName: string;
    /** What it does, as a sentence without its end. */
    description: string;
    config: StageConfig;
    /** Scripts and modules, as `bundleGlueJobs` puts them together. */
    codeFolder: string;
    lake: LakeBucket;
    /** Objects that the job may use beside what every job may: all that it makes under `_flowlake/`. */
    rights: ObjectRights;
    /** Arguments of every run beside those of every job. */
    arguments?: Readonly<Record<string, string>>;
    key?: Key | undefined;
}

/**
 * A Glue job; people may start it with `aws glue start-job-run --job-name flowlake-<stage>-<job> --arguments
 * '{"--from":"2026-01-01","--to":"2026-01-31"}'`.
 */
export class SparkJob extends Construct {
    readonly job: PySparkEtlJob;
    readonly role: Role;

    constructor(scope: Construct, id: string, props: SparkJobProps) {
        super(scope, id);
        const { job, jobName, description, config, codeFolder, lake, rights, key } = props;
        const script = new Asset(this, 'script', { path: join(codeFolder, JOB_SCRIPTS[job]) });
        // One zip, in which the modules keep the names that they are imported by: an asset of its own is named after its hash.
        const modules = new Asset(this, 'modules', { path: codeFolder, exclude: Object.values(JOB_SCRIPTS) });
        const role = new Role(this, 'role', {
            assumedBy: new ServicePrincipal('glue.amazonaws.com'),
            description: `${description} (flowlake-${config.stage})`,
        });
        // The folders of Hadoop are objects beside them, named `_flowlake_$folder$`: hence without the slash.
        const workObjects = WORK_PREFIX.slice(0, -1);
        lake.grantObjects(role, {
            get: [...rights.get, workObjects],
            put: [...rights.put, workObjects],
            delete: [...(rights.delete ?? []), workObjects],
        });
        role.addToPolicy(
            new PolicyStatement({
                actions: ['s3:GetObject'],
                resources: [script, modules].map((asset) => asset.bucket.arnForObjects(asset.s3ObjectKey)),
            }),
        );
        grantMetrics(role);
        const logPrefix = `/flowlake/${config.stage}/${job}`;
        createLogs(this, { prefix: logPrefix, config, key, role });

        this.role = role;
        this.job = new PySparkEtlJob(this, 'job', {
            jobName,
            description: `${description}; takes --from and --to (YYYY-MM-DD)`,
            // The construct would let it read the whole staging bucket; what it needs was granted above.
            role: role.withoutPolicyUpdates(),
            script: Code.fromBucket(script.bucket, script.s3ObjectKey),
            extraPythonFiles: [Code.fromBucket(modules.bucket, modules.s3ObjectKey)],
            glueVersion: GlueVersion.V5_0,
            workerConfiguration: { workerType: WorkerType.G_1X, numberOfWorkers: config.job.workers },
            timeout: Duration.minutes(config.job.timeoutMinutes),
            maxRetries: 1,
            // Two runs over the same days would be correct and pay twice.
            maxConcurrentRuns: 1,
            // Glue 5.0 always logs at once: https://docs.aws.amazon.com/glue/latest/dg/monitor-continuous-logging.html
            continuousLogging: { enabled: false },
            defaultArguments: {
                '--bucket': lake.bucket.bucketName,
                '--stage': config.stage,
                '--job-bookmark-option': 'job-bookmark-disable',
                '--custom-logGroup-prefix': logPrefix,
                ...props.arguments,
            },
        });
        // No security configuration: the bucket encrypts what the job writes, and the groups its logs.
        Validations.of(this.job).acknowledge(
            { id: 'AwsSolutions-GL1', reason: 'The log groups are made here, and encrypted as all logs of the lake are.' },
            { id: 'AwsSolutions-GL3', reason: 'The job has no bookmarks: what is left to do follows from the objects themselves.' },
        );
    }
}

/** The two groups that Glue 5.0 writes to, named by it after the prefix. */
function createLogs(
    scope: Construct,
    { prefix, config, key, role }: { prefix: string; config: StageConfig; key: Key | undefined; role: Role },
): void {
    for (const stream of ['output', 'error']) {
        const group = new LogGroup(scope, `${stream}-logs`, {
            logGroupName: `${prefix}/${stream}`,
            retention: config.logDays,
            removalPolicy: logPolicyOf(config),
            ...(key && { encryptionKey: key }),
        });
        // Glue's standard role may create groups too: a job that asks for one that is there must not fail for it.
        group.grant(role, 'logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents');
    }
}

function grantMetrics(role: Role): void {
    role.addToPolicy(
        new PolicyStatement({
            actions: ['cloudwatch:PutMetricData'],
            resources: ['*'],
            conditions: { StringEquals: { 'cloudwatch:namespace': 'Glue' } },
        }),
    );
    Validations.of(role).acknowledge({
        id: 'AwsSolutions-IAM5[Resource::*]',
        reason: 'PutMetricData knows no resources; the condition holds it to Glue’s own metrics.',
    });
}
