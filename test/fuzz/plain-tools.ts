/** The tools that write tables of flows, as the tables of docs/reading.md tell of them; no part of it is shared with lake/. */
import { type Style, type Unit, ungrouped } from './plain-fields.ts';

export const FIELDS = ['source', 'destination', 'began', 'duration', 'packets'] as const;
export type Field = (typeof FIELDS)[number];

export interface Tool {
    name: string;
    columns: Record<Field, string[]>;
    alsoHas: string[];
    separators: string[];
    unit: Unit;
    /** True if the column of the duration holds when the flow ended. */
    isEnd?: boolean;
}

export interface Header {
    tool: Tool;
    separator: string;
    /** Spaces and tabs, but for the separator. */
    blanks: string;
    /** All names, trimmed and in lower case. */
    names: string[];
    at: Record<Field, number>;
    /** Columns that tell the unit of durations: a rate, and whether it is of both directions. */
    witness: { rate: number; backward: number | undefined } | undefined;
    /** Places of columns that hold numbers, not texts of them (Parquet): these are in no style that groups digits. */
    stored?: ReadonlySet<number>;
}

/** The number in a cell as the plain style writes it. */
export function numberAt(cells: readonly string[], at: number, { header, style }: { header: Header; style: Style }): string {
    const text = cells[at] ?? '';
    return header.stored?.has(at) === true ? text : ungrouped(text, style);
}

function tool(name: string, columns: [string[], string[], string[], string[], string[]], rest: Partial<Tool> = {}): Tool {
    const [source, destination, began, duration, packets] = columns;
    return {
        name,
        columns: { source, destination, began, duration, packets },
        alsoHas: [],
        separators: [',', ';', '\t', '|'],
        unit: 's',
        ...rest,
    };
}

const COMMON = tool('common', [
    ['src ip', 'source ip', 'src_ip', 'id.orig_h', 'id_orig_h'],
    ['dst ip', 'destination ip', 'dst_ip', 'id.resp_h', 'id_resp_h'],
    ['timestamp', 'date', 'ts'],
    ['flow duration', 'flow_duration', 'duration'],
    ['tot fwd pkts', 'total fwd packet', 'total fwd packets', 'tot_fwd_pkts', 'orig_pkts'],
]);

const NFDUMP = tool('nfdump', [['sa'], ['da'], ['ts'], ['td'], ['ipkt']], { alsoHas: ['te'] });

const VPC = tool('aws-vpc', [['srcaddr'], ['dstaddr'], ['start'], ['end'], ['packets']], { isEnd: true, separators: [' ', '\t', ','] });

const UNSW = tool('unsw-nb15', [['srcip'], ['dstip'], ['stime'], ['dur'], ['spkts']]);

const NFDUMP_SHORT = tool('nfdump', [['srcaddr'], ['dstaddr'], ['firstseen'], ['duration'], ['packets']]);
const NFDUMP_FAST = tool('nfdump', [['srcaddr'], ['dstaddr'], ['firstseen'], ['lastseen'], ['packets']], { isEnd: true });
const CIDDS = tool('cidds', [['src ip addr'], ['dst ip addr'], ['date first seen'], ['duration'], ['packets']]);

function argus(duration: string[], rest: Partial<Tool> = {}): Tool {
    return tool('argus', [['srcaddr', 'saddr'], ['dstaddr', 'daddr'], ['starttime', 'stime'], duration, ['srcpkts', 'spkts']], rest);
}

/** All of them, in the order of the page. */
export const TOOLS: readonly Tool[] = [
    COMMON,
    NFDUMP,
    NFDUMP_SHORT,
    NFDUMP_FAST,
    CIDDS,
    tool('nfstream', [['src_ip'], ['dst_ip'], ['bidirectional_first_seen_ms'], ['bidirectional_duration_ms'], ['src2dst_packets']], {
        unit: 'ms',
    }),
    argus(['lasttime', 'ltime'], { isEnd: true }),
    argus(['dur']),
    VPC,
    tool('ntlflowlyzer', [['src_ip'], ['dst_ip'], ['timestamp'], ['duration'], ['fwd_packets_count']]),
    tool('ton-iot', [['src_ip'], ['dst_ip'], ['ts'], ['duration'], ['src_pkts']]),
    UNSW,
    tool('ndpi', [['src_ip'], ['dst_ip'], ['first_seen'], ['duration'], ['c_to_s_pkts']]),
    tool('nprobe', [['ipv4_src_addr'], ['ipv4_dst_addr'], ['flow_start_milliseconds'], ['flow_duration_milliseconds'], ['in_pkts']], {
        unit: 'ms',
    }),
    tool('silk', [['sip'], ['dip'], ['stime', 'stime+msec'], ['duration', 'dur', 'dur+msec'], ['packets']]),
];

