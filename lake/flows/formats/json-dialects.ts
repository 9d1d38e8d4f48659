/** The tools whose JSON is read: under which keys they write a flow, how a file of theirs is told, and what their records come to. */

import { looksLikeEpoch } from '../epochs.ts';
import { type FlowPlace, type FlowSink, isNoDuration, NO_DURATION } from '../flow-sink.ts';
import { type Instant, instantOfEpoch, instantOfIso, microsecondsBetween } from '../instants.ts';
import { type ParsedNumber, parseWhole } from '../numbers.ts';
import type { DurationUnit } from '../options.ts';

/** What a record says, by what the lake needs it for. */
export const KIND = 0;
export const SOURCE = 1;
export const DESTINATION = 2;
export const START = 3;
/** The end of the flow, or how long it took; a flow without it is one all the same. */
export const END = 4;
export const PACKETS = 5;
/** Packets that each packet of the record stands for. */
export const RATE = 6;
/** Only flows have it; what it says is of no matter. */
export const MARK = 7;
export const ROLE_COUNT = 8;

/** The texts of a record by role; undefined where it has none, or null. */
export type Texts = readonly (string | undefined)[];

export interface JsonDialect {
    name: 'zeek-json' | 'suricata' | 'goflow2' | 'nfdump-json';
    /** The name that people know it by. */
    title: string;
    /** Role of each path that matters. */
    roles: ReadonlyMap<string, number>;
    durationUnit: DurationUnit;
    /** How times are written: both as text, both as whole nanoseconds, or the start with the duration beside it. */
    times: 'iso' | 'nanoseconds' | 'start and duration';
    /** False for a record of something else than a flow. `hasFlowKeys`: it has packets or a mark. */
    isFlow(kind: string | undefined, hasFlowKeys: boolean): boolean;
}

function rolesOf(paths: Readonly<Record<string, number>>): ReadonlyMap<string, number> {
    return new Map(Object.entries(paths));
}

const ZEEK: JsonDialect = {
    name: 'zeek-json',
    title: 'Zeek',
    roles: rolesOf({
        '/_path': KIND,
        '/id.orig_h': SOURCE,
        '/id.resp_h': DESTINATION,
        // As zq writes it.
        '/id/orig_h': SOURCE,
        '/id/resp_h': DESTINATION,
        '/ts': START,
        '/duration': END,
        '/orig_pkts': PACKETS,
        '/conn_state': MARK,
    }),
    durationUnit: 's',
    times: 'start and duration',
    isFlow: (kind, hasFlowKeys) => kind === 'conn' || (kind === undefined && hasFlowKeys),
};

const SURICATA: JsonDialect = {
    name: 'suricata',
    title: 'Suricata',
    roles: rolesOf({
        '/event_type': KIND,
        '/src_ip': SOURCE,
        '/dest_ip': DESTINATION,
        '/flow/start': START,
        '/flow/end': END,
        '/flow/pkts_toserver': PACKETS,
    }),
    durationUnit: 'us',
    times: 'iso',
    isFlow: (kind) => kind === 'flow',
};

const GOFLOW2: JsonDialect = {
    name: 'goflow2',
    title: 'goflow2',
    roles: rolesOf({
        '/type': KIND,
        '/src_addr': SOURCE,
        '/dst_addr': DESTINATION,
        '/time_flow_start_ns': START,
        '/time_flow_end_ns': END,
        '/packets': PACKETS,
        '/sampling_rate': RATE,
    }),
    durationUnit: 'ns',
    times: 'nanoseconds',
    // sFlow has no flows: each record is a packet that was sampled.
    isFlow: (kind) => kind?.startsWith('SFLOW') !== true,
};

const NFDUMP: JsonDialect = {
    name: 'nfdump-json',
    title: 'nfdump',
    roles: rolesOf({
        '/type': KIND,
        '/src4_addr': SOURCE,
        '/src6_addr': SOURCE,
        '/dst4_addr': DESTINATION,
        '/dst6_addr': DESTINATION,
        '/first': START,
        '/t_first': START,
        '/last': END,
        '/t_last': END,
        '/in_packets': PACKETS,
    }),
    durationUnit: 'ms',
    times: 'iso',
    isFlow: (kind) => kind === undefined || kind === 'FLOW',
};

/** What a record tells of the tool that wrote its file: its dialect, why no file of that tool can be read, or nothing. */
export type ToolOfRecord = JsonDialect | { what: string; todo: string } | undefined;

