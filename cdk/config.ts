/** How each stage of the lake is set up: one row per stage. What a row does not say is told at the default. */
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Deployment, TelemetryDeployment } from '#lake/deployment';
import { UsageError } from '#lake/errors';

/** One of the two Lambdas, and how its queue feeds it. */
export interface FunctionConfig {
    /** Memory; 1,769 MB are one core: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html */
    memoryMb: number;
    /** Time that the function may run; the queue hides a message six times as long. */
    timeoutSeconds: number;
    /** Workers at once, 2 at least. A new account has 10 for everything. */
    maxConcurrency: number;
    /** Messages that one invocation gets at most. */
    batchSize: number;
    /** How often a message is tried before it becomes a dead letter; lambdas/batch.ts says when. */
    maxReceiveCount: number;
}

/** Live telemetry of a stage: what devices send to it by MQTT, HTTP or Kinesis. */
export interface TelemetryConfig {
    /**
     * True if devices are let in. False takes the ways in, latest state's functions and the API away, and leaves what they wrote: streams, latest state,
     * alerts, the index of chain objects. What was acknowledged goes on into the lake: the chain's functions stay.
     */
    isOn: boolean;
    /** True if programs may write with PutRecords: into a stream of their own, whose records are known by their partition keys. */
    hasProgramStream: boolean;
    /**
     * What IoT Core writes into log group AWSIotLogsV2, of each connection that it refused and each rule that failed at least. IoT Core has one such setting for an
     * account and region: `of the account` leaves it as it is, where somebody has set it already. Default: ERROR.
     */
    deviceLogs?: 'ERROR' | 'WARN' | 'INFO' | 'DEBUG' | 'of the account';
    /** Who signs the tokens by which people and programs read the API. Default: a user pool of Cognito that the stack makes. */
    readers?: { issuer: string; audience: string };
    /** Requests to the HTTP API that are let through in a second, of all clients; twice as many at once. Default: 1,000. */
    requestsPerSecond?: number;
}

/** QuickSight over a stage’s lake. */
export interface QuickSightConfig {
    /** ARNs of QuickSight's users or groups who may use the data sets and own the analysis; at least one. */
    people: readonly string[];
    /** Days that the data sets hold of views that know days: so much is read at each look. */
    days: number;
}

export interface StageConfig {
    /** Name of the stage, part of every name: `dev`, `prod`. */
    stage: string;
    /** Name of the bucket. Default: `flowlake-<stage>-<account>-<region>`. */
    bucketName?: string;
    /** True if `cdk destroy` leaves bucket and key. False is the first of two switches; `-c destroy-data=<stage>` is the second. */
    isDataKept: boolean;
    /** True if data, messages and logs are encrypted with a key of this account, instead of keys that AWS holds. */
    hasCustomerKey: boolean;
    /** Address that gets every alarm; has to confirm a mail first. Default: alarms go to `alarmTopicArns`, and are seen in CloudWatch. */
    alarmEmail?: string;
    /** Topics of SNS, of this account or another one, that get every alarm as well; their own policies let CloudWatch of this account publish. Default: none. */
    alarmTopicArns?: readonly string[];
    /** US dollars a month: at 80 % of them, and when the month will come to more, who gets the alarms is told. Default: no budget. */
    monthlyBudgetUsd?: number;
    /**
     * First day that Athena sees: earlier ones give no rows and no error (`flowlake doctor` finds them). Every day since costs a listing in
     * each query that names no days.
     */
    firstDay: string;
    /**
     * Age of raw files from which on they lie in Glacier Instant Retrieval: a quarter of the price, still read at once, billed for 90 days
     * at least.
     */
    rawColdAfterDays: number;
    /** Days until what `export --save` wrote, and features, are deleted. */
    exportDays: number;
    /** Days until what Athena wrote for a query is deleted. */
    queryResultDays: number;
    /** Days for which a raw file that was replaced or deleted can be had back. */
    oldRawVersionDays: number;
    /** Days for which replaced or deleted objects other than raw files can be had back; all of these can be computed again. */
    oldVersionDays: number;
    /** Days for which S3's log of who read or wrote which object is kept. */
    accessLogDays: number;
    /** How long what the Lambdas and the jobs say is kept. */
    logDays: RetentionDays;
    summarize: FunctionConfig;
    consolidate: FunctionConfig;
    /** Bytes that a query may read: Athena stops one that reads more; it takes 10 MB at least. */
    maxScanBytes: number;
    /** Minutes after which an upload that is not in the figures rings the alarm. */
    maxLagMinutes: number;
    /** Live telemetry. Default: none, and nothing of it is deployed. */
    telemetry?: TelemetryConfig;
    /** QuickSight's data sets and an analysis, in an account that has QuickSight. Default: none, and nothing of it is deployed. */
    quickSight?: QuickSightConfig;
    /** Size of each Spark job, for periods that a Lambda cannot hold and for features: workers of 4 cores and 16 GB (G.1X), 2 at least. */
    job: { workers: number; timeoutMinutes: number };
}

const GB = 1_000_000_000;

/**
 * Tries before a message becomes a dead letter. One that fails is tried again after 10 s, 1, 5 and 15 minutes, then every 15 minutes: with
 * 12 tries the last is two hours after the first, so that an outage which passes by then leaves no dead letters. One that takes its worker
 * along, or all of its time, comes back every half hour: it is tried for six hours. SQS advises 5 or more for a queue that feeds a
 * function.
 */
