/** The UNSW-NB15 data set. */
import { type Dialect, SERIAL_DAYS_END, seconds } from './dialect.ts';

const UNSW_NAMES =
    'srcip,sport,dstip,dsport,proto,state,dur,sbytes,dbytes,sttl,dttl,sloss,dloss,service,Sload,Dload,Spkts,Dpkts,swin,dwin,stcpb,dtcpb,smeansz,' +
    'dmeansz,trans_depth,res_bdy_len,Sjit,Djit,Stime,Ltime,Sintpkt,Dintpkt,tcprtt,synack,ackdat,is_sm_ips_ports,ct_state_ttl,ct_flw_http_mthd,' +
    'is_ftp_login,ct_ftp_cmd,ct_srv_src,ct_srv_dst,ct_dst_ltm,ct_src_ltm,ct_src_dport_ltm,ct_dst_sport_ltm,ct_dst_src_ltm,attack_cat,Label';

export const UNSW_NB15: Dialect = {
    name: 'unsw-nb15',
    columns: { src_ip: ['srcip'], dst_ip: ['dstip'], timestamp: ['Stime'], flow_duration: ['dur'], fwd_pkts: ['Spkts'] },
    unit: seconds,
    minEpochSeconds: SERIAL_DAYS_END,
    // Published without a header; the names are in another file.
    headless: [
        {
            names: UNSW_NAMES.split(','),
            isRow: (cells) => cells.length === 49 && [cells[28], cells[29]].every((cell) => /^\d{10}$/.test(cell ?? '')),
        },
    ],
};
