/** The second way to read a file of flows. */
import type { SecondReader } from '#lake/kind';
import { recompute } from './recompute.ts';

export const secondReader: SecondReader = {
    async recompute(engine, { open, name }, options) {
        const recount = await recompute(engine, open, options, { name });
        if (!recount) {
            return undefined;
        }
        const { rejects, ...fields } = recount;
        return { fields: { ...fields }, rejects };
    },
};