/** Tells the tool by a record's paths, and by a text where a path does not suffice. */
export function toolOf(paths: ReadonlySet<string>, textAtPath: (path: string) => string): ToolOfRecord {
    const has = (...all: string[]): boolean => all.every((path) => paths.has(path));
    if (has('/ip_src', '/ip_dst')) {
        return { what: paths.has('/timestamp_start') ? PMACCT_PACKETS : PMACCT_SUMS, todo: PMACCT_TODO };
    }
    if (has('/time_flow_start_ns') || has('/src_addr', '/sampler_address')) {
        return GOFLOW2;
    }
    if (has('/type', '/export_sysid') || has('/in_packets', '/src4_addr') || has('/in_packets', '/src6_addr')) {
        return NFDUMP;
    }
    if (has('/event_type', '/timestamp')) {
        return SURICATA;
    }
    // Its log of loaded scripts has nothing but their names.
    const isScript = paths.size === 1 && has('/name') && /\.(zeek|bro)$/.test(textAtPath('/name'));
    return has('/_path') || has('/ts') || isScript ? ZEEK : undefined;
}

const DIALECTS: readonly JsonDialect[] = [GOFLOW2, NFDUMP, SURICATA, ZEEK];

/** What no flow is without. */
const NEEDED = [SOURCE, DESTINATION, START, PACKETS];

/** The tool, other than the file's, that a record with these paths is a flow of; undefined where it is none. */
export function otherToolOf(own: JsonDialect, paths: ReadonlySet<string>): JsonDialect | undefined {
    const hasAll = ({ roles }: JsonDialect): boolean =>
        NEEDED.every((needed) => [...roles].some(([path, role]) => role === needed && paths.has(path)));
    return DIALECTS.find((dialect) => dialect !== own && hasAll(dialect));
}

const PMACCT_SUMS = "pmacct's JSON, sums of packets between addresses without the times of flows";
const PMACCT_PACKETS = "pmacct's JSON with timestamp_start, in which each record is of a packet, not of a flow";
const PMACCT_TODO = 'have pmacctd export flows (plugins: nfprobe) to nfcapd, and upload what `nfdump -r FILE -o csv` writes of its files';

/** What there is to read, as refusals say it. */
export const KNOWN_TOOLS = 'conn.log of Zeek, eve.json of Suricata, and the JSON of goflow2 and nfdump';

/** Hands the flow that the texts of a record tell to the sink. */
export function takeFlow(texts: Texts, { times, sink, place }: { times: JsonDialect['times']; sink: FlowSink; place: FlowPlace }): void {
    const source = textAt(texts, SOURCE);
    const destination = textAt(texts, DESTINATION);
    const start = textAt(texts, START);
    const end = textAt(texts, END);
    const packets = timesRate(textAt(texts, PACKETS), textAt(texts, RATE));
    if (times === 'start and duration' && isNumber(start)) {
        sink.take({ source, destination, timestamp: start, duration: end, packets }, place);
        return;
    }
    if (start === '') {
        sink.reject('missing_field', place);
        return;
    }
    const instantOf = times === 'nanoseconds' ? instantOfNanoseconds : instantOfIso;
    const instant = instantOf(start);
    const duration = isNoDuration(end)
        ? NO_DURATION
        : times === 'start and duration'
          ? parseWhole(end, { scale: sink.durationScale })
          : durationTo(instantOf(end), instant);
    const began = instant === undefined ? ({ ok: false, reason: 'date_unreadable' } as const) : ({ ok: true, instant } as const);
    sink.takeTimed({ source, destination, began, duration, packets }, place);
}

/** True for a number, which counts what Zeek was told to write: seconds or milliseconds. Else a time is ISO 8601. */
function isNumber(text: string): boolean {
    return looksLikeEpoch(text);
}

/** The text, or nothing where the record has none: `-` is how Zeek's other logs say so. */
function textAt(texts: Texts, role: number): string {
    const text = texts[role] ?? '';
    return text === '-' ? '' : text;
}

/** Zero is how an exporter says that it knows no time. */
function instantOfNanoseconds(text: string): Instant | undefined {
    const instant = instantOfEpoch(text, 'ns');
    return instant === 0n ? undefined : instant;
}

function durationTo(end: Instant | undefined, start: Instant | undefined): ParsedNumber {
    if (end === undefined) {
        return { ok: false, reason: 'date_unreadable' };
    }
    // Where the start cannot be read that is the reject's reason, whatever the duration.
    return microsecondsBetween(start ?? end, end);
}

/** The packets, each counted as often as it stands for others; the text that is no number where one of the two is none. */
function timesRate(packets: string, rate: string): string {
    if (rate === '') {
        return packets;
    }
    const count = parseWhole(packets, { fraction: 'reject' });
    const factor = parseWhole(rate, { fraction: 'reject' });
    if (!count.ok || !factor.ok) {
        return count.ok ? rate : packets;
    }
    return String(count.value * (factor.value > 1n ? factor.value : 1n));
}

/** True for a record whose times can be the flow's own: not one whole second for its start and its end, and not zero. */
export function hasOwnTimes(texts: Texts): boolean {
    const start = textAt(texts, START);
    const end = textAt(texts, END);
    return start !== '' && !(start === end && /^(0|\d+0{9})$/.test(start));
}
