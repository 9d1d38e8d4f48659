/** NFStream. */
import { type Dialect, milliseconds, SERIAL_DAYS_END } from './dialect.ts';

export const NFSTREAM: Dialect = {
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
