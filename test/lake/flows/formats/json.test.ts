/** JSON of flows gives the same figures however it is laid out, cut into pieces and damaged, and by heart as with care. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { walkObject } from '#lake/flows/formats/json-object';
import { inspectFlows, readFlows } from '#lake/flows/read-flows';
import type { Reject } from '#lake/flows/rejects';
import { inPieces } from '#test/support/bytes';
import { readFlowsOf } from '#test/support/read-flows-of';

/** A flow, its times in microseconds. */
interface Flow {
    source: string;
    destination: string;
    startUs: bigint;
    /** Null where none is written. */
    durationUs: bigint | null;
    packets: bigint;
}

const TOOLS = ['zeek-json', 'suricata', 'goflow2', 'nfdump-json'] as const;
type Tool = (typeof TOOLS)[number];

/** A record's members, each a key with its value as JSON text or as members of its own. */
type Members = [key: string, value: string | Members][];

/** The members of a flow's record; a flow without a duration lacks the one that tells it. */
function membersOf(tool: Tool, flow: Flow, isIso: boolean): Members {
    const without = (members: Members): Members =>
        members
            .filter(([key]) => !['duration', 'end', 'time_flow_end_ns', 'last'].includes(key))
            .map(([key, value]) => [key, typeof value === 'string' ? value : without(value)]);
    const members = timedMembersOf(tool, flow, isIso);
    return flow.durationUs === null ? without(members) : members;
}

function timedMembersOf(tool: Tool, { source, destination, startUs, durationUs, packets }: Flow, isIso: boolean): Members {
    const text = (value: string) => JSON.stringify(value);
    const iso = (us: bigint) => `${new Date(Number(us / 1000n)).toISOString().slice(0, 19)}.${String(us % 1_000_000n).padStart(6, '0')}`;
    const seconds = (us: bigint) => `${us / 1_000_000n}.${String(us % 1_000_000n).padStart(6, '0')}`;
    const endUs = startUs + (durationUs ?? 0n);
    switch (tool) {
        case 'zeek-json':
            return [
                ['ts', isIso ? text(`${iso(startUs)}Z`) : seconds(startUs)],
                ['id.orig_h', text(source)],
                ['id.resp_h', text(destination)],
                ['duration', seconds(durationUs ?? 0n)],
                ['orig_pkts', String(packets)],
                ['conn_state', text('SF')],
            ];
        case 'suricata':
            return [
                ['timestamp', text('2031-01-01T00:00:00.000000+0000')],
                ['event_type', text('flow')],
                ['src_ip', text(source)],
                ['dest_ip', text(destination)],
                [
                    'flow',
                    [
                        ['pkts_toserver', String(packets)],
                        // Nine hours ahead: the day is that of UTC.
                        ['start', text(isIso ? `${iso(startUs + 32_400_000_000n)}+0900` : `${iso(startUs)}+0000`)],
                        ['end', text(`${iso(endUs)}Z`)],
                    ],
                ],
            ];
        case 'goflow2':
            return [
                ['type', text('IPFIX')],
                ['time_flow_start_ns', `${startUs}001`],
                ['time_flow_end_ns', `${endUs}400`],
                ['src_addr', text(source)],
                ['dst_addr', text(destination)],
                ['packets', String(packets)],
                ['sampling_rate', '1'],
            ];
        case 'nfdump-json':
            return [
                ['type', text('FLOW')],
                ['export_sysid', '0'],
                ['first', text(iso(startUs))],
                ['last', text(iso(endUs))],
                ['in_packets', String(packets)],
                [source.includes(':') ? 'src6_addr' : 'src4_addr', text(source)],
                [destination.includes(':') ? 'dst6_addr' : 'dst4_addr', text(destination)],
            ];
    }
}

/** What nobody needs, with all that could be taken for something else. */
const OTHERS: Members = [
    ['uid', '"C1"'],
    ['note', '"a \\"ts\\": 1, {\\u0022src_ip\\u0022} \\\\"'],
    ['nested', '{"ts":1,"src_ip":"9.9.9.9","flow":{"start":"x"},"packets":[{"first":[]}],"type":"SFLOW_5"}'],
    ['list', '[1, "]", {"id.orig_h": "9.9.9.9"}, [[]], -0.5e-3]'],
    ['flow_id', '1234567890123456789'],
    ['empty', '{}'],
    ['is', 'true'],
    ['not', 'false'],
    ['none', 'null'],
    ['word', '"\u5348\u5f8c"'],
    ['orig_bytes', '0'],
    ['resp_bytes', '100'],
    ['service', '"dns"'],
];

