/** nDPI. */
import { type Dialect, SERIAL_DAYS_END, seconds } from './dialect.ts';

/** What `ndpiReader -C` of nDPI writes. */
export const NDPI: Dialect = {
    name: 'ndpi',
    columns: { src_ip: ['src_ip'], dst_ip: ['dst_ip'], timestamp: ['first_seen'], flow_duration: ['duration'], fwd_pkts: ['c_to_s_pkts'] },
    unit: seconds,
    minEpochSeconds: SERIAL_DAYS_END,
};
