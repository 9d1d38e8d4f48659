/** Tools whose files cannot be read, by their columns, their first row, or the beginning of their JSON. */
import { isIP } from 'node:net';
import { RA } from './argus.ts';
import { RWCUT } from './silk.ts';

/** Names under which home-made CSV is read. */
const CSV_NAMES = 'src_ip,dst_ip,timestamp,flow_duration,tot_fwd_pkts';

const INSIGHTS = 'an answer of CloudWatch Logs Insights';
const FROM_S3 = 'upload the records themselves: the files of the flow log in S3, or what aws logs create-export-task writes';

const SPLUNK = 'an export of Splunk';
const SPLUNK_TODO = 'export the events as they came (format Raw Events) and upload that';

const ELASTIC = 'flows of Elastic (ECS, as packetbeat and filebeat write them)';
const ELASTIC_TODO = `export source.ip, destination.ip, event.start, event.duration and source.packets as CSV under ${CSV_NAMES}, of records with flow.final true where there is one, and upload it with --duration-unit ns`;

const GOOGLE = 'VPC flow logs of Google Cloud';
const GOOGLE_TODO = `write connection.src_ip, connection.dest_ip, start_time, end_time less start_time in seconds, and packets_sent as CSV under ${CSV_NAMES}, of one reporter (SRC), since both ends of a flow report it; upload it with --duration-unit s`;

/** Files of other tools whose columns are known, and what to do so that they can be read. */
export const REFUSALS: readonly { has: readonly string[]; hasNot?: readonly string[]; error: string }[] = [
    {
        has: ['SRC_IP', 'DST_IP', 'TIMESTAMP_START', 'PACKETS'],
        error: 'pmacct with timestamp_start: each row is a packet and none a flow; flows come from its nfprobe plugin (then nfdump -o csv)',
    },
    {
        has: ['SRC_IP', 'PACKETS', 'BYTES'],
        error: 'sums of pmacct: they have neither flows nor times; flows come from its nfprobe plugin (then nfdump -o csv)',
    },
    { has: ['ts', 'te', 'td', 'val', 'fl'], error: 'statistics of nfdump (-s): they are no flows; write the flows: nfdump -r FILE -o csv' },
    { has: ['Date first seen'], error: 'nfdump’s lines for people (-o line, long, fmt): write nfdump -r FILE -o csv' },
    {
        has: ['SrcAddr', 'DstAddr', 'TotPkts'],
        error: `Argus without forward packets: TotPkts counts both directions, and by the defaults of ra times have no date; write ${RA}`,
    },
    {
        has: ['ip.src', 'ip.dst'],
        error: 'fields of packets, as tshark -T fields writes them: rows are packets and none a flow; make flows of the capture first (Zeek, NFStream, nfpcapd)',
    },
    { has: ['sIP', 'dIP'], error: `rwcut of SiLK without all that is needed: print it with ${RWCUT}` },
    { has: ['@message'], error: `${INSIGHTS}: ${FROM_S3}` },
    { has: ['@timestamp', 'srcAddr'], error: `${INSIGHTS}: ${FROM_S3}` },
    { has: ['_raw', '_time'], error: `${SPLUNK}: ${SPLUNK_TODO}` },
    { has: ['source.ip', 'destination.ip'], error: `${ELASTIC}: ${ELASTIC_TODO}` },
    { has: ['jsonPayload.connection.src_ip'], error: `${GOOGLE}: ${GOOGLE_TODO}` },
];

/** Files without a header whose first row tells what they are. */
export const HEADLESS_REFUSALS: readonly { isRow(cells: readonly string[]): boolean; error: string }[] = [
    {
        // When a flow ended, how long it took, addresses, ports, protocol, flags, two numbers, packets, bytes, label.
        isRow: (cells) =>
            cells.length === 13 &&
            /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/.test(cells[0] ?? '') &&
            /^\d+\.\d{3}$/.test(cells[1] ?? '') &&
            [cells[2], cells[3]].every((cell) => isIP(cell ?? '') !== 0) &&
            [cells[4], cells[5], cells[10], cells[11]].every((cell) => /^\d+$/.test(cell ?? '')) &&
            /^[A-Za-z.]{6}$/.test(cells[7] ?? '') &&
            /^[a-z]/i.test(cells[12] ?? ''),
        error: `rows of the UGR’16 data set, whose first column is when a flow ended: subtract its second (seconds), and put src_ip,dst_ip,timestamp,flow_duration,tot_fwd_pkts above columns 3, 4, that beginning, 2 and 11; upload it with --duration-unit s`,
    },
];

/** Kinds of JSON that hold flows, or logs of them, in a form that is not read: each has all of these in its first bytes. */
export const JSON_REFUSALS: readonly { has: readonly RegExp[]; what: string; todo: string }[] = [
    {
        has: [/"records"\s*:\s*\[/, /"flow(?:Tuples|Records)"\s*:|FlowEvent"/],
        what: 'flow logs of Azure (VNet or NSG)',
        todo: `each of its tuples is a flow’s beginning, middle or end; add up the tuples of a flow, and write them as CSV under ${CSV_NAMES}`,
    },
    {
        has: [/"logEvents"\s*:\s*\[/],
        what: 'records of CloudWatch Logs as a subscription sends them (Kinesis, Firehose, Lambda)',
        todo: 'take the records out (jq -r ".logEvents[].message" NAME > NEW) and upload these',
    },
    {
        has: [/"events"\s*:\s*\[/, /"ingestionTime"\s*:/],
        what: 'events of CloudWatch Logs as the AWS CLI shows them',
        todo: 'take the records out (jq -r ".events[].message" NAME > NEW) and upload these',
    },
    { has: [/"@message"/], what: INSIGHTS, todo: FROM_S3 },
    { has: [/"_raw"\s*:/], what: SPLUNK, todo: SPLUNK_TODO },
    { has: [/"result"\s*:\s*\{/, /"(?:preview|lastrow)"\s*:/], what: SPLUNK, todo: SPLUNK_TODO },
    { has: [/"connection"\s*:\s*\{/, /"src_ip"\s*:/, /"dest_ip"\s*:/], what: GOOGLE, todo: GOOGLE_TODO },
    { has: [/"source\.ip"\s*:/, /"destination\.ip"\s*:/], what: ELASTIC, todo: ELASTIC_TODO },
    { has: [/"source"\s*:\s*\{/, /"destination"\s*:\s*\{/, /"(?:@timestamp|event|_source)"\s*:/], what: ELASTIC, todo: ELASTIC_TODO },
];
