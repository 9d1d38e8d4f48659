/** Makes a failing input small: takes away lines, then bytes, and of Parquet rows and columns, as long as it still fails. */
import { minimizeList } from '#test/support/minimize-list';
import type { ParquetTable } from '#test/support/parquet-file';

/**
 * The smallest bytes found for which `stillFails` holds, as it must for `bytes`. It is asked `maxTries` times at most.
 */
export async function minimize(
    bytes: Buffer,
    stillFails: (bytes: Buffer) => Promise<boolean>,
    { maxTries = 3000 }: { maxTries?: number } = {},
): Promise<Buffer> {
    const budget = { tries: maxTries };
    const reduce = (parts: Buffer[]): Promise<Buffer[]> => minimizeList(parts, (rest) => stillFails(Buffer.concat(rest)), budget);
    let small = await reduce(splitLines(bytes));
    for (let before = Number.POSITIVE_INFINITY; small.length < before && budget.tries > 0; ) {
        const single = [...Buffer.concat(small)].map((byte) => Buffer.from([byte]));
        before = single.length;
        small = await reduce(single);
    }
    return Buffer.concat(small);
}

/** The table with the fewest rows and columns found for which `stillFails` holds. */
export async function minimizeTable(
    table: ParquetTable,
    stillFails: (table: ParquetTable) => Promise<boolean>,
    { maxTries = 3000 }: { maxTries?: number } = {},
): Promise<ParquetTable> {
    const budget = { tries: maxTries };
    const rows = await minimizeList(table.rows, (some) => stillFails({ ...table, rows: some }), budget);
    const take = (places: readonly number[]): ParquetTable => ({
        ...table,
        columns: places.map((at) => table.columns[at]!),
        rows: rows.map((row) => places.map((at) => row[at] ?? null)),
    });
    const all = table.columns.map((_, at) => at);
    return take(await minimizeList(all, (places) => stillFails(take(places)), budget));
}

function splitLines(bytes: Buffer): Buffer[] {
    const lines: Buffer[] = [];
    for (let at = 0; at < bytes.length; ) {
        const end = bytes.indexOf(0x0a, at) + 1 || bytes.length;
        lines.push(bytes.subarray(at, end));
        at = end;
    }
    return lines;
}
