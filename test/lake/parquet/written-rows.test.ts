/** Rows that this program encodes itself are what hyparquet-writer made of them: hyparquet, DuckDB and our own reader read the same out of both. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import { readRows, readTyped, writeRows } from '#lake/parquet';
import { rowGroupRows, schemaElement } from '#lake/parquet/file-writer';
import { compareTexts, emptyRows, type Rows, valuesOf } from '#lake/rows';
import { bigintAt } from '#lake/typed-rows';
import { gaugeHours } from '#test/support/made-up-table';
import { makeFolder } from '#test/support/temporary';

const RUNS = Number(process.env.FLOWLAKE_TEST_RUNS ?? 1);
const NAMES = gaugeHours.columns.map(({ name }) => name);

const BIGINT = { min: -(2n ** 63n), max: 2n ** 63n - 1n };
const DECIMAL = { min: -(10n ** 38n - 1n), max: 10n ** 38n - 1n };
const whole = fc.oneof(fc.bigInt({ min: -3n, max: 3n }), fc.bigInt(BIGINT), fc.constantFrom(BIGINT.min, BIGINT.max, 2n ** 32n, -1n));
const decimal = fc.oneof(fc.bigInt({ min: -3n, max: 3n }), fc.bigInt(DECIMAL), fc.constantFrom(DECIMAL.min, DECIMAL.max, 2n ** 64n, -1n));
const text = fc.oneof(
    fc.constantFrom('10.0.0.1', 'fe80::1%eth0', '', 'Zürich', '\u{1f6b0}', '�', 'x'.repeat(70), `${'x'.repeat(64)}\u{10ffff}`),
    fc.string({ unit: 'grapheme', maxLength: 100 }),
);

interface Values {
    site: string;
    gauge: string;
    readings: bigint;
    level_sum: bigint;
    level_sum_sq: bigint;
    level_min: bigint | null;
    level_max: bigint | null;
}

const values: fc.Arbitrary<Values> = fc.record({
    site: text,
    gauge: text,
    readings: whole,
    level_sum: whole,
    level_sum_sq: decimal,
    level_min: fc.option(whole, { freq: 2 }),
    level_max: fc.option(whole, { freq: 2 }),
});

function rowsOf(list: readonly Values[]): Rows {
    const byKey = new Map(list.map((one) => [`${one.site}\n${one.gauge}`, one]));
    const sorted = [...byKey.values()].sort((a, b) => compareTexts(a.site, b.site) || compareTexts(a.gauge, b.gauge));
    const rows = emptyRows(gaugeHours, sorted.length) as Record<string, any>;
    for (const [at, one] of sorted.entries()) {
        for (const [name, value] of Object.entries(one)) {
            rows[name][at] = value;
        }
    }
    return rows;
}

/** Rows of many groups; what repeats in them, and how often, changes from group to group. */
function manyRows(count: number): Rows {
    const digits = String(count).length;
    const list = Array.from({ length: count }, (_, at): Values => {
        const spread = 1 + Math.floor(at / 5_000) * 1_000;
        const level = at % 7 === 0 ? null : BigInt(at % spread) * (at % 2 === 0 ? 1n : -(2n ** 40n));
        return {
            site: at < 6_000 ? 'a' : 'b',
            gauge: String(at).padStart(digits, '0'),
            readings: BigInt(1 + (at % 3)),
            level_sum: level ?? 0n,
            level_sum_sq: level === null ? 0n : level * level * (level < 0n ? -1n : 1n),
            level_min: level,
            level_max: level,
        };
    });
    return rowsOf(list);
}

/** The rows as the library's writer encodes them. */
function writtenByLibrary(rows: Rows): Uint8Array<ArrayBuffer> {
    const writer = new ByteWriter();
    const schema = [{ name: 'root', num_children: gaugeHours.columns.length }, ...gaugeHours.columns.map(schemaElement)];
    const parquet = new ParquetWriter({ writer, schema, createdBy: 'flowlake', statisticsTruncateLength: 64 });
    const columnData = NAMES.map((name) => ({ name, data: valuesOf(rows, name) as unknown[] }));
    void parquet.write({ columnData, rowGroupSize: rowGroupRows(rows.site?.length ?? 0) });
    void parquet.finish();
    return writer.getBytes();
}

function textOf(rows: Rows): string[] {
    return Array.from({ length: rows.site?.length ?? 0 }, (_, at) => JSON.stringify(NAMES.map((name) => String(rows[name]?.[at]))));
}

/** The rows as hyparquet reads them; decimals are left out, of which it makes doubles. */
async function readByLibrary(bytes: Uint8Array<ArrayBuffer>): Promise<unknown[]> {
    const file = bytes.slice().buffer;
    return parquetReadObjects({ file, columns: NAMES.filter((name) => name !== 'level_sum_sq') });
}

