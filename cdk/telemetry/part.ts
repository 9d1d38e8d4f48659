/** What every part of live telemetry is given, and what it gives back: its alarms and its graphs. */
import type { RemovalPolicy } from 'aws-cdk-lib';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import type { Stream } from 'aws-cdk-lib/aws-kinesis';
import type { Key } from 'aws-cdk-lib/aws-kms';
import type { Deployment, TelemetryDeployment } from '#lake/deployment';
import type { AlarmRule, WatchedFunction } from '../alarms.ts';
import type { TelemetryJob } from '../bundle-lambda.ts';
import type { StageConfig, TelemetryConfig } from '../config.ts';
import type { Graph } from '../dashboard.ts';
import type { Worker } from '../functions.ts';
import type { LakeBucket } from '../lake-bucket.ts';
import type { WorkQueue } from '../queues.ts';

/**
 * What a part is given. Whatever holds data is made before the parts, so that no part waits for another one and turning telemetry off keeps it:
 * streams, tables and queues.
 */
export interface PartProps {
    config: StageConfig;
    telemetry: TelemetryConfig;
    /** Names of the whole deployment, as the bucket's tags tell them. */
    names: Deployment & TelemetryDeployment;
    lake: LakeBucket;
    /** Stream that the IoT rule and the intake Lambda write, and nobody else. */
    stream: Stream;
    /** Stream that programs write; undefined where the row has none. */
    programStream: Stream | undefined;
    /** Table of latest state and alerts, made as lake/cloud/state-table.ts says. */
    stateTable: Table;
    /** Table with an item for each chain object, made as lake/cloud/datasets-table.ts says. */
    datasetsTable: Table;
    /** Standard queue of what an event source gave up, and of what the IoT rule could not hand on. */
    givenUpQueue: WorkQueue;
    /** The lake's own two functions: `lambda.addEnvironment` and `role.addToPolicy` teach them what they need for telemetry. */
    summarize: Worker;
    consolidate: Worker;
    /** The stage's own key, where it has one: all that holds data is encrypted with it, so `grantKey(key, role)` stands beside each grant. */
    key: Key | undefined;
    /** What becomes of all that holds data when it leaves the stack: it is kept, unless both switches say otherwise. */
    removalPolicy: RemovalPolicy;
    /** Folder with the Spark jobs' Python, as `bundleGlueJobs` puts it together. */
    glueJobs: string;
    /** Folder of each function's bundle. */
    code: Readonly<Record<TelemetryJob, string>>;
}

/** What a part gives back. */
export interface Part {
    /** Every function of the part, with its queue where it has one: errors, throttles, dead letters and the oldest message ring by themselves. */
    readonly watched: readonly WatchedFunction[];
    /** What rings beside what any function and queue has. */
    readonly rules: readonly AlarmRule[];
    readonly graphs: readonly Graph[];
}
