/** Columns of every type, keys of numbers and the word `first`: rows merge to the same ones in any order, and come through a Parquet object. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parquetMetadata } from 'hyparquet';
import { fingerprintOf } from '#lake/commit/fingerprint';
import { mergeRows } from '#lake/merge-rows';
import { readRows, readTyped, writeRows } from '#lake/parquet';
import { mergeObjects } from '#lake/parquet/merge-objects';
import { findRows } from '#lake/reports/row-lookup';
import { emptyRows, type Rows, sayValue } from '#lake/rows';
import type { MergedTable } from '#lake/tables';
import { toTyped } from '#lake/typed-rows';
import { isPartOf } from '#lake/upload/part-of';
import { MAX_VALUE, type Measured, measured, rowsOfMeasured, rowsOfSorted, sensorHours, textOfSensors } from '#test/support/sensor-table';
import { makeFolder } from '#test/support/temporary';

const RUNS = Number(process.env.FLOWLAKE_TEST_RUNS ?? 1);
const HOUR = { table: sensorHours, period: '2026-01-05T13' };
const ONE: Measured = {
    site: 'main',
    sensor: 7n,
    at_ms: 1_767_619_800_000n,
    unit: 'a',
    value: 21_300_000_000n,
    received_ms: 5n,
    note: null,
    clock: 'device',
    until: null,
    cubes: null,
};

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
            const lists = pair.map((some) => rowsOfMeasured([{ ...ONE, ...some }]));
            const merged = mergeRows(lists, HOUR);
            const wanted = { ...ONE, ...kept };
            for (const name of ['received_ms', 'value', 'note', 'clock', 'until', 'cubes'] as const) {
                expect(merged[name]?.[0]).toBe(wanted[name]);
            }
            expect(merged.copies?.[0]).toBe(2n);
        }
    });

    test('knows rows of one key apart by each of its columns, and sorts numbers by value', () => {
        const list = [{ sensor: -1n }, { sensor: 2n ** 40n }, { at_ms: 0n }, { unit: 'b' }, { site: 'z' }, {}].map((some) => ({
            ...ONE,
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
        const lists = [one, other].map((total) => ({ ...rowsOfMeasured([ONE]), total: [total] }));
        const message = `total of sensor 7 of main at 1767619800000 in a in the hour 2026-01-05T13 would be ${text}`;
        expect(() => mergeRows(lists, HOUR)).toThrow(message);
    });

    test('reaches the largest decimal, and comes back from beyond it', () => {
        const totals = (...values: bigint[]): Rows[] => values.map((total) => ({ ...rowsOfMeasured([ONE]), total: [total] }));
        expect(mergeRows(totals(MAX_VALUE - 5n, 5n), HOUR).total).toEqual([MAX_VALUE]);
        expect(mergeRows(totals(MAX_VALUE, MAX_VALUE, -MAX_VALUE, -3n), HOUR).total).toEqual([MAX_VALUE - 3n]);
    });

    test('refuses a null where none may be, in texts as in numbers', () => {
        const rows = rowsOfMeasured([ONE]);
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

/** Rows of many groups, in which values repeat more or less; every seventh has no value, every fifth no note. */
function manyRows(count: number): Rows {
    const list = Array.from({ length: count }, (_, at): Measured => {
        const level = BigInt(at % (1 + Math.floor(at / 5_000) * 1_000)) * 1_000_000_007n;
        return {
            ...ONE,
            sensor: BigInt(Math.floor(at / 100)) - 3n,
            at_ms: ONE.at_ms + BigInt(at % 100),
            value: at % 7 === 0 ? null : at % 2 === 0 ? level : -level,
            note: at % 5 === 0 ? null : `note ${at % 3 === 0 ? at : 'again'}`,
            received_ms: BigInt(at),
            until: at % 4 === 0 ? null : BigInt(at) * 1_000n,
            cubes: at % 3 === 0 ? null : BigInt(at) ** 5n,
        };
    });
    return rowsOfSorted(list);
}

const tables: [string, MergedTable][] = [
    ['zstd', sensorHours],
    ['snappy', (({ codec: _, ...table }) => table)(sensorHours)],
];

