/** `flowlake report`: what happened in a range of days, as one page that opens from a mail. */
import { defineCommand } from '#cli/command';
import { day, file, text } from '#cli/option';

export const report = defineCommand({
    name: 'report',
    summary: 'a week of flows and devices as one page, to be sent by mail and printed',
    details:
        'One HTML file that asks for nothing and runs nothing: totals by site and day, busiest pairs, new and gone pairs and devices, unusual days, alerts and silences, what could not ' +
        'be used, and the files behind it all. Each part says how it was computed. Without days it is the seven days up to the last one of which the lake has figures. ' +
        'On AWS Athena answers, which is paid by what it reads: that is said. docs/reports.md tells how to read it.',
    arguments: {},
    options: {
        from: day('--from <day>', 'first day; without it six days before --to'),
        to: day('--to <day>', 'last day; without it six days after --from, or the last day with figures'),
        site: text('--site <site>', 'only this site'),
        out: file('-o, --out <file>', 'write a file; it appears whole or not at all; - is stdout'),
    },
    scans: true,
    examples: [
        { line: 'report -o report.html', does: 'the last week that the lake knows' },
        { line: 'report --from 2026-01-05 --to 2026-01-11 --site berlin -o berlin.html', does: 'one week of one site' },
        { line: 'report -o - | mail -s "Last week" -A - ops@example.com', does: 'to whoever reads mails' },
    ],
    async run({ options, ...context }) {
        const { writeReport } = await import('./run.ts');
        return writeReport(options, context);
    },
});
