/** What a lake is to whoever works with it: a directory of this machine, or what was deployed around a bucket. lake/open-lake.ts opens one. */
import { resolve } from 'node:path';
import type { IotRegistry } from '#lake/cloud/iot-registry';
import type { CloudState } from '#lake/cloud/state-store';
import type { TailAsked } from '#lake/cloud/stream-tail';
import type { TelemetryDeployment } from '#lake/deployment';
import { UsageError } from '#lake/errors';
import type { JobRuns } from '#lake/jobs/job-runs';
import type { DatasetIndex } from '#lake/live/datasets';
import type { Meter } from '#lake/meter-engine';
import type { QueryEngine, QueryResult, Value } from '#lake/query/query-engine';
import type { QueryName } from '#lake/query/sql-files';
import type { MessageQueue } from '#lake/queue/message-queue';
import type { ObjectStore } from '#lake/store/object-store';
import type { ChainMessage } from '#lake/telemetry/chain-line';

/** A place that a lake may be at; `name` is as it was written, to be shown and to be typed again. */
export type LakeLocation = { kind: 'directory'; name: string; directory: string } | { kind: 's3'; name: string; bucket: string };

/** What every lake has, each opened when first asked for and then the same. */
interface AnyLake {
    store(): Promise<ObjectStore>;
    engine(): Promise<QueryEngine>;
    /** Runs a file of sql/<kind>/queries, its `?` filled in order. */
    ask(name: QueryName, parameters?: readonly Value[]): Promise<QueryResult>;
    close(): Promise<void>;
}

/** A lake in a directory: this process does all the work. */
export interface DirectoryLake extends AnyLake {
    kind: 'directory';
    directory: string;
}

/** A deployed lake: workers do the work that the queues bring them. */
export interface BucketLake extends AnyLake {
    kind: 's3';
    bucket: string;
    queue(which: QueuePart): Promise<MessageQueue>;
    /** Seconds that the oldest message of each queue has waited, by the queue's name, as far as CloudWatch knows. */
    oldestMessages(queues: readonly string[], options: { now: Date }): Promise<ReadonlyMap<string, number>>;
    /** Age in milliseconds of the oldest record that each function last had of its stream, by name, as far as CloudWatch knows. @throws StorageError */
    oldestRecords(functions: readonly string[], options: { now: Date }): Promise<ReadonlyMap<string, number>>;
    /** Bytes that the lake's workgroup has scanned in the last days, as CloudWatch counts them. @throws StorageError */
    scannedBytes(options: { days: number; now: Date }): Promise<bigint>;
    /** Runs of a deployed job. @throws NotFoundError where the deployment names none */
    jobRuns(which: JobPart): Promise<JobRuns>;
    /** True if the deployment takes live telemetry, whether or not devices are let in now. */
    hasTelemetry(): Promise<boolean>;
    /** Region, stage and names of live telemetry's parts. @throws NotFoundError where the deployment has none */
    telemetry(): Promise<{ region: string | undefined; stage: string; names: TelemetryDeployment }>;
    /** The index of the lake's chain objects; undefined where the deployment has no live telemetry. */
    datasets(options: { now: () => Date }): Promise<DatasetIndex | undefined>;
    /** Things and certificates of devices. @throws NotFoundError where the deployment has no live telemetry */
    iot(): Promise<IotRegistry>;
    /** Messages that the streams hold and no chain does. @throws NotFoundError where the deployment has no live telemetry */
    streamTail(asked: TailAsked, options: { now: () => Date }): AsyncIterable<ChainMessage>;
    /** Latest state of devices. @throws NotFoundError where the deployment has no live telemetry */
    state(options: { now: () => Date }): Promise<CloudState>;
}

export type Lake = DirectoryLake | BucketLake;

/** The queues of a deployment, by the names that lake/deployment.ts gives them. */
export type QueuePart = 'summarizeQueue' | 'summarizeDeadLetters' | 'consolidateQueue' | 'consolidateDeadLetters' | TelemetryQueuePart;

/** The queues that only deployments with live telemetry have. */
export type TelemetryQueuePart = 'hoursQueue' | 'hoursDeadLetters' | 'givenUpQueue' | 'givenUpDeadLetters';

/** The jobs of a deployment. */
export type JobPart = 'consolidateDaysJob' | 'exportFeaturesJob';

export interface OpenOptions {
    /** Variables that tell how AWS is reached; a directory needs nothing of it. */
    environment: Readonly<Record<string, string | undefined>>;
    /** Aborting it ends questions that are being answered. */
    signal: AbortSignal;
    /** True for callers that write: the directory may be missing. */
    mayBeNew?: boolean;
    /** Called with the state of a question while Athena answers it. */
    onQueryState?: ((told: QueryState) => void) | undefined;
    /** What its questions may cost, where reading costs something. */
    meter?: Meter | undefined;
}

/** How far a question is that Athena answers. */
export interface QueryState {
    state: string;
    scannedBytes: number;
}

/** Names that S3 allows for buckets: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
const BUCKET_NAME = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/**
 * The place that a name means: `s3://bucket`, or a directory. @throws UsageError for what is no bucket behind `s3://`, and for what looks like an address and is none
 * of a lake: it would become a folder of that name
 */
export function parseLakeLocation(name: string): LakeLocation {
    if (!/^(s3[an]?|arn):|^[a-z][a-z0-9+.-]*:\/\//i.test(name)) {
        return { kind: 'directory', name, directory: resolve(name) };
    }
    if (!/^s3:\/\//i.test(name)) {
        throw new UsageError(`${name} is no lake: give s3://bucket, or a directory (./${name}, where one has this name)`);
    }
    const bucket = name.slice('s3://'.length).replace(/\/$/, '');
    if (!BUCKET_NAME.test(bucket)) {
        throw new UsageError(`${name} is no lake: give the bucket alone, s3://bucket (a lake is a whole bucket, not a folder of one)`);
    }
    return { kind: 's3', name: `s3://${bucket}`, bucket };
}