describe.each(tables)('a Parquet object of %s', (name, table) => {
    const codec = name.toUpperCase();

    test('gives back the rows that it was made of, and the same bytes for the same rows', async () => {
        await fc.assert(
            fc.asyncProperty(fc.array(measured, { maxLength: 40 }), async (list) => {
                const rows = rowsOfMeasured(list);
                const bytes = writeRows(table, rows, { contains: ['b', 'a'] });
                const read = await readRows(table, bytes);
                expect(textOfSensors(read)).toEqual(textOfSensors(rows));
                expect(writeRows(table, read, { contains: ['a', 'b'] })).toEqual(bytes);
            }),
            { numRuns: 50 * RUNS },
        );
    });

    test.each([0, 1, 4_999, 5_001, 12_345])('of %d rows comes back, by our reader and by the library', async (count) => {
        const rows = manyRows(count);
        const bytes = writeRows(table, rows);
        expect(textOfSensors(await readRows(table, bytes))).toEqual(textOfSensors(rows));
        const { row_groups } = parquetMetadata(bytes.slice().buffer);
        expect(
            row_groups.flatMap(({ columns }) => columns.map(({ meta_data }) => meta_data?.codec)).filter((one) => one !== codec),
        ).toEqual([]);
        // By another name of the writer the library reads it.
        const foreign = Buffer.from(bytes);
        foreign.write('FLOWLAKE', foreign.lastIndexOf('flowlake'));
        expect(textOfSensors(await readRows(table, new Uint8Array(foreign)))).toEqual(textOfSensors(rows));
    });

    test('in which a page was changed is refused', async () => {
        const bytes = writeRows(table, manyRows(6_000));
        const { row_groups } = parquetMetadata(bytes.slice().buffer);
        for (const { meta_data } of row_groups[1]?.columns ?? []) {
            const damaged = bytes.slice();
            const at = Number(meta_data?.data_page_offset) + 40;
            damaged[at] = (damaged[at] as number) ^ 0x10;
            await expect(readRows(table, damaged)).rejects.toThrow();
        }
    });
});

/** What objects of these rows merge to, and how many of them were read for it. */
async function mergeAsObjects(lists: readonly Rows[], table: MergedTable): Promise<{ rows: string[]; reads: number }> {
    let reads = 0;
    const objects = lists.map((rows) => {
        const bytes = writeRows(table, rows);
        return {
            bytes,
            read(groups?: readonly number[]) {
                reads += 1;
                return readTyped(table, bytes, { groups });
            },
        };
    });
    const { bytes } = await mergeObjects(objects, { table, period: HOUR.period, entries: {} });
    return { rows: textOfSensors(await readRows(table, bytes)), reads };
}

test('objects merge with others, whether their groups are copied or read', async () => {
    const lists = [manyRows(20_000), { ...manyRows(20_001), site: new Array(20_001).fill('z') }, manyRows(300)];
    for (const [some, reads] of [
        [lists.slice(0, 2), 0],
        [lists, 2],
    ] as const) {
        expect(await mergeAsObjects(some, sensorHours)).toEqual({ rows: textOfSensors(mergeRows(some, HOUR)), reads });
    }
});

test('objects whose first key is a number are copied where its bounds are apart, and merged where they meet', async () => {
    const table: MergedTable = { ...sensorHours, columns: sensorHours.columns.filter(({ name }) => name !== 'site') };
    const rowsOf = (sensor: bigint, from: number): Rows => ({
        ...manyRows(20_000),
        sensor: new BigInt64Array(20_000).fill(sensor),
        at_ms: BigInt64Array.from({ length: 20_000 }, (_, at) => BigInt(from + at)),
    });
    for (const [lists, reads] of [
        [[rowsOf(2n ** 40n, 0), rowsOf(-1n, 0)], 0],
        [[rowsOf(-5n, 0), rowsOf(-5n, 19_000)], 2],
    ] as const) {
        expect(await mergeAsObjects(lists, table)).toEqual({ rows: textOfSensors(mergeRows(lists, { ...HOUR, table })), reads });
    }
});

describe('DuckDB', () => {
    let instance: DuckDBInstance;
    let connection: DuckDBConnection;
    let file: string;

    beforeAll(async () => {
        instance = await DuckDBInstance.create(':memory:');
        connection = await instance.connect();
        file = join(await makeFolder(), 'some.parquet');
    });

    afterAll(() => {
        connection.closeSync();
        instance.closeSync();
    });

    async function ask(sql: string): Promise<unknown[][]> {
        return (await connection.runAndReadAll(sql.replace('FILE', `'${file}'`))).getRowsJson();
    }

    /** The rows as DuckDB makes texts of their values: instants as milliseconds. */
    function textOf(rows: Rows): string[] {
        return Array.from({ length: rows.sensor?.length ?? 0 }, (_, at) =>
            JSON.stringify(
                sensorHours.columns.map(({ name, type }) => {
                    const value = rows[name]?.[at];
                    return value === null || value === undefined
                        ? 'null'
                        : type === 'timestamp'
                          ? String(value)
                          : sayValue({ type }, value);
                }),
            ),
        );
    }

    const columns = sensorHours.columns
        .map(({ name, type }) => `coalesce(cast(${type === 'timestamp' ? `epoch_ms(${name})` : name} as varchar), 'null')`)
        .join(', ');

    test.each(tables)('reads any values out of an object of %s', async (_, table) => {
        await fc.assert(
            fc.asyncProperty(fc.array(measured, { maxLength: 40 }), async (list) => {
                const rows = rowsOfMeasured(list);
                await writeFile(file, writeRows(table, rows));
                expect((await ask(`select ${columns} from FILE`)).map((row) => JSON.stringify(row))).toEqual(textOf(rows));
            }),
            { numRuns: 20 * RUNS },
        );
    });

    test('reads many rows with the types of their columns, and finds each by the statistics of its group', async () => {
        const rows = manyRows(12_345);
        await writeFile(file, writeRows(sensorHours, rows));
        const types: Record<string, string> = { string: 'VARCHAR', 'decimal(28,9)': 'DECIMAL(28,9)', 'decimal(38,0)': 'DECIMAL(38,0)' };
        const described = await ask('select column_name, column_type from (describe select * from FILE)');
        expect(described).toEqual(sensorHours.columns.map(({ name, type }) => [name, types[type] ?? type.toUpperCase()]));
        expect((await ask(`select ${columns} from FILE`)).map((row) => JSON.stringify(row))).toEqual(textOf(rows));
        for (const at of [0, 4_999, 5_001, 12_344]) {
            const where = `sensor = ${rows.sensor?.[at]} and at_ms = ${rows.at_ms?.[at]}`;
            expect(await ask(`select received_ms from FILE where ${where}`)).toEqual([[String(rows.received_ms?.[at])]]);
            const value = rows.value?.[at];
            if (typeof value === 'bigint') {
                const of = sayValue({ type: 'decimal(28,9)' }, value);
                expect(await ask(`select count(*) from FILE where value = ${of} and ${where}`)).toEqual([['1']]);
            }
        }
    });
});

