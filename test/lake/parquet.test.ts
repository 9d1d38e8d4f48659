/** Parquet objects of the lake: they come back as they were, and any engine reads them with the right types. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parquetMetadata } from 'hyparquet';
import { StorageError } from '#lake/errors';
import { emptyPairRows, type PairRows } from '#lake/flows/pair-rows';
import { type FlowMeasure, flowMeasures, pairDays } from '#lake/flows/tables';
import { readContains, readContainsAtEnd, writeParquetTable, writeRows } from '#lake/parquet';
import { emptyRows } from '#lake/rows';
import { emptiedDayOfBefore, UNTYPED_AT } from '#test/support/emptied-day';
import { PAIR_DAYS_OF_FORMAT_2, readPairRows, writePairRows } from '#test/support/flow-tables';
import { measuredFlow, pairRowsOfFlows, textOfRows } from '#test/support/pair-rows-of';
import { makeFolder } from '#test/support/temporary';
import { listsOfFooter } from '#test/support/thrift-lists';

const RUNS = Number(process.env.FLOWLAKE_TEST_RUNS ?? 1);
const MAX_BIGINT = 2n ** 63n - 1n;
const MAX_DECIMAL = 10n ** 38n - 1n;

const bigint = fc.oneof(fc.constantFrom(0n, 1n, 2n ** 31n, 2n ** 53n + 1n, MAX_BIGINT), fc.bigInt({ min: 0n, max: MAX_BIGINT }));
const decimal = fc.oneof(
    fc.constantFrom(0n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n, 2n ** 64n, 2n ** 127n - 2n ** 64n, MAX_DECIMAL),
    fc.bigInt({ min: 0n, max: MAX_DECIMAL }),
);

/** Rows with any values, whether or not flows could add up to them. */
const anyRows: fc.Arbitrary<PairRows> = fc
    .tuple(
        fc.array(measuredFlow, { maxLength: 20 }),
        fc.tuple(
            ...flowMeasures.map((name) => fc.record({ name: fc.constant(name), sum: bigint, min: bigint, max: bigint, sumSq: decimal })),
        ),
    )
    .map(([flows, figures]) => {
        const rows = pairRowsOfFlows(flows);
        for (const { name, sum, min, max, sumSq } of figures) {
            rows[`${name}_sum`].fill(sum);
            boundsOf(rows, name, 'min').fill(min);
            boundsOf(rows, name, 'max').fill(max);
            rows[`${name}_sum_sq`].fill(sumSq);
        }
        return rows;
    });

/** A column of bounds, which may hold nulls for some measures. */
function boundsOf(rows: PairRows, name: FlowMeasure, bound: 'min' | 'max'): (bigint | null)[] {
    return rows[`${name}_${bound}`] as (bigint | null)[];
}

/** `count` rows, every value another one; every third has no bounds where it may have none. */
function manyRows(count: number): PairRows {
    const rows = emptyPairRows(count);
    for (let at = 0; at < count; at += 1) {
        rows.site.push('main');
        rows.src_ip.push(`10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`);
        rows.dst_ip.push('10.0.0.1');
        rows.flows[at] = BigInt(at);
        for (const [place, name] of flowMeasures.entries()) {
            rows[`${name}_sum`][at] = MAX_BIGINT - BigInt(at);
            rows[`${name}_sum_sq`].push(place === 0 ? MAX_DECIMAL - BigInt(at) : BigInt(at) ** 7n);
            const bound = name === 'flow_duration_us' && at % 3 === 0 ? null : BigInt(at);
            boundsOf(rows, name, 'min')[at] = bound;
            boundsOf(rows, name, 'max')[at] = bound;
        }
    }
    return rows;
}

function contributions(count: number): string[] {
    return Array.from({ length: count }, (_, at) => `${at.toString(16).padStart(16, '0')}.${at + 1}-0123456789abcdef`);
}

