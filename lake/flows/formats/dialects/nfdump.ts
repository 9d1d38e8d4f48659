/** nfdump, by its CSV of before 1.7.5 and since, and the CIDDS data sets, which have its columns. */
import { type Dialect, type RowKind, SERIAL_DAYS_END, seconds } from './dialect.ts';

const NFDUMP_NAMES =
    'ts,te,td,sa,da,sp,dp,pr,flg,fwd,stos,ipkt,ibyt,opkt,obyt,in,out,sas,das,smk,dmk,dtos,dir,nh,nhb,svln,dvln,ismc,odmc,idmc,osmc,' +
    'mpls1,mpls2,mpls3,mpls4,mpls5,mpls6,mpls7,mpls8,mpls9,mpls10,cl,sl,al,ra,eng,exid,tr';

const AGGREGATED =
    'nfdump’s aggregated records (-A): they do not say how many flows each one is; write the flows themselves: nfdump -r FILE -o csv';

export const NFDUMP: Dialect = {
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
        plain: ['tr'],
        isFlow: (bytes, start) => bytes[start] === DIGIT_2,
    },
    headless: [
        {
            names: NFDUMP_NAMES.split(','),
            isRow: (cells) =>
                cells.length === 48 && [cells[0], cells[1]].every((cell) => /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/.test(cell ?? '')),
        },
    ],
};

/** A flow that stands for itself. */
const DIGIT_1 = '1'.charCodeAt(0);
/** A year that is none of 1970. */
const DIGIT_2 = '2'.charCodeAt(0);

const SUMMED_UP =
    'records that stand for several flows each (column flows), so that no flow’s duration and packets are known; write the flows themselves: nfdump -r FILE -o csv without -A, -a, -b and -s';

/** Tells records that stand for more than one flow. */
const FLOW_COUNT: RowKind = {
    columns: [['flows']],
    of: ([flows = '']) => (/^\d+$/.test(flows) && Number(flows) > 1 ? { error: SUMMED_UP } : undefined),
    plain: ['flows'],
    isFlow: (bytes, start, end) => end === start + 1 && bytes[start] === DIGIT_1,
};

/** Versions from 1.7.5 on. */
export const NFDUMP_SHORT: Dialect = {
    name: 'nfdump',
    columns: { src_ip: ['srcAddr'], dst_ip: ['dstAddr'], timestamp: ['firstSeen'], flow_duration: ['duration'], fwd_pkts: ['packets'] },
    unit: seconds,
    minEpochSeconds: SERIAL_DAYS_END,
    trailers: NFDUMP.trailers ?? [],
    isWithoutJanuary1970: true,
    rowKind: FLOW_COUNT,
};

/** Versions from 1.7.5 on, `-o csv-fast`. */
export const NFDUMP_FAST: Dialect = {
    ...NFDUMP_SHORT,
    columns: { ...NFDUMP_SHORT.columns, flow_duration: ['lastSeen'] },
    isEnd: true,
};

/** The columns of nfdump's lines for people, as the CIDDS data sets pass them on in CSV. */
export const CIDDS: Dialect = {
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
