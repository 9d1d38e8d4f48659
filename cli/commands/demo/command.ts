/** `flowlake demo`: everything once, in a lake of its own. Each step is a command line that is shown and can be typed again. */
import { defineCommand } from '#cli/command';

export const demo = defineCommand({
    name: 'demo',
    summary: 'see it all work in a temporary lake, in under a minute and without a network',
    details:
        'Writes 30 days of sample files of several branches, uploads them, and asks the first questions. The lake stays, to be played with.',
    arguments: {},
    options: {},
    examples: [{ line: 'demo', does: 'and then what it says at its end' }],
    async run(context) {
        const { playDemo } = await import('./run.ts');
        return playDemo(context);
    },
});
