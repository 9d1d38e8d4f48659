/** `flowlake rejects`: which rows could not be used, where they stand and why. */
import { defineCommand } from '#cli/command';
import { whole } from '#cli/option';

export const rejects = defineCommand({
    name: 'rejects',
    summary: 'the rows that could not be used, where they stand and why',
    details: 'Of files of every kind of data; docs/reading.md explains the reasons of flows, docs/reading-telemetry.md those of messages.',
    arguments: { source: { meaning: 'a raw key, or how it ends: monday.csv; all sources where it is left out', count: 'one or none' } },
    options: { limit: whole('--limit <n>', 'how many rows at most', { fallback: 100 }) },
    scans: true,
    examples: [
        { line: 'rejects', does: 'the first hundred of all sources' },
        { line: 'rejects monday.csv', does: 'those of one file' },
        { line: 'query "select reason, count(*) as row_count from rejects group by reason"', does: 'how many for which reason' },
    ],
    async run({ arguments: { source }, options, ...context }) {
        const { showRejects } = await import('./run.ts');
        return showRejects(source, options, context);
    },
});
