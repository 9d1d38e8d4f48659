/** `flowlake rebuild`: brings the periods of a range up to what their contributions say. */
import { defineCommand } from '#cli/command';
import { day, flag } from '#cli/option';

export const rebuild = defineCommand({
    name: 'rebuild',
    summary: 'bring the figures of a range of days up to what was read of its files',
    details:
        'Each day is merged from the summaries of its files under the same rules as after an upload: safe at any time, and days that are right ' +
        'are left as they are. With --anew each is written once whatever its object is: where that is damaged, or of an older version. ' +
        'In a deployed lake the Spark job does it, also for days that are too large for a Lambda; it takes a minute or two to start, and ' +
        'Ctrl-C leaves it at work. Days without files and figures are passed over. ' +
        'With --latest no day is named: each device gets the newest reading of each metric of the last seven days, unless it has a newer one, and the alerts ' +
        'that are open; nobody is told of them. Type it once more a quarter of an hour later: the tables have what came last by then.',
    arguments: {},
    options: {
        from: day('--from <day>', 'first day'),
        to: day('--to <day>', 'last day, which is one of them'),
        dryRun: flag('--dry-run', 'say what would be done for each day and change nothing'),
        anew: flag('--anew', 'write each day once from its summaries, also where it is right'),
        latest: flag('--latest', 'make latest state of a deployed lake anew from its tables, where its table was lost or is an older copy'),
        wait: flag('--no-wait', 'return once the job is started (s3:// lakes; a directory has nobody else to do the work)'),
    },
    scans: true,
    examples: [
        { line: 'rebuild --from 2026-01-01 --to 2026-01-31 --dry-run', does: 'what would be done for each day of January' },
        { line: 'rebuild --from 2026-01-05 --to 2026-01-05 --anew', does: 'a day whose object is damaged' },
        { line: '--lake s3://my-lake rebuild --latest', does: 'latest state, where its table was lost' },
        { line: '--lake s3://my-lake rebuild --from 2025-01-01 --to 2025-12-31', does: 'a year, by the Spark job' },
    ],
    async run({ options, ...context }) {
        if (options.latest) {
            const { rebuildLatest } = await import('./rebuild-latest.ts');
            return rebuildLatest(options, context);
        }
        const { rebuildPeriods } = await import('./run.ts');
        return rebuildPeriods(options, context);
    },
});
