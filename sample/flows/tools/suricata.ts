/** Suricata's eve.json: flow events, one a line. */
import { clockOf, secondsOf, type Tool } from './tool.ts';

/** Suricata tells of a flow when it has been silent for a minute. */
const TIMEOUT_US = 60_000_000;

/** Number of the first flow. */
const FIRST_FLOW_ID = 1_000_000_000_000_000;

export const suricata: Tool = {
    name: 'suricata',
    fileEnd: 'eve.json',
    open() {
        let count = 0;
        return {
            head: '',
            rowOf(flow) {
                count += 1;
                const end = flow.durationUs;
                return `${JSON.stringify({
                    timestamp: timeOf(flow.startSeconds, end + TIMEOUT_US),
                    flow_id: FIRST_FLOW_ID + count,
                    event_type: 'flow',
                    src_ip: flow.src,
                    src_port: flow.srcPort,
                    dest_ip: flow.dst,
                    dest_port: flow.dstPort,
                    proto: flow.protocol === 6 ? 'TCP' : 'UDP',
                    flow: {
                        pkts_toserver: flow.forward,
                        pkts_toclient: flow.backward,
                        bytes_toserver: flow.forwardBytes,
                        bytes_toclient: flow.backwardBytes,
                        start: timeOf(flow.startSeconds, 0),
                        end: timeOf(flow.startSeconds, end),
                        age: Math.round(end / 1e6),
                        state: flow.backward > 0 ? 'established' : 'new',
                        reason: 'timeout',
                        alerted: false,
                    },
                })}\n`;
            },
            end: () => '',
        };
    },
};

/** `yyyy-MM-ddTHH:mm:ss.ffffff+0000`. */
function timeOf(startSeconds: number, microseconds: number): string {
    const [whole = '', fraction] = secondsOf(microseconds).split('.');
    const { date, clock } = clockOf(startSeconds + Number(whole));
    return `${date}T${clock}.${fraction}+0000`;
}
