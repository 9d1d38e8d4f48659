/** Records of flows in JSON that were laid out, ordered, packed or put together otherwise give the same figures, or the answer says why not. */
import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { cut } from '#test/support/bytes';
import { add, type Figures, type Flow, flow, iso, read, YEAR } from '#test/support/made-up-flows';

const RUNS = 100;

/** A key and its value, as JSON has it. */
type Member = readonly [key: string, value: string | readonly Member[]];

const text = (value: string): string => JSON.stringify(value);
const timeOf = (made: Flow, microseconds: number): string => {
    const whole = new Date(YEAR + made.second * 1000 + Math.floor(microseconds / 1000)).toISOString().slice(0, -1);
    return text(`${whole}${String(microseconds % 1000).padStart(3, '0')}+0000`);
};
const nanosecondsOf = (made: Flow, microseconds: number): string =>
    String(BigInt(YEAR + made.second * 1000) * 1_000_000n + BigInt(microseconds) * 1000n + 7n);

const TOOLS: Readonly<Record<string, (made: Flow) => readonly Member[]>> = {
    'zeek-json': (made) => [
        ['ts', `${YEAR / 1000 + made.second}.25`],
        ['uid', text('C1')],
        ['id.orig_h', text(made.src)],
        ['id.resp_h', text(made.dst)],
        ['duration', (made.microseconds / 1e6).toFixed(6)],
        ['orig_pkts', String(made.packets)],
    ],
    'zeek-json with ISO times': (made) => [
        ['_path', text('conn')],
        ['ts', text(`${iso(made).replace(' ', 'T')}.250000Z`)],
        ['id.orig_h', text(made.src)],
        ['id.resp_h', text(made.dst)],
        ['duration', (made.microseconds / 1e6).toFixed(6)],
        ['tunnel_parents', '[]'],
        ['orig_pkts', String(made.packets)],
    ],
    suricata: (made) => [
        ['timestamp', timeOf(made, 0)],
        ['event_type', text('flow')],
        ['src_ip', text(made.src)],
        ['dest_ip', text(made.dst)],
        [
            'flow',
            [
                ['pkts_toserver', String(made.packets)],
                ['pkts_toclient', '1'],
                ['start', timeOf(made, 0)],
                ['end', timeOf(made, made.microseconds)],
            ],
        ],
        ['tcp', [['state', text('closed')]]],
    ],
    goflow2: (made) => [
        ['type', text('NETFLOW_V9')],
        ['src_addr', text(made.src)],
        ['dst_addr', text(made.dst)],
        ['packets', String(made.packets)],
        ['sampling_rate', '10'],
        ['time_flow_start_ns', nanosecondsOf(made, 0)],
        ['time_flow_end_ns', nanosecondsOf(made, made.microseconds)],
    ],
    'nfdump-json': (made) => [
        ['type', text('FLOW')],
        ['export_sysid', '1'],
        ['first', text(`${iso(made).replace(' ', 'T')}.000`)],
        ['last', timeOf(made, made.microseconds).replace('+0000', '')],
        ['in_packets', String(made.packets)],
        [made.src.includes(':') ? 'src6_addr' : 'src4_addr', text(made.src)],
        [made.dst.includes(':') ? 'dst6_addr' : 'dst4_addr', text(made.dst)],
    ],
};

interface Style {
    /** Behind a colon and a comma. */
    blank: string;
    /** In front of each member; none where a record stands on one line. */
    indent: string | undefined;
    lineEnd: string;
    /** Says where each key goes. */
    order: readonly number[];
    hasEscapes: boolean;
}

const PLAIN: Style = { blank: '', indent: undefined, lineEnd: '\n', order: [], hasEscapes: false };

function write(members: readonly Member[], style: Style, depth = 1): string {
    const { blank, indent, lineEnd, order, hasEscapes } = style;
    const ordered = members.map((member, at) => ({ member, key: order[at] ?? 0 })).sort((a, b) => a.key - b.key);
    const escaped = (written: string): string =>
        hasEscapes ? written.replace(/[a-z4]/, (character) => `\\u00${character.charCodeAt(0).toString(16)}`) : written;
    const jsonOf = (value: Member[1]): string =>
        typeof value !== 'string' ? write(value, style, depth + 1) : value.startsWith('"') ? escaped(value) : value;
    const written = ordered.map(({ member: [key, value] }) => `${escaped(text(key))}:${blank}${jsonOf(value)}`);
    if (indent === undefined) {
        return `{${written.join(`,${blank}`)}}`;
    }
    const lines = written.map((member) => indent.repeat(depth) + member);
    return `{${lineEnd}${lines.join(`,${lineEnd}`)}${lineEnd}${indent.repeat(depth - 1)}}`;
}

const file = fc.record({ tool: fc.constantFrom(...Object.keys(TOOLS)), flows: fc.array(flow, { minLength: 1, maxLength: 100 }) });
const order = fc.array(fc.nat({ max: 1000 }), { minLength: 8, maxLength: 8 });

