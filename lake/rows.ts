/** Rows of a merged table as columns, and how lists of them merge: by the merge word of each column, for any table. */
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

/** The table and period of rows, for an error that names one of them. */
interface Place {
    table: MergedTable;
    /** Names the period in an error: `2026-01-05`, `2026-01-05T13`. */
    period: string;
}

/**
 * The rows of all lists together, one per key, every total exact. A key may stand several times in a list, if the list is sorted.
 * @throws OverflowError where a sum leaves its column; it names the row and the period
 */
export function mergeRows(lists: readonly Rows[], place: Place): Rows {
    try {
        return mergeHalves(lists, place, { isLast: true });
    } catch (error) {
        if (!(error instanceof OverflowError) || lists.length <= 2) {
            throw error;
        }
        // Two of three lists may leave the column that all three together fit, where values are below zero.
        return mergeHalves(lists, place, { isLast: true, isWide: true });
    }
}

interface Width {
    /** True if sums must fit their columns. */
    isLast: boolean;
    /** True if sums on the way may have any size: slower, and seldom needed. */
    isWide?: boolean;
}

function mergeHalves(lists: readonly Rows[], place: Place, width: Width): Rows {
    if (lists.length > 2) {
        const half = Math.ceil(lists.length / 2);
        const halves = [lists.slice(0, half), lists.slice(half)];
        const onTheWay = { ...width, isLast: false };
        return mergeTwo(
            halves.map((some) => mergeHalves(some, place, onTheWay)),
            place,
            width,
        );
    }
    return mergeTwo(lists, place, width);
}

function mergeTwo(lists: readonly Rows[], place: Place, width: Width): Rows {
    const { table } = place;
    const [left = emptyRows(table), right = emptyRows(table)] = lists;
    const order = orderOf(table, left, right);
    const merged: Record<string, ColumnValues> = {};
    // Keys first: an overflow is told by them.
    for (const column of table.columns.toSorted((a, b) => Number(b.merge === 'key') - Number(a.merge === 'key'))) {
        merged[column.name] = mergeColumn(column, { left, right, order, merged, place, width });
    }
    return merged;
}

/**
 * Origins of the merged rows: the first row that each is made of, and the rows that are merged into it beside that. Rows on the right are
 * counted on behind those on the left.
 */
interface Order {
    leftCount: number;
    firsts: Int32Array;
    /** Pairs of a row and the merged row that it goes into. */
    others: Int32Array;
}

function orderOf(table: MergedTable, left: Rows, right: Rows): Order {
    const leftCount = countRows(table, left);
    const rightCount = countRows(table, right);
    const keysOfSide = (rows: Rows): string[][] => keysOf(table).map(({ name }) => rows[name] as string[]);
    const sides: readonly [string[][], string[][]] = [keysOfSide(left), keysOfSide(right)];
    const compare = (a: number, b: number): number => {
        const ofA = a < leftCount ? sides[0] : sides[1];
        const ofB = b < leftCount ? sides[0] : sides[1];
        const atA = a < leftCount ? a : a - leftCount;
        const atB = b < leftCount ? b : b - leftCount;
        let order = 0;
        for (let key = 0; order === 0 && key < ofA.length; key += 1) {
            order = compareTexts((ofA[key] as string[])[atA] as string, (ofB[key] as string[])[atB] as string);
        }
        return order;
    };
    const firsts = new Int32Array(leftCount + rightCount);
    const others = new Int32Array((leftCount + rightCount) * 2);
    let count = 0;
    let otherCount = 0;
    let leftAt = 0;
    let rightAt = leftCount;
    while (leftAt < leftCount || rightAt < leftCount + rightCount) {
        const isLeft = rightAt >= leftCount + rightCount || (leftAt < leftCount && compare(leftAt, rightAt) <= 0);
        const row = isLeft ? leftAt : rightAt;
        leftAt += isLeft ? 1 : 0;
        rightAt += isLeft ? 0 : 1;
        if (count > 0 && compare(firsts[count - 1] as number, row) === 0) {
            others[otherCount] = row;
            others[otherCount + 1] = count - 1;
            otherCount += 2;
        } else {
            firsts[count] = row;
            count += 1;
        }
    }
    return { leftCount, firsts: firsts.subarray(0, count), others: others.subarray(0, otherCount) };
}

interface Merging {
    left: Rows;
    right: Rows;
    order: Order;
    /** The columns that are done. */
    merged: Rows;
    place: Place;
    width: Width;
}

function mergeColumn(column: MergedColumn, { left, right, order, merged, place, width }: Merging): ColumnValues {
    const { leftCount, firsts, others } = order;
    const ofLeft = valuesOf(left, column.name);
    const ofRight = valuesOf(right, column.name);
    const isWide = width.isWide === true && column.merge === 'sum';
    const values = isTyped(column) && !isWide ? new BigInt64Array(firsts.length) : new Array<bigint | string | null>(firsts.length);
    for (let at = 0; at < firsts.length; at += 1) {
        const row = firsts[at] as number;
        values[at] = (row < leftCount ? ofLeft[row] : ofRight[row - leftCount]) as bigint;
    }
    if (column.merge === 'key') {
        return values as ColumnValues;
    }
    const { merge } = column;
    const limit = limitOf(column);
    for (let at = 0; at < others.length; at += 2) {
        const row = others[at] as number;
        const into = others[at + 1] as number;
        const one = values[into] as bigint | null;
        const other = (row < leftCount ? ofLeft[row] : ofRight[row - leftCount]) as bigint | null;
        if (one === null || other === null) {
            values[into] = (one ?? other) as bigint;
        } else if (merge === 'sum') {
            const sum = one + other;
            if (!isWide && (sum > limit || sum < -limit)) {
                throw overflowError(sum, column, { rows: merged, at: into, ...place });
            }
            values[into] = sum;
        } else {
            values[into] = (merge === 'min') === other < one ? other : one;
        }
    }
    return isWide && width.isLast ? fitted(values as (bigint | null)[], column, { rows: merged, ...place }) : (values as ColumnValues);
}

/** The sums as their column holds them. @throws OverflowError for the first one that it cannot hold */
function fitted(values: (bigint | null)[], column: MergedColumn, place: Omit<RowPlace, 'at'>): ColumnValues {
    const limit = limitOf(column);
    for (const [at, value] of values.entries()) {
        if (value !== null && (value > limit || value < -limit)) {
            throw overflowError(value, column, { ...place, at });
        }
    }
    return isTyped(column) ? BigInt64Array.from(values as bigint[]) : values;
}

/** A row of a table and where it stands. */
export interface RowPlace extends Place {
    rows: Rows;
    at: number;
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
function nameRow({ rows, at, table, period }: RowPlace): string {
    return `${table.rowName.replaceAll(/\{(\w+)\}/g, (_, name: string) => String(rows[name]?.[at]))} ${sayWhen(period)}`;
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
