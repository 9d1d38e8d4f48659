/**
 * Lists of rows merge into one: by the merge word of each column, for any table, every total exact. First the keys of all lists are put in order;
 * the numbers follow when they are asked for, some thousand rows at a time, so that they are never all in memory.
 */
import { keysOf, type MergedColumn, type MergedTable } from '#lake/tables';
import { limitOf, overflowError, type Rows } from './rows.ts';
import { mergeRuns, uniteTexts } from './text-list.ts';
import {
    bigintAt,
    compareNumbers,
    copyColumn,
    emptyNumbers,
    NO_TEXT,
    type NumberColumn,
    type NumberPiece,
    nullsOf,
    readerOf,
    setBigint,
    type TextColumn,
    type TypedRows,
    textsOf,
    toPlain,
    toTyped,
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
 * The rows of all lists together, one per key, every total exact. A key may stand several times in a list, if the list is sorted. Asking the result
 * for numbers asks the lists for theirs: lists that are handed in may not be the same.
 * @throws OverflowError when numbers are asked for, where a sum leaves its column; it names the row and the period
 */
export function mergeTyped(lists: readonly TypedRows[], place: Place): TypedRows {
    const origins = originsOf(lists, place.table);
    const columns = new Map<string, { column: MergedColumn; room: NumberColumn }>();
    for (const column of place.table.columns.filter(({ type }) => type !== 'string')) {
        columns.set(column.name, { column, room: emptyNumbers(column, 0) });
    }
    let span: Span | undefined;
    const rows: TypedRows = {
        count: origins.count,
        texts: origins.texts,
        numbers(name, from, until) {
            const merged = columns.get(name);
            if (!merged) {
                throw new TypeError(`no column ${name} in these rows`);
            }
            if (span?.from !== from || span.until !== until) {
                span = spanOf(lists, origins, { from, until });
            }
            if (merged.room.words.length < (until - from) * merged.room.width) {
                merged.room = emptyNumbers(merged.column, until - from);
            }
            const pieces = span.parts.map(({ list, first, last }) => (lists[list] as TypedRows).numbers(name, first, last + 1));
            mergeNumbers(merged.column, merged.room, { span, pieces, origins, place, rows });
            return { ...merged.room, start: 0 };
        },
    };
    return rows;
}

/** The rows that merged rows are made of. Rows of all lists are counted on, list after list. */
interface Origins {
    count: number;
    texts: Readonly<Record<string, TextColumn>>;
    /** The first row of each list, and behind the last list the number of all rows. */
    offsets: Int32Array;
    /** All rows by their keys, ascending; of equal ones that of an earlier list is first. */
    order: Int32Array;
    /** The place in `order` where each merged row begins, and at last where the last one ends. */
    starts: Int32Array;
    /** The place in `order` of the row that gives each merged row its `first` columns. */
    firsts: Int32Array;
}

function originsOf(lists: readonly TypedRows[], table: MergedTable): Origins {
    const offsets = new Int32Array(lists.length + 1);
    for (const [list, { count }] of lists.entries()) {
        offsets[list + 1] = (offsets[list] as number) + count;
    }
    const ofTexts = new Map<string, TextColumn>();
    for (const { name } of table.columns.filter(({ type }) => type === 'string')) {
        ofTexts.set(name, putTogether(lists, { name, offsets }));
    }
    const sideOf = (column: MergedColumn): NumberColumn => {
        const texts = ofTexts.get(column.name);
        return texts ? placesOf(column, texts) : numbersTogether(lists, { column, offsets });
    };
    const compare = comparerOf(keysOf(table).map(sideOf));
    const order = mergeRuns(offsets, compare);
    const starts = new Int32Array(order.length + 1);
    let count = 0;
    for (let at = 0; at < order.length; at += 1) {
        if (at === 0 || compare(order[at - 1] as number, order[at] as number) !== 0) {
            starts[count] = at;
            count += 1;
        }
    }
    starts[count] = order.length;
    const found = { count, offsets, order, starts: starts.subarray(0, count + 1) };
    const firsts = firstsOf(found, () => table.columns.filter(({ merge }) => merge === 'first').map(sideOf));
    const texts: Record<string, TextColumn> = {};
    for (const { name, merge } of table.columns) {
        const all = ofTexts.get(name);
        if (all) {
            texts[name] = { texts: all.texts, places: textsAt(all.places, order, { from: merge === 'first' ? firsts : starts, count }) };
        }
    }
    return { ...found, texts, firsts };
}

/** The places of texts of the rows that stand at some places in the order. */
function textsAt(places: Int32Array, order: Int32Array, { from, count }: { from: Int32Array; count: number }): Int32Array {
    const picked = new Int32Array(count);
    for (let row = 0; row < count; row += 1) {
        picked[row] = places[order[from[row] as number] as number] as number;
    }
    return picked;
}

/** The place in the order, for each merged row, of the smallest row by the `first` columns. */
function firstsOf({ count, order, starts }: Pick<Origins, 'count' | 'order' | 'starts'>, sides: () => NumberColumn[]): Int32Array {
    if (count === order.length) {
        return starts;
    }
    const columns = sides();
    if (columns.length === 0) {
        return starts;
    }
    const compare = comparerOf(columns);
    const firsts = starts.slice(0, count);
    for (let row = 0; row < count; row += 1) {
        for (let at = (starts[row] as number) + 1; at < (starts[row + 1] as number); at += 1) {
            if (compare(order[at] as number, order[firsts[row] as number] as number) < 0) {
                firsts[row] = at;
            }
        }
    }
    return firsts;
}

/** A column of texts of all lists, one behind the other. */
function putTogether(lists: readonly TypedRows[], { name, offsets }: { name: string; offsets: Int32Array }): TextColumn {
    const columns = lists.map((rows) => textsOf(rows, name));
    const { texts, placesOf: placesOfLists } = uniteTexts(columns.map((column) => column.texts));
    const places = new Int32Array(offsets.at(-1) ?? 0);
    for (const [list, column] of columns.entries()) {
        const inAll = placesOfLists[list] as Int32Array;
        const offset = offsets[list] as number;
        for (let row = 0; row < column.places.length; row += 1) {
            const place = column.places[row] as number;
            places[offset + row] = place === NO_TEXT ? NO_TEXT : (inAll[place] as number);
        }
    }
    return { texts, places };
}

/** Texts compare as their places do. */
function placesOf({ nullable }: MergedColumn, { places }: TextColumn): NumberColumn {
    return { width: 1, words: places, nulls: nullable ? nullsOf(places) : undefined };
}

/** A column of numbers of all lists, one behind the other. */
function numbersTogether(lists: readonly TypedRows[], { column, offsets }: { column: MergedColumn; offsets: Int32Array }): NumberColumn {
    const all = emptyNumbers(column, offsets.at(-1) ?? 0);
    for (const [list, rows] of lists.entries()) {
        copyColumn(rows, column.name, { into: all, at: offsets[list] as number });
    }
    return all;
}

/** Compares two rows by some columns: below 0 where the first is smaller. A null is behind every value. */
type Compare = (a: number, b: number) => number;

function comparerOf(columns: readonly NumberColumn[]): Compare {
    return columns.every(({ width, nulls }) => width === 1 && nulls === undefined)
        ? comparerOfPlaces(columns.map(({ words }) => words))
        : comparerOfValues(columns);
}

function comparerOfValues(columns: readonly NumberColumn[]): Compare {
    return (a, b) => {
        for (let column = 0; column < columns.length; column += 1) {
            const { words, width, nulls } = columns[column] as NumberColumn;
            const isNull = nulls === undefined ? 0 : (nulls[a] as number);
            const difference = isNull - (nulls === undefined ? 0 : (nulls[b] as number));
            if (difference !== 0) {
                return difference;
            }
            const order = isNull === 1 ? 0 : compareNumbers(words, a * width, words, b * width, width);
            if (order !== 0) {
                return order;
            }
        }
        return 0;
    };
}

function comparerOfPlaces(columns: readonly Int32Array[]): Compare {
    return (a, b) => {
        for (let column = 0; column < columns.length; column += 1) {
            const places = columns[column] as Int32Array;
            const difference = (places[a] as number) - (places[b] as number);
            if (difference !== 0) {
                return difference;
            }
        }
        return 0;
    };
}

/** Merged rows that are asked for, and what they are made of. */
interface Span {
    from: number;
    until: number;
    /** The lists that have rows of them, and the first and the last of these in the list. */
    parts: { list: number; first: number; last: number }[];
    /** Place in `parts` of each row in the order, from the span's first on. */
    partOf: Int32Array;
}

function spanOf(lists: readonly TypedRows[], { offsets, order, starts }: Origins, { from, until }: { from: number; until: number }): Span {
    const start = starts[from] as number;
    const partOf = new Int32Array((starts[until] as number) - start);
    const parts: Span['parts'] = [];
    const partOfList = new Map<number, number>();
    let list = 0;
    let part = -1;
    for (let at = 0; at < partOf.length; at += 1) {
        const row = order[start + at] as number;
        if (part < 0 || row < (offsets[list] as number) || row >= (offsets[list + 1] as number)) {
            list = listOf(offsets, row, lists.length);
            part = partOfList.get(list) ?? parts.length;
            if (part === parts.length) {
                partOfList.set(list, part);
                parts.push({ list, first: row - (offsets[list] as number), last: 0 });
            }
        }
        // Rows of a list come in their order.
        (parts[part] as Span['parts'][number]).last = row - (offsets[list] as number);
        partOf[at] = part;
    }
    return { from, until, parts, partOf };
}

/** The list that has the row, by halves: the last one that begins at the row or before it. */
function listOf(offsets: Int32Array, row: number, count: number): number {
    let [low, high] = [0, count - 1];
    while (low < high) {
        const middle = (low + high + 1) >> 1;
        if ((offsets[middle] as number) <= row) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    return low;
}

interface Merging {
    span: Span;
    /** Numbers of each part. */
    pieces: readonly NumberPiece[];
    origins: Origins;
    place: Place;
    /** The merged rows. */
    rows: TypedRows;
}

/** Fills `into` with a column's numbers of the span's rows. */
function mergeNumbers(column: MergedColumn, into: NumberColumn, merging: Merging): void {
    const { span, pieces, origins } = merging;
    const { order, starts, firsts, offsets } = origins;
    const { words, nulls, width } = into;
    const isMerged = column.merge !== 'key' && column.merge !== 'first';
    const picked = column.merge === 'first' ? firsts : starts;
    // What is taken from a row's number among all rows for its place in its part's piece.
    const before = Int32Array.from(
        span.parts,
        ({ list, first }, part) => (offsets[list] as number) + first - (pieces[part] as NumberPiece).start,
    );
    const start = starts[span.from] as number;
    for (let at = 0, intoRow = 0; intoRow < span.until - span.from; intoRow += 1) {
        const end = (starts[span.from + intoRow + 1] as number) - start;
        const intoAt = intoRow * width;
        // The row whose number is taken, and the one behind the last that is merged into it.
        const firstAt = isMerged ? at : (picked[span.from + intoRow] as number) - start;
        const lastAt = isMerged ? end : firstAt + 1;
        for (at = firstAt; at < lastAt; at += 1) {
            const part = span.partOf[at] as number;
            const from = pieces[part] as NumberPiece;
            const fromRow = (order[start + at] as number) - (before[part] as number);
            const fromAt = fromRow * width;
            const isNull = from.nulls?.[fromRow] === 1;
            if (at === firstAt || (nulls?.[intoRow] === 1 && !isNull)) {
                for (let word = 0; word < width; word += 1) {
                    words[intoAt + word] = from.words[fromAt + word] as number;
                }
                if (nulls) {
                    nulls[intoRow] = isNull ? 1 : 0;
                }
            } else if (isNull) {
                // A null says nothing.
            } else if (column.merge === 'sum') {
                if (!isFarFromLimit(words, intoAt, width) || !isFarFromLimit(from.words, fromAt, width)) {
                    // On the way a sum may leave the column that all of it fits, where values are below zero.
                    setBigint(words, intoAt, width, exactSum(column, width, { merging, row: span.from + intoRow }));
                    at = end - 1;
                } else {
                    addNumber(words, intoAt, from.words, fromAt, width);
                }
            } else if ((column.merge === 'min') === compareNumbers(from.words, fromAt, words, intoAt, width) < 0) {
                for (let word = 0; word < width; word += 1) {
                    words[intoAt + word] = from.words[fromAt + word] as number;
                }
            }
        }
        at = end;
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

/** The sum of all that a merged row is made of. @throws OverflowError where it leaves the column */
function exactSum(column: MergedColumn, width: number, { merging, row }: { merging: Merging; row: number }): bigint {
    const { span, pieces, origins, place, rows } = merging;
    const { order, starts, offsets } = origins;
    let sum = 0n;
    for (let at = starts[row] as number; at < (starts[row + 1] as number); at += 1) {
        const part = span.partOf[at - (starts[span.from] as number)] as number;
        const { list, first } = span.parts[part] as Span['parts'][number];
        const { words, nulls, start } = pieces[part] as NumberPiece;
        const fromRow = (order[at] as number) - (offsets[list] as number) - first + start;
        sum += nulls?.[fromRow] === 1 ? 0n : bigintAt(words, fromRow * width, width);
    }
    const limit = limitOf(column);
    if (sum > limit || sum < -limit) {
        const key = Object.fromEntries(keysOf(place.table).map((one) => [one.name, String(readerOf(rows, one)(row))]));
        throw overflowError(sum, column, { ...place, key });
    }
    return sum;
}
