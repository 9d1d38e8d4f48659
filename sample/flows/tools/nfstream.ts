/** NFStream's `to_csv`: two-way flows in milliseconds, lines that end in CRLF. */
import type { Tool } from './tool.ts';

const HEADER =
    'id,expiration_id,src_ip,src_mac,src_oui,src_port,dst_ip,dst_mac,dst_oui,dst_port,protocol,ip_version,vlan_id,tunnel_id,' +
    'bidirectional_first_seen_ms,bidirectional_last_seen_ms,bidirectional_duration_ms,bidirectional_packets,bidirectional_bytes,' +
    'src2dst_first_seen_ms,src2dst_last_seen_ms,src2dst_duration_ms,src2dst_packets,src2dst_bytes,' +
    'dst2src_first_seen_ms,dst2src_last_seen_ms,dst2src_duration_ms,dst2src_packets,dst2src_bytes,' +
    'application_name,application_category_name,application_is_guessed,application_confidence,requested_server_name,' +
    'client_fingerprint,server_fingerprint,user_agent,content_type';

const SOURCE_CARD = ['02:00:00:00:00:01', '02:00:00'];
const DESTINATION_CARD = ['02:00:00:00:00:02', '02:00:00'];
const APPLICATION = ['Unknown', 'Unspecified', '0', '0', '', '', '', '', ''];

export const nfstream: Tool = {
    name: 'nfstream',
    fileEnd: 'nfstream.csv',
    open() {
        let count = 0;
        return {
            head: `${HEADER}\r\n`,
            rowOf(flow) {
                const first = flow.startSeconds * 1000;
                const duration = Math.round(flow.durationUs / 1000);
                const span = [first, first + duration, duration];
                const { forward, backward, forwardBytes, backwardBytes } = flow;
                const cells = [
                    ...[count, 0],
                    ...[flow.src, ...SOURCE_CARD, flow.srcPort],
                    ...[flow.dst, ...DESTINATION_CARD, flow.dstPort],
                    ...[flow.protocol, flow.src.includes(':') ? 6 : 4, 0, 0],
                    ...[...span, forward + backward, forwardBytes + backwardBytes],
                    ...[...span, forward, forwardBytes],
                    ...[...(backward === 0 ? [0, 0, 0] : span), backward, backwardBytes],
                    ...APPLICATION,
                ];
                count += 1;
                return `${cells.join(',')}\r\n`;
            },
            end: () => '',
        };
    },
};
