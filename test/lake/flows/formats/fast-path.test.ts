/** A row means the same whether the fast path takes it or, once its fields are quoted, the careful one. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { FlowSink, type ReadFlowsOptions } from '#lake/flows/flow-sink';
import { findHeader } from '#lake/flows/formats/header';
import { RowScanner } from '#lake/flows/formats/row-scanner';
import { UnitJudge } from '#lake/flows/formats/unit-witness';
import { DURATION, PACKETS } from '#lake/flows/pair-table';
import { type FlowsResult, readFlows } from '#lake/flows/read-flows';

/** The needed columns by role, with others beside them. */
const HEADERS = [
    ['Flow ID', 'Src IP', 'Src Port', 'Dst IP', 'Timestamp', 'Flow Duration', 'Tot Fwd Pkts', 'Label'],
    ['Tot Fwd Pkts', 'Dst IP', 'Timestamp', 'Idle', 'Src IP', 'Flow Duration'],
    ['src_ip', 'dst_ip', 'timestamp', 'flow_duration', 'tot_fwd_pkts', 'x', 'y'],
    ['Src IP', 'Dst IP', 'Flow Duration', 'Tot Fwd Pkts', 'Timestamp', 'Label'],
    ['ts', 'uid', 'id.orig_h', 'id.resp_h', 'duration', 'orig_pkts'],
    ['ts', 'te', 'td', 'sa', 'da', 'ipkt', 'eng', 'tr'],
    ['firstSeen', 'duration', 'srcAddr', 'dstAddr', 'packets', 'flows'],
    ['firstSeen', 'lastSeen', 'srcAddr', 'dstAddr', 'packets'],
    ['srcaddr', 'dstaddr', 'packets', 'start', 'end', 'action', 'log-status'],
    ['StartTime', 'LastTime', 'Proto', 'SrcAddr', 'DstAddr', 'SrcPkts', 'State'],
];