describe('rows', () => {
    test('come back digit by digit', async () => {
        await fc.assert(
            fc.asyncProperty(anyRows, fc.nat(120), async (rows, sources) => {
                const bytes = writePairRows(rows, { contains: contributions(sources) });
                expect(textOfRows(await readPairRows(bytes))).toEqual(textOfRows(rows));
                expect(readContains(bytes)).toEqual(contributions(sources));
            }),
            { numRuns: 100 * RUNS },
        );
    });

    test('come back from several row groups, and from bytes in the middle of a buffer', async () => {
        const rows = manyRows(12_345);
        const bytes = writePairRows(rows, { contains: contributions(3) });
        expect(parquetMetadata(bytes.slice().buffer).row_groups.length).toBeGreaterThan(1);
        const around = new Uint8Array(bytes.length + 200);
        around.set(bytes, 100);
        const inside = around.subarray(100, 100 + bytes.length);
        expect(textOfRows(await readPairRows(inside))).toEqual(textOfRows(rows));
        expect(readContains(inside)).toEqual(contributions(3));
    });

    test('may be none, and the columns are there all the same', async () => {
        const bytes = writePairRows(emptyPairRows(), { contains: [] });
        expect(textOfRows(await readPairRows(bytes))).toEqual([]);
        expect(readContains(bytes)).toEqual([]);
    });

    test('may be none, and nothing differs from a file that only tolerant readers read but the type of its empty list', () => {
        const table = PAIR_DAYS_OF_FORMAT_2;
        const bytes = Buffer.from(writeRows(table, emptyRows(table), { contains: [] }));
        const before = Buffer.from(emptiedDayOfBefore());
        expect([before[UNTYPED_AT], bytes[UNTYPED_AT]]).toEqual([0x00, 0x0c]);
        before[UNTYPED_AT] = 0x0c;
        expect(bytes.toString('hex')).toBe(before.toString('hex'));
    });

    test('of a format that had no count of flows with a duration have one for each flow, as every flow had one then', async () => {
        await fc.assert(
            fc.asyncProperty(fc.array(measuredFlow.map((flow) => ({ ...flow, durationUs: flow.durationUs ?? 0n }))), async (flows) => {
                const rows = pairRowsOfFlows(flows);
                const before = writeRows(PAIR_DAYS_OF_FORMAT_2, rows);
                expect(parquetMetadata(before.slice().buffer).schema.map(({ name }) => name)).not.toContain('timed_flows');
                const read = await readPairRows(before);
                expect(textOfRows(read)).toEqual(textOfRows(rows));
                // Of its own: rows are merged in place.
                expect(read.timed_flows).not.toBe(read.flows);
            }),
            { numRuns: 20 * RUNS },
        );
    });

    test.each(pairDays.columns.flatMap(({ name, absentAs }) => (absentAs === undefined ? [name] : [])))(
        'are refused where column %s is missing, and not read as zeros',
        async (missing) => {
            const names = pairDays.columns.filter(({ name }) => name !== missing);
            const bytes = writeParquetTable({ columns: names, rows: [names.map(({ type }) => (type === 'string' ? 'main' : 1n))] });
            await expect(readPairRows(bytes)).rejects.toThrow(
                new StorageError(`column ${missing} is missing, as in a summary of an older format: run flowlake reconcile`),
            );
        },
    );

    test('are refused where they have a column that would be lost', async () => {
        const columns = [...pairDays.columns, { name: 'litres_sum', type: 'bigint' }];
        const bytes = writeParquetTable({ columns, rows: [columns.map(({ type }) => (type === 'string' ? 'main' : 1n))] });
        await expect(readPairRows(bytes)).rejects.toThrow(/^column litres_sum is not known to this version of flowlake/);
    });

    test('give the same bytes again', () => {
        const write = (): Uint8Array => writePairRows(manyRows(6_000), { contains: contributions(200) });
        expect(Buffer.compare(write(), write())).toBe(0);
    });
});

describe('the list of what a day contains', () => {
    test.each([0, 1, 90, 91, 94, 200, 5_000])('of %d sources comes back in order, and leaves the footer light', async (count) => {
        const names = contributions(count);
        const bytes = writePairRows(manyRows(10), { contains: names.toReversed() });
        expect(readContains(bytes)).toEqual(names);
        const footerBytes = new DataView(bytes.buffer, bytes.byteOffset).getUint32(bytes.length - 8, true);
        expect(footerBytes).toBeLessThan(7_000);
        expect(textOfRows(await readPairRows(bytes))).toEqual(textOfRows(manyRows(10)));
    });

    test.each([3, 5_000])('of %d sources is read from the end of the object, or is not known where that is too short', (count) => {
        const names = contributions(count);
        const bytes = writePairRows(manyRows(3_000), { contains: names });
        const known: boolean[] = [];
        for (let length = 1; length <= bytes.length; length += length < 8_000 ? 97 : 20_011) {
            const list = readContainsAtEnd(bytes.slice(-length), { sizeBytes: bytes.length });
            known.push(list !== undefined);
            expect(list ?? names).toEqual(names);
        }
        expect(readContainsAtEnd(bytes, { sizeBytes: bytes.length })).toEqual(names);
        // From some length on it is, below it is not.
        expect(known).toEqual(known.toSorted((a, b) => Number(a) - Number(b)));
        expect(new Set(known)).toEqual(new Set([false, true]));
    });

    test('is empty in a file that another engine wrote', () => {
        const bytes = writeParquetTable({ columns: [{ name: 'site', type: 'string' }], rows: [['main']] });
        expect(readContains(bytes)).toEqual([]);
    });
});

