/** `flowlake explain`: which files, and how many of their lines, a figure comes from. */
import { defineCommand } from '#cli/command';
import { choice, flag, text, whole } from '#cli/option';
import { kinds } from '#lake/kinds';

const KIND_NAMES = kinds.map(({ name }) => name);

export const explain = defineCommand({
    name: 'explain',
    summary: 'from which files, and how many of their lines, a pair’s figures of one day come',
    details:
        'A row for each file with what it contributes, and for each site the total, which is what pair_days says; where it is not, that is said ' +
        'with what to do, and the exit code is 1. With --lines the raw files are read again, by the reader that summarized them. ' +
        'Of flows the arguments are <src> <dst> <day>, of telemetry (--kind telemetry) <device> <metric> <hour>, an hour as 2026-01-27T13: then each ' +
        'reading has a row for each file that it stands in, and --lines shows the messages.',
    arguments: {
        key: {
            meaning: 'source address, destination address and day, YYYY-MM-DD; of telemetry device, metric and hour, YYYY-MM-DDTHH',
            count: 'one or more',
        },
    },
    options: {
        kind: choice('--kind <name>', `what kind of data: ${KIND_NAMES.join(', ')}`, KIND_NAMES, kinds[0].name),
        site: text('--site <site>', 'only this site’s pair; devices of two sites may share an address'),
        lines: flag('--lines', 'the very lines of the raw files instead of a row for each file'),
        limit: whole('--limit <n>', 'how many lines are shown at most; all are counted', { fallback: 100 }),
    },
    scans: true,
    examples: [
        { line: 'explain 10.1.0.7 10.1.0.20 2026-01-27', does: 'which files have flows of this pair on this day' },
        { line: 'explain 10.1.0.7 10.1.0.20 2026-01-27 --site berlin --lines', does: 'the lines, with file and line number' },
        { line: 'explain --kind telemetry th-1 temperature 2026-01-27T13 --lines', does: 'the messages of an hour of a device' },
    ],
    async run({ arguments: { key }, options, ...context }) {
        const { explainKey } = await import('./run.ts');
        return explainKey(key, options, context);
    },
});
