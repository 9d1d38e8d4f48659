/** Rows of a merged table as people and tests look at them, the order of their keys, and the error for a total that is too large. */
import { OverflowError } from '#lake/errors';
import { type ColumnType, keysOf, type MergedColumn, type MergedTable } from '#lake/tables';

/** The largest value of a column of each type, in its smallest units; the negative is the smallest. */
const LARGEST: Readonly<Record<Exclude<ColumnType, 'string'>, bigint>> = {
    bigint: 2n ** 63n - 1n,
    'decimal(28,9)': 10n ** 28n - 1n,
    'decimal(38,0)': 10n ** 38n - 1n,
    timestamp: 2n ** 63n - 1n,
};

/** Digits behind the point of a decimal(28,9). */
const SCALE = 9;

/** The values of a column: numbers of 64 bits in a typed array where none may be null, all else in a plain one. */
export type ColumnValues = BigInt64Array | bigint[] | string[] | (bigint | null)[] | (string | null)[];

/** One array per column of a merged table, by its name, all of one length; every key once, ascending. */
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
    return (type === 'bigint' || type === 'timestamp') && !nullable;
}

/** A row by its table, period and key, for an error that names it. */
export interface RowPlace {
    table: MergedTable;
    /** Names the period in an error: `2026-01-05`, `2026-01-05T13`. */
    period: string;
    /** Values of the key columns by their names. */
    key: Readonly<Record<string, string>>;
}

/** The largest value that the column of numbers can hold, in its smallest units; its negative is the smallest. */
export function limitOf({ name, type }: MergedColumn): bigint {
    if (type === 'string') {
        throw new TypeError(`column ${name} has no numbers`);
    }
    return LARGEST[type];
}

/** A value of a column as SQL shows it, whole numbers and texts as they are: `21.300000000`. */
export function sayValue({ type }: Pick<MergedColumn, 'type'>, value: bigint | string): string {
    if (typeof value === 'string') {
        return value;
    }
    switch (type) {
        case 'decimal(28,9)':
            return formatUnits(value, SCALE);
        case 'timestamp':
            return sayInstant(value);
        default:
            return String(value);
    }
}

/** Decimal text of a whole number of units of 10^-digits, with all its digits: `2130` with two digits is `21.30`. */
export function formatUnits(units: bigint, digits: number): string {
    const isNegative = units < 0n;
    const text = String(isNegative ? -units : units).padStart(digits + 1, '0');
    const point = text.length - digits;
    return `${isNegative ? '-' : ''}${text.slice(0, point)}${digits === 0 ? '' : `.${text.slice(point)}`}`;
}

/** Milliseconds since 1970 as SQL shows a timestamp: `2026-01-05 13:00:00.000`. */
function sayInstant(milliseconds: bigint): string {
    const instant = new Date(Number(milliseconds));
    // Beyond a hundred million days of 1970, JavaScript has no name for an instant.
    return Number.isNaN(instant.getTime()) ? `${milliseconds} ms since 1970` : instant.toISOString().slice(0, -1).replace('T', ' ');
}

/** The error for a value that its column cannot hold. */
export function overflowError(value: bigint, column: MergedColumn, place: RowPlace): OverflowError {
    const limit = sayValue(column, limitOf(column));
    const beyond = value > 0n ? `above the largest value of its column, ${limit}` : `below the smallest value of its column, -${limit}`;
    return new OverflowError(`${column.name} of ${nameRow(place)} would be ${sayValue(column, value)}, ${beyond}`);
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
