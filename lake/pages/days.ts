/** Which days the lake has: the first thing that other pages are asked by. */
import { z } from '@hono/zod-openapi';
import { listLakeDays, newestOf } from './lake-days.ts';
import { definePage } from './page.ts';

export const daysPage = definePage({
    name: 'days',
    parameters: z.strictObject({}),
    reads: () => [],
    async answer(_, { lake, now }) {
        const found = await listLakeDays(await lake.store());
        const kinds = found.map(({ kind, days }) => ({
            kind,
            first: days[0] ?? null,
            last: days.at(-1) ?? null,
            count: days.length,
        }));
        return { now: now().getTime(), newest: newestOf(found) ?? null, kinds };
    },
});
