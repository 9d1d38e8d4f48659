/**
 * Rows of a merged table in typed arrays: what is read, merged and written on the way of every file. A million rows of bigints and strings are
 * some ten million objects, and collecting them cost a fifth of an upload. Texts are there as a whole; numbers are handed out some thousand rows at a
 * time, so that whoever makes them need not keep them. Plain rows (rows.ts) are for what people and tests look at.
 */
import type { Column, ColumnType, MergedTable } from '#lake/tables';
import { type ColumnValues, countRows, emptyRows, type Rows, valuesOf } from './rows.ts';
import { areAscending, orderOfTexts, pickTexts, type TextList, textIn, toTextList } from './text-list.ts';

/** Texts as places in a list. */
export interface TextColumn {
    /** All texts, each once, ascending: places compare as their texts do. Some may be of no row. */
    texts: TextList;
    /** `NO_TEXT` where the row has no value. */
    places: Int32Array;
}

/** The place of a null. */
export const NO_TEXT = -1;

/** Numbers in the smallest units of their type: `width` words of 32 bits for each, the lowest first, in two's complement. */
export interface NumberColumn {
    width: number;
    words: Int32Array;
    /** 1 where the row has no value, whose words are 0 then. Nullable columns have it, and no others. */
    nulls: Uint8Array | undefined;
}

/** Numbers of some rows of a column, the first of which stands at place `start`. */
export interface NumberPiece extends NumberColumn {
    start: number;
}

/** The rows of a merged table: every key once, ascending. */
export interface TypedRows {
    count: number;
    /** Columns of texts by their names. */
    texts: Readonly<Record<string, TextColumn>>;
    /**
     * Hands out numbers of a column, from row `from` up to row `until`, which is exclusive. They are overwritten when the column is asked
     * for again. @throws TypeError where the rows are of another table
     */
    numbers(name: string, from: number, until: number): NumberPiece;
}

/** Rows per look at numbers where all are gone through. */
export const PIECE_ROWS = 4096;

/** Words of a value of each type. */
const WIDTHS: Readonly<Record<Exclude<ColumnType, 'string'>, number>> = { bigint: 2, 'decimal(28,9)': 3, 'decimal(38,0)': 4, timestamp: 2 };

/** Words of a value of the column's type, which is no text. */
export function widthOf({ name, type }: Column): number {
    if (type === 'string') {
        throw new TypeError(`column ${name} has texts, and no words`);
    }
    return WIDTHS[type];
}

/** Room for `count` numbers of the column, all 0. */
export function emptyNumbers(column: Column, count: number): NumberColumn {
    const width = widthOf(column);
    return { width, words: new Int32Array(count * width), nulls: column.nullable ? new Uint8Array(count) : undefined };
}

/** Rows whose numbers are all in memory, by the names of their columns. */
export function rowsInMemory({
    count,
    texts,
    numbers,
}: Pick<TypedRows, 'count' | 'texts'> & { numbers: Readonly<Record<string, NumberColumn>> }): TypedRows {
    return { count, texts, numbers: (name, from) => ({ ...found(numbers[name], name), start: from }) };
}

/** The rows with all their numbers in memory. */
export function toMemory({ columns }: MergedTable, rows: TypedRows): TypedRows {
    const numbers: Record<string, NumberColumn> = {};
    for (const column of columns.filter(({ type }) => type !== 'string')) {
        numbers[column.name] = numbersOf(rows, column);
    }
    return rowsInMemory({ ...rows, numbers });
}

/** All numbers of the column, in arrays of their own. @throws TypeError where the rows are of another table */
export function numbersOf(rows: TypedRows, column: Column): NumberColumn {
    const all = emptyNumbers(column, rows.count);
    copyColumn(rows, column.name, { into: all, at: 0 });
    return all;
}

/** Copies all numbers of a column to the rows from `at` on. */
export function copyColumn(rows: TypedRows, name: string, { into, at }: { into: NumberColumn; at: number }): void {
    for (let from = 0; from < rows.count; from += PIECE_ROWS) {
        const until = Math.min(from + PIECE_ROWS, rows.count);
        copyNumbers(rows.numbers(name, from, until), until - from, { into, at: at + from });
    }
}

/** Copies the first `count` numbers of a piece to the rows from `at` on. */
export function copyNumbers(
    { words, nulls, width, start }: NumberPiece,
    count: number,
    { into, at }: { into: NumberColumn; at: number },
): void {
    into.words.set(words.subarray(start * width, (start + count) * width), at * width);
    if (nulls) {
        into.nulls?.set(nulls.subarray(start, start + count), at);
    }
}

/** The column of texts. @throws TypeError where the rows are of another table */
export function textsOf({ texts }: TypedRows, name: string): TextColumn {
    return found(texts[name], name);
}

function found<T>(column: T | undefined, name: string): T {
    if (column === undefined) {
        throw new TypeError(`no column ${name} in these rows`);
    }
    return column;
}

/** The text of a row's column, in which it has one. */
export function textAt({ texts, places }: TextColumn, at: number): string {
    return textIn(texts, places[at] as number);
}

/** 1 for each place that is none. */
export function nullsOf(places: Int32Array): Uint8Array {
    const nulls = new Uint8Array(places.length);
    for (let row = 0; row < places.length; row += 1) {
        nulls[row] = places[row] === NO_TEXT ? 1 : 0;
    }
    return nulls;
}

