/** Shows the pairs of devices that move the most, as rows. */

import type { RunContext } from '#cli/command';
import { printRows, withoutColumns } from '#cli/draw/print-rows';
import { useFigures } from '#cli/use-figures';

interface PairsOptions {
    site: string | undefined;
    from: string | undefined;
    to: string | undefined;
    by: 'duration' | 'packets' | 'flows';
    top: number;
}

/** Prints the pairs, those that move the most first. */
export async function showPairs({ site, from, to, by, top }: PairsOptions, context: RunContext): Promise<number> {
    return useFigures(context, async (lake) => {
        const result = await lake.ask('top_pairs', [site ?? null, from ?? null, to ?? null, by, BigInt(top)]);
        await printRows(context.output === 'table' ? withoutColumns(result, ['first_day', 'last_day']) : result, context);
        return 0;
    });
}
