/** Shows days that are unusually large against a pair’s own past, as rows. */

import type { RunContext } from '#cli/command';
import { printRows } from '#cli/draw/print-rows';
import { useFigures } from '#cli/use-figures';

interface AnomaliesOptions {
    site: string | undefined;
    from: string | undefined;
    to: string | undefined;
    limit: number;
}

/** Prints the unusual days, the newest first. */
export async function showAnomalies({ site, from, to, limit }: AnomaliesOptions, context: RunContext): Promise<number> {
    return useFigures(context, async (lake) => {
        await printRows(await lake.ask('anomalies', [site ?? null, to ?? null, from ?? null, BigInt(limit)]), context);
        return 0;
    });
}
