/** The second reading of docs/reading.md: the golden files of the first one, and what only this one could get wrong. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { isIP, SocketAddress } from 'node:net';
import { join } from 'node:path';
import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import type { SchemaElement } from 'hyparquet';
import type { ReadingOptions } from '#lake/kind';
import { type Engine, openEngine, textOf, wholeOf } from '#lake/verify/engine';
import { recompute } from '#lake/verify/flows/recompute';
import { FIGURES } from '#lake/verify/flows/row-sql';
import { NotFollowedError } from '#lake/verify/second-reading';
import { cut, inPieces } from '#test/support/bytes';
import { type ParquetColumn, writeParquet } from '#test/support/parquet-file';
import { tarOf } from '#test/support/tar-of';

const FIXTURES = new URL('../../../fixtures/flows', import.meta.url).pathname;

let engine: Engine;

beforeAll(async () => {
    engine = await openEngine();
});

afterAll(async () => {
    await engine.close();
});

async function read(bytes: string | Uint8Array, options: ReadingOptions = {}, pieceBytes = 1 << 20) {
    const recount = await recompute(engine, () => inPieces(cut(Buffer.from(bytes), [pieceBytes])), options);
    return recount && { recount, rows: await sourceDays() };
}

async function sourceDays(): Promise<Record<string, string | null>[]> {
    const rows = await engine.rows('select * from source_periods order by period, src_ip, dst_ip');
    return rows.map((row) => ({
        day: textOf(row, 'period') ?? '',
        src_ip: textOf(row, 'src_ip') ?? '',
        dst_ip: textOf(row, 'dst_ip') ?? '',
        ...Object.fromEntries(FIGURES.map((figure) => [figure, wholeOf(row, figure)?.toString() ?? null])),
    }));
}

interface Expected {
    ledger: { error: string | null };
    pair_days: Record<string, string | null>[];
    rejects: { reason: string }[];
}

describe('golden files', () => {
    const inputOf = (name: string): Buffer =>
        readFileSync(join(FIXTURES, name, readdirSync(join(FIXTURES, name)).find((file) => file.startsWith('input.'))!));
    test.each(readdirSync(FIXTURES))('%s', async (name) => {
        const golden = (file: string): string => join(FIXTURES, name, file);
        const expected: Expected = JSON.parse(readFileSync(golden('expected.json'), 'utf8'));
        const options: ReadingOptions = existsSync(golden('options.json')) ? JSON.parse(readFileSync(golden('options.json'), 'utf8')) : {};
        const input = inputOf(name);
        if (expected.ledger.error) {
            // Such a source counts nowhere; it must be of no use to the second reading either.
            const found = await read(input, options).catch((error: Error) => error.name);
            expect([undefined, 'DamagedFileError', 'OverflowError']).toContain(found);
            return;
        }
        const found = await read(input, options);
        const { rejects, ...reading } = found!.recount;
        const reasons = new Map<string, bigint>();
        for (const { reason } of expected.rejects) {
            reasons.set(reason, (reasons.get(reason) ?? 0n) + 1n);
        }
        expect({ ...reading, error: null }).toEqual(expected.ledger);
        expect([...rejects].sort()).toEqual([...reasons].sort());
        expect(found!.rows).toEqual(expected.pair_days);
    });
});

const HEADER = 'Src IP,Dst IP,Timestamp,Flow Duration,Tot Fwd Pkts,Label';

function csv(...rows: string[]): string {
    return `${[HEADER, ...rows].join('\n')}\n`;
}

describe('numbers are exact', () => {
    test.each([
        ['2.8e-05', '28'],
        ['0.0000005', '1'],
        ['0.00000049', '0'],
        ['0.000000499999999999999999999999999', '0'],
        ['9007199254.740993', '9007199254740993'],
        ['1E7', '10000000000000'],
        ['.5', '500000'],
        ['12.', '12000000'],
        ['+3', '3000000'],
        ['-0', '0'],
        ['-0.0e5', '0'],
        ['0e999999999999999999', '0'],
        ['1e-999999999999999999', '0'],
        ['000000000000000000000000000000000000000001', '1000000'],
        ['9999999999.999999', '9999999999999999'],
        ['10000000000.0000004', '10000000000000000'],
    ])('%s seconds are %s microseconds', async (seconds, microseconds) => {
        const found = await read(csv(`10.0.0.1,10.0.0.2,2024-05-01,${seconds},1,x`), { durationUnit: 's' });
        expect([...found!.recount.rejects]).toEqual([]);
        expect(found!.rows[0]!.flow_duration_us_sum).toBe(microseconds);
    });

    test('squares of 9007199254740993 add up to the last digit', async () => {
        const row = '10.0.0.1,10.0.0.2,2024-05-01,9007199254740993,9007199254740993,x';
        const found = await read(csv(row, row, '10.0.0.1,10.0.0.2,2024-05-01,1E7,4.0,x'));
        expect(found!.rows).toEqual([
            expect.objectContaining({
                flows: '3',
                flow_duration_us_sum: String(2n * 9007199254740993n + 10_000_000n),
                flow_duration_us_sum_sq: String(2n * 9007199254740993n ** 2n + 10n ** 14n),
                fwd_pkts_sum: String(2n * 9007199254740993n + 4n),
                fwd_pkts_min: '4',
            }),
        ]);
    });

    test.each([
        ['abc', 'not_a_number'],
        ['1,5.2', 'not_a_number'],
        ['.', 'not_a_number'],
        ['1e', 'not_a_number'],
        ['0x10', 'not_a_number'],
        ['-NaN', 'nan'],
        ['+inf', 'infinity'],
        ['Infinity', 'infinity'],
        ['-1e-30', 'negative'],
        ['10000000000000000.5', 'too_large'],
        ['10000000000000001', 'too_large'],
        ['9223372036854775807.5', 'too_large'],
        ['1e19', 'too_large'],
        ['1e999999999999999999', 'too_large'],
    ])('a duration of %s is rejected: %s', async (duration, reason) => {
        const found = await read(csv(`10.0.0.1,10.0.0.2,2024-05-01,"${duration}",1,x`));
        expect([...found!.recount.rejects]).toEqual([[reason, 1n]]);
    });
});

test('an address is what Node takes for one, and has the short form that Node gives it', async () => {
    const groups = ['1', 'ff', 'ABCD', '0', '12345', '', '', 'g', '1.2.3.4', '1.2.3.256'];
    const made = Array.from({ length: 3000 }, (_, seed) => {
        const count = 1 + (seed % 9);
        return Array.from({ length: count }, (_, at) => groups[(seed * 7 + at * at * 31 + (seed >> (at % 7))) % groups.length]).join(':');
    });
    const addresses = [
        ...new Set([...made, '::', '::1', '1::', '1:2:3:4:5:6:7::', '::1:2:3:4:5:6:7:8', '01.2.3.4', '1.2.3.4.', '255.255.255.255']),
    ]
        .flatMap((address) => [address, `${address}%eth0`, `${address}%`])
        .filter((address) => address !== '');
    const found = await read(csv(...addresses.map((address) => `${address},10.0.0.2,2024-05-01,1,1,x`)));
    const expected = new Map<string, number>();
    for (const address of addresses.filter((address) => isIP(address) !== 0)) {
        const [written = '', ...zone] = address.split('%');
        const short = isIP(address) === 4 ? address : [new SocketAddress({ address: written, family: 'ipv6' }).address, ...zone].join('%');
        expected.set(short, (expected.get(short) ?? 0) + 1);
    }
    expect(found!.rows.map(({ src_ip, flows }) => `${src_ip} ${flows}`).sort()).toEqual(
        [...expected].map(([address, count]) => `${address} ${count}`).sort(),
    );
    expect(found!.rows.length).toBeLessThan(addresses.filter((address) => isIP(address) !== 0).length);
    expect(found!.rows.length).toBeGreaterThan(60);
});

describe('the file', () => {
    const rows = csv('10.0.0.1,10.0.0.2,2024-05-01,1,1,x', '10.0.0.1,10.0.0.2,2024-05-01,2,1,x');
    const half = rows.length - 40;

    test.each([
        ['gzip of several members', Buffer.concat([gzipSync(rows.slice(0, half)), gzipSync(rows.slice(half))])],
        ['zstd of several frames', Buffer.concat([zstdCompressSync(rows.slice(0, half)), zstdCompressSync(rows.slice(half))])],
        ['zstd with a skippable frame', Buffer.concat([zstdCompressSync(rows), Buffer.from('502a4d1803000000616263', 'hex')])],
        ['a byte order mark and line ends of two kinds', `\ufeff${rows.replace('\n', '\r\n')}`],
        ['no line end at the end', rows.slice(0, -1)],
    ])('%s is read whole', async (_, bytes) => {
        for (const pieceBytes of [1, 7, 1 << 20]) {
            expect((await read(bytes, {}, pieceBytes))!.recount.rows_kept).toBe(2);
        }
    });

    test.each([
        ['in its blocks', (frame: Buffer) => frame.subarray(0, -9), 'ends too early'],
        ['in its header', (frame: Buffer) => frame.subarray(0, 5), 'ends too early'],
        ['in its magic', (frame: Buffer) => frame.subarray(0, 3), 'no frame begins'],
        ['in a checksum that is wrong', (frame: Buffer) => Buffer.from([...frame.subarray(0, -1), frame.at(-1)! ^ 1]), 'checksum'],
    ])('zstd whose second frame is damaged %s is told', async (_, damage, message) => {
        const frame = zstdCompressSync(rows, { params: { [constants.ZSTD_c_checksumFlag]: 1 } });
        for (const pieceBytes of [1, 7, 1 << 20]) {
            await expect(read(Buffer.concat([frame, damage(frame)]), {}, pieceBytes)).rejects.toThrow(
                expect.objectContaining({ name: 'DamagedFileError', message: expect.stringContaining(message) }),
            );
        }
    });

    test('zstd of frames larger than a piece, and of noise that cannot be packed, is read whole', async () => {
        const noisy = Array.from(
            { length: 20_000 },
            (_, at) => `10.0.0.1,10.0.0.2,2024-05-01,1,1,${createHash('sha256').update(`${at}`).digest('hex')}`,
        );
        const packed = Buffer.concat([zstdCompressSync(csv(...noisy)), zstdCompressSync(`${noisy.join('\n')}\n`)]);
        expect(packed.length).toBeGreaterThan(1 << 20);
        expect((await read(packed, {}, 100_003))!.recount.rows_kept).toBe(40_000);
    });

    test('a carriage return by itself ends no line', async () => {
        const found = await read(csv('10.0.0.1,10.0.0.2,2024-05-01,1,1,x\ry', '10.0.0.1,10.0.0.2,2024-05-01,2\r,1,x'));
        expect([found!.recount.rows_kept, [...found!.recount.rejects]]).toEqual([1, [['not_a_number', 1n]]]);
    });

    test('a quoted field over many lines belongs to its row, also over the end of a block', async () => {
        const row = (at: number, label: string): string => `10.0.0.1,10.0.0.2,2024-05-01,${at},1,${label}`;
        const lines = `"${'a line\r\n,"",\n'.repeat(60_000)}"`;
        const many = Array.from({ length: 40 }, (_, at) => row(at, lines));
        const found = await read(csv(...many, row(7, 'x')));
        expect(found!.recount).toMatchObject({ rows_read: 41, rows_kept: 41 });
        expect(found!.rows[0]!.flow_duration_us_sum).toBe(String((39 * 40) / 2 + 7));
    });

    test('in a Zeek log a quote in a # line swallows nothing, and a later #fields line takes effect', async () => {
        const found = await read(
            [
                '#separator \\x09',
                '#fields\tts\tid.orig_h\tid.resp_h\tduration\torig_pkts',
                '1714521600.1\t10.0.0.1\t10.0.0.2\t0.000001\t1',
                '#open\t"2024-05-01',
                '1714521600.1\t10.0.0.1\t10.0.0.2\t0.000002\t1',
                '#fields\tid.orig_h\tid.resp_h\tts\torig_pkts\tduration',
                '10.0.0.1\t10.0.0.2\t1714521600.1\t7\t0.000003',
                '#close\t2024-05-01',
            ].join('\n'),
        );
        expect(found!.recount).toMatchObject({ dialect: 'zeek', date_order: 'epoch', rows_kept: 3, repeated_headers: 0 });
        expect(found!.rows).toEqual([expect.objectContaining({ flow_duration_us_sum: '6', fwd_pkts_sum: '9' })]);
    });

    test('of a Zeek log that was put together of several, rows behind another #path than conn are none', async () => {
        const fields = '#fields\tts\tid.orig_h\tid.resp_h\tduration\torig_pkts';
        const row = '1714521600.1\t10.0.0.1\t10.0.0.2\t0.000001\t1';
        const found = await read(
            [
                '#separator \\x09',
                '#path\tdns',
                '#fields\tts',
                '1',
                '',
                '#path\tconn',
                fields,
                row,
                '#path\tconn_long',
                fields,
                row,
                row,
                '#path\tconn',
                row,
            ].join('\n'),
        );
        expect(found!.recount).toMatchObject({
            rows_kept: 2,
            rows_rejected: 0,
            rows_skipped: 3,
            skipped: 'other_log 3',
            repeated_headers: 0,
        });
        expect(found!.rows).toEqual([expect.objectContaining({ flow_duration_us_sum: '2' })]);
    });

    test('a Zeek log that was put together of several, with quotes in it, is not followed, and said', async () => {
        const log = ['#separator \\x09', '#path\tconn', '#fields\tts\tid.orig_h\tid.resp_h\tduration\torig_pkts', '#path\thttp', '"x'];
        await expect(read(log.join('\n'))).rejects.toThrow(NotFollowedError);
    });

    test('a tar archive is no file of flows, though a header stands in it', async () => {
        expect(await read(tarOf(csv('10.0.0.1,10.0.0.2,2024-05-01,1,1')))).toBeUndefined();
    });

    test('a stray quote costs its own line and swallows no other', async () => {
        const good = '10.0.0.1,10.0.0.2,2024-05-01,1,1';
        const found = await read(
            csv(`${good},"open`, `${good},x`, `"x"${good}`, `${good},"a`, `b" `, `${good},"a" "b"`, `${good},"fine" `),
        );
        expect([found!.recount.rows_kept, [...found!.recount.rejects]]).toEqual([3, [['unclosed_quote', 3n]]]);
    });

    test('a chain of open quotes that comes to nothing is gone through once, not once for each of its lines', async () => {
        const header = 'Src IP,Dst IP,Timestamp,Flow Duration,Tot Fwd Pkts,Label\n';
        const found = await read(`${header}${'x","\n'.repeat(100_000)}"y\n10.0.0.1,10.0.0.2,2024-05-01,1,1,x\n`);
        expect([found!.recount.rows_kept, [...found!.recount.rejects]]).toEqual([1, [['unclosed_quote', 100_001n]]]);
    });

    test('a row of more than 16 MiB makes the file unusable, on one line or on many', async () => {
        const header = 'Src IP,Dst IP,Timestamp,Flow Duration,Tot Fwd Pkts,Label\n';
        const lengthBytes = (1 << 24) + 10;
        expect(await read(header + 'x'.repeat(lengthBytes))).toBeUndefined();
        expect(await read(header + 'x","\n'.repeat(lengthBytes / 5))).toBeUndefined();
        expect((await read(`${header}${'x'.repeat(lengthBytes - 20)}\n`))!.recount.rows_rejected).toBe(1);
    });

    test('thousands of columns in front of a needed one are not followed, and that is said', async () => {
        const wide = (name: string): string => Array.from({ length: 9000 }, (_, at) => `${name}${at},`).join('');
        const file = `${wide('c')}Src IP,Dst IP,Timestamp,Flow Duration,Tot Fwd Pkts\n${wide('"x"')}10.0.0.1,10.0.0.2,2024-05-01,1,1\n`;
        await expect(read(file)).rejects.toThrow("a needed column is the file's 9005th");
    });
});

describe('what the whole file settles', () => {
    const rated = 'src_ip,dst_ip,timestamp,flow_duration,flow_pkts_s,tot_fwd_pkts,tot_bwd_pkts';
    const row = (duration: string, rate: string, packets = '5'): string => `10.0.0.1,10.0.0.2,2024-05-01,${duration},${rate},${packets},5`;

    test('a unit that is witnessed late rules the rows in front of it', async () => {
        const silent = Array.from({ length: 2000 }, () => row('1000000', '0'));
        const found = await read(`${[rated, ...silent, ...silent.map(() => row('1000000', '10.0'))].join('\n')}\n`);
        expect(found!.recount).toMatchObject({ duration_unit: 'us', duration_unit_by: 'witnessed', rows_kept: 4000 });
        expect(found!.rows[0]!.flow_duration_us_sum).toBe('4000000000');
    });

    test('witnesses against each other, or against the given unit, make the file unusable', async () => {
        expect(await read([rated, row('1', '10.0'), row('1000000', '10.0')].join('\n'))).toBeUndefined();
        expect(await read([rated, row('1', '10.0')].join('\n'), { durationUnit: 'us' })).toBeUndefined();
    });

    test('points that group are found out late, and then the unit is told in them', async () => {
        const open = Array.from({ length: 100 }, () => row('1.234', '8.104'));
        const found = await read(`${[rated, ...open, row('2.000.000', '5')].join('\n')}\n`);
        expect(found!.recount).toMatchObject({ duration_unit: 'us', duration_unit_by: 'witnessed', rows_kept: 101 });
        expect(found!.rows[0]!.flow_duration_us_sum).toBe(String(123_400 + 2_000_000));
    });

    test('two styles in one file are none: plain numbers are read, the others are rejects', async () => {
        const found = await read(csv('10.0.0.1,10.0.0.2,2024-05-01,1.234.567,1,x', '10.0.0.1,10.0.0.2,2024-05-01,1.5,1,x'));
        expect([found!.recount.rows_kept, [...found!.recount.rejects]]).toEqual([1, [['not_a_number', 1n]]]);
    });

    test('a header with its columns elsewhere rules from where it stands, one of another tool makes the file unusable', async () => {
        const other = 'Dst IP,Src IP,Timestamp,Flow Duration,Tot Fwd Pkts,Label';
        const found = await read(csv('10.0.0.1,10.0.0.2,2024-05-01,1,1,x', other, '10.0.0.2,10.0.0.1,2024-05-01,2,1,x'));
        expect(found!.recount).toMatchObject({ rows_kept: 2, repeated_headers: 1, pairs: 1 });
        expect(await read(csv('10.0.0.1,10.0.0.2,2024-05-01,1,1,x', 'ts,te,td,sa,da,ipkt'))).toBeUndefined();
    });
});

describe('JSON', () => {
    const record = '{"ts":1714521600,"id.orig_h":"10.0.0.1","id.resp_h":"10.0.0.2","orig_pkts":3}\n';

    test('a text that does not end costs its line, and no more time than its length', async () => {
        for (const length of [60, 1 << 20]) {
            const found = await read(`${record}{"ts":17145,"uid":"${'x'.repeat(length)}\n${record}`);
            expect(found?.recount).toMatchObject({ rows_kept: 2, rejects: new Map([['not_json', 1n]]) });
        }
        const whole = await read(record + record.replace('{', `{"uid":"${'x'.repeat(1 << 20)}\\n",`));
        expect(whole?.recount.rows_kept).toBe(2);
    });

    test('a key with a slash in it is no key of a member', async () => {
        const found = await read(record.replace('{', '{"id/orig_h":"10.0.0.9","id~1orig_h":"10.0.0.9",'));
        expect(found?.rows).toMatchObject([{ src_ip: '10.0.0.1', flows: '1' }]);
        const scripts = await read(`{"name":"x.zeek","id/x":1}\n${record}`);
        expect(scripts?.recount).toMatchObject({ rows_kept: 1, skipped: 'other_event 1' });
    });
});

describe('Parquet', () => {
    const began = 1_714_521_600_000_000_000n;
    const columns = (time: Omit<SchemaElement, 'name'>): ParquetColumn[] => [
        parquetColumn('start', time),
        parquetColumn('end', time),
        parquetColumn('srcaddr', TEXT),
        parquetColumn('dstaddr', TEXT),
        parquetColumn('packets', { type: 'DOUBLE' }),
    ];

    test.each([false, true])(
        'a duration of nanoseconds is rounded, or is not followed where the engine cuts it (in UTC: %p)',
        async (isUtc) => {
            const bytes = writeParquet({
                columns: columns({ type: 'INT64', logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: isUtc, unit: 'NANOS' } }),
                rows: [[began, began + 1500n, '192.0.2.10', '198.51.100.20', 3]],
                groupRows: 10,
            });
            if (isUtc) {
                await expect(read(bytes)).rejects.toThrow(NotFollowedError);
            } else {
                expect((await read(bytes))?.rows).toMatchObject([{ flow_duration_us_sum: '2' }]);
            }
        },
    );

    test('a codec that is not read makes the file unusable, also where no value is packed by it', async () => {
        const [first, ...others] = columns({ type: 'INT64' });
        const rows = [[null, 1_714_521_601n, '192.0.2.10', '198.51.100.20', 3]];
        expect((await read(writeParquet({ columns: [first!, ...others], rows, groupRows: 10 })))?.recount.rows_rejected).toBe(1);
        expect(await read(writeParquet({ columns: [{ ...first!, codec: 'LZO' }, ...others], rows, groupRows: 10 }))).toBeUndefined();
    });

    test('records of several flows are known by a number that is stored as a double', async () => {
        const flows = (count: number) =>
            read(
                writeParquet({
                    columns: [
                        ...['Src IP Addr', 'Dst IP Addr', 'Date first seen'].map((name) => parquetColumn(name, TEXT)),
                        ...['Duration', 'Packets', 'Flows'].map((name) => parquetColumn(name, { type: 'DOUBLE' })),
                    ],
                    rows: [['192.0.2.10', '198.51.100.20', '2024-05-01', 1, 1, count]],
                    groupRows: 10,
                }),
            );
        expect((await flows(1))?.recount.rows_kept).toBe(1);
        expect(await flows(2)).toBeUndefined();
    });
});

const TEXT = { type: 'BYTE_ARRAY', converted_type: 'UTF8' } as const;

function parquetColumn(name: string, element: Omit<SchemaElement, 'name'>): ParquetColumn {
    return {
        path: [name],
        element: { ...element, repetition_type: 'OPTIONAL' },
        codec: 'UNCOMPRESSED',
        version: 1,
        encoding: 'PLAIN',
        dictionaryValues: 0,
        pageRows: 1000,
        hasChecksums: false,
        isDictionaryUnnamed: false,
    };
}

test('JSON of Zeek’s conn_long is told by its name alone', async () => {
    const log = '{"ts":1714521600.5,"id.orig_h":"10.0.0.1","id.resp_h":"10.0.0.2","duration":1,"orig_pkts":1}\n';
    const open = () => inPieces([Buffer.from(log)]);
    expect((await recompute(engine, open, {}, { name: 'conn.2024.log' }))!.rows_kept).toBe(1);
    expect(await recompute(engine, open, {}, { name: 'conn_long.2024.log' })).toBeUndefined();
});
