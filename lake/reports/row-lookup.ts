/** The rows of one key out of the bytes of a merged object or a contribution, without taking the others apart. */
import type { RowGroup } from 'hyparquet';
import { readRows } from '#lake/parquet';
import { compareTexts, countRows, type Rows, valuesOf } from '#lake/rows';
import type { MergedTable } from '#lake/tables';

/** Values of key columns by their names; a column that is left out may have any value. */
export type KeyValues = Readonly<Record<string, string>>;

/** The rows that have these values, in the object's order. */
export async function findRows(table: MergedTable, bytes: Uint8Array<ArrayBuffer>, key: KeyValues): Promise<Rows> {
    const wanted = Object.entries(key);
    const rows = await readRows(table, bytes, { mayHold: (group) => wanted.every(([name, value]) => mayHoldText(group, name, value)) });
    const isFound = Array.from({ length: countRows(table, rows) }, (_, at) =>
        wanted.every(([name, value]) => valuesOf(rows, name)[at] === value),
    );
    return pickRows(rows, (at) => isFound[at] === true);
}

/** The rows at some of the places. */
function pickRows(rows: Rows, isPicked: (at: number) => boolean): Rows {
    const pick = (_: unknown, at: number): boolean => isPicked(at);
    return Object.fromEntries(
        Object.entries(rows).map(([name, column]) => [
            name,
            column instanceof BigInt64Array ? column.filter(pick) : (column as unknown[]).filter(pick),
        ]),
    ) as Rows;
}

/** True if the row group's statistics leave room for the value; texts are in the order in which the rows are sorted. */
function mayHoldText({ columns }: RowGroup, name: string, value: string): boolean {
    const { statistics } = columns.find(({ meta_data }) => meta_data?.path_in_schema.join('.') === name)?.meta_data ?? {};
    const { min_value: min, max_value: max } = statistics ?? {};
    return typeof min !== 'string' || typeof max !== 'string' || (compareTexts(min, value) <= 0 && compareTexts(value, max) <= 0);
}
