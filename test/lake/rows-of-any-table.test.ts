/** Rows of any table merge by the merge words of its columns, and come through a Parquet object as they were. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parquetMetadata } from 'hyparquet';
import { mergeRows } from '#lake/merge-rows';
import { readRows, writeRows } from '#lake/parquet';
import { compareTexts, emptyRows } from '#lake/rows';
import { gaugeHours, type Reading, reading, rowsOfReadings, textOfRows } from '#test/support/made-up-table';

const RUNS = Number(process.env.FLOWLAKE_TEST_RUNS ?? 1);
const HOUR = { table: gaugeHours, period: '2026-01-05T13' };
const ONE: Reading = { site: 'main', gauge: 'a', level: 5n };

const split = fc.tuple(fc.array(fc.tuple(reading, fc.nat(4)), { maxLength: 60 }), fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 5 }));

describe('merging', () => {
    test('comes to what all readings come to together, nulls and values below zero too, for any split and order', () => {
        fc.assert(
            fc.property(split, ([readings, order]) => {
                const lists = order.map((file) => rowsOfReadings(readings.filter(([, of]) => of === file).map(([one]) => one)));
                expect(textOfRows(mergeRows(lists, HOUR))).toEqual(textOfRows(rowsOfReadings(readings.map(([one]) => one))));
            }),
            { numRuns: 300 * RUNS },
        );
    });

    test('lets a value stay beside a null, on whichever side it is', () => {
        const [none, some] = [rowsOfReadings([{ ...ONE, level: null }]), rowsOfReadings([{ ...ONE, level: -3n }])];
        for (const lists of [
            [none, some],
            [some, none],
        ]) {
            expect(textOfRows(mergeRows(lists, HOUR))).toEqual(['main a 2 -3 9 -3 -3']);
        }
        expect(textOfRows(mergeRows([none, none], HOUR))).toEqual(['main a 2 0 0 null null']);
    });

    test('makes one row of a key that a sorted list has twice', () => {
        const [one, two] = [rowsOfReadings([ONE]), rowsOfReadings([{ ...ONE, level: 7n }])] as Record<string, any>[];
        const twice = Object.fromEntries(
            Object.entries(one!).map(([name, values]) => [
                name,
                values instanceof BigInt64Array ? BigInt64Array.from([...values, ...two![name]]) : [...values, ...two![name]],
            ]),
        );
        expect(textOfRows(mergeRows([twice], HOUR))).toEqual(['main a 2 12 74 5 7']);
    });

    test.each([
        ['above', 2n ** 63n - 1n, 1n, '9223372036854775808, above the largest value of its column, 9223372036854775807'],
        ['below', -(2n ** 63n - 1n), -1n, '-9223372036854775808, below the smallest value of its column, -9223372036854775807'],
    ])('is refused where a sum would come %s what its column holds, and says of which row and hour', (_, one, other, text) => {
        const lists = [one, other].map((level) => ({ ...rowsOfReadings([ONE]), level_sum: BigInt64Array.of(level) }));
        expect(() => mergeRows(lists, HOUR)).toThrow(`level_sum of gauge a of main in the hour 2026-01-05T13 would be ${text}`);
    });
});

test('sums that leave their column on the way only are right in the end, and one that does is told with its whole total', () => {
    const large = 2n ** 63n - 1n;
    const rowsOf = (...levels: bigint[]) => levels.map((level) => ({ ...rowsOfReadings([ONE]), level_sum: BigInt64Array.of(level) }));
    for (const lists of [
        rowsOf(large, large, -large, -3n),
        rowsOf(-3n, -large, large, large, 0n),
        rowsOf(large, 5n, -large, large - 5n - 3n),
    ]) {
        const [line = ''] = textOfRows(mergeRows(lists, HOUR));
        expect(line.split(' ')[3]).toBe(String(large - 3n));
    }
    expect(() => mergeRows(rowsOf(large, large, large), HOUR)).toThrow(`would be ${3n * large}, above`);
});

test('texts are in the order of their bytes in UTF-8', () => {
    const text = fc.string({
        unit: fc.constantFrom('a', 'b', 'ü', 'Ａ', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{10ffff}'),
        maxLength: 4,
    });
    fc.assert(
        fc.property(text, text, (a, b) => {
            expect(Math.sign(compareTexts(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
        }),
        { numRuns: 500 * RUNS },
    );
});

describe('a Parquet object', () => {
    test('gives back the rows that it was made of, and the same bytes for the same rows', async () => {
        await fc.assert(
            fc.asyncProperty(fc.array(reading, { maxLength: 40 }), async (readings) => {
                const rows = rowsOfReadings(readings);
                const bytes = writeRows(gaugeHours, rows, { contains: ['b', 'a'] });
                expect(textOfRows(await readRows(gaugeHours, bytes))).toEqual(textOfRows(rows));
                expect(writeRows(gaugeHours, await readRows(gaugeHours, bytes), { contains: ['a', 'b'] })).toEqual(bytes);
            }),
            { numRuns: 50 * RUNS },
        );
    });

    test('says which columns may be null whatever its rows are, so that all objects of a table have one schema', () => {
        const schemas = [[], [ONE], [{ ...ONE, level: null }]].map((readings) => {
            const { schema } = parquetMetadata(writeRows(gaugeHours, rowsOfReadings(readings)).slice().buffer);
            return schema.slice(1).map(({ name, repetition_type }) => [name, repetition_type]);
        });
        const wanted = gaugeHours.columns.map(({ name, nullable }) => [name, nullable ? 'OPTIONAL' : 'REQUIRED']);
        expect(schemas).toEqual([wanted, wanted, wanted]);
    });

    test('of other columns is refused by the name of the one that is missing or not known', async () => {
        const bytes = writeRows(gaugeHours, emptyRows(gaugeHours));
        const without = { ...gaugeHours, columns: gaugeHours.columns.filter(({ name }) => name !== 'level_max') };
        await expect(readRows(without, bytes)).rejects.toThrow('column level_max is not known to this version of flowlake');
        const more = { ...gaugeHours, columns: [...gaugeHours.columns, { ...gaugeHours.columns[2]!, name: 'more' }] };
        await expect(readRows(more, bytes)).rejects.toThrow('column more is missing');
    });
});
