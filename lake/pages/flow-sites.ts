/** The sites that the lake has flows of. */
import { z } from '@hono/zod-openapi';
import { definePage } from './page.ts';

export const flowSitesPage = definePage({
    name: 'flow-sites',
    parameters: z.strictObject({}),
    reads: () => [{ table: 'pair_days' }],
    async answer(_, { ask }) {
        const { rows } = await ask('select distinct site from pair_days order by site');
        return { sites: rows.map(([site]) => String(site)) };
    },
});
