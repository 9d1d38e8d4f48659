/** The rows of one key out of the bytes of a merged object or a contribution, without taking the others apart. */
import type { RowGroup } from 'hyparquet';
import { readTyped } from '#lake/parquet';
import { compareTexts, type Rows } from '#lake/rows';
import { columnNamed, type MergedTable } from '#lake/tables';
import { readerOf, toPlain } from '#lake/typed-rows';

/** Values of key columns by their names, numbers as their digits; a column that is left out may have any value. */
export type KeyValues = Readonly<Record<string, string>>;

/** The rows that have these values, in the object's order. */
export async function findRows(table: MergedTable, bytes: Uint8Array<ArrayBuffer>, key: KeyValues): Promise<Rows> {
    const wanted = Object.entries(key);
    const rows = await readTyped(table, bytes, { mayHold: (group) => wanted.every(([name, value]) => mayHoldValue(group, name, value)) });
    const values = wanted.map(([name, value]) => ({ value, valueAt: readerOf(rows, columnNamed(table, name)) }));
    return toPlain(table, rows, (row) => values.every(({ value, valueAt }) => String(valueAt(row)) === value));
}

const WHOLE_NUMBER = /^-?\d+$/;

/** True if the row group's statistics leave room for the value; texts are in the order in which the rows are sorted. */
function mayHoldValue({ columns }: RowGroup, name: string, value: string): boolean {
    const { statistics } = columns.find(({ meta_data }) => meta_data?.path_in_schema.join('.') === name)?.meta_data ?? {};
    const { min_value: min, max_value: max } = statistics ?? {};
    if (typeof min === 'bigint' && typeof max === 'bigint') {
        return WHOLE_NUMBER.test(value) && min <= BigInt(value) && BigInt(value) <= max;
    }
    return typeof min !== 'string' || typeof max !== 'string' || (compareTexts(min, value) <= 0 && compareTexts(value, max) <= 0);
}
