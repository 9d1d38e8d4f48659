/** A lake as commands work with it. */

import type { JobRuns } from '#lake/jobs/job-runs';
import type { QueryEngine, QueryResult, Value } from '#lake/query/query-engine';
import type { QueryName } from '#lake/query/sql-files';
import type { MessageQueue } from '#lake/queue/message-queue';
import type { ObjectStore } from '#lake/store/object-store';

/** What every lake has, each opened when first asked for and then the same. */
interface AnyLake {
    store(): Promise<ObjectStore>;
    engine(): Promise<QueryEngine>;
    /** Runs a file of sql/flows/queries, its `?` filled in order. */
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
    /** Runs of a deployed job. @throws Failure where the deployment names none */
    jobRuns(which: JobPart): Promise<JobRuns>;
}

export type Lake = DirectoryLake | BucketLake;

/** The queues of a deployment, by the names that lake/deployment.ts gives them. */
export type QueuePart = 'summarizeQueue' | 'summarizeDeadLetters' | 'consolidateQueue' | 'consolidateDeadLetters';

/** The jobs of a deployment. */
export type JobPart = 'consolidateDaysJob' | 'exportFeaturesJob';
