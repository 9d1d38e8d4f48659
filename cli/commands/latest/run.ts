/** Shows latest state. */
import { Failure, type RunContext } from '#cli/command';
import { batchOf } from '#cli/draw/batch-of';
import { printRows } from '#cli/draw/print-rows';
import { useState } from '#cli/use-state';
import { UsageError } from '#lake/errors';
import type { StateOfDevice } from '#lake/live/state-store';
import { nearestOf } from '#lake/nearest';
import type { Value } from '#lake/query/query-engine';

/** Devices that a name which nobody has is compared with. */
const MAX_COMPARED = 10_000;

interface LatestOptions {
    state: StateOfDevice | undefined;
    site: string | undefined;
    limit: number;
}

/** Prints a row for each device, or for each metric of one. @throws Failure where the device is not known */
export async function showLatest(device: string | undefined, { state, site, limit }: LatestOptions, context: RunContext): Promise<number> {
    if (device !== undefined && (state !== undefined || site !== undefined)) {
        throw new UsageError('--state and --site choose devices: leave them out, or the device');
    }
    return useState(context, async ({ state: latest }) => {
        if (device === undefined) {
            const { items, hasMore } = (await latest.devices({ state, site, limit, after: undefined })).answer;
            const rows = items.map(({ state: is, item }): Value[] => [
                item.device,
                item.site,
                item.profile,
                is,
                timeOf(item.lastAtMs),
                timeOf(item.lastReceivedMs),
                BigInt(item.open.length),
            ]);
            await print(['device', 'site', 'profile', 'state', 'measured_at', 'received_at', 'open_alerts'], rows, context);
            if (hasMore) {
                await context.stderr.write(`The first ${limit}; --limit shows more\n`);
            }
            return 0;
        }
        const found = (await latest.device(device))?.answer;
        if (!found) {
            const { items } = (await latest.devices({ limit: MAX_COMPARED, after: undefined })).answer;
            const nearest = nearestOf(
                device,
                items.map(({ item }) => item.device),
            );
            throw new Failure(`Nothing is known of device ${device}${nearest.length > 0 ? `. The nearest: ${nearest.join(', ')}` : ''}`);
        }
        const { item } = found;
        const rows = Object.entries(item.metrics).map(([metric, { value, text, unit, atMs, receivedMs }]): Value[] => [
            metric,
            value ?? text,
            unit,
            timeOf(atMs),
            timeOf(receivedMs),
        ]);
        await print(['metric', 'value', 'unit', 'measured_at', 'received_at'], rows, context);
        // Without this somebody looks for a fault where the value that just came stands above.
        const why =
            found.state === 'unknown' && item.lastReceivedMs !== null && item.dueMs === null ? ' (its profile names no dueEvery)' : '';
        await context.stderr.write(`${device} is ${found.state}${why}, read by profile ${item.profile} at site ${item.site}\n`);
        for (const { severity, why, began_ms: beganMs } of item.open) {
            await context.stderr.write(`${severity} since ${timeOf(beganMs)}: ${why}\n`);
        }
        if (item.lastRejected) {
            const { receivedMs, reason, why } = item.lastRejected;
            await context.stderr.write(`Its last message without a reading, ${timeOf(receivedMs)} (${reason}): ${why}\n`);
        }
        return 0;
    });
}

async function print(names: readonly string[], rows: Value[][], context: RunContext): Promise<void> {
    const columns = names.map((name) => ({ name, type: name === 'open_alerts' ? 'bigint' : 'varchar' }));
    await printRows({ columns, batches: batchOf(rows) }, context);
}

function timeOf(ms: number | null): string | null {
    return ms === null ? null : new Date(ms).toISOString().replace('T', ' ').replace('Z', '');
}
