/** Brings dead letters back to the queues of a deployed lake. */

import { Failure, type RunContext } from '#cli/command';
import { batchOf } from '#cli/draw/batch-of';
import { printRows } from '#cli/draw/print-rows';
import { openStatusLine } from '#cli/draw/status-line';
import { useLake } from '#cli/use-lake';
import type { BucketLake } from '#lake/lake';
import { redrive as redriveQueue } from '#lake/work/redrive';
import { type WorkQueue, workQueuesOf } from '#lake/work/work-queues';

/** Prints how many each queue got back. @throws Failure for a lake in a directory */
export async function redriveLetters(context: RunContext): Promise<number> {
    return useLake(context, async (lake) => {
        if (lake.kind === 'directory') {
            throw new Failure('A lake in a directory has no queues; flowlake reconcile finishes what is undone');
        }
        const rows: [string, bigint][] = [];
        for (const queue of await workQueuesOf(lake)) {
            rows.push([queue.queue, BigInt(await redriveOne(queue, lake, context))]);
        }
        const columns = [
            { name: 'queue', type: 'varchar' },
            { name: 'redriven', type: 'bigint' },
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
    return redriveQueue({
        deadLetters: await lake.queue(dead),
        queue: await lake.queue(live),
        signal,
        onRedriven: (count) => void line.draw(`${queue}: ${count} brought back`),
    }).finally(line.clear);
}
