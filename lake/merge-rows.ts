/** Lists of rows merge into one: by the merge word of each column, for any table, every total exact. */
import { OverflowError } from '#lake/errors';
import { keysOf, type MergedColumn, type MergedTable } from '#lake/tables';
import { compareTexts, emptyRows, limitOf, overflowError, type Rows } from './rows.ts';
import {
    bigintAt,
    compareNumbers,
    NO_TEXT,
    type NumberColumn,
    nullsOf,
    numbersOf,
    readerOf,
    setBigint,
    type TextColumn,
    type TypedRows,
    textsOf,
    toPlain,
    toTyped,
    widthOf,
} from './typed-rows.ts';

/** The table and period of rows, for an error that names one of them. */
interface Place {
    table: MergedTable;
    /** Names the period in an error: `2026-01-05`, `2026-01-05T13`. */
    period: string;
}

/** Merges plain rows, which people and tests look at, as `mergeTyped` does. */
export function mergeRows(lists: readonly Rows[], place: Place): Rows {
    const typed = lists.map((rows) => toTyped(place.table, rows));
    return toPlain(place.table, mergeTyped(typed, place));
}

/**
 * The rows of all lists together, one per key, every total exact. A key may stand several times in a list, if the list is sorted.
 * @throws OverflowError where a sum leaves its column; it names the row and the period
 */
export function mergeTyped(lists: readonly TypedRows[], place: Place): TypedRows {
    try {
        return mergeByPairs(lists, { ...place, isWide: false });
    } catch (error) {
        if (!(error instanceof OverflowError) || lists.length <= 2) {
            throw error;
        }
        // Two of three lists may leave the column that all three together fit, where values are below zero.
        return narrow(
            mergeByPairs(
                lists.map((rows) => widen(rows, place)),
                { ...place, isWide: true },
            ),
            place,
        );
    }
}

interface Merging extends Place {
    /** True if sums have room for any total on the way: slower, and seldom needed. */
    isWide: boolean;
}

/** Merges two lists at a time, the shortest first, so that a long one among many short ones is gone through once. */
function mergeByPairs(lists: readonly TypedRows[], merging: Merging): TypedRows {
    const none = noRows(merging);
    const waiting = [...lists].sort((a, b) => b.count - a.count);
    if (waiting.length < 2) {
        return mergeTwo(waiting[0] ?? none, none, merging);
    }
    while (waiting.length > 1) {
        const merged = mergeTwo(waiting.pop() as TypedRows, waiting.pop() as TypedRows, merging);
        let at = waiting.length;
        while (at > 0 && (waiting[at - 1] as TypedRows).count < merged.count) {
            at -= 1;
        }
        waiting.splice(at, 0, merged);
    }
    return waiting[0] as TypedRows;
}

function noRows({ table, isWide }: Merging): TypedRows {
    const none = toTyped(table, emptyRows(table));
    return isWide ? widen(none, { table, period: '' }) : none;
}

function mergeTwo(left: TypedRows, right: TypedRows, merging: Merging): TypedRows {
    const { table } = merging;
    const both: Record<string, BothTexts> = {};
    for (const { name, type } of table.columns) {
        if (type === 'string') {
            both[name] = uniteTexts(textsOf(left, name), textsOf(right, name));
        }
    }
    const sidesOf = (column: MergedColumn): BothSides => {
        const ofTexts = both[column.name];
        return ofTexts ? sidesOfTexts(column, ofTexts) : { left: numbersOf(left, column.name), right: numbersOf(right, column.name) };
    };
    const order = orderOf(keysOf(table).map(sidesOf), left.count, right.count);
    const count = order.firsts.length;
    const smallest = smallestOf(table.columns.filter(({ merge }) => merge === 'first').map(sidesOf), order);
    const texts: Record<string, TextColumn> = {};
    const numbers: Record<string, NumberColumn> = {};
    const merged: TypedRows = { count, texts, numbers };
    for (const column of table.columns) {
        const { name, merge } = column;
        const picked = merge === 'first' ? smallest : order;
        const ofTexts = both[name];
        if (ofTexts) {
            texts[name] = pickTexts(ofTexts, picked);
        } else {
            numbers[name] = pickNumbers(column, { left: numbersOf(left, name), right: numbersOf(right, name), order: picked });
        }
    }
    for (const column of table.columns) {
        const { name, merge } = column;
        if (merge !== 'key' && merge !== 'first') {
            addOthers(column, merged, { left: numbersOf(left, name), right: numbersOf(right, name), order, merging });
        }
    }
    return merged;
}

