/** `flowlake upload`: puts files under raw/ and waits until they are in the figures. */
import { defineCommand } from '#cli/command';
import { choice, flag, text } from '#cli/option';

export const upload = defineCommand({
    name: 'upload',
    summary: 'put files of flows into the lake and wait until they are in its figures',
    details:
        'Takes CSV files of CICFlowMeter and its relatives and Zeek conn.log, plain, gzip or zstd; docs/reading.md has the rules. ' +
        'Folders are taken with all below them. A path with a folder site=S in it belongs to site S. ' +
        'Rows that cannot be used are kept and counted (flowlake rejects); a file that cannot be read at all touches no figure. ' +
        'In a deployed lake a large file that was cut off goes on where it was when the same command is run again.',
    arguments: { files: { meaning: 'files, folders, patterns in quotes, or - for what is piped in (with --as)', count: 'one or more' } },
    options: {
        site: text(
            '--site <site>',
            'where the probe stands; branches share private addresses, so the same address of two sites is two devices',
        ),
        as: text('--as <name>', 'name in the lake, for one file'),
        replace: flag('--replace', 'a corrected file takes the place of the one of its name, figures and all'),
        allowDuplicate: flag('--allow-duplicate', 'count bytes that are in the lake under another name once more'),
        dateOrder: choice('--date-order <order>', 'how dates are written, where the files alone do not tell', ['dmy', 'mdy', 'ymd']),
        wait: flag('--no-wait', 'return once the files are stored (s3:// lakes; a directory has nobody else to do the work)'),
        durationUnit: choice('--duration-unit <unit>', 'what durations are written in: microseconds or seconds', ['us', 's']),
    },
    examples: [
        { line: 'upload monday.csv', does: 'one file, for site main' },
        { line: 'upload --site berlin captures/', does: 'a folder of one branch' },
        { line: 'upload --replace monday.csv', does: 'a correction: the old figures of monday.csv go' },
        { line: 'upload --date-order mdy "us-office/*.csv.gz"', does: 'files that write the month first' },
        { line: 'upload --as conn.log - < conn.log', does: 'what is piped in' },
        { line: '--lake s3://my-lake upload --no-wait captures/', does: 'into a deployed lake, whose workers do the rest' },
    ],
    async run({ arguments: { files: words }, options, ...context }) {
        const { useLake } = await import('#cli/open-lake');
        const { gatherFiles } = await import('#cli/gather-files');
        return useLake(
            context,
            async (lake) => {
                const { files, cleanUp } = await gatherFiles(words, { ...options, lake, context });
                try {
                    if (lake.kind === 'directory') {
                        const { uploadToDirectory } = await import('#lake/upload/to-directory');
                        return await uploadToDirectory(files, { ...options, directory: lake.directory, context });
                    }
                    const { uploadToBucket } = await import('#lake/upload/to-bucket');
                    return await uploadToBucket(files, { ...options, lake, context });
                } finally {
                    await cleanUp();
                }
            },
            { mayBeNew: true },
        );
    },
});