describe('a footer that the strictest readers read', () => {
    const STRUCTS = 12;
    const columns = [
        { name: 'text', type: 'string' },
        { name: 'whole', type: 'bigint' },
        { name: 'large', type: 'decimal(38,0)' },
        { name: 'double', type: 'double' },
        { name: 'truth', type: 'boolean' },
    ];

    test.each([0, 3, 200])('is that of a day without rows that contains %d sources', (sources) => {
        const lists = listsOfFooter(writePairRows(emptyPairRows(), { contains: contributions(sources) }));
        // Lists of parquet.thrift, FileMetaData: schema, row_groups, key_value_metadata, column_orders.
        expect(lists).toEqual([
            { field: '2', size: pairDays.columns.length + 1, elementType: STRUCTS },
            { field: '4', size: 0, elementType: STRUCTS },
            { field: '5', size: 1, elementType: STRUCTS },
            { field: '7', size: pairDays.columns.length, elementType: STRUCTS },
        ]);
    });

    test.each([
        ['no rows', []],
        ['nulls only', [[null, null, null, null, null]]],
        ['rows', [['a', 1n, 2n, 0.5, true]]],
    ])('is that of an export with %s: each of its lists has a type', (_, rows) => {
        const lists = listsOfFooter(writeParquetTable({ columns, rows }));
        expect(lists.find(({ field }) => field === '4')).toEqual({ field: '4', size: rows.length, elementType: STRUCTS });
        expect(lists.filter(({ elementType }) => elementType === 0)).toEqual([]);
    });

    test('is that of an export whose column has the name of what is looked for', () => {
        const name = '\u0016\u0000\u0019\u0000';
        const bytes = writeParquetTable({ columns: [{ name, type: 'bigint' }], rows: [] });
        expect(parquetMetadata(bytes.slice().buffer).schema[1]?.name).toBe(name);
        expect(listsOfFooter(bytes).map(({ elementType }) => elementType)).toEqual([STRUCTS, STRUCTS, STRUCTS]);
    });
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
        file = join(await makeFolder(), 'part-00.parquet');
    });

    afterAll(() => {
        connection.closeSync();
        instance.closeSync();
    });

    async function ask(sql: string): Promise<unknown[][]> {
        return (await connection.runAndReadAll(sql.replace('FILE', `'${file}'`))).getRowsJson();
    }

    test.each([
        [0, 0],
        [1, 1],
        [12_345, 200],
    ])('reads %d rows of %d sources with their types and every digit', async (count, sources) => {
        await writeFile(file, writePairRows(manyRows(count), { contains: contributions(sources) }));
        const types: Record<string, string> = { string: 'VARCHAR', bigint: 'BIGINT', 'decimal(38,0)': 'DECIMAL(38,0)' };
        const described = await ask('select column_name, column_type from (describe select * from FILE)');
        expect(described).toEqual(pairDays.columns.map(({ name, type }) => [name, types[type]]));
        const columns = pairDays.columns.map(({ name }) => `cast(${name} as varchar)`).join(', ');
        const rows = (await ask(`select ${columns} from FILE`)).map((row) => row.join(' '));
        const wanted = manyRows(count);
        const names = pairDays.columns.map(({ name }) => name as keyof PairRows);
        expect(rows).toEqual(wanted.site.map((_, at) => names.map((name) => wanted[name][at] ?? '').join(' ')));
    });

    test('finds every pair by the statistics of its row group', async () => {
        await writeFile(file, writePairRows(manyRows(12_345)));
        for (const at of [0, 4_999, 5_000, 12_344]) {
            const source = manyRows(12_345).src_ip[at];
            expect(await ask(`select cast(flows as varchar) from FILE where src_ip = '${source}'`)).toEqual([[String(at)]]);
        }
    });

    test.each([['\u{ff5e}', '\u{1f6b0}'], [`${'x'.repeat(70)}a`, `${'x'.repeat(70)}b`], [`${'z'.repeat(63)}é`], ['\u{10ffff}'.repeat(20)]])(
        'finds sites of any name: %s',
        async (...sites) => {
            await writeFile(
                file,
                writePairRows(pairRowsOfFlows(sites.map((site) => ({ site, src: '::1', dst: '::2', durationUs: 0n, packets: 0n })))),
            );
            for (const site of sites) {
                expect(await ask(`select site from FILE where site = '${site}'`)).toEqual([[site]]);
            }
        },
    );
});