/** Mostly what the fast path takes, with all that it must not take, or must take otherwise, in between. */
const CELLS: Record<'address' | 'when' | 'instant' | 'amount' | 'kind' | 'other', fc.Arbitrary<string>> = {
    instant: fc.oneof(
        { weight: 6, arbitrary: fc.integer({ min: 1_499_206_500, max: 1_499_206_510 }).map(String) },
        {
            weight: 4,
            arbitrary: fc.constantFrom(
                '1499206501.5',
                '1499206501.000001',
                '1499206501.0000005',
                '1499206501.',
                '149920650',
                '1499206501500',
            ),
        },
        {
            weight: 4,
            arbitrary: fc.constantFrom(
                '2017-07-05 08:00:00',
                '2017-07-05 08:00:00.001',
                '2017-07-05T08:00:01Z',
                '2017-07-05 08:00:01+02:00',
            ),
        },
        {
            weight: 2,
            arbitrary: fc.constantFrom('', '-', '0', '1e9', ' 1499206501', '10:00:00.1', '2017-07-05', '2017-07-05 08:00:60'),
        },
    ),
    kind: fc.oneof(
        { weight: 8, arbitrary: fc.constantFrom('OK', 'tcp', '1', '2026-01-05 23:59:59.000') },
        {
            weight: 1,
            arbitrary: fc.constantFrom('', '-', 'NODATA', 'skipdata ', 'ok', 'udp', 'UDP', 'icmp', 'man', 'arp', '01', '0/0', '1.0'),
        },
    ),
    address: fc.oneof(
        { weight: 12, arbitrary: fc.constantFrom('192.168.1.7', '192.168.1.17', '10.0.0.1', '8.8.8.8', '1.1.1.1', '255.255.255.255') },
        {
            weight: 3,
            arbitrary: fc.constantFrom('fe80::1', '::1', '2001:db8::8a2e:370:7334', 'fe80::1%eth0', '0.0.0.0', '::ffff:10.0.0.1'),
        },
        {
            weight: 1,
            arbitrary: fc.constantFrom(
                '',
                '-',
                ' 10.0.0.1',
                '10.0.0.1 ',
                '256.1.1.1',
                '01.2.3.4',
                '1.2.3',
                '1.2.3.4.5',
                '1..2.3',
                'Src IP',
            ),
        },
        { weight: 1, arbitrary: fc.string({ unit: fc.constantFrom(...'0123456789.:'), maxLength: 17 }) },
    ),
    when: fc.oneof(
        { weight: 10, arbitrary: fc.constantFrom('05/07/2017 09:15:01 AM', '05/07/2017 09:15:02', '05/07/2017', '06/07/2017T01') },
        {
            weight: 3,
            arbitrary: fc.constantFrom(
                '5/7/2017 8:00',
                '2017-07-05 08:00:00',
                '2017/07/05',
                '05.07.2017 1',
                '13/07/2017 1',
                '07/13/2017 1',
            ),
        },
        {
            weight: 3,
            arbitrary: fc.constantFrom(
                '1499206501',
                '1499206501.5',
                '1499212799.999999999',
                '1499212800.',
                '1.4992065E9',
                '86399',
                '99999999',
            ),
        },
        {
            weight: 1,
            arbitrary: fc.constantFrom(
                '',
                '-',
                ' 05/07/2017',
                '05/07/20179',
                '05/07/2017x',
                '31/02/2017 1',
                '5/7/17',
                'noon',
                '1e400',
                '253402300800',
            ),
        },
    ),
    amount: fc.oneof(
        { weight: 8, arbitrary: fc.nat().map(String) },
        { weight: 4, arbitrary: fc.constantFrom('', '-') },
        {
            weight: 4,
            arbitrary: fc.tuple(fc.nat(10_000), fc.string({ unit: fc.constantFrom(...'0159'), maxLength: 9 })).map(([a, b]) => `${a}.${b}`),
        },
        { weight: 2, arbitrary: fc.bigInt({ min: 2n ** 32n - 3n, max: 2n ** 32n + 3n }).map(String) },
        { weight: 2, arbitrary: fc.bigInt({ min: 0n, max: 2n ** 64n }).map(String) },
        {
            weight: 1,
            arbitrary: fc.constantFrom(
                '',
                '-',
                '-1',
                '-0',
                '+7',
                '.5',
                '5.',
                '.',
                '2.8e-05',
                '1E7',
                'NaN',
                'Infinity',
                ' 12',
                '12 ',
                '007',
                '1.2.3',
                '0x10',
                '1234567890123400',
            ),
        },
    ),
    other: fc.constantFrom('', '443', '192.168.1.7-10.0.0.1-443-55012-6', 'No Label', 'NaN', '\u5348\u5f8c', "it's", '#'),
};

type Row = { cells: string[]; lineEnd: string };

const files = fc
    .record({ names: fc.constantFrom(...HEADERS), separator: fc.constantFrom(',', ';', '\t'), crlf: fc.constantFrom('\n', '\r\n') })
    .chain(({ names, separator, crlf }) => {
        const whole: fc.Arbitrary<string[]> = fc.tuple(...names.map((name) => cellOf(name)));
        const cells = fc.oneof(
            { weight: 12, arbitrary: whole },
            { weight: 1, arbitrary: whole.chain((row) => fc.nat(row.length - 1).map((cut) => row.slice(0, cut + 1))) },
            { weight: 1, arbitrary: whole.map((row) => [...row, 'more']) },
            { weight: 1, arbitrary: fc.constantFrom([''], [' '], names, names.toReversed()) },
        );
        const lineEnd = fc.oneof({ weight: 9, arbitrary: fc.constant(crlf) }, { weight: 1, arbitrary: fc.constantFrom('\n', '\r\n') });
        return fc.record({
            header: fc.constant(names.join(separator) + crlf),
            separator: fc.constant(separator),
            rows: fc.array(fc.record({ cells, lineEnd }), { maxLength: 40 }),
            pieceBytes: fc.oneof(fc.integer({ min: 1, max: 100 }), fc.constant(1 << 20)),
        });
    });

const reading: fc.Arbitrary<ReadFlowsOptions> = fc.record(
    { dateOrder: fc.constantFrom('dmy', 'mdy', 'ymd'), durationUnit: fc.constantFrom('us', 's') },
    { requiredKeys: [] },
);

