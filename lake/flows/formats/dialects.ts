/** Which columns of a text hold what, in the dialects of the tools that write such texts: by the names in its header, never by their positions. */
import type { SkipReason } from '../flow-sink.ts';
import type { DurationUnit } from '../options.ts';
import type { UnitBy } from './format.ts';

/** What the lake reads of a row, in the order in which the checks are made. */
export const ROLES = ['src_ip', 'dst_ip', 'timestamp', 'flow_duration', 'fwd_pkts'] as const;
export type Role = (typeof ROLES)[number];

/** Spellings of each role's column; compared without case and surrounding blanks. */
export type Spellings = Readonly<Record<Role, readonly string[]>>;

export interface Dialect {
    /** What the ledger calls it. */
    name: string;
    /** The columns that it must have. */
    columns: Spellings;
    /** True if `flow_duration` is the time when the flow ended: the duration is what lies between. */
    isEnd?: boolean;
    /** Columns that it must have beside those, so that it is not taken for another. */
    alsoHas?: readonly string[];
    /** What durations are written in unless the rows or the uploader say otherwise, and what tells so. */
    unit(names: readonly string[]): { unit: DurationUnit; by: UnitBy };
    /** Smallest number that is a timestamp in epoch seconds; where a tool writes nothing else but epochs that is 0. */
    minEpochSeconds: number;
    /** What may separate its fields, where that is not a comma, semicolon or tab. */
    separators?: readonly string[];
    /** Lines with nothing else in them behind which no rows come until another header does. */
    trailers?: readonly string[];
    /** Looks at columns that tell rows which are no flows. */
    rowKind?: RowKind;
    /** True if a written date of January 1970 is one that lost its end; see docs/reading.md. */
    isWithoutJanuary1970?: boolean;
    /** True if nothing but the rows tells the unit of its durations: all of them are asked. */
    isUnitOpen?: boolean;
    /** True if it writes durations as whole numbers: a fraction speaks against the unit that the names tell. */
    isDurationWhole?: boolean;
    /** Names of its columns where the file has no header: these names, if the first row looks like it. */
    headless?: readonly { names: readonly string[]; isRow(cells: readonly string[]): boolean }[];
}

/** Columns that tell what a row is, and how. */
export interface RowKind {
    columns: readonly (readonly string[])[];
    /** Takes the cells of these columns, '' where the file lacks one. @returns why the row is no flow, or an error that makes the file unusable */
    of(cells: readonly string[]): SkipReason | { error: string } | undefined;
}

const SERIAL_DAYS_END = 100_000_000;

const seconds = (): { unit: DurationUnit; by: UnitBy } => ({ unit: 's', by: 'named' });
const milliseconds = (): { unit: DurationUnit; by: UnitBy } => ({ unit: 'ms', by: 'named' });
const microseconds = (): { unit: DurationUnit; by: UnitBy } => ({ unit: 'us', by: 'named' });

/** CICFlowMeter and its relatives, and Zeek: their names are passed on in all mixtures. */
const COMMON: Spellings = {
    src_ip: ['Src IP', 'Source IP', 'src_ip', 'id.orig_h', 'id_orig_h'],
    dst_ip: ['Dst IP', 'Destination IP', 'dst_ip', 'id.resp_h', 'id_resp_h'],
    timestamp: ['Timestamp', 'Date', 'ts'],
    flow_duration: ['Flow Duration', 'flow_duration', 'duration'],
    fwd_pkts: ['Tot Fwd Pkts', 'Total Fwd Packet', 'Total Fwd Packets', 'tot_fwd_pkts', 'orig_pkts'],
};

const ZEEK: Dialect = { name: 'zeek', columns: COMMON, unit: seconds, minEpochSeconds: 0 };

const PYTHON_CICFLOWMETER: Dialect = {
    name: 'python-cicflowmeter',
    columns: COMMON,
    isUnitOpen: true,
    // Versions up to 0.2.0 write microseconds, later ones seconds, under one header; only older ones and pyflowmeter have these columns.
    unit: (names) => (hasAny(names, ['cwe_flag_count', 'src_mac']) ? microseconds() : { unit: 's', by: 'assumed' }),
    minEpochSeconds: SERIAL_DAYS_END,
};

const CICFLOWMETER: Dialect = {
    name: 'cicflowmeter',
    columns: COMMON,
    unit: microseconds,
    minEpochSeconds: SERIAL_DAYS_END,
    isWithoutJanuary1970: true,
    isDurationWhole: true,
};

const NFDUMP_NAMES =
    'ts,te,td,sa,da,sp,dp,pr,flg,fwd,stos,ipkt,ibyt,opkt,obyt,in,out,sas,das,smk,dmk,dtos,dir,nh,nhb,svln,dvln,ismc,odmc,idmc,osmc,' +
    'mpls1,mpls2,mpls3,mpls4,mpls5,mpls6,mpls7,mpls8,mpls9,mpls10,cl,sl,al,ra,eng,exid,tr';

