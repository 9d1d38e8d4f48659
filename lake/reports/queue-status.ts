/** What the queues of a deployed lake hold. */
import { StorageError } from '#lake/errors';
import type { BucketLake } from '#lake/lake';
import { type WorkQueue, workQueuesOf } from '#lake/work/work-queues';

export interface QueueStatus extends Pick<WorkQueue, 'queue' | 'worker'> {
    waiting: number;
    inFlight: number;
    deadLetters: number;
    /** How long the oldest message has waited, as far as CloudWatch knows. */
    oldestSeconds: number | undefined;
    oldestDeadLetterSeconds: number | undefined;
}

/** What every queue holds. Where CloudWatch cannot be asked for ages, `onNoAges` is told and all else is there; default: it throws. */
export async function readQueues(
    lake: BucketLake,
    { now, onNoAges }: { now: Date; onNoAges?: ((error: StorageError) => void) | undefined },
): Promise<QueueStatus[]> {
    const opened = await Promise.all(
        (await workQueuesOf(lake)).map(async ({ queue, worker, live, dead }) => ({
            queue,
            worker,
            live: await lake.queue(live),
            dead: await lake.queue(dead),
        })),
    );
    const names = opened.flatMap(({ live, dead }) => [live.name, dead.name]);
    const ages = await lake.oldestMessages(names, { now }).catch((error: unknown): ReadonlyMap<string, number> => {
        if (!onNoAges || !(error instanceof StorageError)) {
            throw error;
        }
        onNoAges(error);
        return new Map();
    });
    return Promise.all(
        opened.map(async ({ queue, worker, live, dead }) => {
            const [depth, deadDepth] = await Promise.all([live.depth(), dead.depth()]);
            const deadLetters = deadDepth.waiting + deadDepth.inFlight;
            const isEmpty = depth.waiting + depth.inFlight === 0;
            return {
                queue,
                worker,
                ...depth,
                deadLetters,
                // CloudWatch is minutes late: for an empty queue it may still tell what was.
                oldestSeconds: isEmpty ? undefined : ages.get(live.name),
                oldestDeadLetterSeconds: deadLetters === 0 ? undefined : ages.get(dead.name),
            };
        }),
    );
}
