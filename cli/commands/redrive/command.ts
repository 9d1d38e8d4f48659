/** `flowlake redrive`: brings dead letters back. */
import { defineCommand } from '#cli/command';
import { flag } from '#cli/option';

export const redrive = defineCommand({
    name: 'redrive',
    summary: 'bring messages that could not be worked off back to their queue (s3:// lakes)',
    details:
        'Mend the cause first: the log of the function tells it, and the alarm says where. A message is sent again before its dead letter is ' +
        'deleted, so nothing is lost when this is cut off in the middle, and a message that comes twice changes nothing. With --now no dead ' +
        'letter is touched: what has failed and waits for its next try, and holds up the messages of its day, is tried at once.',
    arguments: { id: { meaning: 'id of one letter, as dead-letters list shows it; default: all', count: 'one or none' } },
    options: { now: flag('--now', 'have what failed and waits for its next try tried at once, in place of dead letters') },
    examples: [
        { line: '--lake s3://my-lake redrive', does: 'after the cause was mended' },
        { line: '--lake s3://my-lake redrive 5f1e', does: 'one alone, of those that dead-letters list shows' },
        { line: '--lake s3://my-lake redrive --now', does: 'after a damaged day was mended: its files wait no longer' },
    ],
    async run({ arguments: { id }, options, ...context }) {
        const { redriveLetters } = await import('./run.ts');
        return redriveLetters(id, options, context);
    },
});
