/** What the queues of a deployed lake hold, as rows and in words. */

import { batchOf } from '#cli/draw/batch-of';
import { sayCount, sayDuration } from '#cli/draw/quantity';
import { StorageError } from '#lake/errors';
import type { BucketLake } from '#lake/lake';
import type { QueryResult } from '#lake/query/query-engine';
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

/** The queues as rows, one for each. */
export function queueRows(queues: readonly QueueStatus[]): QueryResult {
    const names = ['waiting', 'in_flight', 'oldest_seconds', 'dead_letters', 'oldest_dead_letter_seconds'];
    const whole = (value: number | undefined): bigint | null => (value === undefined ? null : BigInt(Math.round(value)));
    return {
        columns: [{ name: 'queue', type: 'varchar' }, ...names.map((name) => ({ name, type: 'bigint' }))],
        batches: batchOf(
            queues.map(({ queue, waiting, inFlight, oldestSeconds, deadLetters, oldestDeadLetterSeconds }) => [
                queue,
                ...[waiting, inFlight, oldestSeconds, deadLetters, oldestDeadLetterSeconds].map(whole),
            ]),
        ),
    };
}

/**
 * What a queue holds, in words: `summarize queue: 3 waiting, 1 in work or between tries, the oldest for 40 s`. SQS does not tell work from
 * the time between tries.
 */
export function sayQueue({ queue, waiting, inFlight, oldestSeconds }: QueueStatus): string {
    const oldest = oldestSeconds === undefined ? '' : `, the oldest for ${sayDuration(oldestSeconds * 1000)}`;
    return `${queue} queue: ${waiting} waiting, ${inFlight} in work or between tries${oldest}`;
}

/** What needs a person, where something does. */
export function sayDeadLetters({ queue, worker, deadLetters, oldestDeadLetterSeconds }: QueueStatus): string | undefined {
    if (deadLetters === 0) {
        return undefined;
    }
    const oldest = oldestDeadLetterSeconds === undefined ? '' : `, the oldest ${sayDuration(oldestDeadLetterSeconds * 1000)} ago`;
    return `${sayCount(deadLetters, `${queue} message`)} could not be worked off${oldest}: the log of the ${worker} function tells why; mend it (flowlake dead-letters list says what they are of), then flowlake redrive`;
}
