/** Typed rows taken apart and put together: nothing merges. */
import { type Column, columnNamed, keysOf, type MergedTable } from '#lake/tables';
import { uniteTexts } from '#lake/text-list';
import {
    compareNumbers,
    copyColumn,
    emptyNumbers,
    NO_TEXT,
    type NumberColumn,
    type NumberPiece,
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

/**
 * All rows of the lists, ascending by the table's keys; rows that are equal in those stay in the order of the lists. Numbers are taken from the lists when
 * they are asked for: there is no second copy of all. The lists should be in memory, and may not be the same.
 */
export function joinRows(table: MergedTable, lists: readonly TypedRows[]): TypedRows {
    const offsets = new Int32Array(lists.length + 1);
    for (const [list, { count }] of lists.entries()) {
        offsets[list + 1] = (offsets[list] as number) + count;
    }
    const count = offsets[lists.length] as number;
    const appended: Record<string, TextColumn> = {};
    for (const { name } of table.columns.filter(({ type }) => type === 'string')) {
        appended[name] = appendTexts(
            lists.map((rows) => textsOf(rows, name)),
            count,
        );
    }
    const order = Int32Array.from({ length: count }, (_, row) => row).sort(compareBy(table, { lists, offsets, appended }));
    const listOfRow = new Int32Array(count);
    for (const list of lists.keys()) {
        listOfRow.fill(list, offsets[list], offsets[list + 1]);
    }
    const rooms = new Map<string, NumberColumn>();
    return {
        count,
        texts: Object.fromEntries(
            Object.entries(appended).map(([name, { texts, places }]) => [
                name,
                { texts, places: order.map((row) => places[row] as number) },
            ]),
        ),
        numbers(name, from, until) {
            const room = roomFor(rooms, columnNamed(table, name), until - from);
            const { words, nulls, width } = room;
            const pieces = lists.map((rows) => rows.numbers(name, 0, rows.count));
            for (let at = from; at < until; at += 1) {
                const row = order[at] as number;
                const list = listOfRow[row] as number;
                const piece = pieces[list] as NumberPiece;
                const place = row - (offsets[list] as number) + piece.start;
                for (let word = 0; word < width; word += 1) {
                    words[(at - from) * width + word] = piece.words[place * width + word] as number;
                }
                if (nulls) {
                    nulls[at - from] = piece.nulls?.[place] ?? 0;
                }
            }
            return { ...room, start: 0 };
        },
    };
}

/** Room for so many numbers of the column, which is used again. */
function roomFor(rooms: Map<string, NumberColumn>, column: Column, count: number): NumberColumn {
    const known = rooms.get(column.name);
    if (known && known.words.length >= count * known.width) {
        return known;
    }
    const room = emptyNumbers(column, count);
    rooms.set(column.name, room);
    return room;
}

interface Appended {
    lists: readonly TypedRows[];
    offsets: Int32Array;
    appended: Readonly<Record<string, TextColumn>>;
}

/** Compares rows of all lists, counted list after list, by the table's keys and then by where they come from. */
function compareBy(table: MergedTable, { lists, offsets, appended }: Appended): (a: number, b: number) => number {
    const keys = keysOf(table).map((column): ((a: number, b: number) => number) => {
        const texts = appended[column.name];
        if (texts) {
            return (a, b) => (texts.places[a] as number) - (texts.places[b] as number);
        }
        const all = emptyNumbers(column, offsets[lists.length] as number);
        for (const [list, rows] of lists.entries()) {
            copyColumn(rows, column.name, { into: all, at: offsets[list] as number });
        }
        return (a, b) => compareNumbers(all.words, a * all.width, all.words, b * all.width, all.width);
    });
    return (a, b) => {
        for (const byKey of keys) {
            const order = byKey(a, b);
            if (order !== 0) {
                return order;
            }
        }
        return a - b;
    };
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
