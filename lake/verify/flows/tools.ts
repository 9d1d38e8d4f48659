/** The tools that write tables of flows, by the page docs/reading.md and not by lake/flows: their columns, and what of a row is no flow. */

/** The five needed columns, in the order in which a row's fields are checked. */
export const FIELDS = ['src', 'dst', 'began', 'duration', 'packets'] as const;
export type Field = (typeof FIELDS)[number];

export const UNITS = ['s', 'ms', 'us', 'ns'] as const;
export type Unit = (typeof UNITS)[number];

/** Decimal digits between a second and each unit. */
export const UNIT_PLACES: Readonly<Record<Unit, number>> = { s: 0, ms: 3, us: 6, ns: 9 };

export interface Tool {
    dialect: string;
    spellings: Readonly<Record<Field, readonly string[]>>;
    /** A column that it has beside those. */
    mark?: string;
    separators: readonly string[];
    unit: Unit;
    /** True if column `duration` is when the flow ended: it writes no durations, so that nobody can give a unit. */
    isSpan?: boolean;
    /** The column by which rows are told that are no flows. */
    kind?: readonly string[];
    /** One more such column. */
    kindToo?: readonly string[];
    /** Lines behind which no rows stand. */
    trailers?: readonly string[];
    /** What its rows are like where there is no header, and what their cells are called. */
    headless?: readonly { names: readonly string[]; isRow(cells: readonly string[]): boolean }[];
}

const COMMON_SEPARATORS = [',', ';', '\t', '|'];

/** The names that CICFlowMeter, its relatives in Python and Zeek share. */
export const COMMON_NAMES: Tool = {
    dialect: 'cicflowmeter',
    spellings: {
        src: ['src ip', 'source ip', 'src_ip', 'id.orig_h', 'id_orig_h'],
        dst: ['dst ip', 'destination ip', 'dst_ip', 'id.resp_h', 'id_resp_h'],
        began: ['timestamp', 'date', 'ts'],
        duration: ['flow duration', 'flow_duration', 'duration'],
        packets: ['tot fwd pkts', 'total fwd packet', 'total fwd packets', 'tot_fwd_pkts', 'orig_pkts'],
    },
    separators: COMMON_SEPARATORS,
    unit: 'us',
};

const NFDUMP: Tool = {
    ...named('nfdump', ['sa', 'da', 'ts', 'td', 'ipkt'], 's'),
    mark: 'te',
    kind: ['tr'],
    kindToo: ['eng'],
    trailers: ['Summary', 'No matching flows'],
    headless: [
        {
            names: [
                ...['ts', 'te', 'td', 'sa', 'da', 'sp', 'dp', 'pr', 'flg', 'fwd', 'stos', 'ipkt', 'ibyt', 'opkt', 'obyt'],
                ...Array.from({ length: 30 }, (_, at) => `column ${at + 15}`),
                ...['eng', 'exid', 'tr'],
            ],
            isRow: (cells) => cells.length === 48 && [0, 1].every((at) => /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/.test(cells[at] ?? '')),
        },
    ],
};

/** Names of nfdump from version 1.7.5 on, and as the CIDDS sets have them; with how many flows each record is. */
const NFDUMP_SHORT: Tool = {
    ...named('nfdump', ['srcaddr', 'dstaddr', 'firstseen', 'duration', 'packets'], 's'),
    kind: ['flows'],
    trailers: ['Summary', 'No matching flows'],
};
const NFDUMP_FAST: Tool = {
    ...NFDUMP_SHORT,
    spellings: { ...NFDUMP_SHORT.spellings, duration: ['lastseen'] },
    isSpan: true,
};
const CIDDS: Tool = { ...named('cidds', ['src ip addr', 'dst ip addr', 'date first seen', 'duration', 'packets'], 's'), kind: ['flows'] };

const VPC_NAMES =
    'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status'.split(' ');

const VPC: Tool = {
    ...named('aws-vpc', ['srcaddr', 'dstaddr', 'start', 'end', 'packets'], 's'),
    isSpan: true,
    separators: [' ', '\t', ','],
    kind: ['log-status', 'log_status'],
    headless: [
        { names: VPC_NAMES, isRow: isVpcRow },
        // As CloudWatch exports it.
        { names: ['time', ...VPC_NAMES], isRow: ([time = '', ...cells]) => /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(time) && isVpcRow(cells) },
    ],
};

function isVpcRow(cells: readonly string[]): boolean {
    return cells.length === 14 && /^\d$/.test(cells[0] ?? '') && /^(OK|NODATA|SKIPDATA)[^A-Z]*$/.test((cells[13] ?? '').toUpperCase());
}

