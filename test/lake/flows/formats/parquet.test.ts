/** Parquet files of flows: the same rows give the same figures however they are stored, and what cannot be read is refused by its name. */

import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import type { PairWatch, ReadFlowsOptions, WatchedRow } from '#lake/flows/flow-sink';
import { pairRowsOf } from '#lake/flows/pair-rows';
import { inspectFlows, readFlows } from '#lake/flows/read-flows';
import type { Reject } from '#lake/flows/rejects';
import { flowSummaries } from '#lake/flows/tables';
import { toPlain } from '#lake/typed-rows';
import { inPieces } from '#test/support/bytes';
import { parquetOf } from '#test/support/parquet-cases';

async function read(bytes: Buffer, options: ReadFlowsOptions = {}) {
    const rejects: Reject[] = [];
    let longestRange = 0;
    const result = await readFlows(() => inPieces([bytes]), {
        ...options,
        ranges: {
            sizeBytes: bytes.length,
            readRange: async ({ start, end }) => {
                longestRange = Math.max(longestRange, end - start);
                return new Uint8Array(bytes.subarray(start, end));
            },
        },
        onRejects: async (some) => void rejects.push(...some),
    });
    return { result, rejects, longestRange };
}

/** Each pair's day as text, and how the file was read. */
async function figuresOf(bytes: Buffer, options: ReadFlowsOptions = {}) {
    const { result, rejects } = await read(bytes, options);
    if (!result.ok) {
        return result;
    }
    const { table, days, rowsRead, durationUnit } = result;
    const rows = [...days].flatMap(([day, of]) => {
        const columns = Object.values(toPlain(flowSummaries, pairRowsOf(table, { rows: of, site: 'main', day })));
        return [...of].map((_, at) => [day, ...columns.map((column) => String(column[at]))].join(' '));
    });
    return { rowsRead, durationUnit, rejects: rejects.map(({ lineNumber, reason }) => `${lineNumber} ${reason}`), rows: rows.sort() };
}

/** Rows with everything that a row can have, and their text. */
const ROWS = `
    select
        case when i % 13 = 5 then null else '10.0.' || i % 7 || '.' || i % 200 end as "Src IP",
        case when i % 50 = 0 then '2001:db8::' || i % 9 else '10.1.1.' || i % 5 end as "Dst IP",
        timestamp '2018-02-14 22:00:00' + interval (i) second as "Timestamp",
        case when i % 17 = 3 then null else i * 1000003 end as "Flow Duration",
        i % 90 as "Tot Fwd Pkts",
        'row ' || i as "Label"
    from range(9000) as numbers(i)`;

const IN_TEXT = ROWS.replace('interval (i) second as', 'interval (i) second as').replace(
    /timestamp '2018-02-14 22:00:00' \+ interval \(i\) second/,
    `strftime(timestamp '2018-02-14 22:00:00' + interval (i) second, '%d/%m/%Y %H:%M:%S')`,
);

async function expectSame(query: string, options?: string): Promise<void> {
    expect(await figuresOf(await parquetOf(query, options))).toEqual(await expected());
}

let known: ReturnType<typeof figuresOf> | undefined;

/** The figures of the rows as CSV. */
function expected(): ReturnType<typeof figuresOf> {
    known ??= (async () => {
        const rows = Array.from({ length: 9000 }, (_, i) => {
            const clock = new Date(Date.UTC(2018, 1, 14, 22, 0, i)).toISOString();
            const [year, month, day] = clock.slice(0, 10).split('-');
            return [
                i % 13 === 5 ? '' : `10.0.${i % 7}.${i % 200}`,
                i % 50 === 0 ? `2001:db8::${i % 9}` : `10.1.1.${i % 5}`,
                `${day}/${month}/${year} ${clock.slice(11, 19)}`,
                i % 17 === 3 ? '' : String(i * 1_000_003),
                i % 90,
                `row ${i}`,
            ].join(',');
        });
        const csv = ['Src IP,Dst IP,Timestamp,Flow Duration,Tot Fwd Pkts,Label', ...rows].join('\n');
        const figures = await figuresOf(Buffer.from(csv));
        if ('rejects' in figures) {
            // A CSV has its header in line 1.
            figures.rejects = figures.rejects.map((reject) => reject.replace(/^\d+/, (line) => String(Number(line) - 1)));
        }
        return figures;
    })();
    return known;
}