/** Texts of two lists in one, and the places in it of either list's rows. */
interface BothTexts {
    texts: readonly string[];
    left: Int32Array;
    right: Int32Array;
}

/** A column of two lists, as what its values are compared by. */
interface BothSides {
    left: NumberColumn;
    right: NumberColumn;
}

/** Texts compare as their places do. */
function sidesOfTexts({ nullable }: MergedColumn, { left, right }: BothTexts): BothSides {
    const columnOf = (places: Int32Array): NumberColumn => ({ width: 1, words: places, nulls: nullable ? nullsOf(places) : undefined });
    return { left: columnOf(left), right: columnOf(right) };
}

function uniteTexts(left: TextColumn, right: TextColumn): BothTexts {
    const texts: string[] = [];
    const ofLeft = new Int32Array(left.texts.length);
    const ofRight = new Int32Array(right.texts.length);
    for (let leftAt = 0, rightAt = 0; leftAt < left.texts.length || rightAt < right.texts.length; ) {
        const one = left.texts[leftAt];
        const other = right.texts[rightAt];
        const difference = one === undefined ? 1 : other === undefined ? -1 : compareTexts(one, other);
        if (difference <= 0) {
            ofLeft[leftAt] = texts.length;
            leftAt += 1;
        }
        if (difference >= 0) {
            ofRight[rightAt] = texts.length;
            rightAt += 1;
        }
        texts.push((difference <= 0 ? one : other) as string);
    }
    return {
        texts,
        left: left.places.map((place) => (place === NO_TEXT ? NO_TEXT : (ofLeft[place] as number))),
        right: right.places.map((place) => (place === NO_TEXT ? NO_TEXT : (ofRight[place] as number))),
    };
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

function orderOf(keys: readonly BothSides[], leftCount: number, rightCount: number): Order {
    const compare = keys.every(({ left }) => left.width === 1) ? compareByPlaces(keys, leftCount) : compareByValues(keys, leftCount);
    const end = leftCount + rightCount;
    const firsts = new Int32Array(end);
    const others = new Int32Array(end * 2);
    let count = 0;
    let otherCount = 0;
    for (let leftAt = 0, rightAt = leftCount; leftAt < leftCount || rightAt < end; ) {
        const isLeft = rightAt >= end || (leftAt < leftCount && compare(leftAt, rightAt) <= 0);
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
    return { leftCount, firsts: firsts.slice(0, count), others: others.slice(0, otherCount) };
}

/** Compares two rows, counted as in `Order`; below 0 where the first is smaller. */
type Compare = (a: number, b: number) => number;

/** Compares by columns of texts alone, none of them null. */
function compareByPlaces(columns: readonly BothSides[], leftCount: number): Compare {
    const sides = columns.map(({ left, right }) => [left.words, right.words] as const);
    return (a, b) => {
        for (const [left, right] of sides) {
            const placeA = (a < leftCount ? left[a] : right[a - leftCount]) as number;
            const placeB = (b < leftCount ? left[b] : right[b - leftCount]) as number;
            if (placeA !== placeB) {
                return placeA - placeB;
            }
        }
        return 0;
    };
}

/** Compares by columns of any types; a null is behind every value. */
function compareByValues(columns: readonly BothSides[], leftCount: number): Compare {
    return (a, b) => {
        const rowA = a < leftCount ? a : a - leftCount;
        const rowB = b < leftCount ? b : b - leftCount;
        for (const { left, right } of columns) {
            const ofA = a < leftCount ? left : right;
            const ofB = b < leftCount ? left : right;
            const isNullA = ofA.nulls?.[rowA] ?? 0;
            const difference = isNullA - (ofB.nulls?.[rowB] ?? 0);
            if (difference !== 0) {
                return difference;
            }
            const order = isNullA === 1 ? 0 : compareNumbers(ofA.words, rowA * ofA.width, ofB.words, rowB * ofB.width, ofA.width);
            if (order !== 0) {
                return order;
            }
        }
        return 0;
    };
}

/** The order with the smallest row by these columns, of all that each merged row is made of, in the place of the first one. */
function smallestOf(columns: readonly BothSides[], order: Order): Order {
    const { firsts, others, leftCount } = order;
    if (columns.length === 0 || others.length === 0) {
        return order;
    }
    const compare = compareByValues(columns, leftCount);
    const smallest = firsts.slice();
    for (let at = 0; at < others.length; at += 2) {
        const row = others[at] as number;
        const into = others[at + 1] as number;
        if (compare(row, smallest[into] as number) < 0) {
            smallest[into] = row;
        }
    }
    return { ...order, firsts: smallest };
}

function pickTexts({ texts, left, right }: BothTexts, { firsts, leftCount }: Order): TextColumn {
    return { texts, places: firsts.map((row) => (row < leftCount ? left[row] : right[row - leftCount]) as number) };
}

interface Sides {
    left: NumberColumn;
    right: NumberColumn;
    order: Order;
}

/** The numbers of one of the rows that each merged row is made of. */
function pickNumbers(column: MergedColumn, { left, right, order }: Sides): NumberColumn {
    const { firsts, leftCount } = order;
    const { width } = left;
    const words = new Int32Array(firsts.length * width);
    const nulls = column.nullable ? new Uint8Array(firsts.length) : undefined;
    for (let at = 0; at < firsts.length; ) {
        const row = firsts[at] as number;
        const from = row < leftCount ? left : right;
        const fromRow = row < leftCount ? row : row - leftCount;
        const end = row < leftCount ? leftCount : Number.POSITIVE_INFINITY;
        let run = 1;
        while (at + run < firsts.length && row + run < end && firsts[at + run] === row + run) {
            run += 1;
        }
        if (run >= LONG_RUN) {
            words.set(from.words.subarray(fromRow * width, (fromRow + run) * width), at * width);
            nulls?.set(from.nulls?.subarray(fromRow, fromRow + run) ?? [], at);
        } else {
            for (let word = 0; word < run * width; word += 1) {
                words[at * width + word] = from.words[fromRow * width + word] as number;
            }
            for (let one = 0; nulls && from.nulls && one < run; one += 1) {
                nulls[at + one] = from.nulls[fromRow + one] as number;
            }
        }
        at += run;
    }
    return { width, words, nulls };
}

/** Rows of one side that are copied by one call, which for fewer takes longer than a loop. */
const LONG_RUN = 16;

/** Merges the numbers of all other rows into those that are there. */
function addOthers(column: MergedColumn, merged: TypedRows, { left, right, order, merging }: Sides & { merging: Merging }): void {
    const { others, leftCount } = order;
    const { width, words, nulls } = numbersOf(merged, column.name);
    for (let at = 0; at < others.length; at += 2) {
        const row = others[at] as number;
        const intoRow = others[at + 1] as number;
        const from = row < leftCount ? left : right;
        const fromRow = row < leftCount ? row : row - leftCount;
        if (from.nulls?.[fromRow] === 1) {
            continue;
        }
        const intoAt = intoRow * width;
        const fromAt = fromRow * width;
        if (nulls?.[intoRow] === 1) {
            words.set(from.words.subarray(fromAt, fromAt + width), intoAt);
            nulls[intoRow] = 0;
        } else if (column.merge === 'sum') {
            const mayLeave = !merging.isWide && !(isFarFromLimit(words, intoAt, width) && isFarFromLimit(from.words, fromAt, width));
            if (mayLeave) {
                const sum = bigintAt(words, intoAt, width) + bigintAt(from.words, fromAt, width);
                checkFits(sum, column, { row: intoRow, rows: merged, place: merging });
                setBigint(words, intoAt, width, sum);
            } else {
                addNumber(words, intoAt, from.words, fromAt, width);
            }
        } else if ((column.merge === 'min') === compareNumbers(from.words, fromAt, words, intoAt, width) < 0) {
            words.set(from.words.subarray(fromAt, fromAt + width), intoAt);
        }
    }
}

/**
 * The top word of a number that doubled still fits its column, be it of 64 bits or a decimal of 38 or 28 digits (10^38 is 1.26e9 * 2^96, 10^28 is
 * 5.4e8 * 2^64).
 */
const FAR_FROM_LIMIT = 2 ** 28;

function isFarFromLimit(words: Int32Array, at: number, width: number): boolean {
    const top = words[at + width - 1] as number;
    return top < FAR_FROM_LIMIT && top >= -FAR_FROM_LIMIT;
}

function addNumber(words: Int32Array, at: number, other: Int32Array, otherAt: number, width: number): void {
    let carry = 0;
    for (let word = 0; word < width; word += 1) {
        const sum = ((words[at + word] as number) >>> 0) + ((other[otherAt + word] as number) >>> 0) + carry;
        words[at + word] = sum;
        carry = sum > 0xffff_ffff ? 1 : 0;
    }
}

function checkFits(value: bigint, column: MergedColumn, { row, rows, place }: { row: number; rows: TypedRows; place: Place }): void {
    const limit = limitOf(column);
    if (value > limit || value < -limit) {
        const key = Object.fromEntries(keysOf(place.table).map((one) => [one.name, String(readerOf(rows, one)(row))]));
        throw overflowError(value, column, { ...place, key });
    }
}

/** Words on top of those that a sum has: room for the sum of 2^32 lists. */
const EXTRA_WORDS = 1;

/** The rows with room in their sums for any total. */
function widen(rows: TypedRows, { table }: Place): TypedRows {
    return { ...rows, numbers: { ...rows.numbers, ...resized(rows, { table, extra: EXTRA_WORDS }) } };
}

/** The rows with sums as their columns hold them. @throws OverflowError for the first one that does not fit */
function narrow(rows: TypedRows, place: Place): TypedRows {
    for (const column of place.table.columns.filter(({ merge }) => merge === 'sum')) {
        const { words, width } = numbersOf(rows, column.name);
        for (let row = 0; row < rows.count; row += 1) {
            checkFits(bigintAt(words, row * width, width), column, { row, rows, place });
        }
    }
    return { ...rows, numbers: { ...rows.numbers, ...resized(rows, { table: place.table, extra: 0 }) } };
}

/** The sums with the words of their columns' type, and so many extra ones. */
function resized(rows: TypedRows, { table, extra }: { table: MergedTable; extra: number }): Record<string, NumberColumn> {
    const sums: Record<string, NumberColumn> = {};
    for (const column of table.columns.filter(({ merge }) => merge === 'sum')) {
        const before = numbersOf(rows, column.name);
        const width = widthOf(column) + extra;
        const words = new Int32Array(rows.count * width);
        for (let row = 0; row < rows.count; row += 1) {
            const sign = (before.words[(row + 1) * before.width - 1] as number) >> 31;
            for (let word = 0; word < width; word += 1) {
                words[row * width + word] = word < before.width ? (before.words[row * before.width + word] as number) : sign;
            }
        }
        sums[column.name] = { ...before, width, words };
    }
    return sums;
}
