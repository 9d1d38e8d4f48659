/** `flowlake pairs`: which pairs of devices move the most. */
import { defineCommand } from '#cli/command';
import { choice, day, text, whole } from '#cli/option';

export const pairs = defineCommand({
    name: 'pairs',
    summary: 'the pairs of devices that move the most',
    details: 'A table leaves out first_day and last_day; --output json and csv have them.',
    arguments: {},
    options: {
        top: whole('--top <n>', 'how many pairs', { fallback: 20 }),
        by: choice('--by <measure>', 'what counts: duration, packets or flows', ['duration', 'packets', 'flows'], 'packets'),
        site: text('--site <site>', 'only this site’s pairs'),
        from: day('--from <day>', 'first day that counts'),
        to: day('--to <day>', 'last day that counts'),
    },
    scans: true,
    examples: [
        { line: 'pairs --top 5', does: 'the five pairs with the most packets' },
        {
            line: 'pairs --by duration --site berlin --from 2026-01-05 --to 2026-01-11',
            does: 'whose flows in Berlin lasted longest in that week',
        },
    ],
    async run({ options, ...context }) {
        const { showPairs } = await import('./run.ts');
        return showPairs(options, context);
    },
});
