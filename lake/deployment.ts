/**
 * What a deployment is called: the names that stand in the tags of its bucket, so that `--lake s3://bucket` is all that a user types.
 * cdk/ writes the tags, the command line reads them. One deployment serves every kind of data with two workers and their two queues:
 * messages name the table and the period, and each period of each table is a group of its own, so that no kind holds up another one.
 */

/** The parts of a deployment that the command line and the Lambdas talk to. Queues are named, not addressed: SQS gives the URL. */
export interface Deployment {
    /** Name of the lake among those of one account: `dev`, `prod`. */
    stage: string;
    /** Glue database, with the tables and views of all kinds. */
    database: string;
    /** Athena workgroup. */
    workgroup: string;
    /** Standard queue that S3 tells of new raw objects. */
    summarizeQueue: string;
    summarizeDeadLetters: string;
    /** FIFO queue, table and period as message group. */
    consolidateQueue: string;
    consolidateDeadLetters: string;
    /** Glue job for periods that are too large for a Lambda. */
    consolidateDaysJob: string;
    /** Glue job that writes what models are trained on. */
    exportFeaturesJob: string;
}

/**
 * A message whose worker died comes back after six times the function's time; one that failed comes back sooner (lambdas/batch.ts):
 * https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
 */
export const VISIBILITY_PER_TIMEOUT = 6;

/** Longest time that SQS keeps messages. */
export const MESSAGE_DAYS = 14;

/** The bucket tag that holds each name. */
export const DEPLOYMENT_TAGS: Readonly<Record<keyof Deployment, string>> = {
    stage: 'flowlake:stage',
    database: 'flowlake:database',
    workgroup: 'flowlake:workgroup',
    summarizeQueue: 'flowlake:summarize-queue',
    summarizeDeadLetters: 'flowlake:summarize-dead-letters',
    consolidateQueue: 'flowlake:consolidate-queue',
    consolidateDeadLetters: 'flowlake:consolidate-dead-letters',
    consolidateDaysJob: 'flowlake:consolidate-days-job',
    exportFeaturesJob: 'flowlake:export-features-job',
};

/** The parts of a deployment that only lakes with live telemetry have. Functions and rules are named after the stage and stand in no tag. */
export interface TelemetryDeployment {
    /** Kinesis stream that devices' messages come into. */
    stream: string;
    /** Kinesis stream that programs write to. Not there: programs may not write to this lake. */
    programStream?: string;
    /** DynamoDB table of latest state and alerts. */
    stateTable: string;
    /** DynamoDB table with an item for each chain object. */
    datasetsTable: string;
    /** Delayed FIFO queue of periods by the hour. */
    hoursQueue: string;
    hoursDeadLetters: string;
    /** Queue of what event source or rule gave up. */
    givenUpQueue: string;
    givenUpDeadLetters: string;
    /** Policy of IoT Core that each device's certificate has. */
    devicePolicy: string;
    /** Name of the HTTP API. */
    api: string;
    /** Address of the HTTP API, without a path. Not there: devices are not let in. */
    apiUrl?: string;
}

/**
 * How long the hours queue holds each message back. SQS drops a send whose deduplication id it took less than five minutes ago, by its own clock; the
 * message that the dropped send stands behind must still be coming then. A minute more, because nothing says that the five minutes are exact.
 */
export const HOURS_DELAY_SECONDS = 360;

/** The bucket tag that holds each name of live telemetry. */
export const TELEMETRY_TAGS: Readonly<Record<keyof TelemetryDeployment, string>> = {
    stream: 'flowlake:stream',
    programStream: 'flowlake:program-stream',
    stateTable: 'flowlake:state-table',
    datasetsTable: 'flowlake:datasets-table',
    hoursQueue: 'flowlake:hours-queue',
    hoursDeadLetters: 'flowlake:hours-dead-letters',
    givenUpQueue: 'flowlake:given-up-queue',
    givenUpDeadLetters: 'flowlake:given-up-dead-letters',
    devicePolicy: 'flowlake:device-policy',
    api: 'flowlake:api',
    apiUrl: 'flowlake:api-url',
};

/** The names of live telemetry that the bucket's tags tell, and the tags that are missing: all of them where the deployment has none of it. */
export function telemetryOf(tags: ReadonlyMap<string, string>): { names: TelemetryDeployment; missing: string[] } {
    const missing: string[] = [];
    const read = (part: keyof TelemetryDeployment): string => {
        const name = tags.get(TELEMETRY_TAGS[part]) ?? '';
        if (name === '') {
            missing.push(TELEMETRY_TAGS[part]);
        }
        return name;
    };
    const programStream = tags.get(TELEMETRY_TAGS.programStream);
    const apiUrl = tags.get(TELEMETRY_TAGS.apiUrl);
    const names = {
        stream: read('stream'),
        ...(programStream && { programStream }),
        stateTable: read('stateTable'),
        datasetsTable: read('datasetsTable'),
        hoursQueue: read('hoursQueue'),
        hoursDeadLetters: read('hoursDeadLetters'),
        givenUpQueue: read('givenUpQueue'),
        givenUpDeadLetters: read('givenUpDeadLetters'),
        devicePolicy: read('devicePolicy'),
        api: read('api'),
        ...(apiUrl && { apiUrl }),
    };
    return { names, missing };
}

/** The deployment that the bucket's tags describe, and the tags that are missing (none: it is whole). */
export function deploymentOf(tags: ReadonlyMap<string, string>): { deployment: Partial<Deployment>; missing: string[] } {
    const deployment: Partial<Deployment> = {};
    const missing: string[] = [];
    for (const [part, tag] of Object.entries(DEPLOYMENT_TAGS)) {
        const name = tags.get(tag);
        if (name === undefined || name === '') {
            missing.push(tag);
        } else {
            Object.assign(deployment, { [part]: name });
        }
    }
    return { deployment, missing };
}