interface Made {
    tool: string;
    flows: readonly Flow[];
}

function records({ tool, flows }: Made, style: Partial<Style> = {}): string[] {
    return flows.map((one) => write(TOOLS[tool]!(one), { ...PLAIN, ...style }));
}

/** The records as they are written by most tools: each on a line of its own. */
function linesOf(made: Made, style: Partial<Style> = {}): Buffer {
    const { lineEnd = '\n' } = style;
    return Buffer.from(
        records(made, style)
            .map((record) => record + lineEnd)
            .join(''),
    );
}

function arrayOf(made: Made, style: Partial<Style> & { between?: string } = {}): Buffer {
    const { lineEnd = '\n', between = `,${lineEnd}` } = style;
    return Buffer.from(`[${lineEnd}${records(made, style).join(between)}${lineEnd}]${lineEnd}`);
}

const REENCODED: Readonly<Record<string, (made: Made, order: readonly number[]) => Uint8Array>> = {
    'in gzip': (made) => gzipSync(linesOf(made)),
    'in gzip of several members': (made) => Buffer.concat([...cut(linesOf(made), [331])].map((part) => gzipSync(part))),
    'in zstd': (made) => zstdCompressSync(linesOf(made)),
    'with CRLF': (made) => linesOf(made, { lineEnd: '\r\n' }),
    'without its last line end': (made) => linesOf(made).subarray(0, -1),
    'with a byte order mark': (made) => Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), linesOf(made)]),
    'with blanks': (made) => linesOf(made, { blank: ' ' }),
    'with blank lines': (made) => linesOf(made, { lineEnd: '\n \n' }),
    'with escapes in its keys and texts': (made) => linesOf(made, { hasEscapes: true }),
    'with its keys in another order': (made, keys) => linesOf(made, { order: keys }),
    'with its records in another order': (made) => linesOf({ ...made, flows: [...made.flows].reverse() }),
    'on one line': (made) => Buffer.from(records(made).join(' ')),
    'spread over lines': (made) => linesOf(made, { indent: '  ', blank: ' ' }),
    'spread over lines, without blanks in front': (made) => linesOf(made, { indent: '' }),
    'as an array, each record on a line': (made) => arrayOf(made),
    'as an array on one line': (made) => arrayOf(made, { lineEnd: '', between: ',' }),
    'as an array, spread over lines that end in CRLF': (made) => arrayOf(made, { indent: '\t', blank: ' ', lineEnd: '\r\n' }),
    'as an array in gzip, with its keys in another order': (made, keys) => gzipSync(arrayOf(made, { order: keys })),
};

test.each(Object.entries(REENCODED))('a file %s gives the same figures', async (_, reencode) => {
    await fc.assert(
        fc.asyncProperty(file, order, async (made, keys) => {
            const figures = await read(linesOf(made));
            expect(typeof figures).toBe('object');
            expect(await read(reencode(made, keys))).toEqual(figures);
        }),
        { numRuns: RUNS },
    );
});

test('a file that is split gives figures that add up to its own', async () => {
    await fc.assert(
        fc.asyncProperty(file, fc.nat({ max: 1000 }), async (made, at) => {
            fc.pre(made.flows.length > 1);
            const place = 1 + (at % (made.flows.length - 1));
            const parts = [made.flows.slice(0, place), made.flows.slice(place)].map((flows) => ({ ...made, flows }));
            const [one, other] = [await read(linesOf(parts[0]!)), await read(arrayOf(parts[1]!))];
            expect([typeof one, typeof other]).toEqual(['object', 'object']);
            expect(add(one as Figures, other as Figures)).toEqual(await read(linesOf(made)));
        }),
        { numRuns: RUNS },
    );
});

test('a file behind itself gives its figures twice, also with its keys in another order, and an array behind an array', async () => {
    await fc.assert(
        fc.asyncProperty(file, order, async (made, keys) => {
            const figures = (await read(linesOf(made))) as Figures;
            const twice = add(figures, figures);
            expect(await read(Buffer.concat([linesOf(made), linesOf(made, { order: keys })]))).toEqual(twice);
            expect(await read(Buffer.concat([arrayOf(made), arrayOf(made, { order: keys })]))).toEqual(twice);
        }),
        { numRuns: RUNS },
    );
});

test('an array that is cut off is refused, and the answer says so', async () => {
    await fc.assert(
        fc.asyncProperty(file, async (made) => {
            const bytes = arrayOf(made);
            expect(await read(bytes.subarray(0, bytes.lastIndexOf(']')))).toMatch(/^a JSON array that does not end/);
        }),
        { numRuns: RUNS },
    );
});

test('a file behind one of another tool is refused, and the answer says to split it', async () => {
    await fc.assert(
        fc.asyncProperty(file, file, async (one, other) => {
            fc.pre(one.tool.split(' ')[0] !== other.tool.split(' ')[0]);
            expect(await read(Buffer.concat([linesOf(one), linesOf(other)]))).toMatch(/split/);
        }),
        { numRuns: RUNS },
    );
});
