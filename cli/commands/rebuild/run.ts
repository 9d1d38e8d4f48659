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
import { isDerived } from '#lake/commit/derive';
import { builtOn, eachOnce } from '#lake/commit/finish';
import { listDerivedDays, listPeriods } from '#lake/commit/periods';
import { StorageError, UsageError } from '#lake/errors';
import { clearIfNothingIsLeft } from '#lake/here/change-directory';
import type { Task } from '#lake/here/tasks';
import { deriveTasks } from '#lake/here/thread-workers';
import { type Outcome, runTasks } from '#lake/here/threads';
import type { DirectoryLake } from '#lake/lake';
import { nameOfPeriod, type TablePeriod } from '#lake/layout';
import { CALLS_AT_ONCE, type ObjectStore } from '#lake/store/object-store';
import { doneResult, failedResult, IS_RIGHT, type PeriodResult, plannedDay, plannedResult } from '#lake/work/period-results';
import { tellDerived } from './tell-derived.ts';

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
            await runPeriodsJob(lake, { job: 'consolidateDaysJob', work, wait, context }).finally(() =>
                tellDerived(lake, { from, to, wait, context }),
            );
            return 0;
        }
        const store = await lake.store();
        const periods = await listPeriods(store, { from, to });
        if (periods.length === 0) {
            await context.stderr.write(`No day from ${from} to ${to} has files or figures\n`);
        }
        const days = await listDaysBuiltOn(store, periods, { from, to });
        const results = await (dryRun || lake.kind === 's3'
            ? planAll(store, { periods, days, anew, context })
            : rebuildHere(lake, { periods, days, anew, context }));
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
    /** Days of derived tables, which come behind the periods. */
    days: readonly TablePeriod[];
    anew: boolean;
    context: RunContext;
}

/** The days of derived tables that are built on the periods, and those of the range that have an object. */
async function listDaysBuiltOn(
    store: ObjectStore,
    periods: readonly TablePeriod[],
    range: { from: string; to: string },
): Promise<TablePeriod[]> {
    return eachOnce([...builtOn(periods), ...(await listDerivedDays(store, range))]);
}

async function planAll(store: ObjectStore, { periods, days, anew, context: { signal, stderr } }: Range): Promise<PeriodResult[]> {
    const line = openStatusLine(stderr);
    let done = 0;
    const planned = async (of: TablePeriod, look: () => Promise<PeriodResult>): Promise<PeriodResult> => {
        try {
            return await look();
        } catch (error) {
            return failedResult(of, error instanceof Error ? error : new Error(String(error)));
        } finally {
            done += 1;
            void line.draw(`Looking: ${done} of ${countPeriods([...periods, ...days])}`);
        }
    };
    const options = { concurrency: CALLS_AT_ONCE, signal };
    try {
        const ofPeriods = await pMap(
            periods,
            (of) => planned(of, async () => plannedResult(of, await planPeriod(of, { store, anew }))),
            options,
        );
        const changing = new Set(builtOn(ofPeriods.filter(({ what }) => what !== IS_RIGHT)).map(nameOfPeriod));
        const ofDays = await pMap(
            days,
            (of) =>
                planned(of, async () =>
                    plannedDay(of, { isRight: !anew && !changing.has(nameOfPeriod(of)) && (await isDerived(of, { store })) }),
                ),
            options,
        );
        return [...ofPeriods, ...ofDays];
    } finally {
        await line.clear();
    }
}

/**
 * Rebuilds the periods in this process. @returns how each came out. @throws the signal's reason; a period that was begun is done then, and
 * the others are as they were
 */
function rebuildHere(lake: DirectoryLake, { periods, days, anew, context }: Range): Promise<PeriodResult[]> {
    const { stderr, signal, now } = context;
    return changeLake(lake, context, async (mark) => {
        const line = openStatusLine(stderr);
        const results: PeriodResult[] = [];
        const all = countPeriods([...periods, ...days]);
        const draw = () => line.draw(`Rebuilding: ${results.length} of ${all}`);
        try {
            await draw();
            // What is built on the periods is derived when they are written.
            for (const tasks of [
                periods.map((of): Task => ({ kind: 'consolidate', of, anew })),
                deriveTasks(days.map((of) => ({ ...of, anew }))),
            ]) {
                if (signal.aborted) {
                    break;
                }
                for await (const outcome of runTasks(lake.directory, tasks, { signal })) {
                    results.push(...resultsOf(outcome));
                    await draw();
                }
            }
        } finally {
            await line.clear();
        }
        if (signal.aborted && mark) {
            // A period is written whole or stays as it was: unless it was out of date before, nobody has to finish anything.
            await clearIfNothingIsLeft(lake.directory, mark, { now: now() });
            await stderr.write(`${results.length} of ${all} done, the others are as they were; run it again for them\n`);
        }
        return results;
    });
}

/** How the periods of a task came out. */
function resultsOf(outcome: Outcome): PeriodResult[] {
    const { task } = outcome;
    if ('error' in outcome) {
        const failed = task.kind === 'derive' ? task.days.map((period) => ({ table: task.table, period })) : [];
        return [...failed, ...(task.kind === 'consolidate' ? [task.of] : [])].map((of) => failedResult(of, outcome.error));
    }
    const { outcome: merged, derived = [] } = outcome.result;
    return [
        ...(task.kind === 'consolidate' && merged ? [doneResult(task.of, merged)] : []),
        ...derived.map((done) =>
            'error' in done ? failedResult(done.of, new StorageError(done.error)) : doneResult(done.of, { ...done.outcome, sources: null }),
        ),
    ];
}
