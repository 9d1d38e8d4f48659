/** The whole installation as one stack, so that `cdk deploy` is all there is to type: the parts, and how they are wired. */
import { type App, CfnOutput, RemovalPolicy, Stack, Tags } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { DEPLOYMENT_TAGS } from '#lake/deployment';
import { pairDays } from '#lake/flows/tables';
import { derivations, kinds, kindsWithInputs } from '#lake/kinds';
import { FEATURES_PREFIX, LEDGER_PREFIX, METRIC_FEATURES_PREFIX, RAW_PREFIX, TRIES_PREFIX } from '#lake/layout';
import { Alarms } from './alarms.ts';
import { Athena } from './athena.ts';
import { createBudget } from './budget.ts';
import { Catalog } from './catalog.ts';
import { isDataDestroyed, namesOf, type StageConfig, telemetryNamesOf } from './config.ts';
import { createDashboard } from './dashboard.ts';
import { Worker } from './functions.ts';
import { SparkJob } from './jobs.ts';
import { LakeBucket } from './lake-bucket.ts';
import { createLakeKey } from './lake-key.ts';
import { WorkQueue } from './queues.ts';
import { QuickSight } from './quick-sight.ts';
import type { PartProps } from './telemetry/part.ts';
import { Telemetry } from './telemetry/telemetry.ts';

interface LakeStackProps {
    config: StageConfig;
    /** Folders with what runs: a bundle a function, and the Spark jobs' Python with the views that they read. */
    code: { summarize: string; consolidate: string; glueJobs: string; telemetry?: PartProps['code'] | undefined };
    /** Value of `-c destroy-data`. */
    destroyData?: unknown;
}

/** Prefixes of what a version of a source owns, for all kinds. */
const OWNED_PREFIXES = kinds.flatMap(({ contributions, rejects }) => [contributions.prefix, rejects.prefix]);

const CONTRIBUTION_PREFIXES = kinds.map(({ contributions }) => contributions.prefix);

/** Prefixes of what kinds' readings ask for. */
const INPUT_PREFIXES = kindsWithInputs().map(({ inputs }) => inputs.prefix);

/** Prefixes of contributions as people read them. */
const CONTRIBUTIONS = CONTRIBUTION_PREFIXES.join(', ');

const MERGED_PREFIXES = kinds.map(({ merged }) => merged.prefix);

const DERIVED_PREFIXES = derivations().map(({ derived }) => derived.table.prefix);

/** Prefix of what features of devices are made of. */
const METRIC_HOURS_PREFIXES = derivations().flatMap(({ derived: { table } }) => (table.name === 'metric_hours' ? [table.prefix] : []));

/** Rights of whoever merges what sources contribute, and derives what is made of that. */
const BRINGING_UP_RIGHTS = {
    get: [...CONTRIBUTION_PREFIXES, LEDGER_PREFIX, ...MERGED_PREFIXES, ...DERIVED_PREFIXES, ...INPUT_PREFIXES],
    put: [...MERGED_PREFIXES, ...DERIVED_PREFIXES],
};

