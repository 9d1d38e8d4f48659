import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { compareTexts, type Rows } from '#lake/rows';
import { type DayTable, text, whole, withWords } from '#lake/tables';
import { joinRows, pickRows } from '#lake/typed-parts';
import { toPlain, toTyped } from '#lake/typed-rows';

const day: DayTable = {
    name: 'made_up',
    prefix: 'made_up/',
    format: 'parquet',
    per: 'day',
    grain: 'name and number',
    sortedBy: ['name', 'number'],
    columns: [
        text('name', 'a text'),
        whole('number', 'a number'),
        text('note', 'a text or none', true),
        whole('figure', 'a number or none', { nullable: true }),
    ],
};
const table = withWords(day);

interface Row {
    name: string;
    number: bigint;
    note: string | null;
    figure: bigint | null;
}

const rows = fc.array(
    fc.record<Row>({
        name: fc.constantFrom('a', 'b', 'ä', '\u{1f600}', '\uffee'),
        number: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        note: fc.constantFrom(null, 'x', 'y'),
        figure: fc.constantFrom(null, -1n, 2n ** 40n),
    }),
    { maxLength: 12 },
);

const columnsOf = (list: readonly Row[]): Rows => ({
    name: list.map(({ name }) => name),
    number: BigInt64Array.from(list, ({ number }) => number),
    note: list.map(({ note }) => note),
    figure: list.map(({ figure }) => figure),
});
const plain = (list: readonly Row[]) => toPlain(table, toTyped(table, columnsOf(list)));
const typed = (list: readonly Row[]) => toTyped(table, columnsOf(list));

test('lists are joined in the order of the keys, nulls and all', () => {
    fc.assert(
        fc.property(fc.array(rows, { maxLength: 4 }), (lists) => {
            const expected = lists
                .flat()
                .map((row, at) => ({ ...row, at }))
                .sort((a, b) => compareTexts(a.name, b.name) || Number(a.number > b.number) - Number(a.number < b.number) || a.at - b.at);
            expect(toPlain(table, joinRows(table, lists.map(typed)))).toEqual(plain(expected));
        }),
    );
});

test('rows that are picked are those, in that order', () => {
    fc.assert(
        fc.property(rows, (list) => {
            const places = list
                .map((_, at) => at)
                .filter((at) => at % 2 === 0)
                .reverse();
            expect(toPlain(table, pickRows(table, typed(list), Int32Array.from(places)))).toEqual(
                plain(places.map((at) => list[at] as Row)),
            );
        }),
    );
});