/** What a Zeek log is read by. */
export const ZEEK_TOOL = COMMON;

/** Where the needed columns of a tool stand; undefined where one is missing. */
export function findColumns({ columns, alsoHas }: Tool, names: readonly string[]): Header['at'] | undefined {
    const at = Object.fromEntries(FIELDS.map((field) => [field, names.findIndex((name) => columns[field].includes(name))]));
    const isWhole = Object.values(at).every((place) => place >= 0) && alsoHas.every((name) => names.includes(name));
    return isWhole ? (at as Header['at']) : undefined;
}

/** Columns that tell the unit of durations that are written. */
export function findWitness({ isEnd }: Tool, names: readonly string[]): Header['witness'] {
    const place = (...spellings: string[]): number => names.findIndex((one) => spellings.includes(one));
    const all = place('flow pkts/s', 'flow packets/s', 'flow_pkts_s', 'packets_rate');
    const backward = place(
        'tot bwd pkts',
        'total bwd packet',
        'total bwd packets',
        'total backward packets',
        'tot_bwd_pkts',
        'bwd_packets_count',
    );
    const forward = place('fwd pkts/s', 'fwd packets/s', 'fwd_pkts_s', 'fwd_packets_rate');
    if (isEnd === true) {
        return undefined;
    }
    return all >= 0 && backward >= 0 ? { rate: all, backward } : forward >= 0 ? { rate: forward, backward: undefined } : undefined;
}

/** What the ledger calls the dialect of a header. */
export function dialectOf({ tool, names, at }: Pick<Header, 'tool' | 'names' | 'at'>): string {
    if (tool.name !== 'common') {
        return tool.name;
    }
    const source = names[at.source];
    return source === 'id.orig_h' || source === 'id_orig_h'
        ? 'zeek'
        : source === 'src_ip' && !names.includes('flow_id')
          ? 'python-cicflowmeter'
          : 'cicflowmeter';
}

/** The unit where no row tells it. */
export function unitNamed({ tool, dialect, names }: { tool: Tool; dialect: string; names: readonly string[] }): {
    durationUnit: Unit;
    durationUnitBy: string;
} {
    if (dialect === 'python-cicflowmeter' && !names.includes('cwe_flag_count') && !names.includes('src_mac')) {
        return { durationUnit: 's', durationUnitBy: 'assumed' };
    }
    const isMicroseconds = dialect === 'cicflowmeter' || dialect === 'python-cicflowmeter';
    return { durationUnit: isMicroseconds ? 'us' : tool.unit, durationUnitBy: 'named' };
}

/** The unit that a row speaks for: none or one. */
export function witnessedUnits(cells: readonly string[], { header, style }: { header: Header; style: Style }): Unit[] {
    const { at, witness } = header;
    const number = (place: number): number => {
        const text = numberAt(cells, place, { header, style });
        return /^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$/.test(text) ? Number(text) : Number.NaN;
    };
    if (!witness) {
        return [];
    }
    const [duration, rate] = [number(at.duration), number(witness.rate)];
    const packets = [at.packets, ...(witness.backward === undefined ? [] : [witness.backward])].map(number);
    const sum = packets.reduce((total, count) => total + count, 0);
    if (!(duration > 0 && rate > 0 && sum > 0 && packets.every((count) => count >= 0))) {
        return [];
    }
    const perPacket = (duration * rate) / sum;
    return (['s', 'ms', 'us', 'ns'] as const).filter((unit) => {
        const quotient = perPacket / { s: 1, ms: 1e3, us: 1e6, ns: 1e9 }[unit];
        return quotient > 0.8 && quotient < 1.25;
    });
}

/** True if the line is what a tool writes behind its rows. */
export function isTrailer({ name }: Tool, cells: readonly string[]): boolean {
    return name === 'nfdump' && cells.length === 1 && ['Summary', 'No matching flows'].includes(cells[0] ?? '');
}

/** Places of the columns that tell what a row of the tool is. */
export function kindPlaces({ name }: Tool, names: readonly string[]): number[] {
    const spellings: Readonly<Record<string, string[][]>> = {
        nfdump: names.includes('te') ? [['tr'], ['eng']] : [['flows']],
        cidds: [['flows']],
        argus: [['proto']],
        'aws-vpc': [['log-status', 'log_status']],
    };
    return (spellings[name] ?? []).map((some) => names.findIndex((one) => some.includes(one))).filter((place) => place >= 0);
}