const VARIED = ['null', '0.25', '"text"', 'true', '-7', '""', '{"ts":2}'];

const address = fc.constantFrom('10.0.0.1', '10.0.0.2', '192.168.100.200', '2001:db8::1', 'fe80::1');
const flows: fc.Arbitrary<Flow> = fc.record({
    source: address,
    destination: address,
    startUs: fc.bigInt({ min: 1_767_571_200_000_000n, max: 1_767_744_000_000_000n }),
    durationUs: fc.oneof(fc.constant(null), fc.bigInt({ min: 0n, max: 5_000_000n }), fc.bigInt({ min: 0n, max: 10_000_000_000n })),
    packets: fc.oneof(fc.bigInt({ min: 0n, max: 1000n }), fc.bigInt({ min: 0n, max: 2n ** 40n })),
});

interface Look {
    blank: string;
    order: 'as written' | 'turned' | 'others in front';
    lineEnd: '\n' | '\r\n';
    layout: 'lines' | 'array' | 'array on one line' | 'spread' | 'spread array' | 'run together';
    hasEscapes: boolean;
    hasMark: boolean;
    hasLastEnd: boolean;
    isIso: boolean;
    others: number[];
}

const look: fc.Arbitrary<Look> = fc.record({
    blank: fc.constantFrom('', ' ', '\t', '  '),
    order: fc.constantFrom<Look['order'][]>('as written', 'turned', 'others in front'),
    lineEnd: fc.constantFrom<Look['lineEnd'][]>('\n', '\r\n'),
    layout: fc.constantFrom<Look['layout'][]>('lines', 'lines', 'array', 'array on one line', 'spread', 'spread array', 'run together'),
    hasEscapes: fc.boolean(),
    hasMark: fc.boolean(),
    hasLastEnd: fc.boolean(),
    isIso: fc.boolean(),
    others: fc.array(fc.nat(OTHERS.length - 1), { maxLength: 6 }),
});

function escaped(text: string): string {
    return text.replaceAll('.', '\\u002E').replaceAll('_', '\\u005f').replaceAll('1', '\\u0031').replaceAll('s', '\\u0073');
}

function write(members: Members, { blank, hasEscapes, layout, lineEnd }: Look, depth = 1): string {
    const between = layout.startsWith('spread') ? `${lineEnd}${'  '.repeat(depth)}` : blank;
    const written = members.map(([key, value]) => {
        const name = hasEscapes ? escaped(JSON.stringify(key)) : JSON.stringify(key);
        const isText = typeof value === 'string' && value.startsWith('"');
        const text =
            typeof value !== 'string'
                ? write(value, { blank, hasEscapes, layout, lineEnd } as Look, depth + 1)
                : isText && hasEscapes && !value.includes('\\')
                  ? escaped(value)
                  : value;
        return `${name}${blank}:${blank}${text}`;
    });
    return `{${between}${written.join(`${blank},${between}`)}${between}}`;
}

/** Records are known by heart behind the first ones only: as many of the same kind stand in front. */
const KNOWN_BEHIND = 70;

function behindOthers(all: readonly Flow[]): Flow[] {
    const others = Array.from({ length: KNOWN_BEHIND }, (_, at) => all[at % all.length] as Flow);
    return [...others, ...all];
}

function writeFile(tool: Tool, all: readonly Flow[], how: Look): string {
    const records = all.map((flow, at) => {
        const needed = membersOf(tool, flow, how.isIso);
        const others = [...new Set(how.others)]
            .filter((_, place) => (at + place) % 3 !== 0)
            .map((place) => OTHERS[place] ?? ['x', '1']) as Members;
        // A key may have values of several kinds.
        others.push(['varied', VARIED[(at + all.length) % VARIED.length] ?? '']);
        const members = how.order === 'others in front' ? [...others, ...needed] : [...needed, ...others];
        return write(how.order === 'turned' ? members.toReversed() : members, how);
    });
    const { lineEnd } = how;
    const mark = how.hasMark ? '\uFEFF' : '';
    const last = how.hasLastEnd ? lineEnd : '';
    switch (how.layout) {
        case 'array':
            return `${mark}[${records.join(`,${lineEnd}`)}]${last}`;
        case 'array on one line':
            return `${mark}[${records.join(',')}]${last}`;
        case 'spread array':
            return `${mark}[${lineEnd}${records.join(`,${lineEnd}`)}${lineEnd}]${last}`;
        case 'run together':
            return `${mark}${records.join('')}${last}`;
        default:
            return `${mark}${records.join(`${lineEnd}${lineEnd}`)}${last}`;
    }
}