/** All that the footer says of the chunks but where they lie, how large they are and how they are encoded. */
function factsOf(bytes: Uint8Array<ArrayBuffer>): unknown {
    const { schema, num_rows, row_groups, created_by, version } = parquetMetadata(bytes.slice().buffer);
    const groups = row_groups.map(({ columns, num_rows: rows }) => ({
        rows,
        columns: columns.map(({ meta_data }) => [
            meta_data?.path_in_schema,
            meta_data?.num_values,
            meta_data?.codec,
            meta_data?.statistics,
        ]),
    }));
    return { schema, num_rows, created_by, version, groups };
}

async function expectSame(rows: Rows): Promise<Uint8Array<ArrayBuffer>> {
    const own = writeRows(gaugeHours, rows);
    const library = writtenByLibrary(rows);
    expect(textOf(await readRows(gaugeHours, own))).toEqual(textOf(rows));
    expect(textOf(await readRows(gaugeHours, library))).toEqual(textOf(rows));
    expect(await readByLibrary(own)).toEqual(await readByLibrary(library));
    expect(factsOf(own)).toEqual(factsOf(library));
    return own;
}

const SIZES = [0, 1, 2, 7, 8, 9, 4_999, 5_000, 5_001, 12_345];

test('any values, nulls and texts of any length', async () => {
    await fc.assert(
        fc.asyncProperty(fc.array(values, { maxLength: 60 }), async (list) => {
            await expectSame(rowsOf(list));
        }),
        { numRuns: 100 * RUNS },
    );
});

test.each(SIZES)('%d rows', async (count) => {
    await expectSame(manyRows(count));
});

test('a column without any value, and one without any null', async () => {
    const rows = manyRows(5_001) as Record<string, any>;
    rows.level_min.fill(null);
    rows.level_max.fill(7n);
    await expectSame(rows);
});

test('numbers of any rows can be asked for, within a row group and over several', async () => {
    const count = 12_345;
    const plain = manyRows(count);
    const bytes = [writeRows(gaugeHours, plain), writtenByLibrary(plain)];
    const read = await Promise.all(bytes.map((one) => readTyped(gaugeHours, one)));
    const range = fc.tuple(fc.nat(count), fc.nat(count)).map(([one, other]) => [Math.min(one, other), Math.max(one, other)] as const);
    const column = fc.constantFrom('readings', 'level_sum', 'level_sum_sq', 'level_min');
    fc.assert(
        fc.property(
            fc.oneof(range, fc.constantFrom([4_999, 5_001] as const, [5_000, 10_000] as const, [0, count] as const)),
            column,
            ([from, until], name) => {
                for (const rows of read) {
                    const { words, nulls, width, start } = rows.numbers(name, from, until);
                    const values = Array.from({ length: until - from }, (_, at) =>
                        nulls?.[start + at] === 1 ? null : bigintAt(words, (start + at) * width, width),
                    );
                    expect(values).toEqual([...valuesOf(plain, name)].slice(from, until));
                }
            },
        ),
        { numRuns: 8 * RUNS },
    );
    expect(() => read[0]?.numbers('gauge', 0, 1)).toThrow('no column gauge in these rows');
});

describe('DuckDB', () => {
    let instance: DuckDBInstance;
    let connection: DuckDBConnection;
    let folder: string;

    beforeAll(async () => {
        instance = await DuckDBInstance.create(':memory:');
        connection = await instance.connect();
        // The file is written anew many times a second, and DuckDB tells by its time whether what it keeps of it is old.
        await connection.run('set enable_external_file_cache = false');
        folder = await makeFolder();
    });

    afterAll(() => {
        connection.closeSync();
        instance.closeSync();
    });

    async function ask(sql: string): Promise<unknown[][]> {
        return (await connection.runAndReadAll(sql)).getRowsJson();
    }

    async function expectSameInDuckDB(rows: Rows, name: string): Promise<void> {
        const file = join(folder, `${name}.parquet`);
        await writeFile(file, writeRows(gaugeHours, rows));
        const columns = NAMES.map((column) => `coalesce(cast(${column} as varchar), 'null')`).join(', ');
        const read = await ask(`select ${columns} from '${file}'`);
        expect(read.map((row) => JSON.stringify(row))).toEqual(textOf(rows));
    }

    test.each(SIZES)('reads %d rows with every digit', async (count) => {
        await expectSameInDuckDB(manyRows(count), `rows-${count}`);
    });

    test('reads any values', async () => {
        await fc.assert(
            fc.asyncProperty(fc.array(values, { maxLength: 40 }), async (some) => {
                await expectSameInDuckDB(rowsOf(some), 'any');
            }),
            { numRuns: 20 * RUNS },
        );
    });
});
