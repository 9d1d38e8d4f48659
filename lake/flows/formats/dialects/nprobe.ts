/** nProbe. */
import { type Dialect, milliseconds, SERIAL_DAYS_END } from './dialect.ts';

export const NPROBE: Dialect = {
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