const MAX_RECEIVE_COUNT = 12;

/** The function that appends each shard to its chain: a batch of 6 MB in memory, as messages and packed. */
export const CHAIN = { memoryMb: 1769, timeoutSeconds: 300 };

/**
 * The function that brings what was given up into the lake: seldom anything, then a range of the stream in one go. What a rule could not hand on
 * comes message by message: many become one object.
 */
export const GIVEN_UP = {
    memoryMb: 1769,
    timeoutSeconds: 300,
    maxConcurrency: 2,
    batchSize: 100,
    windowSeconds: 20,
    maxReceiveCount: MAX_RECEIVE_COUNT,
} satisfies FunctionConfig & { windowSeconds: number };

const DEFAULTS = {
    hasCustomerKey: false,
    firstDay: '2025-01-01',
    rawColdAfterDays: 60,
    exportDays: 30,
    queryResultDays: 7,
    oldRawVersionDays: 90,
    oldVersionDays: 7,
    accessLogDays: 90,
    logDays: RetentionDays.ONE_MONTH,
    // One core reads faster than S3 gives to one Lambda.
    summarize: { memoryMb: 1769, timeoutSeconds: 300, maxConcurrency: 5, batchSize: 5, maxReceiveCount: MAX_RECEIVE_COUNT },
    // Memory, because a period's rows are merged there; more than 3,008 MB a new account does not get.
    consolidate: { memoryMb: 3008, timeoutSeconds: 300, maxConcurrency: 5, batchSize: 10, maxReceiveCount: MAX_RECEIVE_COUNT },
    maxScanBytes: 100 * GB,
    maxLagMinutes: 30,
    job: { workers: 4, timeoutMinutes: 120 },
} satisfies Partial<StageConfig>;

/** The rows: add one to have another lake in the same account. */
const STAGES: readonly StageConfig[] = [
    { ...DEFAULTS, stage: 'dev', isDataKept: false },
    {
        ...DEFAULTS,
        stage: 'prod',
        isDataKept: true,
        oldRawVersionDays: 365,
        accessLogDays: 365,
        logDays: RetentionDays.SIX_MONTHS,
        summarize: { ...DEFAULTS.summarize, maxConcurrency: 20 },
        consolidate: { ...DEFAULTS.consolidate, maxConcurrency: 10 },
        maxScanBytes: 1000 * GB,
    },
];

/** The row of `-c stage=...`, `dev` where none was given. @throws UsageError for a stage that has no row */
export function readStage(stage: unknown = 'dev'): StageConfig {
    const config = STAGES.find((row) => row.stage === stage);
    if (config === undefined) {
        throw new UsageError(
            `There is no stage "${stage}": say -c stage=${STAGES.map((row) => row.stage).join('|')}, or add a row to cdk/config.ts`,
        );
    }
    return config;
}

/**
 * True if bucket and key go with the stack. `cdk destroy` follows the deployed template, so the switch is said to `cdk deploy` first:
 * docs/security.md has the steps.
 * @throws UsageError where `-c destroy-data` names another stage, or one whose row keeps its data
 */
export function isDataDestroyed({ stage, isDataKept }: Pick<StageConfig, 'stage' | 'isDataKept'>, destroyData: unknown): boolean {
    if (destroyData === undefined) {
        return false;
    }
    if (destroyData !== stage) {
        throw new UsageError(
            `-c destroy-data=${destroyData} does not name this stage: say -c destroy-data=${stage}, or leave it out to keep the data`,
        );
    }
    if (isDataKept) {
        throw new UsageError(
            `Stage ${stage} keeps its data: set isDataKept to false in its row of cdk/config.ts, or leave -c destroy-data out`,
        );
    }
    return true;
}

/** The names of a stage's parts. Plain text, known before anything exists: nothing refers in a circle, and views can be computed. */
export function namesOf({ stage }: Pick<StageConfig, 'stage'>): Deployment {
    const lake = `flowlake-${stage}`;
    return {
        stage,
        // Athena takes no dash in a database's name: https://docs.aws.amazon.com/athena/latest/ug/tables-databases-columns-names.html
        database: `flowlake_${stage}`,
        workgroup: lake,
        summarizeQueue: `${lake}-summarize`,
        summarizeDeadLetters: `${lake}-summarize-dead-letters`,
        consolidateQueue: `${lake}-consolidate.fifo`,
        consolidateDeadLetters: `${lake}-consolidate-dead-letters.fifo`,
        consolidateDaysJob: `${lake}-consolidate-days`,
        exportFeaturesJob: `${lake}-export-features`,
    };
}

/** The names of live telemetry’s parts, where the row has it. */
export function telemetryNamesOf({ stage, telemetry }: Pick<StageConfig, 'stage' | 'telemetry'>): TelemetryDeployment {
    const lake = `flowlake-${stage}`;
    return {
        stream: `${lake}-telemetry`,
        ...(telemetry?.hasProgramStream && { programStream: `${lake}-programs` }),
        stateTable: `${lake}-state`,
        datasetsTable: `${lake}-datasets`,
        hoursQueue: `${lake}-hours.fifo`,
        hoursDeadLetters: `${lake}-hours-dead-letters.fifo`,
        givenUpQueue: `${lake}-given-up`,
        givenUpDeadLetters: `${lake}-given-up-dead-letters`,
        devicePolicy: `${lake}-device`,
        api: `${lake}-api`,
    };
}
