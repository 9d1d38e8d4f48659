/** Typed rows taken apart and put together in the order in which they are given: nothing merges. */
import { keysOf, type MergedTable } from '#lake/tables';
import { emptyNumbers, type NumberColumn, numbersOf, sortTexts, type TextColumn, type TypedRows, textsOf } from '#lake/typed-rows';

/** The rows from `from` up to `until`, which is exclusive. */
export function sliceRows(rows: TypedRows, from: number, until: number): TypedRows {
    const texts = mapValues(rows.texts, ({ texts: all, places }) => ({ texts: all, places: places.slice(from, until) }));
    const numbers = mapValues(rows.numbers, ({ width, words, nulls }) => ({
        width,
        words: words.slice(from * width, until * width),
        nulls: nulls?.slice(from, until),
    }));
    return { count: until - from, texts, numbers };
}

/** All rows of the table, one list behind the other. */
export function appendRows(table: MergedTable, lists: readonly TypedRows[]): TypedRows {
    const count = lists.reduce((sum, rows) => sum + rows.count, 0);
    const isText = new Set(keysOf(table).map(({ name }) => name));
    const texts: Record<string, TextColumn> = {};
    const numbers: Record<string, NumberColumn> = {};
    for (const column of table.columns) {
        const { name } = column;
        if (isText.has(name)) {
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
        const moved = new Map<number, number>();
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
