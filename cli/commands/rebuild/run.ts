/** Brings the periods of a range up to what was read of their files. */
import pMap from 'p-map';
import { changeLake } from '#cli/change-lake';
import { Failure, type RunContext } from '#cli/command';
import { printPeriods, sayFailures } from '#cli/draw/print-periods';
import { countPeriods } from '#cli/draw/quantity';
import { openStatusLine } from '#cli/draw/status-line';
import { runPeriodsJob } from '#cli/run-periods-job';
import { useFigures } from '#cli/use-figures';
import { planPeriod } from '#lake/commit/consolidate';
import { listPeriods } from '#lake/commit/periods';
import { UsageError } from '#lake/errors';
import { clearIfNothingIsLeft } from '#lake/here/change-directory';
import type { Task } from '#lake/here/tasks';
import { runTasks } from '#lake/here/threads';
import type { DirectoryLake } from '#lake/lake';
import type { TablePeriod } from '#lake/layout';
import { CALLS_AT_ONCE, type ObjectStore } from '#lake/store/object-store';
import { doneResult, failedResult, type PeriodResult, plannedResult } from '#lake/work/period-results';

interface RebuildOptions {
    from: string | undefined;
    to: string | undefined;
    dryRun: boolean;
    anew: boolean;
    wait: boolean;
}

/** Rebuilds the periods of every kind and prints what came of each. In a deployed lake the Spark job does it. @throws Failure where one failed */
export async function rebuildPeriods({ from, to, dryRun, anew, wait }: RebuildOptions, context: RunContext): Promise<number> {
    if (from === undefined || to === undefined) {
        throw new UsageError('Give the first and the last day, both are included: rebuild --from 2026-01-01 --to 2026-01-31');
    }
    return useFigures(context, async (lake) => {
        if (lake.kind === 's3' && !dryRun) {
            const work = { '--from': from, '--to': to, '--anew': String(anew), '--dry_run': 'false' };
            await runPeriodsJob(lake, { job: 'consolidateDaysJob', work, wait, context });
            return 0;
        }
        const store = await lake.store();
        const periods = await listPeriods(store, { from, to });
        if (periods.length === 0) {
            await context.stderr.write(`No day from ${from} to ${to} has files or figures\n`);
        }
        const results = await (dryRun || lake.kind === 's3'
            ? planAll(store, { periods, anew, context })
            : rebuildHere(lake, { periods, anew, context }));
        await printPeriods(results, context);
        const failed = sayFailures(results);
        if (failed !== undefined) {
            throw new Failure(failed);
        }
        return 0;
    });
}

interface Range {
    periods: readonly TablePeriod[];
    anew: boolean;
    context: RunContext;
}

async function planAll(store: ObjectStore, { periods, anew, context: { signal, stderr } }: Range): Promise<PeriodResult[]> {
    const line = openStatusLine(stderr);
    let done = 0;
    const planOne = async (of: TablePeriod): Promise<PeriodResult> => {
        try {
            return plannedResult(of, await planPeriod(of, { store, anew }));
        } catch (error) {
            return failedResult(of, error instanceof Error ? error : new Error(String(error)));
        } finally {
            done += 1;
            void line.draw(`Looking: ${done} of ${countPeriods(periods)}`);
        }
    };
    return pMap(periods, planOne, { concurrency: CALLS_AT_ONCE, signal }).finally(line.clear);
}

/**
 * Rebuilds the periods in this process. @returns how each came out. @throws the signal's reason; a period that was begun is done then, and
 * the others are as they were
 */
function rebuildHere(lake: DirectoryLake, { periods, anew, context }: Range): Promise<PeriodResult[]> {
    const { stderr, signal, now } = context;
    return changeLake(lake, context, async (mark) => {
        const line = openStatusLine(stderr);
        const results: PeriodResult[] = [];
        const tasks = periods.map((of): Task => ({ kind: 'consolidate', of, anew }));
        const draw = () => line.draw(`Rebuilding: ${results.length} of ${countPeriods(periods)}`);
        try {
            await draw();
            for await (const { task, ...ended } of runTasks(lake.directory, tasks, { signal })) {
                if (task.kind === 'consolidate') {
                    results.push(...resultOf(task.of, ended));
                }
                await draw();
            }
        } finally {
            await line.clear();
        }
        if (signal.aborted && mark) {
            // A period is written whole or stays as it was: unless it was out of date before, nobody has to finish anything.
            await clearIfNothingIsLeft(lake.directory, mark, { now: now() });
            await stderr.write(`${results.length} of ${countPeriods(periods)} done, the others are as they were; run it again for them\n`);
        }
        return results;
    });
}

function resultOf(
    of: TablePeriod,
    ended: { error: Error } | { result: { outcome?: Parameters<typeof doneResult>[1] | undefined } },
): PeriodResult[] {
    if ('error' in ended) {
        return [failedResult(of, ended.error)];
    }
    return ended.result.outcome ? [doneResult(of, ended.result.outcome)] : [];
}
