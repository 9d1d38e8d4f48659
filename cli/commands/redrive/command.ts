/** `flowlake redrive`: brings dead letters back. */
import { defineCommand } from '#cli/command';

export const redrive = defineCommand({
    name: 'redrive',
    summary: 'bring messages that could not be worked off back to their queue (s3:// lakes)',
    details:
        'Mend the cause first: the log of the function tells it, and the alarm says where. A message is sent again before its dead letter is ' +
        'deleted, so nothing is lost when this is cut off in the middle, and a message that comes twice changes nothing.',
    arguments: {},
    options: {},
    examples: [{ line: '--lake s3://my-lake redrive', does: 'after the cause was mended' }],
    async run(context) {
        const { redriveLetters } = await import('./run.ts');
        return redriveLetters(context);
    },
});