const AGGREGATED =
    'nfdump’s aggregated records (-A): they do not say how many flows each one is; write the flows themselves: nfdump -r FILE -o csv';

const NFDUMP: Dialect = {
    name: 'nfdump',
    columns: { src_ip: ['sa'], dst_ip: ['da'], timestamp: ['ts'], flow_duration: ['td'], fwd_pkts: ['ipkt'] },
    alsoHas: ['te'],
    unit: seconds,
    minEpochSeconds: SERIAL_DAYS_END,
    isWithoutJanuary1970: true,
    trailers: ['Summary', 'No matching flows'],
    rowKind: {
        columns: [['tr'], ['eng']],
        // When and by which engine a record was received: aggregated ones were not. Collectors of before 1.7 kept no time.
        of: ([received = '', engine = '']) => (received.startsWith('1970-01-01 ') && engine === '0/0' ? { error: AGGREGATED } : undefined),
    },
    headless: [
        {
            names: NFDUMP_NAMES.split(','),
            isRow: (cells) =>
                cells.length === 48 && [cells[0], cells[1]].every((cell) => /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/.test(cell ?? '')),
        },
    ],
};

const SUMMED_UP =
    'records that stand for several flows each (column flows), so that no flow’s duration and packets are known; write the flows themselves: nfdump -r FILE -o csv without -A, -a, -b and -s';

/** Tells records that stand for more than one flow. */
const FLOW_COUNT: RowKind = {
    columns: [['flows']],
    of: ([flows = '']) => (/^\d+$/.test(flows) && Number(flows) > 1 ? { error: SUMMED_UP } : undefined),
};

/** Versions from 1.7.5 on. */
const NFDUMP_SHORT: Dialect = {
    name: 'nfdump',
    columns: { src_ip: ['srcAddr'], dst_ip: ['dstAddr'], timestamp: ['firstSeen'], flow_duration: ['duration'], fwd_pkts: ['packets'] },
    unit: seconds,
    minEpochSeconds: SERIAL_DAYS_END,
    trailers: NFDUMP.trailers ?? [],
    isWithoutJanuary1970: true,
    rowKind: FLOW_COUNT,
};

/** Versions from 1.7.5 on, `-o csv-fast`. */
const NFDUMP_FAST: Dialect = {
    ...NFDUMP_SHORT,
    columns: { ...NFDUMP_SHORT.columns, flow_duration: ['lastSeen'] },
    isEnd: true,
};

/** The columns of nfdump's lines for people, as the CIDDS data sets pass them on in CSV. */
const CIDDS: Dialect = {
    name: 'cidds',
    columns: {
        src_ip: ['Src IP Addr'],
        dst_ip: ['Dst IP Addr'],
        timestamp: ['Date first seen'],
        flow_duration: ['Duration'],
        fwd_pkts: ['Packets'],
    },
    unit: seconds,
    minEpochSeconds: SERIAL_DAYS_END,
    rowKind: FLOW_COUNT,
};

const NFSTREAM: Dialect = {
    name: 'nfstream',
    columns: {
        src_ip: ['src_ip'],
        dst_ip: ['dst_ip'],
        timestamp: ['bidirectional_first_seen_ms'],
        flow_duration: ['bidirectional_duration_ms'],
        fwd_pkts: ['src2dst_packets'],
    },
    unit: milliseconds,
    minEpochSeconds: SERIAL_DAYS_END,
};

/** Argus: the flows of IP only; what its other records say is skipped. */
const ARGUS_COLUMNS = {
    src_ip: ['SrcAddr', 'saddr'],
    dst_ip: ['DstAddr', 'daddr'],
    timestamp: ['StartTime', 'stime'],
    fwd_pkts: ['SrcPkts', 'spkts'],
} as const;

/** What Argus's own reader must be told to write. */
const RA = 'ra -n -u -c , -s stime,ltime,dur,proto,saddr,sport,dir,daddr,dport,spkts,dpkts -r FILE';

const ARGUS_ROWS: RowKind = {
    columns: [ARGUS_COLUMNS.timestamp, ['Proto'], ARGUS_COLUMNS.src_ip, ARGUS_COLUMNS.dst_ip],
    of: ([start = '', protocol = '', ...addresses]) => {
        if (CLOCK.test(start)) {
            return { error: `Argus without -u of ra: its times are clocks without a date; write ${RA}` };
        }
        return NOT_IP.has(protocol.toLowerCase()) || addresses.some((address) => MAC_ADDRESS.test(address)) ? 'not_ip' : undefined;
    },
};

const CLOCK = /^\d\d:\d\d:\d\d(?:\.\d+)?$/;