describe('the same rows', () => {
    test.each(['uncompressed', 'snappy', 'gzip', 'zstd', 'brotli', 'lz4_raw'])('in %s', async (codec) => {
        await expectSame(ROWS, `codec '${codec}', row_group_size 2048`);
        await expectSame(IN_TEXT, `codec '${codec}', parquet_version v2`);
    });

    test.each([
        ['without dictionaries', `dictionary_size_limit 1`],
        ['in pages of version 2 without dictionaries, so in delta encodings', `dictionary_size_limit 1, parquet_version v2`],
        ['in groups of 2048 rows', `row_group_size 2048`],
    ])('%s', async (_, options) => {
        await expectSame(ROWS, options);
        await expectSame(IN_TEXT, options);
    });

    test.each([
        ['timestamps in seconds', `"Timestamp"::timestamp_s as "Timestamp"`],
        ['timestamps in milliseconds', `"Timestamp"::timestamp_ms as "Timestamp"`],
        ['timestamps in nanoseconds', `"Timestamp"::timestamp_ns as "Timestamp"`],
        ['timestamps in UTC', `"Timestamp"::timestamptz as "Timestamp"`],
        ['timestamps as epoch seconds', `epoch("Timestamp")::bigint as "Timestamp"`],
        ['timestamps as epoch seconds in doubles', `epoch("Timestamp") as "Timestamp"`],
        ['timestamps as dates', `"Timestamp"::date as "Timestamp"`],
        ['durations as doubles', `"Flow Duration"::double as "Flow Duration"`],
        ['durations as decimals of 32, 64 and 128 bits', `"Flow Duration"::decimal(38, 3) as "Flow Duration"`],
        ['durations as decimals of 64 bits', `"Flow Duration"::decimal(18, 2) as "Flow Duration"`],
        ['durations without a sign', `"Flow Duration"::ubigint as "Flow Duration"`],
        ['durations as text', `"Flow Duration"::varchar as "Flow Duration"`],
        ['packets as doubles', `"Tot Fwd Pkts"::double as "Tot Fwd Pkts"`],
        ['packets as floats', `"Tot Fwd Pkts"::float as "Tot Fwd Pkts"`],
        ['packets as bytes', `"Tot Fwd Pkts"::utinyint as "Tot Fwd Pkts"`],
    ])('with %s', async (_, column) => {
        await expectSame(`select * replace (${column}) from (${ROWS})`);
    });

    test('with the columns in another order, and more of them', async () => {
        await expectSame(
            `select 1 as first, "Tot Fwd Pkts", [1, 2] as list, "Dst IP", "Timestamp", "Src IP", "Flow Duration", {'a': 1} as struct from (${ROWS})`,
        );
    });
});

const ONE = `'192.0.2.10' as "Src IP", '198.51.100.20' as "Dst IP", timestamp '2021-01-31 10:00:00' as "Timestamp"`;

/** Sum of the durations that the file comes to. */
async function durationOf(sql: string, options: ReadFlowsOptions = {}): Promise<string | undefined> {
    const figures = await figuresOf(await parquetOf(`select ${ONE}, ${sql} as "Flow Duration", 3 as "Tot Fwd Pkts"`), options);
    return 'rows' in figures ? (figures.rows[0]?.split(' ')[6] ?? figures.rejects[0]) : figures.ok ? undefined : JSON.stringify(figures);
}

describe('durations are exact', () => {
    test.each([
        [`9007199254740993::bigint`, '9007199254740993'],
        [`10000000000000000::bigint`, '10000000000000000'],
        [`10000000000000001::bigint`, '1 too_large'],
        [`9223372036854775807::bigint`, '1 too_large'],
        [`18446744073709551615::ubigint`, '1 too_large'],
        [`4294967295::uinteger`, '4294967295'],
        [`119999999::double`, '119999999'],
        [`0.5::double`, '1'],
        [`0.49::float`, '0'],
        [`123456.78::float`, '123457'],
        [`123456.5::decimal(9, 1)`, '123457'],
        [`99999999999999999999999999999999999.5::decimal(38, 1)`, '1 too_large'],
        [`(-1)::decimal(9, 1)`, '1 negative'],
        [`(-0.0)::double`, '0'],
    ])('%s', async (sql, sum) => {
        expect(await durationOf(sql)).toBe(sum);
    });

    test('in seconds, each by the shortest text of its float', async () => {
        expect(await durationOf('2.8e-05::double', { durationUnit: 's' })).toBe('28');
        expect(await durationOf('0.1::float', { durationUnit: 's' })).toBe('100000');
        expect(await durationOf('1.000001::decimal(9, 6)', { durationUnit: 's' })).toBe('1000001');
    });
});

