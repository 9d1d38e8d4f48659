/** `flowlake anomalies`: which days are unusually large against a pair's own past. */
import { defineCommand } from '#cli/command';
import { day, text, whole } from '#cli/option';

export const anomalies = defineCommand({
    name: 'anomalies',
    summary: 'the days that are unusually large against a pair’s own past',
    details:
        'Each day is compared with up to 28 days before it of the same kind (workday or weekend); with fewer than 5 of them there is no verdict. ' +
        'A score of 3.5 and more is listed, the newest day first.',
    arguments: {},
    options: {
        limit: whole('--limit <n>', 'how many', { fallback: 20 }),
        site: text('--site <site>', 'only this site’s pairs'),
        from: day('--from <day>', 'first day to be judged'),
        to: day('--to <day>', 'last day to be judged'),
    },
    scans: true,
    examples: [
        { line: 'anomalies', does: 'the newest twenty' },
        { line: 'anomalies --site berlin --from 2026-01-26 --limit 100 --output csv', does: 'all of Berlin’s since that day, as CSV' },
    ],
    async run({ options, ...context }) {
        const { showAnomalies } = await import('./run.ts');
        return showAnomalies(options, context);
    },
});
