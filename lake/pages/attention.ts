/** What needs a person: what `flowlake status` tells of sources and periods. */
import { z } from '@hono/zod-openapi';
import { readLakeStatus } from '#lake/reports/lake-status';
import { sayProblem } from '#lake/reports/say-problem';
import { definePage } from './page.ts';

/** Subjects that are named one by one. */
const MOST_NAMED = 10;

export const attentionPage = definePage({
    name: 'attention',
    parameters: z.strictObject({}),
    // Ledger and objects are looked at one by one: no engine is asked.
    reads: () => [],
    async answer(_, { lake, now }) {
        const { problems } = await readLakeStatus(await lake.store(), { now: now() });
        return {
            problems: problems.map((problem) => ({
                kind: problem.kind,
                count: problem.subjects.length,
                subjects: problem.subjects.slice(0, MOST_NAMED),
                waitingMs: problem.waitingMs ?? null,
                ...sayProblem(problem),
            })),
        };
    },
});
