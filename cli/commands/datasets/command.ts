/** `flowlake datasets`: the chain objects of the lake. */
import { defineCommand } from '#cli/command';
import { choice, flag, instant, text, whole } from '#cli/option';
import { DATASET_STATES } from '#lake/live/dataset-states';

export const datasets = defineCommand({
    name: 'datasets',
    summary: 'the raw objects of live telemetry: what each holds, and what became of it',
    details:
        'A row for each object of a chain: its messages, devices and profiles, when they arrived, and the readings that it came to. In a deployed lake an index is asked; ' +
        'in a directory the objects themselves are read. Times are UTC; --to is exclusive, and a day means the whole day. docs/datasets.md has each column.',
    arguments: {},
    options: {
        device: text('--device <id>', 'only objects with messages of this device'),
        profile: text('--profile <name>', 'only objects with messages of devices that had this profile'),
        from: instant('--from <time>', 'leave out what arrived before, YYYY-MM-DDTHH:MM or a day'),
        to: instant('--to <time>', 'leave out what arrived then or later; of a day its end', { isEnd: true }),
        state: choice('--state <state>', 'only objects in this state', DATASET_STATES),
        limit: whole('--limit <n>', 'how many, the newest ones', { fallback: 100 }),
        rebuild: flag('--rebuild', 'make right what is missing or wrong in the index, from the objects and the ledger (s3:// lakes)'),
    },
    examples: [
        { line: 'datasets --from 2026-01-05 --to 2026-01-05', does: 'what arrived on a day' },
        { line: '--output json datasets --device th-0001 --limit 100000', does: 'every object with messages of a device, for a program' },
        { line: '--lake s3://my-lake datasets --rebuild', does: 'after a lost note, or where the table was lost' },
    ],
    async run({ options, ...context }) {
        const { showDatasets } = await import('./run.ts');
        return showDatasets(options, context);
    },
});
