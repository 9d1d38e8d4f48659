/** `flowlake redrive`: brings dead letters back. */
import { type Context, defineCommand, Failure } from '#cli/command';
import type { BucketLake } from '#cli/lake';

export const redrive = defineCommand({
    name: 'redrive',
    summary: 'bring messages that could not be worked off back to their queue (s3:// lakes)',
    details:
        'Mend the cause first: the log of the function tells it, and the alarm says where. A message is sent again before its dead letter is ' +
        'deleted, so nothing is lost when this is cut off in the middle, and a message that comes twice changes nothing.',
    arguments: {},
    options: {},
    examples: [{ line: '--lake s3://my-lake redrive', does: 'after the cause was mended' }],
    async run(context) {
        const { useLake } = await import('#cli/open-lake');
        return useLake(context, async (lake) => {
            if (lake.kind === 'directory') {
                throw new Failure('A lake in a directory has no queues; flowlake reconcile finishes what is undone');
            }
            const summarize = await redriveOne('summarize', lake, context);
            const consolidate = await redriveOne('consolidate', lake, context);
            const { printRows } = await import('#cli/draw/print-rows');
            const { batchOf } = await import('#cli/draw/batch-of');
            const columns = [
                { name: 'queue', type: 'varchar' },
                { name: 'redriven', type: 'bigint' },
            ];
            const rows = [
                ['summarize', BigInt(summarize)],
                ['consolidate', BigInt(consolidate)],
            ];
            await printRows({ columns, batches: batchOf(rows) }, context);
            return 0;
        });
    },
});

async function redriveOne(
    which: 'summarize' | 'consolidate',
    lake: BucketLake,
    { stderr, signal }: Pick<Context, 'stderr' | 'signal'>,
): Promise<number> {
    const { redrive: redriveQueue } = await import('#lake/work/redrive');
    const { openStatusLine } = await import('#cli/draw/status-line');
    const line = openStatusLine(stderr);
    return redriveQueue({
        deadLetters: await lake.queue(`${which}DeadLetters`),
        queue: await lake.queue(`${which}Queue`),
        signal,
        onRedriven: (count) => void line.draw(`${which}: ${count} brought back`),
    }).finally(line.clear);
}
