/** `flowlake upload`: puts files under raw/ and waits until they are in the figures. */
import { defineCommand } from '#cli/command';
import { choice, flag, type Option, text } from '#cli/option';
import type { ReadingOptions } from '#lake/kind';
import { kinds } from '#lake/kinds';

const KIND_NAMES = kinds.map(({ name }) => name);

/**
 * Options that say how files must be read, for all kinds, by the options' names. An option that two kinds have takes the choices of both, and any name
 * where one of them takes any.
 */
const readingOptions: Readonly<Record<never, Option<string | undefined>>> = Object.fromEntries(
    kinds
        .flatMap(({ options }) => options)
        .map(({ name, flag: flagName, meaning }, _, all) => {
            const ofName = all.filter((other) => other.name === name);
            const choices = [...new Set(ofName.flatMap((other) => other.choices ?? []))];
            const isAny = ofName.some((other) => other.choices === undefined);
            return [name, isAny ? text(`--${flagName} <name>`, meaning) : choice(`--${flagName} <${choices.join('|')}>`, meaning, choices)];
        }),
);

export const upload = defineCommand({
    name: 'upload',
    summary: 'put files into the lake and wait until they are in its figures',
    details:
        'Flows are taken as CICFlowMeter (Java, Python), Zeek, nfdump, NFStream, Argus, Suricata, goflow2, AWS VPC and others write them: CSV, JSON lines or ' +
        'Parquet, plain, gzip or zstd. docs/exporters.md says what to type in each tool, docs/reading.md has the rules. ' +
        'Messages of devices (--kind telemetry --profile NAME) are taken as JSON lines, an array, logs of a broker, or rows behind a header: ' +
        'docs/reading-telemetry.md. ' +
        'Folders are taken with all below them, each file by what it holds: what is no file of flows is left out and named, logs of Zeek other than ' +
        'conn are skipped, and one that is like flows and cannot be read fails. A path with a folder site=S in it belongs to site S. ' +
        'Rows that cannot be used are kept and counted (flowlake rejects); a file that cannot be read at all touches no figure. ' +
        'In a deployed lake a large file that was cut off goes on where it was when the same command is run again.',
    arguments: {
        files: {
            meaning: 'files, folders, patterns in quotes, or - for what is piped in (with --as)',
            count: 'one or more',
            takes: 'file',
        },
    },
    options: {
        kind: choice('--kind <name>', `what kind of data the files are: ${KIND_NAMES.join(', ')}`, KIND_NAMES, kinds[0].name),
        site: text(
            '--site <site>',
            'where the probe stands; branches share private addresses, so the same address of two sites is two devices',
        ),
        as: text('--as <name>', 'name in the lake, for one file'),
        replace: flag('--replace', 'a corrected file takes the place of the one of its name, figures and all'),
        allowDuplicate: flag(
            '--allow-duplicate',
            'count what is in the lake under another name once more: the same bytes, or the same rows in other bytes',
        ),
        ...readingOptions,
        dryRun: flag('--dry-run', 'read the files, say what would become of each and why, and change nothing; no lake needs to be there'),
        wait: flag('--no-wait', 'return once the files are stored (s3:// lakes; a directory has nobody else to do the work)'),
    },
    examples: [
        { line: 'upload monday.csv', does: 'one file, for site main' },
        { line: 'upload --dry-run captures/', does: 'what each file would be read as, and what would be rejected; nothing is changed' },
        { line: 'upload --site berlin captures/', does: 'a folder of one branch' },
        { line: 'upload --replace monday.csv', does: 'a correction: the old figures of monday.csv go' },
        { line: 'upload --date-order mdy "us-office/*.csv.gz"', does: 'files that write the month first' },
        { line: 'upload --as conn.log - < conn.log', does: 'what is piped in' },
        { line: 'upload --kind telemetry --profile thermostat january.jsonl.gz', does: 'messages of devices, read by a profile' },
        { line: '--lake s3://my-lake upload --no-wait captures/', does: 'into a deployed lake, whose workers do the rest' },
    ],
    async run({ arguments: { files }, options, ...context }) {
        const { uploadFiles } = await import('./run.ts');
        const { kind, site, as, replace, allowDuplicate, dryRun, wait } = options;
        return uploadFiles(files, { kind, site, as, replace, allowDuplicate, dryRun, wait, reading: readingOptionsIn(options) }, context);
    },
});

/** The reading options that were given, by their names. */
function readingOptionsIn(options: Readonly<Record<string, unknown>>): ReadingOptions {
    const given = Object.keys(readingOptions).map((name): [string, unknown] => [name, options[name]]);
    return Object.fromEntries(given.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}
