/** The ToN-IoT data set. */
import { type Dialect, SERIAL_DAYS_END, seconds } from './dialect.ts';

export const TON_IOT: Dialect = {
    name: 'ton-iot',
    columns: { src_ip: ['src_ip'], dst_ip: ['dst_ip'], timestamp: ['ts'], flow_duration: ['duration'], fwd_pkts: ['src_pkts'] },
    unit: seconds,
    minEpochSeconds: SERIAL_DAYS_END,
};
