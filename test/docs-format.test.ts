/** docs/format.md says what stands in the files: its tables and examples are compared with what the program writes. */

import { createHash } from 'node:crypto';
import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type ColumnMetaData, type FileMetaData, parquetMetadata, type SchemaElement } from 'hyparquet';
import { consolidate } from '#lake/commit/consolidate';
import { retract } from '#lake/commit/retract';
import { summarize } from '#lake/commit/summarize';
import { emptyPairRows } from '#lake/flows/pair-rows';
import { flowMeasures } from '#lake/flows/tables';
import { ledgerKey, rawKey } from '#lake/layout';
import { type LedgerRecord, newVersion, readLedger } from '#lake/ledger';
import { readContains } from '#lake/parquet';
import { rowGroupRows } from '#lake/parquet/file-writer';
import { openDuckDb } from '#lake/query/duckdb';
import { sourceId } from '#lake/source-id';
import { openDirectoryStore } from '#lake/store/directory';
import type { ObjectStore } from '#lake/store/object-store';
import { mergePairRows, pairDaysKey, rejectsKey, summaryKey, writePairRows } from '#test/support/flow-tables';
import { rowsOf } from '#test/support/lake-fixture';
import { memoryStore } from '#test/support/memory-store';
import { measuredFlow, pairRowsOfFlows } from '#test/support/pair-rows-of';
import { smallFile } from '#test/support/small-files';
import { makeFolder } from '#test/support/temporary';

let page: string;

beforeAll(async () => {
    page = await readFile(new URL('../docs/format.md', import.meta.url), 'utf8');
});

describe('names and keys', () => {
    test('of the example are what the program makes of its raw key and version', () => {
        const example = new Map(rowsBelow('Names', 1).map(([what = '', value = '']) => [what, value.replaceAll('`', '')]));
        const key = rawKey({ site: 'berlin', name: '2026-01-05_Flow.csv' });
        const version = example.get('version of the first commit') ?? '';
        const source = sourceId(key);
        const day = '2026-01-05';
        expect(example.get('raw key')).toBe(key);
        expect(example.get('source')).toBe(source);
        expect(example.get('summary of a day')).toBe(summaryKey({ day, source, version }));
        expect(example.get('rejects')).toBe(rejectsKey({ source, version }));
        expect(example.get('ledger record')).toBe(ledgerKey(source));
        expect(example.get('pair days of a day')).toBe(pairDaysKey(day));
    });

    test('can be computed from the rules as they are written there', () => {
        const pattern = /^1-[0-9a-f]{16}$/;
        expect(newVersion(undefined)).toMatch(pattern);
        expect(
            rowsBelow('Names', 1)
                .find(([what]) => what === 'version of the first commit')?.[1]
                ?.replaceAll('`', ''),
        ).toMatch(pattern);
        expect(newVersion(undefined)).not.toBe(newVersion(undefined));
        expect(sourceId('raw/a.csv')).toBe(first16('raw/a.csv'));
    });
});

