/** The second way to read a file of flows. */
import type { SecondReader } from '#lake/kind';
import { recompute } from './recompute.ts';

export const secondReader: SecondReader = {
    async recompute(engine, open, options) {
        const recount = await recompute(engine, open, options);
        if (!recount) {
            return undefined;
        }
        const { rejects, ...fields } = recount;
        return { fields: { ...fields }, rejects };
    },
};
