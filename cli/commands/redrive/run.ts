/** Brings dead letters back to the queues of a deployed lake. */

import { Failure, type RunContext } from '#cli/command';
import { batchOf } from '#cli/draw/batch-of';
import { printRows } from '#cli/draw/print-rows';
import { openStatusLine } from '#cli/draw/status-line';
import { useLake } from '#cli/use-lake';
import { UsageError } from '#lake/errors';
import type { BucketLake } from '#lake/lake';
import { redriveLetter } from '#lake/work/dead-letters';
import { freeNow, redrive as redriveQueue } from '#lake/work/redrive';
import { forgetTries, listTries, type Tries } from '#lake/work/tries';
import { type WorkQueue, workQueuesOf } from '#lake/work/work-queues';

/**
 * Prints how many each queue got back, of `id` that one alone, or with `now` how many messages of each were freed.
 * @throws Failure for a lake in a directory. @throws UsageError for an id of no letter, and for one with `now`
 */
export async function redriveLetters(id: string | undefined, { now }: { now: boolean }, context: RunContext): Promise<number> {
    if (id !== undefined && now) {
        throw new UsageError('--now is of messages that wait for their next try, and an id of a dead letter: give one of them');
    }
    return useLake(context, async (lake) => {
        if (lake.kind === 'directory') {
            throw new Failure('A lake in a directory has no queues; flowlake reconcile finishes what is undone');
        }
        const rows: [string, bigint][] = [];
        if (id !== undefined) {
            const { queue } = await redriveLetter(lake, id, context);
            rows.push([queue, 1n]);
        }
        const notes = now ? await listTries(await lake.store()) : [];
        for (const queue of id === undefined ? await workQueuesOf(lake) : []) {
            const count = now ? freeOne(queue, { lake, notes, context }) : redriveOne(queue, lake, context);
            rows.push([queue.queue, BigInt(await count)]);
        }
        const columns = [
            { name: 'queue', type: 'varchar' },
            { name: now ? 'freed' : 'redriven', type: 'bigint' },
        ];
        await printRows({ columns, batches: batchOf(rows) }, context);
        return 0;
    });
}

async function redriveOne(
    { queue, live, dead }: WorkQueue,
    lake: BucketLake,
    { stderr, signal }: Pick<RunContext, 'stderr' | 'signal'>,
): Promise<number> {
    const line = openStatusLine(stderr);
    const store = await lake.store();
    return redriveQueue({
        deadLetters: await lake.queue(dead),
        queue: await lake.queue(live),
        signal,
        onSend: (bodies) => forgetTries(store, { queue, bodies }),
        onRedriven: (count) => void line.draw(`${queue}: ${count} brought back`),
    }).finally(line.clear);
}

async function freeOne(
    { queue, live }: WorkQueue,
    { lake, notes, context }: { lake: BucketLake; notes: readonly Tries[]; context: Pick<RunContext, 'now'> },
): Promise<number> {
    const own = notes.filter((note) => note.queue === queue);
    return own.length === 0 ? 0 : freeNow(own, { queue: await lake.queue(live), now: context.now() });
}
