/** Columns of every type, keys of numbers and the word `first`: rows merge to the same ones in any order, and tell sources apart. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fingerprintOf } from '#lake/commit/fingerprint';
import { mergeRows } from '#lake/merge-rows';
import { writeRows } from '#lake/parquet';
import { findRows } from '#lake/reports/row-lookup';
import { emptyRows, type Rows, sayValue } from '#lake/rows';
import { toTyped } from '#lake/typed-rows';
import { isPartOf } from '#lake/upload/part-of';
import {
    MAX_VALUE,
    MEASURED,
    type Measured,
    manySensorRows,
    measured,
    rowsOfMeasured,
    sensorHours,
    textOfSensors,
} from '#test/support/sensor-table';

const RUNS = Number(process.env.FLOWLAKE_TEST_RUNS ?? 1);
const HOUR = { table: sensorHours, period: '2026-01-05T13' };

const split = fc.tuple(fc.array(fc.tuple(measured, fc.nat(4)), { maxLength: 60 }), fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 5 }));

describe('merging', () => {
    test('comes to the same rows for any split and order, all at once and one after the other', () => {
        fc.assert(
            fc.property(split, ([list, order]) => {
                const files = order.map((file) => rowsOfMeasured(list.filter(([, of]) => of === file).map(([one]) => one)));
                const wanted = textOfSensors(rowsOfMeasured(list.map(([one]) => one)));
                expect(textOfSensors(mergeRows(files, HOUR))).toEqual(wanted);
                const oneByOne = files.reduce((merged, file) => mergeRows([merged, file], HOUR), emptyRows(sensorHours));
                expect(textOfSensors(oneByOne)).toEqual(wanted);
            }),
            { numRuns: 300 * RUNS },
        );
    });

    test.each<[string, Partial<Measured>, Partial<Measured>]>([
        ['the smaller number, whatever comes behind it', { received_ms: -5n, value: 9n }, { received_ms: 5n, value: 1n }],
        ['the smaller value where the numbers are equal', { value: -MAX_VALUE }, { value: -1n }],
        ['a value and no null', { value: MAX_VALUE, note: 'z' }, { value: null, note: 'a' }],
        ['the text whose bytes are smaller', { note: 'Ａ' }, { note: '\u{1f6b0}' }],
        ['a text, even an empty one, and no null', { note: '' }, { note: null }],
        ['the earlier instant', { until: -1n }, { until: 0n }],
    ])('takes all first columns from one row, that with %s', (_, kept, other) => {
        for (const pair of [
            [kept, other],
            [other, kept],
        ]) {
            const lists = pair.map((some) => rowsOfMeasured([{ ...MEASURED, ...some }]));
            const merged = mergeRows(lists, HOUR);
            const wanted = { ...MEASURED, ...kept };
            for (const name of ['received_ms', 'value', 'note', 'clock', 'until', 'cubes'] as const) {
                expect(merged[name]?.[0]).toBe(wanted[name]);
            }
            expect(merged.copies?.[0]).toBe(2n);
        }
    });

    test('knows rows of one key apart by each of its columns, and sorts numbers by value', () => {
        const list = [{ sensor: -1n }, { sensor: 2n ** 40n }, { at_ms: 0n }, { unit: 'b' }, { site: 'z' }, {}].map((some) => ({
            ...MEASURED,
            ...some,
        }));
        const merged = mergeRows(
            list.map((one) => rowsOfMeasured([one])),
            HOUR,
        );
        expect([...(merged.sensor ?? [])]).toEqual([-1n, 7n, 7n, 7n, 2n ** 40n, 7n]);
        expect([...(merged.copies ?? [])]).toEqual([1n, 1n, 1n, 1n, 1n, 1n]);
    });

    test.each([
        ['above', MAX_VALUE, 1n, '10000000000000000000.000000000, above the largest value of its column, 9999999999999999999.999999999'],
        [
            'below',
            -MAX_VALUE,
            -3n,
            '-10000000000000000000.000000002, below the smallest value of its column, -9999999999999999999.999999999',
        ],
    ])('is refused where a sum of decimals would come %s what its column holds, and says of which row and hour', (_, one, other, text) => {
        const lists = [one, other].map((total) => ({ ...rowsOfMeasured([MEASURED]), total: [total] }));
        const message = `total of sensor 7 of main at 1767619800000 in a in the hour 2026-01-05T13 would be ${text}`;
        expect(() => mergeRows(lists, HOUR)).toThrow(message);
    });

    test('reaches the largest decimal, and comes back from beyond it', () => {
        const totals = (...values: bigint[]): Rows[] => values.map((total) => ({ ...rowsOfMeasured([MEASURED]), total: [total] }));
        expect(mergeRows(totals(MAX_VALUE - 5n, 5n), HOUR).total).toEqual([MAX_VALUE]);
        expect(mergeRows(totals(MAX_VALUE, MAX_VALUE, -MAX_VALUE, -3n), HOUR).total).toEqual([MAX_VALUE - 3n]);
    });

    test('refuses a null where none may be, in texts as in numbers', () => {
        const rows = rowsOfMeasured([MEASURED]);
        expect(() => mergeRows([{ ...rows, clock: [null] }], HOUR)).toThrow('column clock may not be null, and row 0 is');
        expect(() => mergeRows([{ ...rows, total: [null] }], HOUR)).toThrow('column total may not be null, and row 0 is');
    });
});

test.each([
    ['decimal(28,9)', 21_300_000_000n, '21.300000000'],
    ['decimal(28,9)', -1n, '-0.000000001'],
    ['decimal(28,9)', 0n, '0.000000000'],
    ['decimal(28,9)', -MAX_VALUE, '-9999999999999999999.999999999'],
    ['timestamp', -1n, '1969-12-31 23:59:59.999'],
    ['timestamp', 2n ** 62n, '4611686018427387904 ms since 1970'],
    ['bigint', 5n, '5'],
    ['string', 'a', 'a'],
] as const)('a %s of %s is said as %s', (type, value, text) => {
    expect(sayValue({ type }, value)).toBe(text);
});

describe('what a source contributes', () => {
    const PERIOD = '2026-01-05T13';
    const periodsOf = (...list: Partial<Measured>[]) =>
        new Map([[PERIOD, toTyped(sensorHours, rowsOfMeasured(list.map((some) => ({ ...MEASURED, ...some }))))]]);

    test('has another fingerprint with another value in any column but the site', () => {
        const others: Partial<Measured>[] = [
            { sensor: 8n },
            { at_ms: 1n },
            { unit: 'b' },
            { value: null },
            { value: 0n },
            { value: -21_300_000_000n },
            { received_ms: 6n },
            { note: '' },
            { note: 'null' },
            { clock: 'server' },
            { until: 0n },
            { cubes: 0n },
        ];
        const prints = [{}, ...others].map((some) => fingerprintOf(sensorHours, periodsOf(some)));
        expect(new Set(prints).size).toBe(prints.length);
        expect(fingerprintOf(sensorHours, periodsOf({ site: 'z' }))).toBe(prints[0]);
    });

    test.each<[string, boolean, Partial<Measured>[], Partial<Measured>[]]>([
        ['more rows of other keys', true, [{}], [{}, { sensor: 8n }, { sensor: -1n }]],
        ['a row of its key that came first', true, [{}], [{}, { received_ms: 4n, value: null, note: 'z' }]],
        ['a row of its key that came later', true, [{ value: null }], [{ value: null }, { received_ms: 6n, value: -1n }]],
        ['its row only as one that came later', false, [{}], [{ received_ms: 6n }]],
        ['another note, which is behind its own', false, [{ note: 'a' }], [{ note: 'b' }]],
        ['a null in the place of its note', false, [{ note: 'a' }], [{ note: null }]],
        ['another key', false, [{}], [{ sensor: 8n }]],
    ])('is part of what has %s: %s', (_, isPart, part, whole) => {
        expect(isPartOf(sensorHours, periodsOf(...part), periodsOf(...whole))).toBe(isPart);
    });

    test('is found by keys of numbers, without a look at groups that cannot have them', async () => {
        const bytes = writeRows(sensorHours, manySensorRows(12_345));
        const { received_ms, at_ms } = await findRows(sensorHours, bytes, { sensor: '100', unit: 'a' });
        expect(received_ms).toHaveLength(100);
        expect([at_ms?.[0], at_ms?.[99]]).toEqual([MEASURED.at_ms, MEASURED.at_ms + 99n]);
        expect(
            (await findRows(sensorHours, bytes, { site: 'main', sensor: '-3', at_ms: String(MEASURED.at_ms) })).received_ms,
        ).toHaveLength(1);
        for (const none of [{ sensor: 'a' }, { sensor: '999999' }, { sensor: '' }, { sensor: '1', at_ms: '5' }]) {
            expect((await findRows(sensorHours, bytes, none)).received_ms).toHaveLength(0);
        }
    });
});