test('a file reads the same with every field quoted, in pieces of any size', async () => {
    await fc.assert(
        fc.asyncProperty(files, reading, async ({ header, separator, rows, pieceBytes }, options) => {
            const plain = header + rows.map((row) => row.cells.join(separator) + row.lineEnd).join('');
            const quoted = header + rows.map((row) => quoteAll(row).join(separator) + row.lineEnd).join('');
            const found = await describeReading(plain, { pieceBytes, options });
            expect(found).toEqual(await describeReading(quoted, { pieceBytes: 1 << 20, options }));
            expect(found).toEqual(await describeReading(plain, { pieceBytes: 1 << 20, options }));
        }),
        { numRuns: 1_000 },
    );
});

/** Counts the flows that come one by one. */
class CountingSink extends FlowSink {
    taken = 0;
    override takeSpan(...flow: Parameters<FlowSink['takeSpan']>): void {
        this.taken += 1;
        super.takeSpan(...flow);
    }
    override take(...flow: Parameters<FlowSink['take']>): void {
        this.taken += 1;
        super.take(...flow);
    }
}

test.each(['', '-'])('a flow whose duration is %p is read as fast as others', (missing) => {
    const bytes = Buffer.from(`ts,id.orig_h,id.resp_h,duration,orig_pkts\n${`1499206501,10.0.0.1,10.0.0.2,${missing},1\n`.repeat(1000)}`);
    const found = findHeader(bytes, { start: 0, end: bytes.length });
    const sink = new CountingSink({ dateRules: { minEpochSeconds: 0 }, separator: 0x2c, durationScale: 6 });
    if (!found.ok) {
        throw new Error(found.error);
    }
    const judge = new UnitJudge({ unit: 's', isGiven: true });
    const scanner = new RowScanner(sink, { header: found.header, isZeekLog: false, linesBefore: 1, judge, mayChangeStyle: false });
    scanner.scan(bytes, { start: found.next, end: bytes.length, isLast: true });
    expect([sink.table.flowsOf(0), sink.table.timedFlowsOf(0)]).toEqual([1000, 0]);
    // The first 64 rows are taken for their texts.
    expect(sink.taken).toBe(64);
});

test.each([
    ['nfdump', 'ts,te,td,sa,da,ipkt,eng,tr', '2026-01-05 10:00:00,2026-01-05 10:00:01,1.5,10.0.0.1,10.0.0.2,3,0/0,2026-01-05 23:59:59.000'],
    ['nfdump 1.7.5', 'firstSeen,duration,srcAddr,dstAddr,packets,flows', '2026-01-05 10:00:00.5,1.5,10.0.0.1,10.0.0.2,3,1'],
    ['nfdump, csv-fast', 'firstSeen,lastSeen,srcAddr,dstAddr,packets', '2026-01-05 10:00:00.5,2026-01-05 10:00:02,10.0.0.1,10.0.0.2,3'],
    ['a VPC log', 'srcaddr dstaddr packets start end log-status', '10.0.0.1 10.0.0.2 3 1767607200 1767607260 OK'],
    ['Argus', 'StartTime,LastTime,Proto,SrcAddr,DstAddr,SrcPkts', '1767607200.5,1767607202,tcp,10.0.0.1,10.0.0.2,3'],
])('rows of %s are read on the fast path', (_, header, row) => {
    const bytes = Buffer.from(`${header}\n${`${row}\n`.repeat(1000)}`);
    const found = findHeader(bytes, { start: 0, end: bytes.length });
    if (!found.ok) {
        throw new Error(found.error);
    }
    const { separator } = found.header;
    const sink = new CountingSink({ dateRules: { minEpochSeconds: 0 }, separator, durationScale: 6 });
    const judge = new UnitJudge({ unit: 's', isGiven: true });
    const scanner = new RowScanner(sink, { header: found.header, isZeekLog: false, linesBefore: 1, judge, mayChangeStyle: false });
    scanner.scan(bytes, { start: found.next, end: bytes.length, isLast: true });
    expect([sink.table.flowsOf(0), sink.table.totalsOf(0, DURATION).sum]).toEqual([
        1000,
        (row.includes('OK') ? 60_000n : 1_500n) * 1_000_000n,
    ]);
    // The first 64 rows are taken for their texts.
    expect(sink.taken).toBe(64);
});