describe('a Parquet file', () => {
    test('has the columns of the page, in its order and types', () => {
        const documented = rowsBelow('Parquet', 0).map((row) => row.map((cell) => cell.replaceAll('`', '')));
        const [, ...elements] = metadataOf(manyRows(1)).schema;
        expect(elements.map(describeElement)).toEqual(
            documented.map(([name, physical, converted, repetition]) => [name, physical, converted, repetition]),
        );
    });

    test('has row groups, compression, encodings, pages and statistics as the page says', () => {
        const facts = factsOf();
        const metadata = metadataOf(manyRows(12_345));
        expect(metadata.row_groups.map(({ num_rows }) => Number(num_rows))).toEqual([
            facts.groupRows,
            facts.groupRows,
            12_345 - 2 * facts.groupRows,
        ]);
        const chunks = chunksOf(metadata);
        expect(chunks).toHaveLength(3 * rowsBelow('Parquet', 0).length);
        expect([...new Set(chunks.map(({ codec }) => codec))]).toEqual([facts.compression]);
        const pages = chunks.flatMap(({ encoding_stats = [] }) => encoding_stats);
        const dataPages = pages.filter(({ page_type }) => page_type !== 'DICTIONARY_PAGE');
        expect([...new Set(dataPages.map(({ encoding }) => encoding))].sort()).toEqual(facts.encodings);
        expect([...new Set(dataPages.map(({ page_type }) => page_type))]).toEqual([facts.pages[0]]);
        expect([...new Set(pages.filter((each) => each.page_type === 'DICTIONARY_PAGE').map(({ encoding }) => encoding))]).toEqual([
            'PLAIN',
        ]);
        const optional = rowsBelow('Parquet', 0).flatMap(([name = '', , , repetition]) =>
            repetition === '`OPTIONAL`' ? name.replaceAll('`', '') : [],
        );
        for (const { statistics, path_in_schema, num_values } of chunks) {
            const nulls = optional.includes(path_in_schema.join()) ? num_values / 2n : 0n;
            expect(statistics).toMatchObject({ min_value: expect.anything(), max_value: expect.anything(), null_count: nulls });
        }
        expect(chunks.filter((chunk) => chunk.bloom_filter_offset !== undefined)).toEqual([]);
        const columns = metadata.row_groups.flatMap((group) => group.columns);
        expect(columns.filter((column) => column.column_index_offset !== undefined)).toEqual([]);
    });

    test('of a huge day has groups that grow as the page says', () => {
        const facts = factsOf();
        expect([1, 5_000_000, 5_000_001, 12_345_678].map((rows) => rowGroupRows(rows))).toEqual([
            facts.groupRows,
            facts.groupRows,
            5_001,
            12_346,
        ]);
        expect(facts.growsPast).toBe(5_000_000);
    });

    test('cuts the statistics of long texts only, where the page says', () => {
        const { textBytes } = factsOf();
        for (const length of [textBytes, textBytes + 1]) {
            const site = 'x'.repeat(length);
            const flow = { src: '::1', dst: '::2', durationUs: 1n, packets: 1n };
            const bytes = writePairRows(pairRowsOfFlows([{ ...flow, site }]));
            const { min_value, max_value } = chunksOf(metadataOf(bytes))[0]?.statistics ?? {};
            const prefix = site.slice(0, textBytes);
            expect([min_value, max_value]).toEqual(length === textBytes ? [site, site] : [prefix, `${prefix.slice(1)}y`]);
        }
    });

    test('is sorted by the bytes of the columns that the page names, each key once', () => {
        expect(factsOf().sortedBy).toEqual(['site', 'src_ip', 'dst_ip']);
        fc.assert(
            fc.property(fc.array(measuredFlow, { maxLength: 30 }), (flows) => {
                const lists = flows.map((flow) => pairRowsOfFlows([flow]));
                const { site, src_ip, dst_ip } = mergePairRows(lists, { day: '2026-01-05' });
                const keys = site.map((of, at) => Buffer.from([of, src_ip[at], dst_ip[at]].join('\0')));
                expect(keys.every((key, at) => at === 0 || Buffer.compare(keys[at - 1]!, key) < 0)).toBe(true);
            }),
        );
    });

    test('without rows has no row group, and all columns', () => {
        const metadata = metadataOf(writePairRows(emptyPairRows(), { contains: [] }));
        expect([metadata.num_rows, metadata.row_groups.length, metadata.schema.length]).toEqual([
            0n,
            0,
            1 + rowsBelow('Parquet', 0).length,
        ]);
        expect(metadata.key_value_metadata).toEqual([{ key: 'flowlake.contains', value: '' }]);
    });
});

describe('the list of what a day contains', () => {
    test('stands in the metadata as the page shows it', () => {
        const [, list = ''] = /\n {4}([0-9a-f.,-]+)\n {4}\d+:\d+\n/.exec(section('What a day contains')) ?? [];
        const bytes = writePairRows(emptyPairRows(), { contains: list.split(',').toReversed() });
        expect(metadataOf(bytes).key_value_metadata).toEqual([{ key: 'flowlake.contains', value: list }]);
    });

    test.each([0, 1])('stands in front of the footer where it is %d byte longer than the page allows', (more) => {
        const [inline = [], elsewhere = []] = rowsBelow('What a day contains', 0);
        const most = Number(/at most `(\d+)` bytes/.exec(inline[2] ?? '')?.[1]);
        const names = namesOf(most + more);
        const bytes = writePairRows(emptyPairRows(), { contains: names });
        const text = names.join(',');
        expect(text).toHaveLength(most + more);
        const [entry, ...others] = metadataOf(bytes).key_value_metadata ?? [];
        expect(others).toEqual([]);
        expect(`\`${entry?.key}\``).toBe((more ? elsewhere : inline)[0]);
        const footerBytes = Buffer.from(bytes).readUInt32LE(bytes.length - 8);
        const offset = bytes.length - 8 - footerBytes - text.length;
        expect(entry?.value).toBe(more ? `${offset}:${text.length}` : text);
        expect(more ? Buffer.from(bytes).toString('latin1', offset, offset + text.length) : text).toBe(text);
        expect(readContains(bytes)).toEqual(names);
    });
});