const NOT_IP = new Set([
    'man',
    'arp',
    'rarp',
    'lldp',
    'llc',
    'stp',
    'cdp',
    'isis',
    'ether',
    'eth',
    'pppoe',
    'mpls',
    'ib',
    'lcp',
    'loop',
    'ipx',
]);
const MAC_ADDRESS = /^(?:[0-9a-f]{1,2}:){5}[0-9a-f]{1,2}$/i;

const ARGUS: Dialect = {
    name: 'argus',
    // `Dur` is a float of 32 bits: the times are exact.
    columns: { ...ARGUS_COLUMNS, flow_duration: ['LastTime', 'ltime'] },
    isEnd: true,
    unit: seconds,
    minEpochSeconds: SERIAL_DAYS_END,
    rowKind: ARGUS_ROWS,
};

const ARGUS_WITHOUT_END: Dialect = { ...ARGUS, columns: { ...ARGUS_COLUMNS, flow_duration: ['Dur'] }, isEnd: false };

const VPC_NAMES = 'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status';

const AWS_VPC: Dialect = {
    name: 'aws-vpc',
    columns: { src_ip: ['srcaddr'], dst_ip: ['dstaddr'], timestamp: ['start'], flow_duration: ['end'], fwd_pkts: ['packets'] },
    isEnd: true,
    unit: seconds,
    minEpochSeconds: SERIAL_DAYS_END,
    separators: [' ', '\t', ','],
    rowKind: {
        columns: [['log-status', 'log_status']],
        of: ([status = '']) => VPC_STATES.get(vpcState(status)),
    },
    headless: [
        { names: VPC_NAMES.split(' '), isRow: isVpcRecord },
        // As CloudWatch exports it.
        {
            names: ['@timestamp', ...VPC_NAMES.split(' ')],
            isRow: ([time = '', ...cells]) => /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(time) && isVpcRecord(cells),
        },
    ],
};

function isVpcRecord(cells: readonly string[]): boolean {
    return cells.length === 14 && /^\d$/.test(cells[0] ?? '') && /^(OK|NODATA|SKIPDATA)$/.test(vpcState(cells[13] ?? ''));
}

/** The state as AWS writes it; records that were copied from a page in the web have blanks of other sorts behind it. */
function vpcState(written: string): string {
    return written.toUpperCase().replace(/[^A-Z]+$/, '');
}

const VPC_STATES: ReadonlyMap<string, SkipReason> = new Map([
    ['NODATA', 'no_data'],
    ['SKIPDATA', 'skip_data'],
]);

const NTLFLOWLYZER: Dialect = {
    name: 'ntlflowlyzer',
    columns: {
        src_ip: ['src_ip'],
        dst_ip: ['dst_ip'],
        timestamp: ['timestamp'],
        flow_duration: ['duration'],
        fwd_pkts: ['fwd_packets_count'],
    },
    unit: seconds,
    minEpochSeconds: SERIAL_DAYS_END,
};

const TON_IOT: Dialect = {
    name: 'ton-iot',
    columns: { src_ip: ['src_ip'], dst_ip: ['dst_ip'], timestamp: ['ts'], flow_duration: ['duration'], fwd_pkts: ['src_pkts'] },
    unit: seconds,
    minEpochSeconds: SERIAL_DAYS_END,
};

const UNSW_NAMES =
    'srcip,sport,dstip,dsport,proto,state,dur,sbytes,dbytes,sttl,dttl,sloss,dloss,service,Sload,Dload,Spkts,Dpkts,swin,dwin,stcpb,dtcpb,smeansz,' +
    'dmeansz,trans_depth,res_bdy_len,Sjit,Djit,Stime,Ltime,Sintpkt,Dintpkt,tcprtt,synack,ackdat,is_sm_ips_ports,ct_state_ttl,ct_flw_http_mthd,' +
    'is_ftp_login,ct_ftp_cmd,ct_srv_src,ct_srv_dst,ct_dst_ltm,ct_src_ltm,ct_src_dport_ltm,ct_dst_sport_ltm,ct_dst_src_ltm,attack_cat,Label';

const UNSW_NB15: Dialect = {
    name: 'unsw-nb15',
    columns: { src_ip: ['srcip'], dst_ip: ['dstip'], timestamp: ['Stime'], flow_duration: ['dur'], fwd_pkts: ['Spkts'] },
    unit: seconds,
    minEpochSeconds: SERIAL_DAYS_END,
    // Published without a header; the names are in another file.
    headless: [
        {
            names: UNSW_NAMES.split(','),
            isRow: (cells) => cells.length === 49 && [cells[28], cells[29]].every((cell) => /^\d{10}$/.test(cell ?? '')),
        },
    ],
};

