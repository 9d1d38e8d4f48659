/** How far the pipeline is behind. */
import { z } from '@hono/zod-openapi';
import { definePage } from './page.ts';

export const lagPage = definePage({
    name: 'lag',
    parameters: z.strictObject({}),
    reads: () => [],
    async answer(_, { lag }) {
        const { is, stages } = await lag();
        return { is, stages: stages.map((stage) => ({ ...stage })) };
    },
});