describe('a file of another program', () => {
    async function readBy(sql: string): Promise<Rows> {
        const instance = await DuckDBInstance.create(':memory:');
        const connection = await instance.connect();
        const file = join(await makeFolder(), 'other.parquet');
        try {
            await connection.run(`copy (${sql}) to '${file}' (format parquet, compression zstd)`);
        } finally {
            connection.closeSync();
            instance.closeSync();
        }
        return readRows(table, new Uint8Array(await readFile(file)));
    }
    const table: MergedTable = {
        ...sensorHours,
        columns: sensorHours.columns.filter(({ name }) => ['site', 'measured_at', 'value', 'note'].includes(name)),
    };
    const columns = (measured_at: string, value: string): string =>
        `select 'main' as site, ${measured_at} as measured_at, ${value} as value, cast(null as varchar) as note`;

    test('is read where its numbers are of the same units, nulls too', async () => {
        const value = "cast('-21.300000001' as decimal(28, 9))";
        const rows = await readBy(columns("timestamp_ms '2026-01-05 13:30:00.123'", value));
        expect({ ...rows }).toEqual({
            site: ['main'],
            measured_at: BigInt64Array.of(1_767_619_800_123n),
            value: [-21_300_000_001n],
            note: [null],
        });
    });

    test.each([
        ['timestamps in micros', 'measured_at', columns("timestamp '2026-01-05 13:30:00'", "cast('1' as decimal(28, 9))")],
        ['decimals of 3 digits behind the point', 'value', columns("timestamp_ms '2026-01-05 13:30:00'", "cast('1' as decimal(28, 3))")],
    ])('with %s is refused: its digits would be taken for others', async (found, column, sql) => {
        await expect(readBy(sql)).rejects.toThrow(`column ${column} has ${found}, not `);
    });
});

describe('what a source contributes', () => {
    const PERIOD = '2026-01-05T13';
    const periodsOf = (...list: Partial<Measured>[]) =>
        new Map([[PERIOD, toTyped(sensorHours, rowsOfMeasured(list.map((some) => ({ ...ONE, ...some }))))]]);

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
        const bytes = writeRows(sensorHours, manyRows(12_345));
        const { received_ms, at_ms } = await findRows(sensorHours, bytes, { sensor: '100', unit: 'a' });
        expect(received_ms).toHaveLength(100);
        expect([at_ms?.[0], at_ms?.[99]]).toEqual([ONE.at_ms, ONE.at_ms + 99n]);
        expect((await findRows(sensorHours, bytes, { site: 'main', sensor: '-3', at_ms: String(ONE.at_ms) })).received_ms).toHaveLength(1);
        for (const none of [{ sensor: 'a' }, { sensor: '999999' }, { sensor: '' }, { sensor: '1', at_ms: '5' }]) {
            expect((await findRows(sensorHours, bytes, none)).received_ms).toHaveLength(0);
        }
    });
});

test.each(tables)('a changed page of an object of %s is not copied, whichever byte of its header or body is changed', async (_, table) => {
    const bytes = writeRows(table, manyRows(20_000));
    const { row_groups } = parquetMetadata(bytes.slice().buffer);
    // A number of the key, a decimal with nulls, and a text with nulls.
    const chunks = ['at_ms', 'value', 'note'].map(
        (name) => row_groups[1]?.columns.find(({ meta_data }) => meta_data?.path_in_schema[0] === name)?.meta_data,
    );
    for (const start of chunks.flatMap((facts) => [facts?.dictionary_page_offset ?? facts?.data_page_offset, facts?.data_page_offset])) {
        for (const at of [0, 1, 2, 5, 8, 13, 21, 40]) {
            const damaged = bytes.slice();
            damaged[Number(start) + at] = (damaged[Number(start) + at] as number) ^ 0x10;
            const object = { bytes: damaged, read: (groups?: readonly number[]) => readTyped(table, damaged, { groups }) };
            const merged = await mergeObjects([object], { table, period: HOUR.period, entries: {} }).catch((error: unknown) => error);
            expect({ start, at, isRefused: merged instanceof Error }).toEqual({ start, at, isRefused: true });
        }
    }
});
