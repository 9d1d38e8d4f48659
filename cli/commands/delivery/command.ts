/** `flowlake delivery`: what became of every message. */
import { defineCommand } from '#cli/command';
import { file, text } from '#cli/option';

export const delivery = defineCommand({
    name: 'delivery',
    summary: 'account for every message of a simulation: sent, received, repeated, lost, late, and how long each took',
    details:
        'Holds the journal of flowlake simulate against the lake, from the inbox (in a deployed lake: the streams) and the chain to the rows of readings and messages_rejected. lost is acknowledged and nowhere; ' +
        'waiting is safe and not in the tables yet; unacknowledged is nowhere, and its sender knows. Times are from sending on: latest_ms to latest state (of journals that were ' +
        'written with --watch), lake_s until SQL has it. Exit code 1 where something is lost.',
    arguments: {},
    options: {
        journal: file('--journal <file>', 'the journal that simulate wrote'),
        device: text('--device <id>', 'only this device'),
    },
    scans: true,
    examples: [
        { line: 'delivery --journal sent.jsonl', does: 'a row for each device, and one for all' },
        { line: 'delivery --journal sent.jsonl --output json', does: 'the same for programs' },
    ],
    async run({ options, ...context }) {
        const { showDelivery } = await import('./run.ts');
        return showDelivery(options, context);
    },
});
