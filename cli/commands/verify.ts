/** `flowlake verify`: every figure once more, by a second path. */
import { type Context, defineCommand } from '#cli/command';
import { day, whole } from '#cli/option';
import type { Progress } from '#cli/progress';

const DIFFERENCE_COLUMNS = ['kind', 'source', 'site', 'src_ip', 'dst_ip', 'day', 'figure', 'in_lake', 'recomputed'] as const;

export const verify = defineCommand({
    name: 'verify',
    summary: 'recompute every figure from the raw files by a second path and name each difference (then exit code 1)',
    details:
        'The second path shares neither the reading of rows nor the arithmetic with the first. Of a source whose raw file is gone the ' +
        'committed summaries are taken, and that is said. Nothing in the lake is changed.',
    arguments: {},
    options: {
        from: day('--from <day>', 'first day to compare'),
        to: day('--to <day>', 'last day to compare'),
        limit: whole('--limit <n>', 'how many differences are shown at most; all are counted', { fallback: 100 }),
    },
    examples: [
        { line: 'verify', does: 'every figure of the lake' },
        { line: 'verify --from 2026-03-01 --to 2026-03-31', does: 'the figures of one month' },
    ],
    async run({ options: { from, to, limit }, ...context }) {
        const { batchOf } = await import('#cli/batch-of');
        const { useLake } = await import('#cli/open-lake');
        const { printRows } = await import('#cli/print-rows');
        const { sayCount } = await import('#cli/quantity');
        const { verifyLake } = await import('#lake/verify/verify');
        return useLake(context, async ({ store }) => {
            const bar = await openBar(context);
            const result = await verifyLake({
                store: await store(),
                from,
                to,
                maxListed: limit,
                signal: context.signal,
                onProgress: bar.onProgress,
            }).finally(bar.stop);
            const { differences, differenceCount, sources, verdict } = result;
            const rows = differences.map((difference) => DIFFERENCE_COLUMNS.map((name) => difference[name]?.toString() ?? null));
            if (rows.length > 0 || context.output !== 'table') {
                const columns = DIFFERENCE_COLUMNS.map((name) => ({ name, type: 'varchar' }));
                await printRows({ columns, batches: batchOf(rows) }, context);
            }
            if (differenceCount > differences.length) {
                await context.stderr.write(
                    `These are the first ${differences.length} of ${differenceCount} differences; --limit <n> shows more\n`,
                );
            }
            for (const { text } of result.notes) {
                await context.stderr.write(`${text}\n`);
            }
            const fromSummaries = sources.fromSummaries > 0 ? `, ${sources.fromSummaries} more by their summaries` : '';
            const compared = `${sayCount(result.figures, 'figure')} of ${sayCount(result.pairDays, 'pair day')} on ${sayCount(result.days, 'day')}`;
            await context.stderr.write(
                `Compared ${compared} with ${sayCount(result.rowsRead, 'row')} of ${sayCount(sources.recomputed, 'source')}${fromSummaries}: ` +
                    `${{ equal: 'all equal', different: sayCount(differenceCount, 'difference'), incomplete: 'no difference, but see above' }[verdict]}\n`,
            );
            return verdict === 'equal' ? 0 : 1;
        });
    },
});

/** A bar for the sources' bytes; the days go by quickly after them. */
async function openBar({ stderr, now }: Pick<Context, 'stderr' | 'now'>) {
    const { openProgress } = await import('#cli/progress');
    let progress: Progress | undefined;
    let seenBytes = 0;
    return {
        onProgress({ doing, done, total }: { doing: 'sources' | 'days'; done: number; total: number }): void {
            if (doing === 'sources') {
                progress ??= openProgress({ stderr, now, doing: 'Verifying', totalBytes: total });
                progress.advance(done - seenBytes);
                seenBytes = done;
            }
        },
        stop: async (): Promise<void> => progress?.stop(),
    };
}
