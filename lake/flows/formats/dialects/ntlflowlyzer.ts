/** NTLFlowLyzer. */
import { type Dialect, SERIAL_DAYS_END, seconds } from './dialect.ts';

export const NTLFLOWLYZER: Dialect = {
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
