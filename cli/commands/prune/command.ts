/** `flowlake prune`: frees the raw bytes that the figures no longer need. */
import { defineCommand } from '#cli/command';
import { day, flag } from '#cli/option';

export const prune = defineCommand({
    name: 'prune',
    summary: 'free raw files that are safely in the figures; no figure changes',
    details: 'Afterwards verify says which sources it can no longer recompute from their raw files.',
    arguments: {},
    options: {
        rawBefore: day('--raw-before <day>', 'raw files of which every row is of an earlier day'),
        dryRun: flag('--dry-run', 'show what would go and change nothing'),
    },
    examples: [
        { line: 'prune --raw-before 2026-01-01 --dry-run', does: 'what would go' },
        { line: 'prune --raw-before 2026-01-01', does: 'raw files of last year and before' },
    ],
    async run({ options, ...context }) {
        const { freeRawFiles } = await import('./run.ts');
        return freeRawFiles(options, context);
    },
});