/** What the flows come to, by plain arithmetic. */
function totalsOf(all: readonly Flow[]): string[] {
    const groups = new Map<string, Flow[]>();
    for (const flow of all) {
        const day = new Date(Number(flow.startUs / 1000n)).toISOString().slice(0, 10);
        const key = `${day} ${flow.source} ${flow.destination}`;
        groups.set(key, [...(groups.get(key) ?? []), flow]);
    }
    const figures = (values: bigint[]) => {
        const sorted = values.toSorted((a, b) => (a < b ? -1 : 1));
        const sum = values.reduce((total, value) => total + value, 0n);
        const squares = values.reduce((total, value) => total + value * value, 0n);
        return [sum, squares, sorted[0] ?? null, sorted.at(-1) ?? null].map(String);
    };
    return [...groups]
        .map(([key, some]) =>
            [
                key,
                some.length,
                ...figures(some.flatMap(({ durationUs }) => (durationUs === null ? [] : [durationUs]))),
                ...figures(some.map((one) => one.packets)),
            ].join(' '),
        )
        .sort();
}

test('order of keys, blanks, line ends, escapes, arrays and pieces make no difference', async () => {
    await fc.assert(
        fc.asyncProperty(
            fc.constantFrom(...TOOLS),
            fc.array(flows, { minLength: 1, maxLength: 12 }),
            look,
            fc.oneof(fc.integer({ min: 1, max: 60 }), fc.constant(1 << 20)),
            async (tool, some, how, pieceBytes) => {
                const all = behindOthers(some);
                const { result, totals, rejects, skipped } = await readFlowsOf(writeFile(tool, all, how), { pieceBytes });
                expect(result).toMatchObject({ ok: true, dialect: tool, rowsRead: all.length });
                expect({ totals, rejects, skipped }).toEqual({ totals: totalsOf(all), rejects: [], skipped: {} });
            },
        ),
        { numRuns: 200 },
    );
});

test('a damaged file reads the same by heart, with care, and in pieces of any size', async () => {
    const damage = fc.record({
        at: fc.nat(),
        length: fc.nat(40),
        text: fc.constantFrom('', '\0', '"', '}', '{', ',', '\n', '\\', '[', ']', '\u00ff', 'nan', '1e400', '-', '0', ':', '  ', 'x'),
    });
    await fc.assert(
        fc.asyncProperty(
            fc.constantFrom(...TOOLS),
            fc.array(flows, { minLength: 2, maxLength: 10 }),
            look,
            fc.array(damage, { minLength: 1, maxLength: 4 }),
            fc.integer({ min: 1, max: 90 }),
            async (tool, some, how, damages, pieceBytes) => {
                const all = behindOthers(some);
                let bytes = Buffer.from(writeFile(tool, all, how));
                const whole = Math.floor((bytes.length * KNOWN_BEHIND) / all.length);
                for (const { at, length, text } of damages) {
                    const from = whole + (at % (bytes.length - whole));
                    bytes = Buffer.concat([bytes.subarray(0, from), Buffer.from(text), bytes.subarray(from + length)]);
                }
                const byHeart = await readFlowsOf(bytes);
                const comparable = ({ result, ...read }: Awaited<ReturnType<typeof readFlowsOf>>) => ({
                    ...read,
                    result: result.ok ? { rowsRead: result.rowsRead, dialect: result.dialect } : result,
                });
                expect(comparable(await readFlowsOf(bytes, { isCareful: true }))).toEqual(comparable(byHeart));
                expect(comparable(await readFlowsOf(bytes, { pieceBytes }))).toEqual(comparable(byHeart));
            },
        ),
        { numRuns: 150 },
    );
});

test('a record that is spread over lines and does not end is shown without the line end behind it', async () => {
    const whole = '{\n"ts":1714521600,"id.orig_h":"10.0.0.1","id.resp_h":"10.0.0.2","orig_pkts":3}\n';
    for (const lineEnd of ['', '\n', '\r\n']) {
        const rejects: Reject[] = [];
        const open = () => inPieces([Buffer.from(`${whole}{\n"ts":1${lineEnd}`)]);
        await readFlows(open, { onRejects: async (batch) => void rejects.push(...batch) });
        expect(rejects).toEqual([{ lineNumber: 3, reason: 'not_json', line: '{\n"ts":1' }]);
    }
});

