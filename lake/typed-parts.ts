/** Typed rows taken apart and put together: nothing merges. */
import type { MergedTable } from '#lake/tables';
import { uniteTexts } from '#lake/text-list';
import {
    compareNumbers,
    copyColumn,
    emptyNumbers,
    NO_TEXT,
    type NumberColumn,
    numbersOf,
    rowsInMemory,
    type TextColumn,
    type TypedRows,
    textsOf,
} from '#lake/typed-rows';

/** The rows at these places, in that order. */
export function pickRows(table: MergedTable, rows: TypedRows, picked: Int32Array): TypedRows {
    const texts: Record<string, TextColumn> = {};
    const numbers: Record<string, NumberColumn> = {};
    for (const column of table.columns) {
        const { name } = column;
        if (column.type === 'string') {
            const { texts: all, places } = textsOf(rows, name);
            texts[name] = { texts: all, places: picked.map((row) => places[row] as number) };
        } else {
            numbers[name] = pickNumbers(numbersOf(rows, column), picked);
        }
    }
    return rowsInMemory({ count: picked.length, texts, numbers });
}

function pickNumbers({ width, words, nulls }: NumberColumn, picked: Int32Array): NumberColumn {
    const moved = new Int32Array(picked.length * width);
    picked.forEach((row, at) => {
        for (let word = 0; word < width; word += 1) {
            moved[at * width + word] = words[row * width + word] as number;
        }
    });
    return { width, words: moved, nulls: nulls && Uint8Array.from(picked, (row) => nulls[row] as number) };
}

/** All rows of the lists, ascending by the table's keys; rows that are equal in those stay in the order of the lists. */
export function joinRows(table: MergedTable, lists: readonly TypedRows[]): TypedRows {
    const rows = appendRows(table, lists);
    const keys = table.columns
        .filter(({ merge }) => merge === 'key')
        .map((column): ((a: number, b: number) => number) => {
            if (column.type === 'string') {
                const { places } = textsOf(rows, column.name);
                return (a, b) => (places[a] as number) - (places[b] as number);
            }
            const { words, width } = numbersOf(rows, column);
            return (a, b) => compareNumbers(words, a * width, words, b * width, width);
        });
    const compare = (a: number, b: number): number => {
        for (const byKey of keys) {
            const order = byKey(a, b);
            if (order !== 0) {
                return order;
            }
        }
        return a - b;
    };
    return pickRows(table, rows, Int32Array.from({ length: rows.count }, (_, row) => row).sort(compare));
}

/** All rows of the table, one list behind the other. */
function appendRows(table: MergedTable, lists: readonly TypedRows[]): TypedRows {
    const count = lists.reduce((sum, rows) => sum + rows.count, 0);
    const texts: Record<string, TextColumn> = {};
    const numbers: Record<string, NumberColumn> = {};
    for (const column of table.columns) {
        const { name } = column;
        if (column.type === 'string') {
            texts[name] = appendTexts(
                lists.map((rows) => textsOf(rows, name)),
                count,
            );
        } else {
            const all = emptyNumbers(column, count);
            let at = 0;
            for (const rows of lists) {
                copyColumn(rows, name, { into: all, at });
                at += rows.count;
            }
            numbers[name] = all;
        }
    }
    return rowsInMemory({ count, texts, numbers });
}

function appendTexts(columns: readonly TextColumn[], count: number): TextColumn {
    const { texts, placesOf } = uniteTexts(columns.map((column) => column.texts));
    const places = new Int32Array(count);
    let at = 0;
    for (const [list, column] of columns.entries()) {
        const inAll = placesOf[list] as Int32Array;
        for (const place of column.places) {
            places[at] = place === NO_TEXT ? NO_TEXT : (inAll[place] as number);
            at += 1;
        }
    }
    return { texts, places };
}
