/** A file of flows that was packed, cut, ordered or put together otherwise gives the same figures, or the answer says why not. */
import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import type { ReadFlowsOptions } from '#lake/flows/flow-sink';
import { DURATION, PACKETS } from '#lake/flows/pair-table';
import { readFlows } from '#lake/flows/read-flows';
import { cut, inPieces } from '#test/support/bytes';

const RUNS = 60;

/** A tool's table: its columns, and what stands in them. */
interface Table {
    separator: string;
    columns: readonly string[];
    row(flow: Flow): readonly string[];
}

interface Flow {
    src: string;
    dst: string;
    /** Seconds since 2026 began. */
    second: number;
    microseconds: number;
    packets: number;
}

const YEAR = Date.UTC(2026, 0, 1);

function iso({ second }: Flow): string {
    return new Date(YEAR + second * 1000).toISOString().slice(0, 19).replace('T', ' ');
}

function dayFirst(flow: Flow): string {
    const [date = '', clock = ''] = iso(flow).split(' ');
    return `${date.split('-').reverse().join('/')} ${clock}`;
}

const TABLES: Readonly<Record<string, Table>> = {
    cicflowmeter: {
        separator: ',',
        columns: ['Flow ID', 'Src IP', 'Dst IP', 'Timestamp', 'Flow Duration', 'Tot Fwd Pkts', 'Label'],
        row: (flow) => ['x', flow.src, flow.dst, dayFirst(flow), String(flow.microseconds), String(flow.packets), 'No Label'],
    },
    'python-cicflowmeter': {
        separator: ',',
        columns: ['src_ip', 'dst_ip', 'timestamp', 'flow_duration', 'flow_pkts_s', 'tot_fwd_pkts', 'tot_bwd_pkts'],
        row: (flow) => {
            const rate = flow.microseconds === 0 ? 0 : (flow.packets + 1) / (flow.microseconds / 1e6);
            return [flow.src, flow.dst, iso(flow), String(flow.microseconds), String(rate), String(flow.packets), '1'];
        },
    },
    nfdump: {
        separator: ',',
        columns: ['ts', 'te', 'td', 'sa', 'da', 'ipkt', 'tr'],
        row: (flow) => [iso(flow), iso(flow), (flow.microseconds / 1e6).toFixed(6), flow.src, flow.dst, String(flow.packets), iso(flow)],
    },
    nfstream: {
        separator: ',',
        columns: ['id', 'src_ip', 'dst_ip', 'bidirectional_first_seen_ms', 'bidirectional_duration_ms', 'src2dst_packets'],
        row: (flow) => [
            '1',
            flow.src,
            flow.dst,
            String(YEAR + flow.second * 1000),
            (flow.microseconds / 1e3).toFixed(3),
            String(flow.packets),
        ],
    },
    argus: {
        separator: ',',
        columns: ['StartTime', 'LastTime', 'Proto', 'SrcAddr', 'DstAddr', 'SrcPkts'],
        row: (flow) => {
            const start = YEAR / 1000 + flow.second;
            const whole = start + Math.floor(flow.microseconds / 1e6);
            const end = `${whole}.${String(flow.microseconds % 1e6).padStart(6, '0')}`;
            return [`${start}.000000`, end, 'tcp', flow.src, flow.dst, String(flow.packets)];
        },
    },
    'unsw-nb15': {
        separator: ';',
        columns: ['srcip', 'dstip', 'dur', 'Spkts', 'Stime'],
        row: (flow) => [flow.src, flow.dst, (flow.microseconds / 1e6).toFixed(6), String(flow.packets), String(YEAR / 1000 + flow.second)],
    },
};

const flow: fc.Arbitrary<Flow> = fc.record({
    src: fc.constantFrom('192.0.2.1', '192.0.2.2', '2001:db8::1'),
    dst: fc.constantFrom('198.51.100.1', '2001:db8::2'),
    second: fc.nat({ max: 20 * 86_400 }),
    microseconds: fc.oneof(fc.nat({ max: 3 }), fc.nat({ max: 4_000_000_000 })),
    packets: fc.nat({ max: 5000 }),
});

const file = fc.record({ tool: fc.constantFrom(...Object.keys(TABLES)), flows: fc.array(flow, { minLength: 1, maxLength: 40 }) });

/** Figures by day and pair: flows, then duration's and packets' sum, sum of squares, smallest and largest. */
type Figures = Readonly<Record<string, readonly bigint[]>>;

async function read(bytes: Uint8Array): Promise<Figures | string> {
    const options: ReadFlowsOptions = {};
    const result = await readFlows(() => inPieces(cut(bytes, [1 << 14])), options);
    if (!result.ok) {
        return result.error;
    }
    const { table, days } = result;
    const rows = [...days].flatMap(([day, places]) =>
        places.map((row): [string, bigint[]] => {
            const figures = ([DURATION, PACKETS] as const).flatMap((measure) => Object.values(table.totalsOf(row, measure)) as bigint[]);
            return [`${day} ${table.sourceOf(row)} ${table.destinationOf(row)}`, [BigInt(table.flowsOf(row)), ...figures]];
        }),
    );
    return Object.fromEntries(rows);
}

/** Where flows, sums and sums of squares stand; the others are smallest and largest. */
const ADDED = [0, 1, 2, 5, 6];
const SMALLEST = [3, 7];