describe('a record of the ledger', () => {
    test.each(['done', 'failed', 'skipped', 'retracted'] as const)('of state %s has the fields of the page and no other', async (state) => {
        const record = await recordOf(state);
        expect(record.state).toBe(state);
        const fields = new Map(rowsBelow('Ledger record', 0).map(([name = '', type = '']) => [name, type]));
        expect(Object.keys(record).sort()).toEqual([...fields.keys()].sort());
        expect(wrongOnes(record, fields)).toEqual([]);
        expect(section('Ledger record')).toContain(`\`${state}\``);
        const history = fieldsOf(rowsBelow('Ledger record', 1));
        for (const entry of record.history ?? []) {
            expect(Object.keys(entry).sort()).toEqual([...history.keys()].sort());
            expect(wrongOnes(entry, history)).toEqual([]);
        }
        expect(record.history).toHaveLength(record.commits);
    });

    test('counts and names as the page says', async () => {
        const record = await recordOf('done');
        expect(record.rows_read).toBe(record.rows_kept + record.rows_rejected);
        expect(record.rows_rejected).toBe(2);
        expect(record.versions).toEqual({ [record.version!]: ['2026-02-01'] });
    });
});

test('a rejects object has the fields of the page, a line for each row in the order of the file', async () => {
    const store = memoryStore();
    const record = await recordOf('done', store);
    const object = await store.get(rejectsKey({ source: sourceId(record.source), version: record.version! }));
    const lines = gunzipSync(object!.bytes).toString().trimEnd().split('\n');
    const rejects = lines.map((line): Record<string, unknown> => JSON.parse(line));
    expect(rejects).toHaveLength(2);
    const fields = fieldsOf(rowsBelow('Rejects', 0));
    for (const reject of rejects) {
        expect(Object.keys(reject)).toEqual([...fields.keys()]);
        expect(wrongOnes(reject, fields)).toEqual([]);
    }
    expect(Number(rejects[0]?.line_number)).toBeLessThan(Number(rejects[1]?.line_number));
});

test('the SQL of the page finds the day of pair_days, and passes over what does not count', async () => {
    const folder = await makeFolder();
    const store = openDirectoryStore(folder);
    const day = '2026-01-05';
    // The second file of one name is a correction.
    for (const [name, packets] of [
        ['a', 1],
        ['b', 2],
        ['b', 3],
    ] as const) {
        const flows = ['10.0.0.1', '10.0.0.2'].map((dst) => ({ src: '10.0.0.9', dst, date: '05/01/2026', durationUs: 5, packets }));
        await store.put(`raw/${name}.csv`, Buffer.from(smallFile(flows).text));
        const { periods } = await summarize(`raw/${name}.csv`, { store, now: () => new Date(0) });
        for (const of of periods) {
            await consolidate(of, { store });
        }
    }
    // A worker that was cut off before its commit leaves this.
    const { record } = await readLedger(store, sourceId('raw/a.csv'));
    const live = { day, source: sourceId('raw/a.csv'), version: record!.version! };
    await copyFile(join(folder, summaryKey(live)), join(folder, summaryKey({ ...live, version: live.version.replace('1-', '2-') })));
    const engine = await openDuckDb({ directory: folder });
    const [, sql = ''] = /```sql\n(.*?)```/s.exec(page) ?? [];
    const found = await rowsOf(engine, sql.replaceAll('my-lake', folder));
    const wanted = await rowsOf(
        engine,
        `select site, src_ip, dst_ip, flows, fwd_pkts_max from pair_days where day = '${day}' order by 1, 2, 3`,
    );
    await engine.close();
    expect(found).toEqual(wanted);
    expect(found.map(({ flows }) => flows)).toEqual([2n, 2n]);
});

