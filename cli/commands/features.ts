/** `flowlake features`: what models are trained on, into the lake. */
import { type Context, defineCommand } from '#cli/command';
import type { Lake } from '#cli/lake';
import { day, flag } from '#cli/option';
import type { DayRange } from '#lake/reports/export-features';
import type { DayResult } from '#lake/work/day-results';

export const features = defineCommand({
    name: 'features',
    summary: 'write what models are trained on, a row per pair and day, as Parquet under exports/features/',
    details:
        'The rows are those of view pair_features: totals, running and past statistics, z-scores, days since last seen. No row knows a later ' +
        'day than its own; the figures count from the pair’s first day, whatever days are asked for. Each day is one object, ' +
        'exports/features/day=YYYY-MM-DD/part-00.parquet, which is replaced as a whole; a day that has no pairs any more loses its object. ' +
        'In a deployed lake the Spark job does it; it takes a minute or two to start, and Ctrl-C leaves it at work.',
    arguments: {},
    options: {
        from: day('--from <day>', 'first day'),
        to: day('--to <day>', 'last day, which is one of them'),
        dryRun: flag('--dry-run', 'say what would be done for each day and change nothing'),
        wait: flag('--no-wait', 'return once the job is started (s3:// lakes; a directory has nobody else to do the work)'),
    },
    examples: [
        { line: 'features --from 2026-01-01 --to 2026-01-31', does: 'January; the days before it count in it' },
        { line: '--lake s3://my-lake features --from 2025-01-01 --to 2025-12-31', does: 'a year, by the Spark job' },
    ],
    async run({ options: { from, to, dryRun, wait }, ...context }) {
        const { UsageError } = await import('#lake/errors');
        if (from === undefined || to === undefined) {
            throw new UsageError('Give the first and the last day, both are included: features --from 2026-01-01 --to 2026-01-31');
        }
        const { useLake } = await import('#cli/open-lake');
        return useLake(context, async (lake) => {
            if (lake.kind === 's3' && !dryRun) {
                const { runDaysJob } = await import('#cli/run-days-job');
                const work = { '--from': from, '--to': to, '--dry_run': 'false' };
                await runDaysJob(lake, { job: 'exportFeaturesJob', work, wait, context });
                return 0;
            }
            const results = await (dryRun ? plan : write)(lake, { from, to }, context);
            if (results.length === 0) {
                await context.stderr.write(`No day from ${from} to ${to} has figures\n`);
            }
            const { printDays } = await import('#cli/draw/print-days');
            await printDays(results, context);
            return 0;
        });
    },
});

async function write(lake: Lake, range: DayRange, { stderr, signal }: Pick<Context, 'stderr' | 'signal'>): Promise<DayResult[]> {
    const { exportFeatures } = await import('#lake/reports/export-features');
    const { openStatusLine } = await import('#cli/draw/status-line');
    const { sayCount } = await import('#cli/draw/quantity');
    const line = openStatusLine(stderr);
    const results: DayResult[] = [];
    try {
        await line.draw('Computing features');
        const rows = await lake.ask('features', [range.to, range.from]);
        for await (const result of exportFeatures(range, { rows, store: await lake.store() })) {
            results.push(result);
            await line.draw(`Writing features: ${sayCount(results.length, 'day')}`);
            signal.throwIfAborted();
        }
    } finally {
        await line.clear();
    }
    return results;
}

async function plan(lake: Lake, range: DayRange, { signal }: Pick<Context, 'signal'>): Promise<DayResult[]> {
    const { planFeatures, readPairCounts } = await import('#lake/reports/export-features');
    const pairs = await readPairCounts(range, { engine: await lake.engine(), signal });
    return planFeatures(range, { pairs, store: await lake.store() });
}