export class LakeStack extends Stack {
    constructor(app: App, { config, code, destroyData }: LakeStackProps) {
        super(app, `flowlake-${config.stage}`, {
            description: `flowlake: IoT traffic data lake, stage ${config.stage}`,
            terminationProtection: config.isDataKept,
        });
        Tags.of(this).add(DEPLOYMENT_TAGS.stage, config.stage);
        const names = namesOf(config);
        const removalPolicy = isDataDestroyed(config, destroyData) ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN;
        const key = config.hasCustomerKey ? createLakeKey(this, { stage: config.stage, removalPolicy }) : undefined;

        const summarizeQueue = new WorkQueue(this, 'summarize-queue', {
            name: names.summarizeQueue,
            deadLetterName: names.summarizeDeadLetters,
            worker: config.summarize,
            key,
            ifStuck: `Files that were uploaded more than ${config.maxLagMinutes} minutes ago are not read yet: reports lack them.`,
            ifRetried:
                'A file could not be read for some 20 minutes: reports lack it. It is safe in raw/, and is tried again every 15 minutes.',
            ifDead: `Files were uploaded that are in no figure: reading them failed ${config.summarize.maxReceiveCount} times. They are safe in raw/.`,
        });
        const consolidateQueue = new WorkQueue(this, 'consolidate-queue', {
            name: names.consolidateQueue,
            deadLetterName: names.consolidateDeadLetters,
            worker: config.consolidate,
            key,
            ifStuck: `Files are read, but their days were not merged for more than ${config.maxLagMinutes} minutes: reports show older figures.`,
            ifRetried: `A day ${config.telemetry ? 'or an hour ' : ''}could not be merged for some 20 minutes: it shows older figures. It is tried again every 15 minutes.`,
            ifDead: `Days show old figures: merging them failed ${config.consolidate.maxReceiveCount} times. What was read of the files is safe in ${CONTRIBUTIONS}.`,
        });
        const lake = new LakeBucket(this, 'lake', {
            config,
            names: { ...names, ...(config.telemetry && telemetryNamesOf(config)) },
            removalPolicy,
            key,
            summarizeQueue: summarizeQueue.queue,
        });
        const { bucket } = lake;

        const summarize = new Worker(this, 'summarize', {
            job: 'summarize',
            config,
            codeFolder: code.summarize,
            source: summarizeQueue,
            environment: {
                LAKE_BUCKET: bucket.bucketName,
                SUMMARIZE_QUEUE: names.summarizeQueue,
                CONSOLIDATE_QUEUE: names.consolidateQueue,
            },
            key,
            ifFailing: 'New files are not read, or much later than they should be: reports lack them. They are safe in raw/.',
        });
        lake.grantObjects(summarize.role, {
            get: [RAW_PREFIX, LEDGER_PREFIX, ...OWNED_PREFIXES, ...INPUT_PREFIXES, TRIES_PREFIX],
            put: [LEDGER_PREFIX, ...OWNED_PREFIXES, TRIES_PREFIX],
            delete: [...OWNED_PREFIXES, TRIES_PREFIX],
        });
        summarize.role.addToPolicy(
            new PolicyStatement({ actions: ['sqs:SendMessage', 'sqs:GetQueueUrl'], resources: [consolidateQueue.queue.queueArn] }),
        );
        if (INPUT_PREFIXES.length > 0) {
            // News of an input becomes a message for each source that was read with another version of it.
            summarize.role.addToPolicy(new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [summarizeQueue.queue.queueArn] }));
        }

        const consolidate = new Worker(this, 'consolidate', {
            job: 'consolidate',
            config,
            codeFolder: code.consolidate,
            source: consolidateQueue,
            environment: { LAKE_BUCKET: bucket.bucketName, CONSOLIDATE_QUEUE: names.consolidateQueue },
            key,
            ifFailing: `Days are not merged, or much later than they should be: reports show older figures. What was read is safe in ${CONTRIBUTIONS}.`,
        });
        lake.grantObjects(consolidate.role, {
            get: [...BRINGING_UP_RIGHTS.get, TRIES_PREFIX],
            put: [...BRINGING_UP_RIGHTS.put, TRIES_PREFIX],
            delete: [TRIES_PREFIX],
        });

        const catalog = new Catalog(this, 'catalog', { databaseName: names.database, bucket, firstDay: config.firstDay });
        const athena = new Athena(this, 'athena', { config, names, bucket, key });
        if (config.quickSight !== undefined) {
            const { quickSight } = config;
            new QuickSight(this, 'quick-sight', { quickSight, names, lake }).node.addDependency(catalog, athena);
        }
        const consolidateDays = new SparkJob(this, 'consolidate-days', {
            job: 'consolidate-days',
            jobName: names.consolidateDaysJob,
            description: 'Consolidates and derives days that are too large for the Lambda',
            config,
            codeFolder: code.glueJobs,
            lake,
            rights: BRINGING_UP_RIGHTS,
            arguments: DERIVED_PREFIXES.length > 0 ? { '--consolidate_queue': names.consolidateQueue } : {},
            key,
        });
        // Both tell of what is built on a period.
        for (const { role } of DERIVED_PREFIXES.length > 0 ? [consolidate, consolidateDays] : []) {
            role.addToPolicy(
                new PolicyStatement({ actions: ['sqs:SendMessage', 'sqs:GetQueueUrl'], resources: [consolidateQueue.queue.queueArn] }),
            );
        }
        // A stage without telemetry has the rights that it ever had.
        const ofDevices = config.telemetry ? { get: METRIC_HOURS_PREFIXES, put: [METRIC_FEATURES_PREFIX] } : { get: [], put: [] };
        new SparkJob(this, 'export-features', {
            job: 'export-features',
            jobName: names.exportFeaturesJob,
            description: 'Exports what models are trained on, a row per pair and day',
            config,
            codeFolder: code.glueJobs,
            lake,
            rights: {
                get: [pairDays.prefix, ...ofDevices.get],
                put: [FEATURES_PREFIX, ...ofDevices.put],
                delete: [FEATURES_PREFIX, ...ofDevices.put],
            },
            key,
        });

        const telemetry = createTelemetry(this, {
            config,
            code: code.telemetry,
            glueJobs: code.glueJobs,
            lake,
            summarize,
            consolidate,
            key,
            removalPolicy,
        });
        const watched = {
            summarize: { queue: summarizeQueue, worker: summarize },
            consolidate: { queue: consolidateQueue, worker: consolidate },
        };
        const { alarms } = new Alarms(this, 'alarms', { config, bucketName: bucket.bucketName, ...watched, telemetry, key });
        createBudget(this, config);
        createDashboard(this, { stage: config.stage, alarms, ...watched, telemetry });

        new CfnOutput(this, 'BucketName', { value: bucket.bucketName, description: 'The lake' });
        new CfnOutput(this, 'Lake', { value: `flowlake --lake s3://${bucket.bucketName} status`, description: 'What to type' });
    }
}

/** Live telemetry, where the row has it. */
function createTelemetry(
    scope: Stack,
    {
        config,
        code,
        ...props
    }: Pick<PartProps, 'config' | 'glueJobs' | 'lake' | 'summarize' | 'consolidate' | 'key' | 'removalPolicy'> & {
        code: LakeStackProps['code']['telemetry'];
    },
): Telemetry | undefined {
    if (config.telemetry === undefined) {
        return undefined;
    }
    if (code === undefined) {
        throw new TypeError(`stage ${config.stage} has telemetry, but the stack was given no bundles of its functions`);
    }
    const names = { ...namesOf(config), ...telemetryNamesOf(config) };
    return new Telemetry(scope, 'telemetry', { ...props, config, telemetry: config.telemetry, names, code });
}