/** Places of the needed columns in the rows of UNSW-NB15, which are published without a header. */
const UNSW_PLACES: ReadonlyMap<number, string> = new Map([
    [0, 'srcip'],
    [2, 'dstip'],
    [6, 'dur'],
    [16, 'spkts'],
    [28, 'stime'],
]);

/** In the order in which they are looked for. */
export const TOOLS: readonly Tool[] = [
    COMMON_NAMES,
    NFDUMP,
    NFDUMP_SHORT,
    NFDUMP_FAST,
    CIDDS,
    named('nfstream', ['src_ip', 'dst_ip', 'bidirectional_first_seen_ms', 'bidirectional_duration_ms', 'src2dst_packets'], 'ms'),
    argus(['lasttime', 'ltime'], { isSpan: true }),
    argus(['dur'], {}),
    VPC,
    named('ntlflowlyzer', ['src_ip', 'dst_ip', 'timestamp', 'duration', 'fwd_packets_count'], 's'),
    named('ton-iot', ['src_ip', 'dst_ip', 'ts', 'duration', 'src_pkts'], 's'),
    {
        ...named('unsw-nb15', ['srcip', 'dstip', 'stime', 'dur', 'spkts'], 's'),
        headless: [
            {
                names: Array.from({ length: 49 }, (_, at) => UNSW_PLACES.get(at) ?? `column ${at}`),
                isRow: (cells) => cells.length === 49 && [28, 29].every((at) => /^\d{10}$/.test(cells[at] ?? '')),
            },
        ],
    },
    named('ndpi', ['src_ip', 'dst_ip', 'first_seen', 'duration', 'c_to_s_pkts'], 's'),
    named('nprobe', ['ipv4_src_addr', 'ipv4_dst_addr', 'flow_start_milliseconds', 'flow_duration_milliseconds', 'in_pkts'], 'ms'),
    {
        dialect: 'silk',
        spellings: {
            src: ['sip'],
            dst: ['dip'],
            began: ['stime', 'stime+msec'],
            duration: ['duration', 'dur', 'dur+msec'],
            packets: ['packets'],
        },
        separators: COMMON_SEPARATORS,
        unit: 's',
    },
];

function argus(duration: readonly string[], rest: Partial<Tool>): Tool {
    const spellings = {
        src: ['srcaddr', 'saddr'],
        dst: ['dstaddr', 'daddr'],
        began: ['starttime', 'stime'],
        duration,
        packets: ['srcpkts', 'spkts'],
    };
    return { dialect: 'argus', spellings, separators: COMMON_SEPARATORS, unit: 's', kind: ['proto'], ...rest };
}

/** A tool that has one spelling for each field, in their order. */
function named(dialect: string, [src, dst, began, duration, packets]: [string, string, string, string, string], unit: Unit): Tool {
    const spellings = { src: [src], dst: [dst], began: [began], duration: [duration], packets: [packets] };
    return { dialect, spellings, separators: COMMON_SEPARATORS, unit };
}

/** All names of a source address. */
export const SOURCE_NAMES: readonly string[] = [...new Set(TOOLS.flatMap(({ spellings }) => spellings.src))];

/** Protocols of Argus whose records are no flows of IP. */
export const NOT_IP: readonly string[] = [
    ...['man', 'arp', 'rarp', 'lldp', 'llc', 'stp', 'cdp', 'isis'],
    ...['ether', 'eth', 'pppoe', 'mpls', 'ib', 'lcp', 'loop', 'ipx'],
];

/** A rate of packets, and the columns whose packets it is of. */
export interface Witness {
    rate: number;
    packets: readonly number[];
}

/** The columns that tell the unit of durations, where a file of the common names has them; `forward` is the place of its forward packets. */
export function witnessOf(names: readonly string[], forward: number): Witness | undefined {
    const first = (...spellings: string[]): number => names.findIndex((name) => spellings.includes(name));
    const both = first('flow pkts/s', 'flow packets/s', 'flow_pkts_s', 'packets_rate');
    const backward = first(
        'tot bwd pkts',
        'total bwd packet',
        'total bwd packets',
        'total backward packets',
        'tot_bwd_pkts',
        'bwd_packets_count',
    );
    if (both >= 0 && backward >= 0) {
        return { rate: both, packets: [forward, backward] };
    }
    const rate = first('fwd pkts/s', 'fwd packets/s', 'fwd_pkts_s', 'fwd_packets_rate');
    return rate < 0 ? undefined : { rate, packets: [forward] };
}