test('an object is taken for whole where it is JSON, and nowhere else', () => {
    const json = fc.oneof(
        { weight: 3, arbitrary: fc.json() },
        { weight: 3, arbitrary: fc.dictionary(fc.string(), fc.jsonValue()).map((value) => JSON.stringify(value)) },
        {
            weight: 4,
            arbitrary: fc
                .array(
                    fc.constantFrom(
                        '{',
                        '}',
                        '[',
                        ']',
                        '"',
                        ':',
                        ',',
                        '\\',
                        'u0041',
                        'n',
                        '1',
                        '0',
                        '-',
                        '.',
                        'e',
                        '+',
                        'true',
                        'null',
                        ' ',
                        '"a"',
                        '"a":',
                    ),
                )
                .map((parts) => `{${parts.join('')}`),
        },
    );
    fc.assert(
        fc.property(json, (text) => {
            const object = text.startsWith('{') ? text.trimEnd() : `{"x":${text}}`;
            const bytes = Buffer.from(object);
            const found = walkObject(bytes, { start: 0, end: bytes.length, isSpread: true });
            let isJson = true;
            try {
                JSON.parse(object);
            } catch {
                isJson = false;
            }
            expect(found.is === 'whole' && found.next === bytes.length).toBe(isJson);
        }),
        { numRuns: 3_000 },
    );
});

const zeek = (members: string): string =>
    `{"ts":1767607200.5,"id.orig_h":"192.0.2.1","id.resp_h":"192.0.2.2","duration":1.5,"orig_pkts":3${members}}`;
const KEPT = '2026-01-05 192.0.2.1 192.0.2.2 1 1500000 2250000000000 1500000 1500000 3 9 3 3';

describe('each line by itself', () => {
    test.each([
        ['a key that is needed stands twice', zeek(',"orig_pkts":3'), ['2 repeated_key']],
        ['the same with an escape', zeek(',"\\u0074s":1'), ['2 repeated_key']],
        ['a line that is cut', zeek('').slice(0, -1), ['2 not_json']],
        ['two lines run together', zeek('').slice(0, 40) + zeek(''), ['2 not_json']],
        ['binary bytes in front', `\0\0\u00ff${zeek('')}`, ['2 not_json']],
        ['no object', '[1,2]', ['2 not_json']],
        ['a comma too many', zeek(','), ['2 not_json']],
        ['a tab in a string', zeek(',"x":"a\tb"'), ['2 not_json']],
        ['NaN as Python writes it', zeek('').replace('1.5', 'NaN'), ['2 not_json']],
        ['NaN in quotes', zeek('').replace(':1.5', ':"NaN"'), ['2 nan']],
        ['null', zeek('').replace(':3', ':null,"conn_state":"SF"'), ['2 missing_field']],
        ['an object in its place', zeek('').replace(':3', ':{"orig_pkts":3}'), ['2 not_a_number']],
        ['a list in its place', zeek('').replace('"192.0.2.1"', '["192.0.2.1"]'), ['2 not_an_ip_address']],
        ['true', zeek('').replace(':3', ':true'), ['2 not_a_number']],
        ['an epoch in few digits', zeek('').replace('1767607200.5', '1.7676e9'), ['2 date_unreadable']],
        ['a time without a date', zeek('').replace('1767607200.5', '"10:00:00"'), ['2 date_unreadable']],
        ['a date of another order', zeek('').replace('1767607200.5', '"05/01/2026 10:00:00"'), ['2 date_unreadable']],
        ['a fraction of a packet', zeek('').replace(':3', ':3.5'), ['2 not_whole']],
        ['a negative duration', zeek('').replace(':1.5', ':-1.5'), ['2 negative']],
        ['a number beyond all columns', zeek('').replace(':3', ':9223372036854775808'), ['2 too_large']],
    ])('%s: a reject', async (_, line, rejects) => {
        for (const pieceBytes of [1 << 20, 1]) {
            const read = await readFlowsOf(`${zeek('')}\n${line}\n${zeek('')}`, { pieceBytes });
            expect(read.rejects).toEqual(rejects);
            expect(read.result).toMatchObject({ ok: true, rowsRead: 3, rowsRejected: 1 });
            expect(read.totals[0]).toMatch(/^2026-01-05 192.0.2.1 192.0.2.2 2 3000000 /);
        }
    });

    test.each([
        ['numbers in quotes', zeek('').replace(':3', ':"3"').replace('1767607200.5', '"1767607200.5"')],
        ['milliseconds since 1970', zeek('').replace('1767607200.5', '1767607200500')],
        ['ISO 8601 with an offset', zeek('').replace('1767607200.5', '"2026-01-06T01:00:00.5+09:00"')],
        ['ISO 8601 in UTC', zeek('').replace('1767607200.5', '"2026-01-05T10:00:00.500000Z"')],
        ['digits beyond a double', zeek('').replace(':1.5', ':1.49999949999999999999').replace(':3', ':3.000')],
        ['an exponent', zeek('').replace(':1.5', ':15e-1')],
        ['keys of the same name further in', zeek(',"x":{"ts":1,"orig_pkts":9},"y":[{"id.orig_h":"192.0.2.9"}]')],
        ['bytes that are no UTF-8', zeek(',"x":"~"')],
    ])('%s: a flow as any other', async (_, line) => {
        const bytes = Buffer.from(`${line}\n`).map((byte) => (byte === 0x7e ? 0xff : byte));
        const { totals, rejects } = await readFlowsOf(Buffer.from(bytes));
        const isRounded = line.includes('1.4999994999');
        expect({ totals, rejects }).toEqual({
            totals: [isRounded ? KEPT.replaceAll('1500000', '1499999').replace('2250000000000', String(1_499_999n ** 2n)) : KEPT],
            rejects: [],
        });
    });
});

