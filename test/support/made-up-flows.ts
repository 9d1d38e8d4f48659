/** Flows drawn at random, written as the tables of all tools, and the figures that a file of them comes to. */
import fc from 'fast-check';
import { DURATION, PACKETS } from '#lake/flows/pair-table';
import { readFlows } from '#lake/flows/read-flows';
import { cut, inPieces } from '#test/support/bytes';

/** A tool's table: its columns, and what stands in them. */
export interface Table {
    separator: string;
    columns: readonly string[];
    row(flow: Flow): readonly string[];
}

export interface Flow {
    src: string;
    dst: string;
    /** Seconds since 2026 began. */
    second: number;
    microseconds: number;
    packets: number;
}

/** When 2026 began, in milliseconds since 1970. */
export const YEAR = Date.UTC(2026, 0, 1);

/** When the flow began, `yyyy-MM-dd HH:mm:ss`. */
export function iso({ second }: Flow): string {
    return new Date(YEAR + second * 1000).toISOString().slice(0, 19).replace('T', ' ');
}

function inSeconds({ microseconds }: Flow): string {
    return (microseconds / 1e6).toFixed(6);
}

function dayFirst(flow: Flow): string {
    const [date = '', clock = ''] = iso(flow).split(' ');
    return `${date.split('-').reverse().join('/')} ${clock}`;
}

/** The tables by their tools; what stands in front of a blank is the dialect. */
export const TABLES: Readonly<Record<string, Table>> = {
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
    zeek: {
        separator: '\t',
        columns: ['ts', 'uid', 'id.orig_h', 'id.resp_h', 'duration', 'orig_pkts'],
        row: (flow) => [`${YEAR / 1000 + flow.second}.250000`, 'C1', flow.src, flow.dst, inSeconds(flow), String(flow.packets)],
    },
    'nfdump 1.7.5': {
        separator: ',',
        columns: ['firstSeen', 'duration', 'srcAddr', 'dstAddr', 'packets', 'flows'],
        row: (flow) => [iso(flow), inSeconds(flow), flow.src, flow.dst, String(flow.packets), '1'],
    },
    cidds: {
        separator: ',',
        columns: ['Date first seen', 'Duration', 'Src IP Addr', 'Dst IP Addr', 'Packets', 'Flows'],
        row: (flow) => [iso(flow), inSeconds(flow), flow.src, flow.dst, String(flow.packets), '1'],
    },
    'aws-vpc': {
        separator: ' ',
        columns: ['version', 'srcaddr', 'dstaddr', 'packets', 'start', 'end', 'log-status'],
        row: (flow) => {
            const start = YEAR / 1000 + flow.second;
            const end = start + Math.floor(flow.microseconds / 1e6);
            return ['2', flow.src, flow.dst, String(flow.packets), String(start), String(end), 'OK'];
        },
    },
    ntlflowlyzer: {
        separator: ',',
        columns: ['src_ip', 'dst_ip', 'timestamp', 'duration', 'fwd_packets_count', 'label'],
        row: (flow) => [flow.src, flow.dst, iso(flow), inSeconds(flow), String(flow.packets), 'x'],
    },
    'ton-iot': {
        separator: ',',
        columns: ['ts', 'src_ip', 'dst_ip', 'duration', 'src_pkts', 'label'],
        row: (flow) => [String(YEAR / 1000 + flow.second), flow.src, flow.dst, inSeconds(flow), String(flow.packets), '0'],
    },
    ndpi: {
        separator: '|',
        columns: ['first_seen', 'duration', 'src_ip', 'dst_ip', 'c_to_s_pkts'],
        row: (flow) => [`${YEAR / 1000 + flow.second}.125`, inSeconds(flow), flow.src, flow.dst, String(flow.packets)],
    },
    nprobe: {
        separator: '|',
        columns: ['IPV4_SRC_ADDR', 'IPV4_DST_ADDR', 'IN_PKTS', 'FLOW_START_MILLISECONDS', 'FLOW_DURATION_MILLISECONDS'],
        row: (flow) => [flow.src, flow.dst, String(flow.packets), String(YEAR + flow.second * 1000), (flow.microseconds / 1e3).toFixed(3)],
    },
    'unsw-nb15': {
        separator: ';',
        columns: ['srcip', 'dstip', 'dur', 'Spkts', 'Stime'],
        row: (flow) => [flow.src, flow.dst, (flow.microseconds / 1e6).toFixed(6), String(flow.packets), String(YEAR / 1000 + flow.second)],
    },
};

export const flow: fc.Arbitrary<Flow> = fc.record({
    src: fc.constantFrom('192.0.2.1', '192.0.2.2', '2001:db8::1'),
    dst: fc.constantFrom('198.51.100.1', '2001:db8::2'),
    second: fc.nat({ max: 20 * 86_400 }),
    microseconds: fc.oneof(fc.nat({ max: 3 }), fc.nat({ max: 4_000_000_000 })),
    packets: fc.nat({ max: 5000 }),
});

/** A tool, and its flows. */
export const file = fc.record({ tool: fc.constantFrom(...Object.keys(TABLES)), flows: fc.array(flow, { minLength: 1, maxLength: 40 }) });

/** Figures by day and pair: flows, then duration's and packets' sum, sum of squares, smallest and largest. */
export type Figures = Readonly<Record<string, readonly bigint[]>>;

/** The figures of a file, or why it has none. */
export async function read(bytes: Uint8Array): Promise<Figures | string> {
    const result = await readFlows(() => inPieces(cut(bytes, [1 << 14])), {
        ranges: { sizeBytes: bytes.length, readRange: async ({ start, end }) => new Uint8Array(bytes.subarray(start, end)) },
    });
    if (!result.ok) {
        return result.error;
    }
    const { table, days } = result;
    const rows = [...days].flatMap(([day, places]) =>
        [...places].map((row): [string, bigint[]] => {
            const figures = ([DURATION, PACKETS] as const).flatMap((measure) => Object.values(table.totalsOf(row, measure)) as bigint[]);
            return [`${day} ${table.sourceOf(row)} ${table.destinationOf(row)}`, [BigInt(table.flowsOf(row)), ...figures]];
        }),
    );
    return Object.fromEntries(rows);
}

/** Where flows, sums and sums of squares stand; the others are smallest and largest. */
const ADDED = [0, 1, 2, 5, 6];
const SMALLEST = [3, 7];

/** The figures of both. */
export function add(one: Figures, other: Figures): Figures {
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
