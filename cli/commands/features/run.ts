/** Writes what models are trained on. */

import type { RunContext } from '#cli/command';
import { printPeriods } from '#cli/draw/print-periods';
import { sayCount } from '#cli/draw/quantity';
import { openStatusLine } from '#cli/draw/status-line';
import { runPeriodsJob } from '#cli/run-periods-job';
import { useFigures } from '#cli/use-figures';
import { UsageError } from '#lake/errors';
import type { Lake } from '#lake/lake';
import type { DayRange } from '#lake/reports/export-features';
import { exportFeatures, FEATURE_SETS, type FeatureSet, planFeatures, readRowCounts } from '#lake/reports/export-features';
import type { PeriodResult } from '#lake/work/period-results';

interface FeaturesOptions {
    of: keyof typeof FEATURE_SETS;
    from: string | undefined;
    to: string | undefined;
    dryRun: boolean;
    wait: boolean;
}

/** Writes the features of each day of the range and prints what came of it. In a deployed lake the Spark job does it. */
export async function writeFeatures({ of, from, to, dryRun, wait }: FeaturesOptions, context: RunContext): Promise<number> {
    if (from === undefined || to === undefined) {
        throw new UsageError('Give the first and the last day, both are included: features --from 2026-01-01 --to 2026-01-31');
    }
    return useFigures(context, async (lake) => {
        if (lake.kind === 's3' && !dryRun) {
            const work = { '--from': from, '--to': to, '--dry_run': 'false', ...(of !== 'pairs' && { '--of': of }) };
            await runPeriodsJob(lake, { job: 'exportFeaturesJob', work, wait, context });
            return 0;
        }
        const results = await (dryRun ? plan : write)(lake, FEATURE_SETS[of], { from, to }, context);
        if (results.length === 0) {
            await context.stderr.write(`No day from ${from} to ${to} has figures\n`);
        }
        await printPeriods(results, context);
        return 0;
    });
}

async function write(
    lake: Lake,
    set: FeatureSet,
    range: DayRange,
    { stderr, signal }: Pick<RunContext, 'stderr' | 'signal'>,
): Promise<PeriodResult[]> {
    const line = openStatusLine(stderr);
    const results: PeriodResult[] = [];
    try {
        await line.draw('Computing features');
        const rows = await lake.ask(set.query, [range.to, range.from]);
        for await (const result of exportFeatures(range, { set, rows, store: await lake.store() })) {
            results.push(result);
            await line.draw(`Writing features: ${sayCount(results.length, 'day')}`);
            signal.throwIfAborted();
        }
    } finally {
        await line.clear();
    }
    return results;
}

async function plan(lake: Lake, set: FeatureSet, range: DayRange, { signal }: Pick<RunContext, 'signal'>): Promise<PeriodResult[]> {
    const counts = await readRowCounts(range, { set, engine: await lake.engine(), signal });
    return planFeatures(range, { set, counts, store: await lake.store() });
}
