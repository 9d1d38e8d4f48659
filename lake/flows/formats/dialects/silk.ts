/** SiLK, by what its rwcut prints. */
import { type Dialect, SERIAL_DAYS_END, seconds } from './dialect.ts';

/** What rwcut must be told to print. */
export const RWCUT = 'rwcut --fields=sIP,dIP,sTime,duration,packets --delimited FILE';

export const SILK: Dialect = {
    name: 'silk',
    columns: {
        src_ip: ['sIP'],
        dst_ip: ['dIP'],
        timestamp: ['sTime', 'sTime+msec'],
        flow_duration: ['duration', 'dur', 'dur+msec'],
        fwd_pkts: ['packets'],
    },
    unit: seconds,
    minEpochSeconds: SERIAL_DAYS_END,
};
