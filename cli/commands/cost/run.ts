/** Reckons what a deployed lake costs and prints it. */
import { Failure, type RunContext } from '#cli/command';
import { batchOf } from '#cli/draw/batch-of';
import { printRows } from '#cli/draw/print-rows';
import { useLake } from '#cli/use-lake';
import { StorageError } from '#lake/errors';
import { type NanoUsd, reckonCosts } from '#lake/reports/costs';
import { sayBytes } from '#lake/say-size';

/** Prints a row for each item, and says the sum. @throws Failure for a lake in a directory */
export async function showCosts({ days }: { days: number }, context: RunContext): Promise<number> {
    return useLake(context, async (lake) => {
        if (lake.kind === 'directory') {
            throw new Failure('A lake in a directory costs its disk alone: du -sh tells how much of it');
        }
        const now = context.now();
        const scannedBytes = await lake.scannedBytes({ days, now }).catch(async (error: unknown) => {
            if (!(error instanceof StorageError)) {
                throw error;
            }
            await context.stderr.write(`What was scanned is not known: ${error.message}\n`);
            return null;
        });
        const costs = await reckonCosts(await lake.store(), { now, days, scannedBytes });
        const columns = [
            { name: 'item', type: 'varchar' },
            { name: 'storage_class', type: 'varchar' },
            { name: 'count', type: 'bigint' },
            { name: 'size_bytes', type: 'bigint' },
            { name: 'usd_a_month', type: 'decimal(18,6)' },
        ];
        const rows = costs.map(({ item, storageClass, count, sizeBytes, usd }) => [
            item,
            storageClass,
            count,
            sizeBytes,
            usd === null ? null : sayMicros(usd),
        ]);
        await printRows({ columns, batches: batchOf(rows) }, context);
        const known = costs.reduce((sum, { usd }) => sum + (usd ?? 0n), 0n);
        const unknown = costs
            .filter(({ usd }) => usd === null)
            .map(({ item, storageClass }) => (storageClass === null ? item : `${item} in ${storageClass}`));
        const without = unknown.length === 0 ? '' : `, without ${unknown.join(', ')}, of which no price is known`;
        const kept = costs.reduce((sum, { storageClass, sizeBytes }) => sum + (storageClass === null ? 0n : (sizeBytes ?? 0n)), 0n);
        await context.stderr.write(`${sayBytes(Number(kept))} kept; together $${sayMicros(known)} a month by list prices${without}\n`);
        return scannedBytes === null ? 1 : 0;
    });
}

/** US dollars with six places, rounded up: a cost is never told to be nothing. */
function sayMicros(usd: NanoUsd): string {
    const micros = (usd + 999n) / 1000n;
    return `${micros / 1_000_000n}.${String(micros % 1_000_000n).padStart(6, '0')}`;
}
