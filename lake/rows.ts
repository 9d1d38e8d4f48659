/** Rows of a merged table as people and tests look at them, the order of their keys, and the error for a total that is too large. */
import { OverflowError } from '#lake/errors';
import { keysOf, type MergedColumn, type MergedTable } from '#lake/tables';

/** The largest decimal(38,0). */
const MAX_DECIMAL = 10n ** 38n - 1n;
const MAX_BIGINT = 2n ** 63n - 1n;

/** The values of a column: whole numbers of 64 bits in a typed array where none may be null, all else in a plain one. */
export type ColumnValues = BigInt64Array | bigint[] | string[] | (bigint | null)[] | (string | null)[];

/** One array per column of a merged table, by its name, all of one length; every key once, ascending by its bytes. */
export type Rows = Readonly<Record<string, ColumnValues>>;

/** Room for `count` rows that the caller fills (typed arrays have zeros, plain ones are empty and to be pushed to), or no rows. */
export function emptyRows(table: MergedTable, count = 0): Record<string, ColumnValues> {
    return Object.fromEntries(table.columns.map((column) => [column.name, isTyped(column) ? new BigInt64Array(count) : []]));
}

/** How many rows there are. */
export function countRows(table: MergedTable, rows: Rows): number {
    return rows[keysOf(table)[0]?.name ?? '']?.length ?? 0;
}

/** The column's values. @throws TypeError where the rows are of another table */
export function valuesOf(rows: Rows, name: string): ColumnValues {
    const values = rows[name];
    if (values === undefined) {
        throw new TypeError(`no column ${name} in these rows`);
    }
    return values;
}

function isTyped({ type, nullable }: MergedColumn): boolean {
    return type === 'bigint' && !nullable;
}

/** A row by its table, period and key, for an error that names it. */
export interface RowPlace {
    table: MergedTable;
    /** Names the period in an error: `2026-01-05`, `2026-01-05T13`. */
    period: string;
    /** Values of the key columns by their names. */
    key: Readonly<Record<string, string>>;
}

/** The largest value that the column can hold; its negative is the smallest. */
export function limitOf({ type }: MergedColumn): bigint {
    return type === 'bigint' ? MAX_BIGINT : MAX_DECIMAL;
}

/** The error for a value that its column cannot hold. */
export function overflowError(value: bigint, column: MergedColumn, place: RowPlace): OverflowError {
    const limit = limitOf(column);
    const beyond = value > 0n ? `above the largest value of its column, ${limit}` : `below the smallest value of its column, -${limit}`;
    return new OverflowError(`${column.name} of ${nameRow(place)} would be ${value}, ${beyond}`);
}

/** The name of a row in messages: `10.0.0.1 to 10.0.0.2 at site main on 2026-01-05`. */
function nameRow({ table, period, key }: RowPlace): string {
    return `${table.rowName.replaceAll(/\{(\w+)\}/g, (_, name: string) => String(key[name]))} ${sayWhen(period)}`;
}

function sayWhen(period: string): string {
    return period.includes('T') ? `in the hour ${period}` : `on ${period}`;
}

/**
 * The order of UTF-16, which JavaScript compares by, may from here on not be that of UTF-8, by which every Parquet reader and Spark sort.
 */
const FIRST_SURROGATE = 0xd800;
const BEHIND_SURROGATES = 0xe000;

/** Below 0, 0 or above 0, by the order of the texts' UTF-8 bytes. */
export function compareTexts(a: string, b: string): number {
    if (a === b) {
        return 0;
    }
    const length = Math.min(a.length, b.length);
    for (let at = 0; at < length; at += 1) {
        const unitA = a.charCodeAt(at);
        const unitB = b.charCodeAt(at);
        if (unitA !== unitB) {
            // Two surrogates are one character beyond U+FFFF, which in UTF-8 comes behind all others.
            const isCommonOrder = unitA < FIRST_SURROGATE || unitB < FIRST_SURROGATE;
            return isCommonOrder ? unitA - unitB : rankOf(unitA) - rankOf(unitB);
        }
    }
    return a.length - b.length;
}

function rankOf(unit: number): number {
    return unit >= BEHIND_SURROGATES ? unit - BEHIND_SURROGATES : unit;
}
