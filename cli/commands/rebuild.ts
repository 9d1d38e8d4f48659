/** `flowlake rebuild`: days of a range brought up to what their summaries say. */
import { type Context, defineCommand, Failure } from '#cli/command';
import { day, flag } from '#cli/option';
import type { ObjectStore } from '#lake/store/object-store';
import type { DayResult } from '#lake/work/day-results';

export const rebuild = defineCommand({
    name: 'rebuild',
    summary: 'bring the figures of a range of days up to what was read of its files',
    details:
        'Each day is merged from the summaries of its files under the same rules as after an upload: safe at any time, and days that are right ' +
        'are left as they are. With --anew each is written once whatever its object is: where that is damaged, or of an older version. ' +
        'In a deployed lake the Spark job does it, also for days that are too large for a Lambda; it takes a minute or two to start, and ' +
        'Ctrl-C leaves it at work. Days without files and figures are passed over.',
    arguments: {},
    options: {
        from: day('--from <day>', 'first day'),
        to: day('--to <day>', 'last day, which is one of them'),
        dryRun: flag('--dry-run', 'say what would be done for each day and change nothing'),
        anew: flag('--anew', 'write each day once from its summaries, also where it is right'),
        wait: flag('--no-wait', 'return once the job is started (s3:// lakes; a directory has nobody else to do the work)'),
    },
    examples: [
        { line: 'rebuild --from 2026-01-01 --to 2026-01-31 --dry-run', does: 'what would be done for each day of January' },
        { line: 'rebuild --from 2026-01-05 --to 2026-01-05 --anew', does: 'a day whose object is damaged' },
        { line: '--lake s3://my-lake rebuild --from 2025-01-01 --to 2025-12-31', does: 'a year, by the Spark job' },
    ],
    async run({ options: { from, to, dryRun, anew, wait }, ...context }) {
        const { UsageError } = await import('#lake/errors');
        if (from === undefined || to === undefined) {
            throw new UsageError('Give the first and the last day, both are included: rebuild --from 2026-01-01 --to 2026-01-31');
        }
        const { useLake } = await import('#cli/open-lake');
        return useLake(context, async (lake) => {
            if (lake.kind === 's3' && !dryRun) {
                const { runDaysJob } = await import('#cli/run-days-job');
                const work = { '--from': from, '--to': to, '--anew': String(anew), '--dry_run': 'false' };
                await runDaysJob(lake, { job: 'consolidateDaysJob', work, wait, context });
                return 0;
            }
            const { listDays } = await import('#lake/commit/periods');
            const { printDays, sayFailures } = await import('#cli/draw/print-days');
            const store = await lake.store();
            const days = await listDays(store, { from, to });
            if (days.length === 0) {
                await context.stderr.write(`No day from ${from} to ${to} has files or figures\n`);
            }
            const results = await (dryRun || lake.kind === 's3'
                ? planDays(store, { days, anew, context })
                : rebuildHere(lake.directory, { days, anew, context }));
            await printDays(results, context);
            const failed = sayFailures(results);
            if (failed !== undefined) {
                throw new Failure(failed);
            }
            return 0;
        });
    },
});

interface Range {
    days: readonly string[];
    anew: boolean;
    context: Pick<Context, 'stderr' | 'signal' | 'now'>;
}

async function rebuildHere(directory: string, range: Range): Promise<DayResult[]> {
    const { rebuildDirectory } = await import('#cli/rebuild-directory');
    return rebuildDirectory(directory, range);
}

async function planDays(store: ObjectStore, { days, anew, context: { signal, stderr } }: Range): Promise<DayResult[]> {
    const { default: pMap } = await import('p-map');
    const { planDay } = await import('#lake/commit/consolidate');
    const { failedResult, plannedResult } = await import('#lake/work/day-results');
    const { CALLS_AT_ONCE } = await import('#lake/store/object-store');
    const { openStatusLine } = await import('#cli/draw/status-line');
    const line = openStatusLine(stderr);
    let done = 0;
    const planOne = async (of: string): Promise<DayResult> => {
        try {
            return plannedResult(of, await planDay(of, { store, anew }));
        } catch (error) {
            return failedResult(of, error instanceof Error ? error : new Error(String(error)));
        } finally {
            done += 1;
            void line.draw(`Looking: ${done} of ${days.length} days`);
        }
    };
    return pMap(days, planOne, { concurrency: CALLS_AT_ONCE, signal }).finally(line.clear);
}