/** What reads a row's value of a column, null where it has none. It is fastest from row to row. */
export function readerOf(rows: TypedRows, column: Column): (row: number) => bigint | string | null {
    const { name, type } = column;
    if (type === 'string') {
        const texts = textsOf(rows, name);
        return (row) => (texts.places[row] === NO_TEXT ? null : textAt(texts, row));
    }
    // Some rows are asked for together, and copied: others may ask for the column in between.
    const piece = emptyNumbers(column, Math.min(PIECE_ROWS, rows.count));
    const { words, nulls, width } = piece;
    let from = Number.POSITIVE_INFINITY;
    return (row) => {
        if (row < from || row >= from + PIECE_ROWS) {
            from = row;
            const until = Math.min(from + PIECE_ROWS, rows.count);
            copyNumbers(rows.numbers(name, from, until), until - from, { into: piece, at: 0 });
        }
        return nulls?.[row - from] === 1 ? null : bigintAt(words, (row - from) * width, width);
    };
}

/** The number that begins at word `at`. */
export function bigintAt(words: Int32Array, at: number, width: number): bigint {
    let value = BigInt(words[at + width - 1] as number);
    for (let word = width - 2; word >= 0; word -= 1) {
        value = (value << 32n) | BigInt((words[at + word] as number) >>> 0);
    }
    return value;
}

/** Stores a number at word `at`. @throws RangeError where it does not fit */
export function setBigint(words: Int32Array, at: number, width: number, value: bigint): void {
    lowWords.setBigInt64(0, value, true);
    if (width >= 2 && lowWords.getBigInt64(0, true) === value) {
        // Most need no more than two words: the others repeat their sign.
        const high = lowWords.getInt32(4, true);
        words[at] = lowWords.getInt32(0, true);
        words[at + 1] = high;
        words.fill(high >> 31, at + 2, at + width);
        return;
    }
    if (BigInt.asIntN(width * 32, value) !== value) {
        throw new RangeError(`${value} does not fit ${width * 32} bits`);
    }
    for (let word = 0, rest = value; word < width; word += 1, rest >>= 32n) {
        words[at + word] = Number(BigInt.asIntN(32, rest));
    }
}

/** The lowest two words of the number that is stored. */
const lowWords = new DataView(new ArrayBuffer(8));

/** Below 0, 0 or above 0: two numbers of the same width. */
export function compareNumbers(a: Int32Array, atA: number, b: Int32Array, atB: number, width: number): number {
    const top = (a[atA + width - 1] as number) - (b[atB + width - 1] as number);
    if (top !== 0) {
        return top;
    }
    for (let word = width - 2; word >= 0; word -= 1) {
        const difference = ((a[atA + word] as number) >>> 0) - ((b[atB + word] as number) >>> 0);
        if (difference !== 0) {
            return difference;
        }
    }
    return 0;
}

/** Plain rows as typed ones. */
export function toTyped(table: MergedTable, rows: Rows): TypedRows {
    const count = countRows(table, rows);
    const texts: Record<string, TextColumn> = {};
    const numbers: Record<string, NumberColumn> = {};
    for (const column of table.columns) {
        const values = valuesOf(rows, column.name);
        if (column.type === 'string') {
            texts[column.name] = toTextColumn(column, values);
        } else {
            numbers[column.name] = toNumberColumn(column, values, count);
        }
    }
    return rowsInMemory({ count, texts, numbers });
}

/** Texts in any order as a column. */
export function toTextColumn({ name, nullable }: Pick<Column, 'name' | 'nullable'>, values: ColumnValues): TextColumn {
    const places = new Map<string, number>();
    const ofRows = Int32Array.from(values as (string | null)[], (text, row) => {
        if (text === null || text === undefined) {
            if (!nullable) {
                throw new TypeError(`column ${name} may not be null, and row ${row} is`);
            }
            return NO_TEXT;
        }
        const place = places.get(text) ?? places.size;
        places.set(text, place);
        return place;
    });
    return sortTexts(toTextList([...places.keys()]), ofRows);
}

/** A column of texts that are each once in the list, in any order. Changes the places that it is given. */
export function sortTexts(texts: TextList, places: Int32Array): TextColumn {
    if (areAscending(texts)) {
        return { texts, places };
    }
    const order = orderOfTexts(texts);
    const placeOf = new Int32Array(texts.count);
    for (let place = 0; place < order.length; place += 1) {
        placeOf[order[place] as number] = place;
    }
    for (let row = 0; row < places.length; row += 1) {
        const place = places[row] as number;
        places[row] = place === NO_TEXT ? NO_TEXT : (placeOf[place] as number);
    }
    return { texts: pickTexts(texts, order), places };
}

function toNumberColumn(column: Column, values: ColumnValues, count: number): NumberColumn {
    const { width, words, nulls } = emptyNumbers(column, count);
    for (let row = 0; row < count; row += 1) {
        const value = values[row] as bigint | null | undefined;
        if (value !== null && value !== undefined) {
            setBigint(words, row * width, width, value);
        } else if (nulls) {
            nulls[row] = 1;
        } else {
            throw new TypeError(`column ${column.name} may not be null, and row ${row} is`);
        }
    }
    return { width, words, nulls };
}

/** Typed rows as plain ones, all or those that are picked. */
export function toPlain(table: MergedTable, rows: TypedRows, isPicked: (row: number) => boolean = () => true): Rows {
    const picked = Int32Array.from({ length: rows.count }, (_, row) => row).filter(isPicked);
    const plain = emptyRows(table, picked.length);
    for (const column of table.columns) {
        const values = plain[column.name] as unknown[];
        const valueAt = readerOf(rows, column);
        picked.forEach((row, at) => {
            values[at] = valueAt(row);
        });
    }
    return plain;
}
