/** Has a Spark job of a deployed lake work on periods, and shows what its report says of them. */
import { randomUUID } from 'node:crypto';
import { batchOf } from '#cli/draw/batch-of';
import { printPeriods, sayFailures } from '#cli/draw/print-periods';
import { printRows } from '#cli/draw/print-rows';
import { countPeriods } from '#cli/draw/quantity';
import type { JobArguments, JobRun } from '#lake/jobs/job-runs';
import type { BucketLake, JobPart } from '#lake/lake';
import { WORK_PREFIX } from '#lake/layout';
import { REPORT } from '#lake/work/follow-run';
import { type JobReport, parseJobReport } from '#lake/work/period-results';
import { type Context, Failure } from './command.ts';
import { explainEnd, runJob } from './run-job.ts';

/** Folders of each job's reports, below `_flowlake/reports/`. */
const REPORTS: Readonly<Record<JobPart, string>> = { consolidateDaysJob: 'consolidate-days', exportFeaturesJob: 'export-features' };

export interface PeriodsJobOptions {
    job: JobPart;
    /** Arguments that say what the job shall do. */
    work: JobArguments;
    /** True waits until the run is over; false returns once the job is started. */
    wait: boolean;
    context: Pick<Context, 'stdout' | 'stderr' | 'signal' | 'now' | 'output'>;
}

/** Prints a row for each period, or for the run where that is not waited for. @throws Failure where the run, or one of its periods, failed */
export async function runPeriodsJob(lake: BucketLake, { job, work, wait, context }: PeriodsJobOptions): Promise<void> {
    const runs = await lake.jobRuns(job);
    const store = await lake.store();
    const ownKey = `${WORK_PREFIX}reports/${REPORTS[job]}/${randomUUID()}.json`;
    let report: JobReport | undefined;

    async function sayProgress(run: JobRun): Promise<string | undefined> {
        const key = run.arguments[REPORT];
        const object = key === undefined ? undefined : await store.get(key);
        report = object && parseJobReport(object.bytes, { key: object.info.key });
        return report && sayProgressOf(report);
    }

    const { id, end } = await runJob({
        runs,
        work,
        report: ownKey,
        wait,
        sayProgress,
        context,
    });
    if (end === undefined) {
        const columns = ['job', 'run'].map((name) => ({ name, type: 'varchar' }));
        await printRows({ columns, batches: batchOf([[runs.name, id]]) }, context);
        return;
    }
    await printPeriods(report?.periods ?? [], context);
    const failure = explainEnd(runs.name, end);
    if (failure !== undefined) {
        const failed = sayFailures(report?.periods ?? []);
        throw new Failure(failed === undefined ? `${failure}${sayDone(report)}` : `${failed}. ${failure}`);
    }
    if (report === undefined) {
        throw new Failure(
            `Run ${id} is over and left no report: nothing says that it did anything. Its log tells what it did ` +
                `(aws glue get-job-run --job-name ${runs.name} --run-id ${id} names it), flowlake status what is undone`,
        );
    }
}

/** How far a run is: `3 of 31 days`. */
function sayProgressOf({ total, periods }: JobReport): string {
    return `${periods.length} of ${countPeriods(periods, total)}`;
}

/** What was done of a run that ended before its time. */
function sayDone(report: JobReport | undefined): string {
    return report ? ` (${sayProgressOf(report)} were done)` : '';
}
