/** `flowlake prune`: frees the raw bytes that the figures no longer need. */
import { type Context, defineCommand } from '#cli/command';
import type { Lake } from '#cli/lake';
import { day, flag } from '#cli/option';
import type { Mark } from '#lake/here/local-work';

/** The mark of this command in a directory, where the next one removes what it was writing if it is killed. */
async function markOf(lake: Lake, context: Pick<Context, 'stderr' | 'signal' | 'now'>): Promise<Mark | undefined> {
    if (lake.kind !== 'directory') {
        return undefined;
    }
    const { markRunning } = await import('#lake/here/local-work');
    const { finishCutOff } = await import('#cli/finish-cut-off');
    const mark = await markRunning(lake.directory);
    await finishCutOff(lake.directory, mark, context);
    return mark;
}

export const prune = defineCommand({
    name: 'prune',
    summary: 'free raw files that are safely in the figures; no figure changes',
    details: 'Afterwards verify says which sources it can no longer recompute from their raw files.',
    arguments: {},
    options: {
        rawBefore: day('--raw-before <day>', 'raw files of which every flow is of an earlier day'),
        dryRun: flag('--dry-run', 'show what would go and change nothing'),
    },
    examples: [
        { line: 'prune --raw-before 2026-01-01 --dry-run', does: 'what would go' },
        { line: 'prune --raw-before 2026-01-01', does: 'raw files of last year and before' },
    ],
    async run({ options: { rawBefore, dryRun }, ...context }) {
        const { UsageError } = await import('#lake/errors');
        if (rawBefore === undefined) {
            throw new UsageError('Give the first day whose raw files stay: --raw-before 2026-01-01');
        }
        const { useLake } = await import('#cli/open-lake');
        const { printRows } = await import('#cli/draw/print-rows');
        const { batchOf } = await import('#cli/draw/batch-of');
        const { sayBytes, sayCount } = await import('#cli/draw/quantity');
        return useLake(context, async (lake) => {
            const { findPrunable, prune: pruneLake } = await import('#lake/commit/prune');
            const mark = dryRun ? undefined : await markOf(lake, context);
            const rows: (string | bigint)[][] = [];
            let freedBytes = 0;
            let freed = 0;
            try {
                const find = dryRun ? findPrunable : pruneLake;
                for await (const { key, raw, ...finding } of find(await lake.store(), { before: rawBefore })) {
                    context.signal.throwIfAborted();
                    if (finding.canGo) {
                        freedBytes += raw.sizeBytes;
                        freed += 1;
                    }
                    const result = finding.canGo ? (dryRun ? 'would go' : 'freed') : `stays: ${finding.reason}`;
                    rows.push([key, BigInt(raw.sizeBytes), result]);
                }
            } finally {
                // Wherever it ends there is nothing for others to finish.
                await mark?.clear();
            }
            await printRows(
                {
                    columns: [
                        { name: 'source', type: 'varchar' },
                        { name: 'size_bytes', type: 'bigint' },
                        { name: 'result', type: 'varchar' },
                    ],
                    batches: batchOf(rows),
                },
                context,
            );
            await context.stderr.write(`${dryRun ? 'Would free' : 'Freed'} ${sayBytes(freedBytes)} of ${sayCount(freed, 'raw file')}\n`);
            return 0;
        });
    },
});
