/** Shows the devices, and how they are at this moment. */
import type { RunContext } from '#cli/command';
import { assertThere } from '#cli/device-readings';
import { forPeople } from '#cli/draw/for-people';
import { printRows } from '#cli/draw/print-rows';
import { useFigures } from '#cli/use-figures';
import type { QueryResult, Value } from '#lake/query/query-engine';

interface DevicesOptions {
    site: string | undefined;
    limit: number;
}

/** Prints the devices by site and id. @throws Failure where a device or site is named that the lake does not know */
export async function showDevices(device: string | undefined, { site, limit }: DevicesOptions, context: RunContext): Promise<number> {
    return useFigures(context, async (lake) => {
        const result = withState(await lake.ask('devices', [site ?? null, device ?? null, BigInt(limit)]), context.now());
        const shown = context.output === 'table' ? forPeople(result, { without: ['silent_from_ms'] }) : result;
        const rows = await printRows(shown, { ...context, ifNone: () => assertThere(lake, device, { site }) });
        if (rows === limit && device === undefined) {
            await context.stderr.write(`The first ${limit} devices; --limit shows more\n`);
        }
        return 0;
    });
}

/** The result with a column `state` behind site and device. */
function withState({ columns, batches }: QueryResult, now: Date): QueryResult {
    const at = (name: string) => columns.findIndex((column) => column.name === name);
    const [last, silentFrom] = [at('last_ms'), at('silent_from_ms')];
    const stateOf = (row: readonly Value[]): string => {
        const [lastMs, silentFromMs] = [row[last] ?? null, row[silentFrom] ?? null];
        if (lastMs === null || silentFromMs === null) {
            return 'unknown';
        }
        return Number(silentFromMs) <= now.getTime() ? 'silent' : 'online';
    };
    const rows = async function* () {
        for await (const batch of batches) {
            yield batch.map((row) => [...row.slice(0, STATE_AT), stateOf(row), ...row.slice(STATE_AT)]);
        }
    };
    return { columns: [...columns.slice(0, STATE_AT), { name: 'state', type: 'varchar' }, ...columns.slice(STATE_AT)], batches: rows() };
}

/** Behind site and device. */
const STATE_AT = 2;