test('epochs that begin with the same digits are each of their own day, by heart as with care', async () => {
    const epochs = [
        '1767607200.5',
        '1767607200',
        '1767607200500',
        '1767607200500.25',
        '176760720',
        '17676072',
        '176760720.0',
        '1767607299.9',
        '1767571199',
        '-17676072',
        '0.17676072',
    ];
    const lines = Array.from({ length: 40 * epochs.length }, (_, at) =>
        zeek('').replace('1767607200.5', epochs[(at * 7) % epochs.length] ?? ''),
    );
    const file = `${`${zeek('')}\n`.repeat(KNOWN_BEHIND)}${lines.join('\n')}\n`;
    const byHeart = await readFlowsOf(file);
    const withCare = await readFlowsOf(file, { isCareful: true });
    expect([byHeart.totals, byHeart.rejects]).toEqual([withCare.totals, withCare.rejects]);
    expect(new Set(byHeart.rejects.map((reject) => reject.split(' ')[1]))).toEqual(
        new Set(['date_against_order', 'date_implausible', 'date_unreadable']),
    );
});

describe('what a file is', () => {
    const flow = (start: string, end: string, more = '') =>
        `{"type":"IPFIX","time_flow_start_ns":${start},"time_flow_end_ns":${end},"src_addr":"192.0.2.1","dst_addr":"192.0.2.2","packets":3${more}}`;
    const eve = '{"timestamp":"x","event_type":"dns","src_ip":"192.0.2.1"}';

    test.each([
        ['Zeek’s other logs', '{"ts":1767607200.5,"uid":"C1","id.orig_h":"192.0.2.1","query":"a"}\n', 'a JSON log of Zeek other than conn'],
        ['those that say which they are', '{"_path":"dns","ts":1}\n{"_path":"http","ts":1}\n', 'Zeek dns log'],
        ['conn_long', zeek(',"_path":"conn_long"'), 'Zeek conn_long log'],
        ['the scripts that Zeek loaded', '{"name":"/opt/zeek/share/zeek/base/init-bare.zeek"}', 'a JSON log of Zeek other than conn'],
        ['Suricata without flows', `${eve}\n`, 'Suricata events, none of them a flow (the first is dns)'],
        ['sFlow', flow('1', '2').replace('IPFIX', 'SFLOW_5'), 'goflow2’s JSON of sFlow: sampled packets, no flows'],
    ])('%s is left out, and no failure', async (_, file, what) => {
        const error = what.replace('’', "'");
        expect((await readFlowsOf(file)).result).toEqual({ ok: false, error, what: error, isOther: true });
        expect(await inspectFlows(bytesOf(file))).toEqual({ is: 'other', what: error });
    });

    test.each([
        ['{"ip_src":"192.0.2.1","ip_dst":"192.0.2.2","packets":3}', /^pmacct's JSON, sums .* nfprobe/],
        [
            '{"ip_src":"192.0.2.1","ip_dst":"192.0.2.2","packets":3,"timestamp_start":"x"}',
            /^pmacct's JSON .* of a packet, not of a flow.* nfprobe/,
        ],
        [
            '[{"a":1,"b/c":{"ts":2}},{"d":3}]',
            /^JSON with the keys "a", "b\/c": no flows of a tool that is known; known are conn\.log of Zeek.*; messages of devices: --kind telemetry/,
        ],
        ['{}', /^JSON with the keys \(none\)/],
        ['{"a"', /^the file begins as JSON does, and no JSON object was found; known JSON is/],
        ['[]', /no JSON object was found/],
        ['{"type":"FLOW","export_sysid":0,"in_packets":3}', /^nfdump's JSON without addresses: .* without -A and -s/],
        [flow('1767607200000000000', '1767607200000000000'), /^goflow2's JSON without times of flows: .*softflowd: -A milli/],
    ])('%s is refused by name', async (file, error) => {
        expect((await readFlowsOf(file)).result).toMatchObject({ ok: false, error: expect.stringMatching(error) });
        expect(await inspectFlows(bytesOf(file))).toMatchObject({ is: 'unusable', why: expect.stringMatching(error) });
    });

    test('one record with times is enough: then a whole second is one', async () => {
        const whole = flow('1767607200000000000', '1767607200000000000');
        const { result, totals } = await readFlowsOf(`${whole}\n${flow('1767607200000000000', '1767607201500000499')}\n`);
        expect(result.ok).toBe(true);
        expect(totals).toEqual(['2026-01-05 192.0.2.1 192.0.2.2 2 1500000 2250000000000 0 1500000 6 18 3 3']);
    });

    test('packets stand for as many as they were sampled from', async () => {
        const lines = ['0', '1', '1000', '1000000000000'].map((rate) =>
            flow('1767607200000000000', '1767607200000000500', `,"sampling_rate":${rate}`),
        );
        const { totals } = await readFlowsOf(`${lines.join('\n')}\n`);
        expect(totals[0]).toMatch(/^2026-01-05 192.0.2.1 192.0.2.2 4 4 4 1 1 3000000003006 /);
    });

    test('a tool is told by its first record that tells it, whatever stands in front', async () => {
        const file = `{"x":1}\n${eve}\n{"event_type":"flow","src_ip":"192.0.2.1","dest_ip":"192.0.2.2","flow":{"pkts_toserver":3,"start":"2026-01-05T10:00:00+0000","end":"2026-01-05T10:00:01.5+0000"}}\n`;
        expect(await readFlowsOf(file)).toMatchObject({ result: { dialect: 'suricata' }, totals: [KEPT], skipped: { other_event: 2 } });
    });

    test('nfdump before 1.7 calls its times t_first and t_last', async () => {
        const file =
            '{"type":"FLOW","t_first":"2026-01-05T10:00:00.000","t_last":"2026-01-05T10:00:01.500","in_packets":3,"src4_addr":"192.0.2.1","dst4_addr":"192.0.2.2"}';
        expect((await readFlowsOf(file)).totals).toEqual([KEPT]);
    });

    test('flows behind many other events are flows', async () => {
        const file = `${`${eve}\n`.repeat(40_000)}{"event_type":"flow","src_ip":"192.0.2.1","dest_ip":"192.0.2.2","flow":{"pkts_toserver":3,"start":"2026-01-05T10:00:00+0000","end":"2026-01-05T10:00:01.5+0000"}}\n`;
        expect(await inspectFlows(bytesOf(file))).toEqual({ is: 'usable' });
    });

    test('a record that does not end makes the file unusable', async () => {
        const file = `${zeek('')}\n{"ts":"${'x'.repeat(17 << 20)}"}\n`;
        for (const pieceBytes of [1 << 18, 1 << 25]) {
            expect((await readFlowsOf(file, { pieceBytes })).result).toEqual({
                ok: false,
                error: expect.stringMatching(/longer than 16 MiB \(line 2\)/),
            });
        }
    });
});

async function* bytesOf(file: string): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < file.length; at += 1 << 16) {
        yield Buffer.from(file.slice(at, at + (1 << 16)));
    }
}