test('the unit of durations is settled by the rates of packets, as in a CSV', async () => {
    const columns = (rate: number): string =>
        `'192.0.2.10' as src_ip, '198.51.100.20' as dst_ip, timestamp '2021-01-31 10:00:00' as timestamp, 2.5::double as flow_duration,
            6 as tot_fwd_pkts, 4 as tot_bwd_pkts, ${rate}::double as flow_pkts_s`;
    const seconds = await read(await parquetOf(`select ${columns(4)} from range(100)`));
    expect(seconds.result).toMatchObject({ dialect: 'python-cicflowmeter', durationUnit: 's', durationUnitBy: 'witnessed' });
    const microseconds = await read(await parquetOf(`select ${columns(4e6)} from range(100)`));
    expect(microseconds.result).toMatchObject({ durationUnit: 'us', durationUnitBy: 'witnessed' });
    const both = await read(await parquetOf(`select ${columns(4)} from range(3000) union all select ${columns(4e6)} from range(3000)`));
    expect(both.result).toMatchObject({ ok: false, error: expect.stringContaining('disagree') });
});

test('a timestamp in January 1970 is what CICFlowMeter leaves of that of an IPv6 flow, and no date', async () => {
    const bytes = await parquetOf(
        ROWS.replace(`timestamp '2018-02-14 22:00:00' + interval (i) second`, `timestamp '1970-01-18 22:00:00' + interval (i) second`),
    );
    const { result, rejects } = await read(bytes);
    expect(result).toMatchObject({ rowsRead: 9000, days: new Map() });
    expect(rejects).toHaveLength(9000);
    expect(rejects.find(({ lineNumber }) => lineNumber === 1)).toMatchObject({ reason: 'date_implausible' });
});

test('points that group the digits of text group none of a number', async () => {
    const sql = (packets: string): string => `select ${ONE}, 1.234::double as "Flow Duration", ${packets} as "Tot Fwd Pkts"`;
    const figures = await figuresOf(await parquetOf(`${sql(`'1.234.567'`)} union all ${sql(`'1.234'`)}`));
    expect(figures).toMatchObject({ rows: [expect.stringContaining('192.0.2.10 198.51.100.20 2 2 2 2 1 1 1235801 ')] });
});

test('flow logs of AWS VPC: one way, as long as from start to end, and records without data are skipped', async () => {
    const bytes = await parquetOf(`
        select * from (values
            (2, 'eni-1', '192.0.2.10', '198.51.100.20', 6::bigint, 1767607200::bigint, 1767607258::bigint, 'OK'),
            (2, 'eni-1', '2001:db8::10', '2001:db8:1::20', 7, 1767607230, 1767607258, 'OK'),
            (2, 'eni-1', null, null, null, 1767607260, 1767607318, 'NODATA'),
            (2, 'eni-1', '-', '-', null, 1767607320, 1767607378, 'SKIPDATA'),
            (2, 'eni-1', '192.0.2.10', '198.51.100.20', 1, 1767607258, 1767607200, 'OK')
        ) as log(version, interface_id, srcaddr, dstaddr, packets, "start", "end", log_status)`);
    const { result, rejects } = await read(bytes);
    expect(result).toMatchObject({ ok: true, dialect: 'aws-vpc', rowsRead: 3, durationUnit: 's' });
    expect(result.ok && [...result.skipped]).toEqual([
        ['no_data', 1],
        ['skip_data', 1],
    ]);
    expect(rejects).toMatchObject([{ lineNumber: 5, reason: 'negative' }]);
    expect(await figuresOf(bytes)).toMatchObject({
        rows: [
            '2026-01-05 main 192.0.2.10 198.51.100.20 1 1 58000000 3364000000000000 58000000 58000000 6 36 6 6',
            '2026-01-05 main 2001:db8::10 2001:db8:1::20 1 1 28000000 784000000000000 28000000 28000000 7 49 7 7',
        ],
    });
});

