/** What is worth a look: rows that were rejected, doubts, and sources that may hold the same rows, as the ledger tells. */
import { z } from '@hono/zod-openapi';
import { sayTwinGroup } from '#lake/reports/say-problem';
import { findTwins } from '#lake/twins';
import { readKnownSources } from './known-sources.ts';
import { definePage } from './page.ts';
import { shareDoubts } from './source-doubts.ts';

/** Doubts and groups that are told one by one, and sources that each names. */
const MOST_NAMED = 10;

export const doubtsPage = definePage({
    name: 'doubts',
    parameters: z.strictObject({}),
    reads: () => [],
    async answer(_, { lake, now }) {
        const { sources } = await readKnownSources(await lake.store(), { now: now() });
        const doubts = shareDoubts(sources, { now: now() });
        const twins = findTwins(sources);
        const withRejects = sources.filter(({ facts }) => Number(facts.rows_rejected ?? 0) > 0);
        return {
            doubtCount: doubts.length,
            doubts: doubts.slice(0, MOST_NAMED).map(({ text, remedy, sources: of }) => ({
                text: text.replace('{files}', of.length === 1 ? 'one file' : `${of.length} files`),
                remedy,
                count: of.length,
                sources: of.slice(0, MOST_NAMED),
            })),
            twinCount: twins.length,
            twins: twins.slice(0, MOST_NAMED).map((group) => ({
                sources: group.sources.slice(0, MOST_NAMED),
                count: group.sources.length,
                ...sayTwinGroup(group),
            })),
            rejects: {
                sources: withRejects.length,
                rows: String(withRejects.reduce((sum, { facts }) => sum + BigInt(Number(facts.rows_rejected)), 0n)),
            },
        };
    },
});
