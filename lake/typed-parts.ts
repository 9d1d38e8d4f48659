/** Typed rows taken apart and put together: nothing merges. */
import type { MergedTable } from '#lake/tables';
import {
    compareNumbers,
    emptyNumbers,
    NO_TEXT,
    type NumberColumn,
    numbersOf,
    sortTexts,
    type TextColumn,
    type TypedRows,
    textsOf,
} from '#lake/typed-rows';

/** The rows at these places, in that order. */
export function pickRows(rows: TypedRows, picked: Int32Array): TypedRows {
    const texts = mapValues(rows.texts, ({ texts: all, places }) => ({ texts: all, places: picked.map((row) => places[row] as number) }));
    const numbers = mapValues(rows.numbers, ({ width, words, nulls }) => {
        const moved = new Int32Array(picked.length * width);
        picked.forEach((row, at) => {
            for (let word = 0; word < width; word += 1) {
                moved[at * width + word] = words[row * width + word] as number;
            }
        });
        return { width, words: moved, nulls: nulls && Uint8Array.from(picked, (row) => nulls[row] as number) };
    });
    return { count: picked.length, texts, numbers };
}

/** All rows of the lists, ascending by the table's keys; rows that are equal in those stay in the order of the lists. */
export function joinRows(table: MergedTable, lists: readonly TypedRows[]): TypedRows {
    const rows = appendRows(table, lists);
    const keys = table.columns
        .filter(({ merge }) => merge === 'key')
        .map(({ name, type }): ((a: number, b: number) => number) => {
            if (type === 'string') {
                const { places } = textsOf(rows, name);
                return (a, b) => (places[a] as number) - (places[b] as number);
            }
            const { words, width } = numbersOf(rows, name);
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
    return pickRows(rows, Int32Array.from({ length: rows.count }, (_, row) => row).sort(compare));
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
            numbers[name] = emptyNumbers(column, count);
            let at = 0;
            for (const rows of lists) {
                const { words, nulls } = numbersOf(rows, name);
                numbers[name].words.set(words, at * numbers[name].width);
                numbers[name].nulls?.set(nulls ?? [], at);
                at += rows.count;
            }
        }
    }
    return { count, texts, numbers };
}

function appendTexts(columns: readonly TextColumn[], count: number): TextColumn {
    const placeOf = new Map<string, number>();
    const places = new Int32Array(count);
    let at = 0;
    for (const column of columns) {
        const moved = new Map<number, number>([[NO_TEXT, NO_TEXT]]);
        for (const place of column.places) {
            let to = moved.get(place);
            if (to === undefined) {
                const text = column.texts[place] as string;
                to = placeOf.get(text) ?? placeOf.size;
                placeOf.set(text, to);
                moved.set(place, to);
            }
            places[at] = to;
            at += 1;
        }
    }
    return sortTexts([...placeOf.keys()], places);
}

function mapValues<From, To>(record: Readonly<Record<string, From>>, change: (value: From) => To): Record<string, To> {
    return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}