const NPROBE: Dialect = {
    name: 'nprobe',
    columns: {
        src_ip: ['IPV4_SRC_ADDR'],
        dst_ip: ['IPV4_DST_ADDR'],
        timestamp: ['FLOW_START_MILLISECONDS'],
        flow_duration: ['FLOW_DURATION_MILLISECONDS'],
        fwd_pkts: ['IN_PKTS'],
    },
    unit: milliseconds,
    minEpochSeconds: SERIAL_DAYS_END,
};

/** What `ndpiReader -C` of nDPI writes. */
const NDPI: Dialect = {
    name: 'ndpi',
    columns: { src_ip: ['src_ip'], dst_ip: ['dst_ip'], timestamp: ['first_seen'], flow_duration: ['duration'], fwd_pkts: ['c_to_s_pkts'] },
    unit: seconds,
    minEpochSeconds: SERIAL_DAYS_END,
};

/** Every dialect that is told by its columns alone; the three of the common names are told apart by `commonDialect`. */
export const DIALECTS: readonly Dialect[] = [
    CICFLOWMETER,
    NFDUMP,
    NFDUMP_SHORT,
    NFDUMP_FAST,
    CIDDS,
    NFSTREAM,
    ARGUS,
    ARGUS_WITHOUT_END,
    AWS_VPC,
    NTLFLOWLYZER,
    TON_IOT,
    UNSW_NB15,
    NPROBE,
    NDPI,
];

/** The dialects whose names a refused header is compared with first. */
export const [FIRST_DIALECT] = DIALECTS as readonly [Dialect];

/** Which of the three with common names a header is of. */
export function commonDialect(names: readonly string[], sourceColumn: string): Dialect {
    switch (normalize(sourceColumn)) {
        case 'id.orig_h':
        case 'id_orig_h':
            return ZEEK;
        case 'src_ip':
            // CICFlowMeter of Java has flow ids, that of Python has none: somebody changed the spelling of Java's names.
            return hasAny(names, ['flow_id']) ? CICFLOWMETER : PYTHON_CICFLOWMETER;
        default:
            return CICFLOWMETER;
    }
}

/** Columns that witness the unit of durations: packets a second, in both directions or forward alone. */
export const RATES = {
    all: ['Flow Pkts/s', 'Flow Packets/s', 'flow_pkts_s', 'packets_rate'],
    forward: ['Fwd Pkts/s', 'Fwd Packets/s', 'fwd_pkts_s', 'fwd_packets_rate'],
    backwardPackets: [
        'Tot Bwd Pkts',
        'Total Bwd Packet',
        'Total Bwd packets',
        'Total Backward Packets',
        'tot_bwd_pkts',
        'bwd_packets_count',
    ],
} as const;

/** Files of other tools whose columns are known, and what to do so that they can be read. */
export const REFUSALS: readonly { has: readonly string[]; hasNot?: readonly string[]; error: string }[] = [
    {
        has: ['SRC_IP', 'DST_IP', 'TIMESTAMP_START', 'PACKETS'],
        error: 'pmacct with timestamp_start: each row is a packet and none a flow; flows come from its nfprobe plugin (then nfdump -o csv)',
    },
    {
        has: ['SRC_IP', 'PACKETS', 'BYTES'],
        error: 'sums of pmacct: they have neither flows nor times; flows come from its nfprobe plugin (then nfdump -o csv)',
    },
    { has: ['ts', 'te', 'td', 'val', 'fl'], error: 'statistics of nfdump (-s): they are no flows; write the flows: nfdump -r FILE -o csv' },
    { has: ['Date first seen'], error: 'nfdump’s lines for people (-o line, long, fmt): write nfdump -r FILE -o csv' },
    {
        has: ['SrcAddr', 'DstAddr', 'TotPkts'],
        error: `Argus without forward packets: TotPkts counts both directions, and by the defaults of ra times have no date; write ${RA}`,
    },
    {
        has: ['ip.src', 'ip.dst'],
        error: 'fields of packets, as tshark -T fields writes them: rows are packets and none a flow; make flows of the capture first (Zeek, NFStream, nfpcapd)',
    },
];

/** What each role's column holds, for people. */
export const TITLES: Readonly<Record<Role, string>> = {
    src_ip: 'source address',
    dst_ip: 'destination address',
    timestamp: 'timestamp',
    flow_duration: 'duration',
    fwd_pkts: 'forward packets',
};

/** True if a header has a column of one of these names. */
export function hasAny(names: readonly string[], wanted: readonly string[]): boolean {
    return findColumn(names, wanted) >= 0;
}

/** Place of the first column with one of the spellings; -1 where there is none. */
export function findColumn(names: readonly string[], spellings: readonly string[]): number {
    const wanted = spellings.map(normalize);
    return names.findIndex((name) => wanted.includes(normalize(name)));
}

export function normalize(name: string): string {
    return name.toLowerCase();
}
