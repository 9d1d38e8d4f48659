/** Argus, and Bot-IoT, which has its columns. */
import { type Dialect, type RowKind, SERIAL_DAYS_END, seconds } from './dialect.ts';

/** Argus: the flows of IP only; what its other records say is skipped. */
const ARGUS_COLUMNS = {
    src_ip: ['SrcAddr', 'saddr'],
    dst_ip: ['DstAddr', 'daddr'],
    timestamp: ['StartTime', 'stime'],
    fwd_pkts: ['SrcPkts', 'spkts'],
} as const;

/** What Argus's own reader must be told to write. */
export const RA = 'ra -n -u -c , -s stime,ltime,dur,proto,saddr,sport,dir,daddr,dport,spkts,dpkts -r FILE';

const ARGUS_ROWS: RowKind = {
    columns: [ARGUS_COLUMNS.timestamp, ['Proto'], ARGUS_COLUMNS.src_ip, ARGUS_COLUMNS.dst_ip],
    of: ([start = '', protocol = '', ...addresses]) => {
        if (CLOCK.test(start)) {
            return { error: `Argus without -u of ra: its times are clocks without a date; write ${RA}` };
        }
        return NOT_IP.has(protocol.toLowerCase()) || addresses.some((address) => MAC_ADDRESS.test(address)) ? 'not_ip' : undefined;
    },
    // What has addresses and a date has neither MAC addresses nor a clock. No protocol but that of a flow begins with t or u, as TCP and UDP do.
    plain: ['Proto'],
    isFlow: (bytes, start) => ((bytes[start] ?? 0) | CASE) === LETTER_T || ((bytes[start] ?? 0) | CASE) === LETTER_U,
};

/** The bit that tells small letters from capitals. */
const CASE = 0x20;
const LETTER_T = 't'.charCodeAt(0);
const LETTER_U = 'u'.charCodeAt(0);

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

export const ARGUS: Dialect = {
    name: 'argus',
    // `Dur` is a float of 32 bits: the times are exact.
    columns: { ...ARGUS_COLUMNS, flow_duration: ['LastTime', 'ltime'] },
    isEnd: true,
    unit: seconds,
    minEpochSeconds: SERIAL_DAYS_END,
    rowKind: ARGUS_ROWS,
};

export const ARGUS_WITHOUT_END: Dialect = { ...ARGUS, columns: { ...ARGUS_COLUMNS, flow_duration: ['Dur'] }, isEnd: false };