test('a reject has the number of its row and the columns that are read, as JSON', async () => {
    const { rejects } = await read(
        await parquetOf(`
            select ${ONE}, 1500 as "Flow Duration", 3::double as "Tot Fwd Pkts", 'x' as "Label"
            union all select ${ONE.replace(`'192.0.2.10'`, `'a "host"'`)}, null, 2.5, 'x'`),
    );
    const line = `{"Src IP":"a \\"host\\"","Dst IP":"198.51.100.20","Timestamp":"2021-01-31T10:00:00.000Z","Flow Duration":null,"Tot Fwd Pkts":2.5}`;
    expect(rejects).toEqual([{ lineNumber: 2, reason: expect.any(String), line }]);
    expect(JSON.parse(line)).toBeDefined();
});

test('whoever asks for the rows of a pair is told their numbers', async () => {
    const rows: WatchedRow[] = [];
    const watch: PairWatch = { src: '10.0.3.3', dst: '10.1.1.3', onRow: (row) => void rows.push(row) };
    await read(await parquetOf(ROWS, 'row_group_size 2048'), { watch });
    expect(rows.length).toBeGreaterThan(0);
    for (const { lineNumber, line, packets } of rows) {
        expect(JSON.parse(line)).toMatchObject({ 'Src IP': '10.0.3.3', 'Dst IP': '10.1.1.3', 'Tot Fwd Pkts': Number(packets) });
        expect((lineNumber - 1) % 7).toBe(3);
    }
});

describe('what cannot be read is refused by its name', () => {
    const refusalOf = async (bytes: Buffer): Promise<unknown> => {
        const { result } = await read(bytes);
        return result.ok || ('error' in result && result.error);
    };
    const five = (replaced: string): string =>
        `select * replace (${replaced}) from (select ${ONE}, 1500 as "Flow Duration", 3 as "Tot Fwd Pkts")`;

    test('columns that are missing, and what is there instead', async () => {
        expect(await refusalOf(await parquetOf(`select 6 as "Protocol", 1500 as "Flow Duration", 3 as "Total Fwd Packets"`))).toBe(
            'a Parquet file without the columns of flows: looked for source address (Src IP, Source IP, src_ip, id.orig_h, id_orig_h), ' +
                'destination address (Dst IP, Destination IP, dst_ip, id.resp_h, id_resp_h), timestamp (Timestamp, Date, ts); ' +
                'found "Protocol", "Flow Duration", "Total Fwd Packets"',
        );
    });

    test.each([
        [`["Src IP"] as "Src IP"`, 'looked for source address'],
        [`3::bigint as "Src IP"`, 'column "Src IP" is of type INT64, and text is needed'],
        [`time '10:00' as "Timestamp"`, 'column "Timestamp" is of type TIME'],
        [`true as "Tot Fwd Pkts"`, 'column "Tot Fwd Pkts" is of type BOOLEAN, and a number is needed'],
        [`"Timestamp" as "Flow Duration"`, 'column "Flow Duration" is of type TIMESTAMP, and a number is needed'],
    ])('%s', async (replaced, said) => {
        expect(await refusalOf(await parquetOf(five(replaced)))).toContain(said);
    });

    test('nested columns whose names are known', async () => {
        const bytes = await parquetOf(`
            select {'orig_h': '192.0.2.10', 'resp_h': '198.51.100.20'} as id, 1612224000.0::double as ts, 1.5::double as duration, 3 as orig_pkts`);
        expect(await refusalOf(bytes)).toBe('column "id.orig_h" is nested: write it anew as a column of its own, with one value a row');
    });

    test('an encrypted file', async () => {
        const bytes = await parquetOf(five('3 as "Tot Fwd Pkts"'));
        expect(await refusalOf(Buffer.concat([bytes.subarray(0, -4), Buffer.from('PARE')]))).toBe(
            'an encrypted Parquet file: decrypt it, and upload that',
        );
    });

    test('a codec that is not read', async () => {
        const bytes = await parquetOf(five('3 as "Tot Fwd Pkts"'), `codec 'zstd'`);
        // In a chunk's description (thrift, ColumnMetaData) the codec is field 4, an i32 in zigzag: 6 is ZSTD, 3 is LZO.
        const lzo = Buffer.from(bytes);
        for (let at = lzo.indexOf(Buffer.from([0x15, 0x0c, 0x16])); at >= 0; at = lzo.indexOf(Buffer.from([0x15, 0x0c, 0x16]), at + 1)) {
            lzo[at + 1] = 0x06;
        }
        expect(await refusalOf(lzo)).toMatch(
            /^column "Src IP" is compressed with LZO; read are UNCOMPRESSED, SNAPPY, .*: write the file anew/,
        );
    });

    test('before anything is uploaded, where its end can be looked at', async () => {
        const bytes = await parquetOf(`select 6 as "Protocol", 1500 as "Flow Duration"`);
        const parts = {
            sizeBytes: bytes.length,
            readRange: async ({ start, end }: { start: number; end: number }) => new Uint8Array(bytes.subarray(start, end)),
        };
        expect(await inspectFlows(inPieces([bytes]), parts)).toEqual({
            is: 'unusable',
            why: expect.stringContaining('a Parquet file without the columns of flows: looked for source address'),
            what: 'a Parquet file without flows',
        });
        expect(await inspectFlows(inPieces([gzipSync(bytes)]))).toMatchObject({ what: 'a Parquet file inside of a compressed one' });
    });

    test('a file of which only the beginning can be seen', async () => {
        const bytes = await parquetOf(five('3 as "Tot Fwd Pkts"'));
        expect(await inspectFlows(inPieces([bytes.subarray(0, 2), bytes.subarray(2)]))).toEqual({ is: 'usable' });
        const parts = { sizeBytes: bytes.length, readRange: async () => new Uint8Array(bytes.subarray(0, -1)) };
        expect(await inspectFlows(inPieces([bytes]), parts)).toMatchObject({ is: 'unusable', what: 'damaged' });
        expect(await readFlows(() => inPieces([bytes]))).toMatchObject({ ok: false, error: expect.stringContaining('a Parquet file') });
    });
});

