/** `flowlake export`: the report of one pair, or the readings of one device, to stdout, to a file or into the lake. */
import { defineCommand } from '#cli/command';
import { choice, day, file, flag, text } from '#cli/option';

export const exportPair = defineCommand({
    name: 'export',
    summary: 'the report of one pair, by site and day, or with --device the readings of one device',
    details:
        'The rows of a pair are those of view pair_running. The running figures count from the pair’s first day, whatever days are asked for. ' +
        'The rows of a device are its readings in the order of time. ' +
        'As html they are a page with plots that opens from a mail (docs/reports.md). ' +
        'The format is that of --format, else of the file’s ending, else of --output, else csv.',
    arguments: {
        src: { meaning: 'source address of the pair', count: 'one or none' },
        dst: { meaning: 'destination address of the pair', count: 'one or none' },
    },
    options: {
        device: text('--device <id>', 'a device’s readings instead of a pair’s report'),
        metric: text('--metric <metric>', 'only this metric of the device'),
        site: text('--site <site>', 'only this site’s pair or device; two sites may share an address or an id'),
        out: file('-o, --out <file>', 'write a file; it appears whole or not at all'),
        save: flag('--save', 'put it into the lake, under exports/, and print its key'),
        format: choice('--format <format>', 'csv, json, html, or parquet with -o or --save', ['csv', 'json', 'parquet', 'html']),
        from: day('--from <day>', 'first day to be listed'),
        to: day('--to <day>', 'last day to be listed'),
    },
    scans: true,
    examples: [
        { line: 'export 10.1.0.7 10.1.0.20', does: 'CSV on stdout' },
        { line: 'export 10.1.0.7 10.1.0.20 --site berlin --from 2026-01-05 -o report.parquet', does: 'one site’s days as a Parquet file' },
        { line: 'export 10.1.0.7 10.1.0.20 -o report.html', does: 'a page with plots, to be sent on' },
        { line: 'export 10.1.0.7 10.1.0.20 --save --format json', does: 'into the lake' },
        { line: 'export --device thermostat-07 --from 2026-01-05 -o readings.parquet', does: 'a device’s history, every digit' },
    ],
    async run({ arguments: args, options, ...context }) {
        const { exportRows } = await import('./run.ts');
        return exportRows(args, options, context);
    },
});