function add(one: Figures, other: Figures): Figures {
    const keys = [...new Set([...Object.keys(one), ...Object.keys(other)])];
    const both = (a: readonly bigint[], b: readonly bigint[]): bigint[] =>
        a.map((figure, at) => {
            const second = b[at] ?? 0n;
            if (ADDED.includes(at)) {
                return figure + second;
            }
            return figure < second === SMALLEST.includes(at) ? figure : second;
        });
    return Object.fromEntries(
        keys.map((key) => [key, both(one[key] ?? other[key] ?? [], (one[key] && other[key]) ?? emptyOf(one[key] ?? other[key] ?? []))]),
    );
}

/** Figures that add nothing to others. */
function emptyOf(figures: readonly bigint[]): bigint[] {
    return figures.map((figure, at) => (ADDED.includes(at) ? 0n : figure));
}

interface Text {
    columns: readonly string[];
    rows: readonly (readonly string[])[];
    separator: string;
}

function textOf({ tool, flows }: { tool: string; flows: readonly Flow[] }): Text {
    const { columns, row, separator } = TABLES[tool]!;
    return { columns, separator, rows: flows.map(row) };
}

function bytesOf({ columns, rows, separator }: Text, lineEnd = '\n'): Buffer {
    return Buffer.from([columns, ...rows].map((cells) => cells.join(separator) + lineEnd).join(''));
}

/** The columns in another order, by numbers that say where each goes. */
function permuted({ columns, rows, separator }: Text, keys: readonly number[]): Text {
    const order = columns.map((_, at) => at).sort((a, b) => (keys[a] ?? 0) - (keys[b] ?? 0) || a - b);
    const inOrder = (cells: readonly string[]): string[] => order.map((at) => cells[at] ?? '');
    return { columns: inOrder(columns), rows: rows.map(inOrder), separator };
}

const REENCODED: Readonly<Record<string, (text: Text, keys: readonly number[]) => Uint8Array>> = {
    'in gzip': (text) => gzipSync(bytesOf(text)),
    'in gzip of several members': (text) => Buffer.concat([...cut(bytesOf(text), [37])].map((part) => gzipSync(part))),
    'in zstd': (text) => zstdCompressSync(bytesOf(text)),
    'with CRLF': (text) => bytesOf(text, '\r\n'),
    'with CR alone': (text) => bytesOf(text, '\r'),
    'without its last line end': (text) => bytesOf(text).subarray(0, -1),
    'with a byte order mark': (text) => Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), bytesOf(text)]),
    'in quotes': ({ columns, rows, separator }) => {
        const quoted = (cells: readonly string[]): string[] => cells.map((cell) => `"${cell}"`);
        return bytesOf({ columns: quoted(columns), rows: rows.map(quoted), separator });
    },
    'under another separator': ({ columns, rows }) => bytesOf({ columns, rows, separator: '\t' }),
    'with its columns in another order': (text, keys) => bytesOf(permuted(text, keys)),
    'with its rows in another order': (text, keys) => {
        const rows = text.rows.map((row, at) => ({ row, key: keys[at % keys.length] ?? 0 })).sort((a, b) => a.key - b.key);
        return bytesOf({ ...text, rows: rows.map(({ row }) => row) });
    },
    'with its header after each row': ({ columns, rows, separator }) =>
        bytesOf({ columns, rows: rows.flatMap((row) => [row, columns]), separator }),
    'with rows of separators only': ({ columns, rows, separator }) => {
        const blank = columns.map(() => '');
        return bytesOf({ columns, rows: rows.flatMap((row) => [row, blank]), separator });
    },
};

const keys = fc.array(fc.nat({ max: 1000 }), { minLength: 8, maxLength: 8 });

test.each(Object.entries(REENCODED))('a file %s gives the same figures', async (_, reencode) => {
    await fc.assert(
        fc.asyncProperty(file, keys, async (made, order) => {
            const text = textOf(made);
            const figures = await read(bytesOf(text));
            expect(typeof figures).toBe('object');
            expect(await read(reencode(text, order))).toEqual(figures);
        }),
        { numRuns: RUNS },
    );
});

test('a file that is split gives figures that add up to its own', async () => {
    await fc.assert(
        fc.asyncProperty(file, fc.nat({ max: 40 }), async (made, at) => {
            const text = textOf(made);
            const whole = await read(bytesOf(text));
            const parts = [text.rows.slice(0, at), text.rows.slice(at)].map((rows) => bytesOf({ ...text, rows }));
            const [one, other] = await Promise.all(parts.map((part) => read(part)));
            expect([typeof one, typeof other]).toEqual(['object', 'object']);
            expect(add(one as Figures, other as Figures)).toEqual(whole);
        }),
        { numRuns: RUNS },
    );
});

test('a file behind itself gives its figures twice, also with its columns in another order', async () => {
    await fc.assert(
        fc.asyncProperty(file, keys, async (made, order) => {
            const text = textOf(made);
            const figures = await read(bytesOf(text));
            const twice = typeof figures === 'string' ? figures : add(figures, figures);
            expect(await read(Buffer.concat([bytesOf(text), bytesOf(text)]))).toEqual(twice);
            expect(await read(Buffer.concat([bytesOf(text), bytesOf(permuted(text, order))]))).toEqual(twice);
        }),
        { numRuns: RUNS },
    );
});

test('a file behind one of another tool is refused, and the answer says at which line to split it', async () => {
    await fc.assert(
        fc.asyncProperty(file, file, async (one, other) => {
            fc.pre(one.tool !== other.tool && TABLES[one.tool]!.separator === TABLES[other.tool]!.separator);
            const bytes = Buffer.concat([bytesOf(textOf(one)), bytesOf(textOf(other))]);
            expect(await read(bytes)).toMatch(
                new RegExp(`^line ${one.flows.length + 2} is the header of another tool .* split the file there$`),
            );
        }),
        { numRuns: RUNS },
    );
});
