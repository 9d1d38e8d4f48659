/** Columns of every type come through Parquet objects as they were, of either codec; other readers see the same, and objects merge as rows do. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parquetMetadata } from 'hyparquet';
import { mergeRows } from '#lake/merge-rows';
import { readRows, readTyped, writeRows } from '#lake/parquet';
import { mergeObjects } from '#lake/parquet/merge-objects';
import { type Rows, sayValue } from '#lake/rows';
import type { MergedTable } from '#lake/tables';
import { MAX_VALUE, manySensorRows, measured, rowsOfMeasured, sensorHours, textOfSensors } from '#test/support/sensor-table';
import { makeFolder } from '#test/support/temporary';

const RUNS = Number(process.env.FLOWLAKE_TEST_RUNS ?? 1);
const HOUR = { table: sensorHours, period: '2026-01-05T13' };

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

    test.each([0, 1, 255, 256, 4_999, 5_001, 12_345])('of %d rows comes back, by our reader and by the library', async (count) => {
        const rows = manySensorRows(count);
        const bytes = writeRows(table, rows);
        expect(textOfSensors(await readRows(table, bytes))).toEqual(textOfSensors(rows));
        const { row_groups } = parquetMetadata(bytes.slice().buffer);
        // Small objects are never of zstd.
        const wanted = count < 256 ? 'SNAPPY' : codec;
        expect(
            row_groups.flatMap(({ columns }) => columns.map(({ meta_data }) => meta_data?.codec)).filter((one) => one !== wanted),
        ).toEqual([]);
        // By another name of the writer the library reads it.
        const foreign = Buffer.from(bytes);
        foreign.write('FLOWLAKE', foreign.lastIndexOf('flowlake'));
        expect(textOfSensors(await readRows(table, new Uint8Array(foreign)))).toEqual(textOfSensors(rows));
    });

    test('in which a page was changed is refused', async () => {
        const bytes = writeRows(table, manySensorRows(6_000));
        const { row_groups } = parquetMetadata(bytes.slice().buffer);
        for (const { meta_data } of row_groups[1]?.columns ?? []) {
            const damaged = bytes.slice();
            const at = Number(meta_data?.data_page_offset) + 40;
            damaged[at] = (damaged[at] as number) ^ 0x10;
            await expect(readRows(table, damaged)).rejects.toThrow();
        }
    });
});

test('row groups have as many rows as their table says, also in what is merged', async () => {
    const table: MergedTable = { ...sensorHours, groupRows: 8_000 };
    const groupsOf = (bytes: Uint8Array) => parquetMetadata(bytes.slice().buffer).row_groups.map(({ num_rows }) => Number(num_rows));
    const objects = [manySensorRows(20_000), manySensorRows(12_000)].map((rows) => {
        const bytes = writeRows(table, rows);
        return { bytes, read: () => readTyped(table, bytes) };
    });
    expect(objects.map(({ bytes }) => groupsOf(bytes))).toEqual([
        [8_000, 8_000, 4_000],
        [8_000, 4_000],
    ]);
    const { bytes } = await mergeObjects(objects, { table, period: HOUR.period, entries: {} });
    expect(groupsOf(bytes)).toEqual([8_000, 8_000, 4_000]);
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
    const lists = [manySensorRows(20_000), { ...manySensorRows(20_001), site: new Array(20_001).fill('z') }, manySensorRows(300)];
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
        ...manySensorRows(20_000),
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

/** Every `step`th of many rows from `first` on, with other columns. */
function someSensorRows(many: Rows, { first, count, step }: { first: number; count: number; step: number }, others: Rows): Rows {
    const places = Array.from({ length: count }, (_, at) => first + at * step);
    const some = Object.entries(many).map(([name, values]) => [name, places.map((at) => values[at])]);
    return { ...Object.fromEntries(some), ...others };
}

test('a few rows go into the groups of a large object that have their keys, and the other groups are copied', async () => {
    const many = manySensorRows(15_000);
    const few = someSensorRows(
        many,
        { first: 7_503, count: 40, step: 60 },
        { note: new Array(40).fill('a'), received_ms: new Array(40).fill(-1n) },
    );
    const bytes = writeRows(sensorHours, many);
    const read: (readonly number[] | undefined)[] = [];
    const large = {
        bytes,
        read(groups?: readonly number[]) {
            read.push(groups);
            return readTyped(sensorHours, bytes, { groups });
        },
    };
    const fewBytes = writeRows(sensorHours, few);
    const { bytes: merged } = await mergeObjects([large, { bytes: fewBytes, read: () => readTyped(sensorHours, fewBytes) }], {
        ...HOUR,
        entries: {},
    });
    expect(textOfSensors(await readRows(sensorHours, merged))).toEqual(textOfSensors(mergeRows([many, few], HOUR)));
    expect(read).toEqual([[1]]);
});

test('sums that leave their column on the way come to what all objects together come to, also in a large one', async () => {
    const many = manySensorRows(15_000);
    const totals = [...(many.total ?? [])] as bigint[];
    const at = 7_503;
    const large = { ...many, total: totals.with(at, -MAX_VALUE) };
    const one = someSensorRows(many, { first: at, count: 1, step: 1 }, { total: [MAX_VALUE] });
    const lists = [large, one, one];
    const { rows } = await mergeAsObjects(lists, sensorHours);
    expect(rows).toEqual(textOfSensors(mergeRows(lists, HOUR)));
    await expect(mergeAsObjects([large, one, one, one], sensorHours)).rejects.toThrow('would be 19999999999999999999.999999998, above');
});

describe('DuckDB', () => {
    let instance: DuckDBInstance;
    let connection: DuckDBConnection;
    let file: string;

    beforeAll(async () => {
        instance = await DuckDBInstance.create(':memory:');
        connection = await instance.connect();
        // The file is written anew many times a second, and DuckDB tells by its time whether what it keeps of it is old.
        await connection.run('set enable_external_file_cache = false');
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
        const rows = manySensorRows(12_345);
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

test.each(tables)('a changed page of an object of %s is not copied, whichever byte of its header or body is changed', async (_, table) => {
    const bytes = writeRows(table, manySensorRows(20_000));
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