test('a row that ends too early is ragged, whatever the next one begins with', async () => {
    const header = 'Src IP,Dst IP,Flow Duration,Tot Fwd Pkts,Timestamp,Label\n';
    const row = '10.0.0.1,10.0.0.2,1,1,05/07/2017 1';
    for (const clock of ['', '1', '11', '111']) {
        const { rowsRead, rejects } = await readFully(`${header}${row}${clock}\n,${row}\n${row},x\n`, { pieceBytes: 1 << 20, options: {} });
        expect([rowsRead, ...rejects]).toEqual([3, '2 ragged_row', '3 missing_field']);
    }
});

test('a line of a Zeek log that begins with # is no row, whatever else is in it', async () => {
    const log = ['#fields', 'uid', 'id.orig_h', 'id.resp_h', 'ts', 'duration', 'orig_pkts', 'x'].join('\t');
    const row = ['C1', '10.0.0.1', '10.0.0.2', '1499206501', '1.5', '3', '-'].join('\t');
    const { rowsRead } = await readFully(`${log}\n${row}\n#${row}\n${row}\n#close\n`, { pieceBytes: 1 << 20, options: {} });
    expect(rowsRead).toBe(2);
});

function cellOf(name: string): fc.Arbitrary<string> {
    if (/ip$|id\.(orig|resp)_h|^[sd]a$|addr$/i.test(name)) {
        return CELLS.address;
    }
    if (/^(start|end|te|.*time|.*seen)$/i.test(name)) {
        return CELLS.instant;
    }
    if (/^(tr|eng|flows|log-status|proto)$/i.test(name)) {
        return CELLS.kind;
    }
    return /^(timestamp|ts)$/i.test(name) ? CELLS.when : /duration|pkt|packets|^td$/i.test(name) ? CELLS.amount : CELLS.other;
}

/** A row of one blank cell stays: quoted it would be no blank line. */
function quoteAll({ cells }: Row): string[] {
    return cells.length === 1 && cells[0]?.trim() === '' ? cells : cells.map((cell) => `"${cell}"`);
}

interface ReadOptions {
    pieceBytes: number;
    options: ReadFlowsOptions;
}

async function describeReading(text: string, options: ReadOptions) {
    const { result, rejects, ...counts } = await readFully(text, options);
    if (!result.ok) {
        return { result, rejects };
    }
    const { table, days, dialect, dateOrder, durationUnit, pairs } = result;
    const totals = [...days].flatMap(([day, rows]) =>
        [...rows].map((row) => [
            day,
            table.sourceOf(row),
            table.destinationOf(row),
            table.flowsOf(row),
            table.timedFlowsOf(row),
            table.totalsOf(row, DURATION),
            table.totalsOf(row, PACKETS),
        ]),
    );
    return {
        totals: totals.map((row) => row.map(showValue).join(' ')).sort(),
        rejects,
        dialect,
        dateOrder,
        durationUnit,
        pairs,
        ...counts,
    };
}

async function readFully(text: string, { pieceBytes, options }: ReadOptions) {
    const rejects: string[] = [];
    const open = () => {
        rejects.length = 0;
        return pieces(Buffer.from(text), pieceBytes);
    };
    const result: FlowsResult = await readFlows(open, {
        ...options,
        onRejects: async (batch) => void rejects.push(...batch.map(({ lineNumber, reason }) => `${lineNumber} ${reason}`)),
    });
    const { rowsRead, rowsRejected, repeatedHeaders } = result.ok ? result : { rowsRead: 0, rowsRejected: 0, repeatedHeaders: 0 };
    return { result, rejects, rowsRead, rowsRejected, repeatedHeaders };
}

async function* pieces(bytes: Buffer, pieceBytes: number): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += pieceBytes) {
        yield bytes.subarray(at, at + pieceBytes);
    }
}

function showValue(value: unknown): string {
    return typeof value === 'object' ? Object.values(value ?? {}).join(' ') : String(value);
}