describe('a damaged file', () => {
    test('that ends anywhere is of no use', async () => {
        const bytes = await parquetOf(ROWS, `codec 'snappy', row_group_size 2048`);
        for (const length of [4, 5, 11, 12, 100, bytes.length >> 1, bytes.length - 9, bytes.length - 1]) {
            const { result } = await read(bytes.subarray(0, length));
            expect(result).toMatchObject({ ok: false, error: expect.stringContaining('damaged or ends too early') });
        }
    });

    test('whose bytes were changed somewhere gives figures or a reason, and never an error', async () => {
        for (const options of [`codec 'uncompressed', dictionary_size_limit 1`, `codec 'snappy'`, `codec 'lz4_raw', parquet_version v2`]) {
            const bytes = await parquetOf(`${ROWS.replace('range(9000)', 'range(40)')}`, options);
            for (let at = 4; at < bytes.length; at += 3) {
                const changed = Buffer.from(bytes);
                changed[at] = (changed[at] as number) ^ (1 << (at % 8));
                const { result } = await read(changed);
                expect(result.ok ? 'figures' : 'error' in result).toBeTruthy();
            }
        }
    });

    test('whose pages have checksums is found out by them', async () => {
        const bytes = await readFile(new URL('../../../fixtures/parquet/flows-with-page-checksums.parquet', import.meta.url));
        expect((await read(bytes)).result).toMatchObject({ ok: true, rowsRead: 2 });
        bytes[bytes.indexOf('192.0.2.11')] = '8'.charCodeAt(0);
        expect((await read(bytes)).result).toMatchObject({ ok: false, error: expect.stringContaining('another checksum') });
    });
});

test('no more of a file is held than a window of each column', async () => {
    const bytes = await parquetOf(
        `select '10.0.' || hash(i) % 200 || '.' || hash(i + 1) % 200 as "Src IP", '10.1.1.1' as "Dst IP", timestamp '2021-01-31' as "Timestamp",
            hash(i)::double as "Flow Duration", 3 as "Tot Fwd Pkts", repeat(md5(i::varchar), 9) as "Label" from range(20000) as numbers(i)`,
        `codec 'uncompressed', row_group_size 20000`,
    );
    const { result, longestRange } = await read(bytes);
    expect(result.ok).toBe(true);
    expect(longestRange).toBeLessThan(bytes.length / 4);
});
