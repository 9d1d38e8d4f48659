/** The tools that write flows as JSON, by the page docs/reading.md and not by lake/flows: where they have what, and what of a record is no flow. */
import type { Unit } from './tools.ts';

export interface JsonTool {
    dialect: string;
    /** Paths of each field; of several that are one, a record may have only one. */
    paths: Readonly<Record<JsonField, readonly string[]>>;
    /** How its times are written. `epoch or iso` has durations beside them, which others have not. */
    times: 'epoch or iso' | 'iso' | 'nanoseconds';
    unit: Unit;
    isFlow(texts: Readonly<Record<JsonField, string | undefined>>): boolean;
}

export const JSON_FIELDS = ['src', 'dst', 'began', 'duration', 'packets', 'kind', 'state', 'rate'] as const;
export type JsonField = (typeof JSON_FIELDS)[number];

const ZEEK: JsonTool = {
    dialect: 'zeek-json',
    paths: pathsOf({
        src: ['id.orig_h', 'id/orig_h'],
        dst: ['id.resp_h', 'id/resp_h'],
        began: ['ts'],
        duration: ['duration'],
        packets: ['orig_pkts'],
        kind: ['_path'],
        state: ['conn_state'],
    }),
    times: 'epoch or iso',
    unit: 's',
    isFlow: ({ kind, packets, state }) => (kind === undefined ? packets !== undefined || state !== undefined : kind === 'conn'),
};

const SURICATA: JsonTool = {
    dialect: 'suricata',
    paths: pathsOf({
        src: ['src_ip'],
        dst: ['dest_ip'],
        began: ['flow/start'],
        duration: ['flow/end'],
        packets: ['flow/pkts_toserver'],
        kind: ['event_type'],
    }),
    times: 'iso',
    unit: 'us',
    isFlow: ({ kind }) => kind === 'flow',
};

const GOFLOW2: JsonTool = {
    dialect: 'goflow2',
    paths: pathsOf({
        src: ['src_addr'],
        dst: ['dst_addr'],
        began: ['time_flow_start_ns'],
        duration: ['time_flow_end_ns'],
        packets: ['packets'],
        kind: ['type'],
        rate: ['sampling_rate'],
    }),
    times: 'nanoseconds',
    unit: 'ns',
    isFlow: ({ kind }) => kind?.startsWith('SFLOW') !== true,
};

const NFDUMP: JsonTool = {
    dialect: 'nfdump-json',
    paths: pathsOf({
        src: ['src4_addr', 'src6_addr'],
        dst: ['dst4_addr', 'dst6_addr'],
        began: ['first', 't_first'],
        duration: ['last', 't_last'],
        packets: ['in_packets'],
        kind: ['type'],
    }),
    times: 'iso',
    unit: 'ms',
    isFlow: ({ kind }) => kind === undefined || kind === 'FLOW',
};

function pathsOf(known: Partial<Record<JsonField, readonly string[]>>): JsonTool['paths'] {
    return { src: [], dst: [], began: [], duration: [], packets: [], kind: [], state: [], rate: [], ...known };
}

/** True if a record with these paths has what a flow of another tool than the file's needs. */
export function isFlowOfAnother(own: JsonTool, paths: readonly string[]): boolean {
    return [ZEEK, SURICATA, GOFLOW2, NFDUMP].some(
        (tool) =>
            tool !== own &&
            (['src', 'dst', 'began', 'packets'] as const).every((field) => tool.paths[field].some((path) => paths.includes(path))),
    );
}

/** The tool that a record's own keys tell, `refused` for one whose files cannot be read, undefined where they tell none. */
export function jsonToolOf(keys: ReadonlySet<string>, nameIs: () => string): JsonTool | 'refused' | undefined {
    const has = (...all: string[]): boolean => all.every((key) => keys.has(key));
    if (has('ip_src', 'ip_dst')) {
        return 'refused';
    }
    if (has('time_flow_start_ns') || has('src_addr', 'sampler_address')) {
        return GOFLOW2;
    }
    if (has('type', 'export_sysid') || (has('in_packets') && (has('src4_addr') || has('src6_addr')))) {
        return NFDUMP;
    }
    if (has('event_type', 'timestamp')) {
        return SURICATA;
    }
    const isScript = keys.size === 1 && has('name') && /\.(zeek|bro)$/.test(nameIs());
    return has('_path') || has('ts') || isScript ? ZEEK : undefined;
}
