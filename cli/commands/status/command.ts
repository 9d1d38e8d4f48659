/** `flowlake status`: what the lake holds, what waits, and what needs a person. */
import { defineCommand } from '#cli/command';
import { flag } from '#cli/option';

export const status = defineCommand({
    name: 'status',
    summary: 'sources by state, rows kept and rejected, days, and what needs a person (then exit code 1)',
    arguments: {},
    options: {
        watch: flag('--watch', 'show it again every two seconds, until Ctrl-C'),
        queues: flag('--queues', 'the depth of the queues and of their dead letters instead (s3:// lakes)'),
    },
    examples: [
        { line: 'status', does: 'the state of the lake now' },
        { line: 'status --watch', does: 'beside a long upload' },
        { line: 'status --output json', does: 'for a monitoring script, with the exit code' },
        { line: '--lake s3://my-lake status --queues', does: 'what waits for the workers, and what they gave up' },
    ],
    async run({ options, ...context }) {
        const { showStatus } = await import('./run.ts');
        return showStatus(options, context);
    },
});
