/** `flowlake reconcile`: finishes whatever is undone. */
import { defineCommand } from '#cli/command';
import { flag } from '#cli/option';

export const reconcile = defineCommand({
    name: 'reconcile',
    summary: 'finish whatever a crash or a hand in the folders left undone',
    details:
        'Summarizes raw files that are not in the figures as they are now (also those that were put under raw/ by hand), removes what can ' +
        'never count and consolidates every day that is not what counts. Safe to run at any time, also beside an upload. In a deployed lake ' +
        'it sends the messages that are missing and the workers do the work; with --here this process does it, which has no time limit.',
    arguments: {},
    options: {
        dryRun: flag('--dry-run', 'show what is undone and change nothing'),
        here: flag('--here', 'do the work in this process: for a file that is too large for a Lambda (s3:// lakes)'),
    },
    examples: [
        { line: 'reconcile', does: 'after a crash, or files copied into raw/ by hand' },
        { line: 'reconcile --dry-run', does: 'what it would do' },
        { line: '--lake s3://my-lake reconcile --here', does: 'on a machine with time, near the bucket' },
    ],
    async run({ options, ...context }) {
        const { reconcileLake } = await import('./run.ts');
        return reconcileLake(options, context);
    },
});