/** The text below a heading of the second level. */
function section(heading: string): string {
    const found = page.split(/^## /m).find((text) => text.startsWith(`${heading}\n`));
    if (found === undefined) {
        throw new Error(`docs/format.md has no heading ${heading}`);
    }
    return found;
}

/** The cells of the rows of the heading's table number `at`, its head left out. */
function rowsBelow(heading: string, at: number): string[][] {
    const tables = section(heading).match(/(?:^\|.*\n)+/gm) ?? [];
    const rows = tables[at]?.trimEnd().split('\n').slice(2) ?? [];
    expect(rows.length).toBeGreaterThan(0);
    return rows.map((row) =>
        row
            .slice(1, -1)
            .split(/ ?\| ?/)
            .map((cell) => cell.trim()),
    );
}

/** What the page says of files, as the values to compare with. */
function factsOf() {
    const facts = new Map(rowsBelow('Parquet', 1).map(([fact = '', value = '']) => [fact, value]));
    const codes = (fact: string): string[] => [...(facts.get(fact) ?? '').matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
    return {
        sortedBy: codes('rows sorted by'),
        groupRows: Number(codes('rows of a row group')[0]),
        growsPast: Number(/past ([\d,]+) rows a thousandth/.exec(facts.get('rows of a row group') ?? '')?.[1]?.replaceAll(',', '')),
        compression: codes('compression')[0],
        encodings: codes('encodings of data pages').sort(),
        pages: codes('data pages'),
        textBytes: Number(codes('statistics of text')[0]),
    };
}

/** A table of fields, some rows of which name several. */
function fieldsOf(rows: readonly string[][]): Map<string, string> {
    return new Map(rows.flatMap(([names = '', type = '']) => names.split(', ').map((name) => [name, type] as const)));
}

/** Names and values that are not of the type that the page says. */
function wrongOnes(record: object, fields: ReadonlyMap<string, string>): [string, unknown][] {
    return Object.entries(record).filter(([name, value]) => !(fields.get(name) ?? '').split(' or ').includes(jsonTypeOf(value)));
}

function jsonTypeOf(value: unknown): string {
    if (value === null) {
        return 'null';
    }
    if (Array.isArray(value)) {
        return 'list';
    }
    return typeof value === 'string' ? 'text' : Number.isSafeInteger(value) ? 'whole number' : typeof value;
}

function describeElement({ name, type, type_length, converted_type, precision, scale, repetition_type }: SchemaElement) {
    const converted = converted_type === 'DECIMAL' ? `DECIMAL(${precision},${scale})` : (converted_type ?? '');
    return [name, type_length === undefined ? type : `${type}(${type_length})`, converted, repetition_type];
}

function metadataOf(bytes: Uint8Array<ArrayBuffer>): FileMetaData {
    return parquetMetadata(bytes.slice().buffer);
}

function chunksOf({ row_groups }: FileMetaData): ColumnMetaData[] {
    return row_groups.flatMap(({ columns }) => columns.map(({ meta_data }) => meta_data!));
}

/** Rows of which some columns repeat their values and some do not. */
function manyRows(count: number): Uint8Array<ArrayBuffer> {
    const rows = emptyPairRows(count);
    for (let at = 0; at < count; at += 1) {
        rows.site.push('main');
        rows.src_ip.push(`10.1.${(at >> 8) + 100}.${(at & 255) + 100}`);
        rows.dst_ip.push('10.0.0.1');
        rows.flow_duration_us_sum[at] = BigInt(at) * 1_000_003n;
        for (const measure of flowMeasures) {
            rows[`${measure}_sum_sq`].push(BigInt(at) ** 2n);
        }
        rows.flow_duration_us_min.push(at % 2 === 0 ? BigInt(at) : null);
        rows.flow_duration_us_max.push(at % 2 === 0 ? BigInt(at) : null);
    }
    return writePairRows(rows);
}

/** Names, ascending, of which the list has so many bytes: the number of a commit may have any number of digits. */
function namesOf(listBytes: number): string[] {
    const count = Math.floor((listBytes + 1) / 36);
    const longer = listBytes + 1 - count * 36;
    return Array.from({ length: count }, (_, at) => {
        const n = at === 0 ? '1'.padEnd(longer + 1, '0') : '1';
        return `${at.toString(16).padStart(16, '0')}.${n}-0123456789abcdef`;
    });
}

/** A record that the program wrote, of a file with one flow and two rejects. */
async function recordOf(state: LedgerRecord['state'], store: ObjectStore = memoryStore()): Promise<LedgerRecord> {
    const flow = { src: '10.0.0.1', dst: '10.0.0.2', date: '01/02/2026', durationUs: 1, packets: 1 };
    const key = 'raw/site=berlin/a.csv';
    const unusable = state === 'failed' ? '%PDF-1.7' : state === 'skipped' ? '#separator \\x09\n#path\tdns\n#fields\tts\n' : undefined;
    await store.put(key, Buffer.from(unusable ?? smallFile([flow], { rejects: 2 }).text), {
        metadata: { 'date-order': 'dmy' },
    });
    const options = { store, now: () => new Date(0) };
    await summarize(key, options);
    if (state === 'retracted') {
        await retract(key, options);
    }
    const { record } = await readLedger(store, sourceId(key));
    return record!;
}

function first16(text: string): string {
    return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
