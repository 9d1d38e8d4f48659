/** CICFlowMeter of Java and of Python, and Zeek. */
import { type Dialect, hasAny, microseconds, normalize, SERIAL_DAYS_END, type Spellings, seconds } from './dialect.ts';

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

export const CICFLOWMETER: Dialect = {
    name: 'cicflowmeter',
    columns: COMMON,
    unit: microseconds,
    minEpochSeconds: SERIAL_DAYS_END,
    isWithoutJanuary1970: true,
    isDurationWhole: true,
};

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
