/**
 * The Spark jobs of live telemetry and what starts them, so that nobody has to: a nightly trigger each, and for periods that are too large for the function that
 * consolidates, that function itself. And the crawler that follows the wide tables.
 */
import { Aws, Validations } from 'aws-cdk-lib';
import { Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { Rule } from 'aws-cdk-lib/aws-events';
import { CfnCrawler, CfnTrigger } from 'aws-cdk-lib/aws-glue';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { kindsWithInputs } from '#lake/kinds';
import { DEVICES_PREFIX, LEDGER_PREFIX, RAW_PREFIX, READINGS_EXPORT_PREFIX, WIDE_COLUMNS_PREFIX, WIDE_PREFIX } from '#lake/layout';
import { type AlarmRule, PERIOD } from '../alarms.ts';
import { METRICS_NAMESPACE } from '../functions.ts';
import { SparkJob } from '../jobs.ts';
import { grantKey } from '../lake-key.ts';
import type { Part, PartProps } from './part.ts';

/** Raw files of telemetry: files of history, and chain objects. */
const RAW_TELEMETRY_PREFIX = `${RAW_PREFIX}kind=telemetry/`;

/** Days that a nightly run looks back: what comes later than that, a run by hand brings in. */
const NIGHTLY_RANGE = { '--from': '30-days-ago', '--to': 'yesterday' };

/** UTC, when yesterday is over everywhere but on some islands. One behind the other: each has the night's quiet to itself. */
const NIGHTLY = { transformReadings: 'cron(30 2 * * ? *)', wideTables: 'cron(0 3 * * ? *)' };

export class GlueJobs extends Construct implements Part {
    readonly watched = [];
    readonly rules: readonly AlarmRule[];
    readonly graphs;

    constructor(scope: Construct, id: string, props: PartProps) {
        super(scope, id);
        const { config } = props;
        const read = [LEDGER_PREFIX, ...kindsWithInputs().map(({ inputs }) => inputs.prefix), RAW_TELEMETRY_PREFIX];
        const transformReadings = createJob(this, props, {
            job: 'transform-readings',
            description: 'Reads days of telemetry anew, with what the registry says of their devices',
            rights: {
                get: [...read, DEVICES_PREFIX, READINGS_EXPORT_PREFIX],
                put: [READINGS_EXPORT_PREFIX],
                delete: [READINGS_EXPORT_PREFIX],
            },
        });
        const crawlerName = `flowlake-${config.stage}-wide-tables`;
        const wideTables = createJob(this, props, {
            job: 'wide-tables',
            description: 'Writes the wide tables of the profiles that ask for one',
            rights: { get: [...read, WIDE_PREFIX, WIDE_COLUMNS_PREFIX], put: [WIDE_PREFIX, WIDE_COLUMNS_PREFIX], delete: [WIDE_PREFIX] },
            arguments: { '--crawler': crawlerName },
        });
        grantFigures(wideTables.role);
        wideTables.role.addToPolicy(new PolicyStatement({ actions: ['glue:StartCrawler'], resources: [arnOf(`crawler/${crawlerName}`)] }));
        createCrawler(this, crawlerName, props);
        startNightly(transformReadings, { schedule: NIGHTLY.transformReadings, jobName: jobNameOf(config, 'transform-readings') });
        startNightly(wideTables, { schedule: NIGHTLY.wideTables, jobName: jobNameOf(config, 'wide-tables') });
        startTooLarge(props);

        const rejected = new Metric({
            namespace: METRICS_NAMESPACE,
            metricName: 'WideFieldsRejected',
            dimensionsMap: { service: 'wide-tables', stage: config.stage },
            period: PERIOD,
            statistic: Stats.SUM,
        });
        this.rules = [
            {
                name: 'wide-fields-rejected',
                metric: rejected,
                above: 0,
                times: 1,
                breaks: 'Devices send fields that are not what they were before, so a wide table lacks their values: its column keeps its type.',
                type: '\'query "select profile, field, reason, count(*) from wide_rejected group by 1, 2, 3"\'',
            },
            failedRuns(this, props),
        ];
        this.graphs = [{ title: 'Fields that no wide table can hold', metrics: [rejected] }];
    }
}

function jobNameOf({ stage }: { stage: string }, job: string): string {
    return `flowlake-${stage}-${job}`;
}

function createJob(
    scope: Construct,
    { config, lake, key, glueJobs }: PartProps,
    props: Pick<ConstructorParameters<typeof SparkJob>[2], 'description' | 'rights' | 'arguments'> & {
        job: 'transform-readings' | 'wide-tables';
    },
): SparkJob {
    return new SparkJob(scope, props.job, { ...props, jobName: jobNameOf(config, props.job), config, codeFolder: glueJobs, lake, key });
}

/** Lets a job put figures into the lake's own namespace, and into no other. */
function grantFigures(role: Role): void {
    role.addToPolicy(
        new PolicyStatement({
            actions: ['cloudwatch:PutMetricData'],
            resources: ['*'],
            conditions: { StringEquals: { 'cloudwatch:namespace': METRICS_NAMESPACE } },
        }),
    );
}

/** A trigger of Glue's own: it needs no role, and starts the job that it names and nothing else. The job runs once at a time. */
function startNightly(of: SparkJob, { schedule, jobName }: { schedule: string; jobName: string }): void {
    const trigger = new CfnTrigger(of, 'nightly', {
        name: `${jobName}-nightly`,
        description: `Starts ${jobName} for the last 30 days; what is right is left as it is`,
        type: 'SCHEDULED',
        schedule,
        startOnCreation: true,
        actions: [{ jobName, arguments: NIGHTLY_RANGE }],
    });
    trigger.node.addDependency(of.job);
}

/** Lets the function that consolidates start the job for a period that is too large for it, and no other job. */
function startTooLarge({ consolidate, names }: PartProps): void {
    consolidate.lambda.addEnvironment('CONSOLIDATE_DAYS_JOB', names.consolidateDaysJob);
    consolidate.role.addToPolicy(
        new PolicyStatement({ actions: ['glue:StartJobRun'], resources: [arnOf(`job/${names.consolidateDaysJob}`)] }),
    );
}

/**
 * Follows wide/: a table `wide_<profile>` for each folder, with the columns that its objects have. It adds columns and never changes or drops one: the job keeps
 * each column of one type for good. https://docs.aws.amazon.com/glue/latest/dg/crawler-schema-changes-prevent.html
 */
function createCrawler(scope: Construct, name: string, { config, lake, names, key }: PartProps): void {
    const role = new Role(scope, 'crawler', {
        assumedBy: new ServicePrincipal('glue.amazonaws.com'),
        description: `Crawls the wide tables (flowlake-${config.stage})`,
    });
    lake.grantObjects(role, { get: [WIDE_PREFIX], put: [] });
    const tables = arnOf(`table/${names.database}/wide_*`);
    role.addToPolicy(
        new PolicyStatement({
            actions: [
                'glue:GetDatabase',
                'glue:GetTable',
                'glue:GetTables',
                'glue:CreateTable',
                'glue:UpdateTable',
                'glue:GetPartition',
                'glue:GetPartitions',
                'glue:BatchGetPartition',
                'glue:BatchCreatePartition',
                'glue:CreatePartition',
                'glue:UpdatePartition',
            ],
            resources: [arnOf('catalog'), arnOf(`database/${names.database}`), tables],
        }),
    );
    // Glue's crawlers write to groups of this name, https://docs.aws.amazon.com/glue/latest/dg/monitor-crawler.html
    const logs = `arn:${Aws.PARTITION}:logs:${Aws.REGION}:${Aws.ACCOUNT_ID}:log-group:/aws-glue/crawlers*`;
    role.addToPolicy(
        new PolicyStatement({ actions: ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'], resources: [logs] }),
    );
    grantKey(key, role);
    const crawler = new CfnCrawler(scope, 'wide-crawler', {
        name,
        description: 'Catalogues the wide tables: a new field of a device is a column after the next run',
        role: role.roleArn,
        databaseName: names.database,
        tablePrefix: 'wide_',
        targets: { s3Targets: [{ path: `${lake.bucket.s3UrlForObject(WIDE_PREFIX)}` }] },
        schemaChangePolicy: { updateBehavior: 'UPDATE_IN_DATABASE', deleteBehavior: 'LOG' },
        // All objects each time: what a day lacks now, it may have after the next run.
        recrawlPolicy: { recrawlBehavior: 'CRAWL_EVERYTHING' },
        configuration: JSON.stringify({
            Version: 1.0,
            CrawlerOutput: { Tables: { AddOrUpdateBehavior: 'MergeNewColumns' }, Partitions: { AddOrUpdateBehavior: 'InheritFromTable' } },
            // The bucket is level 1, wide/ is 2: a table for each folder below.
            Grouping: { TableLevelConfiguration: 3 },
        }),
    });
    Validations.of(crawler).acknowledge({
        id: 'AwsSolutions-GL1',
        reason: 'It reads what the bucket encrypts and writes nothing but the catalog; its logs have names of tables and no data.',
    });
    Validations.of(role).acknowledge(
        {
            id: `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:glue:<AWS::Region>:<AWS::AccountId>:table/${names.database}/wide_*]`,
            reason: 'Nobody knows the names of tables before profiles ask for them; the right ends at their beginning.',
        },
        {
            id: 'AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:logs:<AWS::Region>:<AWS::AccountId>:log-group:/aws-glue/crawlers*]',
            reason: 'Glue names the streams of the crawlers’ groups itself.',
        },
    );
}

/** Runs of the jobs that failed, at their second attempt too, or took too long: a job that fails by night is heard of in the morning. */
function failedRuns(scope: Construct, { config, names }: PartProps): AlarmRule {
    const ruleName = `flowlake-${config.stage}-failed-jobs`;
    new Rule(scope, 'failed-jobs', {
        ruleName,
        description: 'Counts the runs of the lake’s Spark jobs that failed; CloudWatch tells how often it matched',
        eventPattern: {
            source: ['aws.glue'],
            detailType: ['Glue Job State Change'],
            detail: {
                jobName: [jobNameOf(config, 'transform-readings'), jobNameOf(config, 'wide-tables'), names.consolidateDaysJob],
                state: ['FAILED', 'TIMEOUT', 'STOPPED'],
            },
        },
    });
    return {
        name: 'failed-jobs',
        metric: new Metric({
            namespace: 'AWS/Events',
            metricName: 'MatchedEvents',
            dimensionsMap: { RuleName: ruleName },
            period: PERIOD,
            statistic: Stats.SUM,
        }),
        above: 0,
        times: 1,
        breaks: `A Spark job failed: wide tables, exported readings, or a period that is too large for a function are not up to date. Its log says why: /flowlake/${config.stage}/<job>/error.`,
        type: 'status',
    };
}

function arnOf(resource: string): string {
    return `arn:${Aws.PARTITION}:glue:${Aws.REGION}:${Aws.ACCOUNT_ID}:${resource}`;
}