const NOT_IP = ['man', 'arp', 'rarp', 'lldp', 'llc', 'stp', 'cdp', 'isis', 'ether', 'eth', 'pppoe', 'mpls', 'ib', 'lcp', 'loop', 'ipx'];

/** Why the row is no flow by right; `refused` where it makes the file unusable. */
export function kindOfRow({ tool: { name }, names, at }: Header, cells: readonly string[]): string | undefined {
    const cell = (...spellings: string[]): string => cells[names.findIndex((one) => spellings.includes(one))] ?? '';
    if (name === 'aws-vpc') {
        const status = vpcState(cell('log-status', 'log_status'));
        return status === 'NODATA' ? 'no_data' : status === 'SKIPDATA' ? 'skip_data' : undefined;
    }
    if (name === 'argus') {
        if (/^[0-9]{2}(:[0-9]{2}){2}(\.[0-9]+)?$/.test(cells[at.began] ?? '')) {
            return 'refused';
        }
        const isMac = [cells[at.source], cells[at.destination]].some((text) => /^[0-9a-fA-F]{1,2}(:[0-9a-fA-F]{1,2}){5}$/.test(text ?? ''));
        return isMac || NOT_IP.includes(cell('proto').toLowerCase()) ? 'not_ip' : undefined;
    }
    if (['nfdump', 'cidds'].includes(name) && /^[0-9]+$/.test(cell('flows')) && Number(cell('flows')) > 1 && !names.includes('te')) {
        return 'refused';
    }
    return name === 'nfdump' && names.includes('te') && cell('tr').startsWith('1970-01-01 ') && cell('eng') === '0/0'
        ? 'refused'
        : undefined;
}

const NFDUMP_NAMES =
    'ts,te,td,sa,da,sp,dp,pr,flg,fwd,stos,ipkt,ibyt,opkt,obyt,in,out,sas,das,smk,dmk,dtos,dir,nh,nhb,svln,dvln,ismc,odmc,idmc,osmc,' +
    'mpls1,mpls2,mpls3,mpls4,mpls5,mpls6,mpls7,mpls8,mpls9,mpls10,cl,sl,al,ra,eng,exid,tr';

const VPC_NAMES = 'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status';

const UNSW_NAMES =
    'srcip,sport,dstip,dsport,proto,state,dur,sbytes,dbytes,sttl,dttl,sloss,dloss,service,sload,dload,spkts,dpkts,swin,dwin,stcpb,dtcpb,smeansz,' +
    'dmeansz,trans_depth,res_bdy_len,sjit,djit,stime,ltime,sintpkt,dintpkt,tcprtt,synack,ackdat,is_sm_ips_ports,ct_state_ttl,ct_flw_http_mthd,' +
    'is_ftp_login,ct_ftp_cmd,ct_srv_src,ct_srv_dst,ct_dst_ltm,ct_src_ltm,ct_src_dport_ltm,ct_dst_sport_ltm,ct_dst_src_ltm,attack_cat,label';

function isVpcRow(cells: readonly string[]): boolean {
    return cells.length === 14 && /^[0-9]$/.test(cells[0] ?? '') && ['OK', 'NODATA', 'SKIPDATA'].includes(vpcState(cells[13] ?? ''));
}

/** The state, without blanks of whatever sort behind it. */
function vpcState(written: string): string {
    return written.toUpperCase().replace(/[^A-Z]+$/, '');
}

/** Files without a header that are known by their first row. */
export const HEADLESS: readonly { tool: Tool; names: string[]; isRow(cells: readonly string[]): boolean }[] = [
    {
        tool: NFDUMP,
        names: NFDUMP_NAMES.split(','),
        isRow: (cells) =>
            cells.length === 48 && [cells[0], cells[1]].every((cell) => /^[0-9]{4}(-[0-9]{2}){2} [0-9]{2}(:[0-9]{2}){2}$/.test(cell ?? '')),
    },
    {
        tool: VPC,
        names: VPC_NAMES.split(' '),
        isRow: isVpcRow,
    },
    {
        tool: VPC,
        names: ['time', ...VPC_NAMES.split(' ')],
        isRow: ([time = '', ...cells]) => /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z$/.test(time) && isVpcRow(cells),
    },
    {
        tool: UNSW,
        names: UNSW_NAMES.split(','),
        isRow: (cells) => cells.length === 49 && [cells[28], cells[29]].every((cell) => /^[0-9]{10}$/.test(cell ?? '')),
    },
];
