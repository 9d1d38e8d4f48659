/** Zeek's conn.log: as text with tabs, and as JSON lines. */
import { clockOf, type PlainFlow, secondsOf, type Tool } from './tool.ts';

const FIELDS: readonly (readonly [name: string, type: string])[] = [
    ['ts', 'time'],
    ['uid', 'string'],
    ['id.orig_h', 'addr'],
    ['id.orig_p', 'port'],
    ['id.resp_h', 'addr'],
    ['id.resp_p', 'port'],
    ['proto', 'enum'],
    ['service', 'string'],
    ['duration', 'interval'],
    ['orig_bytes', 'count'],
    ['resp_bytes', 'count'],
    ['conn_state', 'string'],
    ['local_orig', 'bool'],
    ['local_resp', 'bool'],
    ['missed_bytes', 'count'],
    ['history', 'string'],
    ['orig_pkts', 'count'],
    ['orig_ip_bytes', 'count'],
    ['resp_pkts', 'count'],
    ['resp_ip_bytes', 'count'],
    ['tunnel_parents', 'set[string]'],
    ['ip_proto', 'count'],
];

const TEXT_FIELDS = ['uid', 'id.orig_h', 'id.resp_h', 'proto', 'conn_state', 'history'];

export const zeek: Tool = {
    name: 'zeek',
    fileEnd: 'conn.log',
    open(day) {
        const line = (names: readonly string[]): string => `${names.join('\t')}\n`;
        let count = 0;
        return {
            head: [
                '#separator \\x09\n',
                line(['#set_separator', ',']),
                line(['#empty_field', '(empty)']),
                line(['#unset_field', '-']),
                line(['#path', 'conn']),
                line(['#open', `${day}-00-00-00`]),
                line(['#fields', ...FIELDS.map(([name]) => name)]),
                line(['#types', ...FIELDS.map(([, type]) => type)]),
            ].join(''),
            rowOf(flow) {
                count += 1;
                const values = valuesOf(flow, count);
                return line(FIELDS.map(([name]) => values.get(name) ?? '-'));
            },
            end: () => line(['#close', `${day}-23-59-59`]),
        };
    },
};

/** What `LogAscii::use_json=T` makes of it: keys that are unset are left out. */
export const zeekJson: Tool = {
    name: 'zeek-json',
    fileEnd: 'conn.log',
    open() {
        let count = 0;
        return {
            head: '',
            rowOf(flow) {
                count += 1;
                const cells = [...valuesOf(flow, count)].map(([name, value]) => {
                    const isText = TEXT_FIELDS.includes(name);
                    // Zeek writes numbers of JSON without zeros at their end.
                    const number = value.includes('.') ? value.replace(/0+$/, '').replace(/\.$/, '.0') : value;
                    return `${JSON.stringify(name)}:${isText ? JSON.stringify(value) : number}`;
                });
                return `{${cells.join(',')}}\n`;
            },
            end: () => '',
        };
    },
};

function valuesOf(flow: PlainFlow, count: number): Map<string, string> {
    const isAnswered = flow.backward > 0;
    const isTcp = flow.protocol === 6;
    const { clock } = clockOf(flow.startSeconds);
    return new Map([
        ['ts', `${flow.startSeconds}.000000`],
        ['uid', `C${clock.replaceAll(':', '')}${count.toString(36)}`],
        ['id.orig_h', flow.src],
        ['id.orig_p', String(flow.srcPort)],
        ['id.resp_h', flow.dst],
        ['id.resp_p', String(flow.dstPort)],
        ['proto', isTcp ? 'tcp' : 'udp'],
        ['duration', secondsOf(flow.durationUs)],
        ['conn_state', isAnswered ? 'SF' : 'S0'],
        ['missed_bytes', '0'],
        ['history', isTcp ? (isAnswered ? 'ShADadFf' : 'S') : isAnswered ? 'Dd' : 'D'],
        ['orig_pkts', String(flow.forward)],
        ['orig_ip_bytes', String(flow.forwardBytes)],
        ['resp_pkts', String(flow.backward)],
        ['resp_ip_bytes', String(flow.backwardBytes)],
        ['ip_proto', String(flow.protocol)],
    ]);
}
