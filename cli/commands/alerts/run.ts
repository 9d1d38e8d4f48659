/** Shows alerts and silences. */
import type { RunContext } from '#cli/command';
import { assertThere } from '#cli/device-readings';
import { forPeople } from '#cli/draw/for-people';
import { printRows } from '#cli/draw/print-rows';
import { useFigures } from '#cli/use-figures';

interface AlertsOptions {
    open: boolean;
    site: string | undefined;
    /** ISO 8601. */
    from: string | undefined;
    /** ISO 8601, exclusive. */
    to: string | undefined;
    limit: number;
}

/** Prints the episodes, open ones first and then the newest. @throws Failure where a device or site is named that the lake does not know */
export async function showAlerts(
    device: string | undefined,
    { open, site, from, to, limit }: AlertsOptions,
    context: RunContext,
): Promise<number> {
    return useFigures(context, async (lake) => {
        const millisecond = (time: string | undefined) => (time === undefined ? null : BigInt(Date.parse(time)));
        const now = BigInt(context.now().getTime());
        const parameters = [now, site ?? null, device ?? null, millisecond(from), millisecond(to), open ? 'open' : null, BigInt(limit)];
        const result = await lake.ask('alerts', parameters);
        const shown = context.output === 'table' ? forPeople(result) : result;
        const rows = await printRows(shown, { ...context, ifNone: () => assertThere(lake, device, { site }) });
        if (rows === limit) {
            await context.stderr.write(`The first ${limit}; --limit shows more\n`);
        }
        return 0;
    });
}
