/** What the table of readings says of the messages of test/support/chain-messages.ts. */
import { readRows } from '#lake/parquet';
import { valuesOf } from '#lake/rows';
import type { ObjectStore } from '#lake/store/object-store';
import { readings } from '#lake/telemetry/tables';

/** The numbers of the messages in the table, ascending; one that came twice is there twice. */
export async function readingsOf(store: ObjectStore): Promise<number[]> {
    const numbers: number[] = [];
    for await (const { key } of store.list(readings.prefix)) {
        const rows = await readRows(readings, (await store.get(key))?.bytes ?? new Uint8Array());
        const copies = valuesOf(rows, 'copies');
        for (const [at, message] of [...valuesOf(rows, 'message')].entries()) {
            numbers.push(...Array.from({ length: Number(copies[at]) }, () => Number(message)));
        }
    }
    return numbers.sort((a, b) => a - b);
}
