/** Has a Spark job of a deployed lake work on days, and shows what its report says of them. */
import { randomUUID } from 'node:crypto';
import { batchOf } from '#cli/draw/batch-of';
import { printDays, sayFailures } from '#cli/draw/print-days';
import { printRows } from '#cli/draw/print-rows';
import { sayCount } from '#cli/draw/quantity';
import type { JobArguments, JobRun } from '#lake/jobs/job-runs';
import { WORK_PREFIX } from '#lake/layout';
import { type DayReport, parseDayReport } from '#lake/work/day-results';
import { REPORT } from '#lake/work/follow-run';
import { type Context, Failure } from './command.ts';
import type { BucketLake, JobPart } from './lake.ts';
import { explainEnd, runJob } from './run-job.ts';

/** Where the reports of each job are, below `_flowlake/reports/`. */
const REPORTS: Readonly<Record<JobPart, string>> = { consolidateDaysJob: 'consolidate-days', exportFeaturesJob: 'export-features' };

export interface DaysJobOptions {
    job: JobPart;
    /** What the job shall do. */
    work: JobArguments;
    /** False: returns once the job is started. */
    wait: boolean;
    context: Pick<Context, 'stdout' | 'stderr' | 'signal' | 'now' | 'output'>;
}

/** Prints a row for each day, or for the run where that is not waited for. @throws Failure where the run, or one of its days, failed */
export async function runDaysJob(lake: BucketLake, { job, work, wait, context }: DaysJobOptions): Promise<void> {
    const runs = await lake.jobRuns(job);
    const store = await lake.store();
    const ownKey = `${WORK_PREFIX}reports/${REPORTS[job]}/${randomUUID()}.json`;
    let report: DayReport | undefined;

    async function sayProgress(run: JobRun): Promise<string | undefined> {
        const key = run.arguments[REPORT];
        const object = key === undefined ? undefined : await store.get(key);
        report = object && parseDayReport(object.bytes, { key: object.info.key });
        return report && `${report.days.length} of ${sayCount(report.daysTotal, 'day')}`;
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
    await printDays(report?.days ?? [], context);
    const failure = explainEnd(runs.name, end);
    if (failure !== undefined) {
        const failed = sayFailures(report?.days ?? []);
        throw new Failure(failed === undefined ? `${failure}${sayDone(report)}` : `${failed}. ${failure}`);
    }
    if (report === undefined) {
        await context.stderr.write(`Run ${id} succeeded and left no report: what it did for each day stands in its log\n`);
    }
}

/** Of a run that ended before its time. */
function sayDone(report: DayReport | undefined): string {
    return report ? ` (${report.days.length} of ${sayCount(report.daysTotal, 'day')} were done)` : '';
}
