/** The queues of a deployment by the names that people know: what waits in each, and which function takes it. */
import { HOURS_DELAY_SECONDS } from '#lake/deployment';
import type { BucketLake, QueuePart } from '#lake/lake';

export interface WorkQueue {
    queue: 'summarize' | 'consolidate' | 'hours' | 'given-up';
    /** The function that takes its messages. */
    worker: 'summarize' | 'consolidate' | 'given-up';
    live: QueuePart;
    dead: QueuePart;
    /** Seconds for which it holds each message back at first. */
    heldBackSeconds: number;
}

const OF_EVERY_LAKE = [
    { queue: 'summarize', worker: 'summarize', live: 'summarizeQueue', dead: 'summarizeDeadLetters', heldBackSeconds: 0 },
    { queue: 'consolidate', worker: 'consolidate', live: 'consolidateQueue', dead: 'consolidateDeadLetters', heldBackSeconds: 0 },
] as const satisfies readonly WorkQueue[];

const OF_TELEMETRY = [
    { queue: 'hours', worker: 'consolidate', live: 'hoursQueue', dead: 'hoursDeadLetters', heldBackSeconds: HOURS_DELAY_SECONDS },
    { queue: 'given-up', worker: 'given-up', live: 'givenUpQueue', dead: 'givenUpDeadLetters', heldBackSeconds: 0 },
] as const satisfies readonly WorkQueue[];

/** The queues that the deployment has. */
export async function workQueuesOf(lake: Pick<BucketLake, 'hasTelemetry'>): Promise<readonly WorkQueue[]> {
    return (await lake.hasTelemetry()) ? [...OF_EVERY_LAKE, ...OF_TELEMETRY] : OF_EVERY_LAKE;
}
