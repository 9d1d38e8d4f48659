/** Files of JSON, written from docs/reading.md alone, section "JSON", and as plainly as it can be: no part of it is shared with lake/. */
import {
    dayOfInstant,
    inRange,
    instantOfEpoch,
    instantOfIso,
    isAddress,
    type Order,
    type PlainDate,
    readEpoch,
    readMeasure,
    shortAddress,
    spanBetween,
    UNIT_POWERS,
    type Unit,
} from './plain-fields.ts';
import { type GoodRow, type PlainReject, shownLine, Unusable } from './plain-rows.ts';

/** A value of a record, as it is written; the keys that lead to it, its own last. */
interface Member {
    keys: string[];
    written: string;
}

interface Piece {
    at: number;
    end: number;
    /** Undefined for what is no whole object. */
    members: Member[] | undefined;
}

interface JsonFile {
    dialect: string;
    durationUnit: Unit;
    durationUnitBy: string;
    rowsRead: number;
    skipped: Map<string, number>;
    rows: GoodRow[];
}

const MAX_START = 1 << 20;

/** True for text whose first character that is no blank and no line end is a brace or a bracket. */
export function isJson(text: string): boolean {
    return /^[ \t\r\n]*[[{]/.test(text);
}

/** Reads the text of a file, which must end with a line end. */
export function readJson(text: string, rejects: PlainReject[], { durationUnit }: { dateOrder?: Order; durationUnit?: Unit }): JsonFile {
    const pieces = takePieces(text);
    const tool = toolOfFile(pieces);
    const isGiven = tool.dialect === 'zeek-json' && durationUnit !== undefined;
    const unit = isGiven ? durationUnit : tool.unit;
    const file: JsonFile = {
        dialect: tool.dialect,
        durationUnit: unit,
        durationUnitBy: isGiven ? 'given' : 'named',
        rowsRead: 0,
        skipped: new Map(),
        rows: [],
    };
    const flows: Flow[] = [];
    for (const { at, end, members } of pieces) {
        const reject = (reason: string): void => {
            const lineNumber = text.slice(0, at).split('\n').length;
            rejects.push({ at, lineNumber, reason, line: shownLine(text.slice(at, end).replace(/\r?\n?$/, '')) });
        };
        if (!members) {
            file.rowsRead += 1;
            reject('not_json');
            continue;
        }
        const flow = takeFlow(members, tool);
        if ((!tool.isFlow(flow) || flow.source === undefined) && isFlowOfAnother(members, tool)) {
            throw new Unusable('a flow of another tool');
        }
        if (!tool.isFlow(flow)) {
            file.skipped.set('other_event', (file.skipped.get('other_event') ?? 0) + 1);
            continue;
        }
        file.rowsRead += 1;
        flows.push(flow);
        const row = readFlow(flow, { tool, unit, reject });
        file.rows.push(...(row ? [row] : []));
    }
    assertOfUse(file, flows);
    return file;
}

/** All records of the text, and what is none, in their order. */
function takePieces(text: string): Piece[] {
    const isArray = /^[ \t\r\n]*\[/.test(text);
    const firstBrace = text.indexOf('{');
    const isSpread = firstBrace >= 0 && /^[ \t\r]*\n/.test(text.slice(firstBrace + 1));
    const [inFront = ''] = /[^\n]*$/.exec(text.slice(0, Math.max(firstBrace, 0))) ?? [];
    const begin = `${/^[ \t\r]*$/.test(inFront) ? inFront : ''}{`;
    const pieces: Piece[] = [];
    let lastBracket = '';
    for (let at = 0; at < text.length; ) {
        const character = text[at]!;
        if (' \t\r\n'.includes(character) || (isArray && ',[]'.includes(character))) {
            lastBracket = '[]'.includes(character) ? character : lastBracket;
            at += 1;
            continue;
        }
        const lineEnd = text.indexOf('\n', at);
        const end = objectEnd(text, at, isSpread ? text.length : lineEnd);
        if (end !== undefined) {
            pieces.push({ at, end, members: membersOf(text.slice(at, end)) });
            at = end;
            continue;
        }
        const next = isSpread ? text.indexOf(`\n${begin}`, at) : lineEnd;
        pieces.push({ at, end: next < 0 ? text.length : next, members: undefined });
        at = next < 0 ? text.length : next;
    }
    if (lastBracket === '[') {
        throw new Unusable('an array that does not end');
    }
    return pieces;
}

/** Where the object ends that begins at a place: behind the first closing brace up to which all is an object; undefined where there is none. */
function objectEnd(text: string, at: number, limit: number): number | undefined {
    if (text[at] !== '{') {
        return undefined;
    }
    for (let brace = text.indexOf('}', at); brace >= 0 && brace < limit; brace = text.indexOf('}', brace + 1)) {
        try {
            JSON.parse(text.slice(at, brace + 1));
            return brace + 1;
        } catch {
            // It ends further on, or not at all.
        }
    }
    return undefined;
}

/** The values of a whole object and of the objects in it, each behind the keys that lead to it; those within arrays do not count. */
function membersOf(object: string): Member[] {
    const members: Member[] = [];
    const keys: string[] = [];
    let arrays = 0;
    let isKey = false;
    for (const [token] of object.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g)) {
        if (token === '[' || token === ']') {
            if (token === '[' && arrays === 0) {
                members.push({ keys: [...keys], written: token });
            }
            arrays += token === '[' ? 1 : -1;
        } else if (arrays > 0) {
        } else if (token === '{') {
            members.push({ keys: [...keys], written: token });
            isKey = true;
            keys.push('');
        } else if (token === '}') {
            keys.pop();
        } else if (token === ',') {
            isKey = true;
        } else if (token !== ':' && isKey) {
            keys[keys.length - 1] = JSON.parse(token);
            isKey = false;
        } else if (token !== ':') {
            members.push({ keys: [...keys], written: token });
        }
    }
    return members.filter((member) => member.keys.length > 0);
}

/** The texts of a record, each undefined where its key is not there. */
interface Flow {
    kind: string | undefined;
    source: string | undefined;
    destination: string | undefined;
    start: string | undefined;
    end: string | undefined;
    packets: string | undefined;
    rate: string | undefined;
    state: string | undefined;
    hasRepeatedKey: boolean;
}

interface JsonTool {
    dialect: string;
    unit: Unit;
    /** The keys of each text; those of a member stand behind its name and a blank. */
    keys: Partial<Record<Exclude<keyof Flow, 'hasRepeatedKey'>, string[]>>;
    isFlow(flow: Flow): boolean;
}

const ZEEK: JsonTool = {
    dialect: 'zeek-json',
    unit: 's',
    keys: {
        kind: ['_path'],
        source: ['id.orig_h', 'id orig_h'],
        destination: ['id.resp_h', 'id resp_h'],
        start: ['ts'],
        end: ['duration'],
        packets: ['orig_pkts'],
        state: ['conn_state'],
    },
    isFlow: ({ kind, packets, state }) => kind === 'conn' || (kind === undefined && !(packets === undefined && state === undefined)),
};

const SURICATA: JsonTool = {
    dialect: 'suricata',
    unit: 'us',
    keys: {
        kind: ['event_type'],
        source: ['src_ip'],
        destination: ['dest_ip'],
        start: ['flow start'],
        end: ['flow end'],
        packets: ['flow pkts_toserver'],
    },
    isFlow: ({ kind }) => kind === 'flow',
};

const GOFLOW2: JsonTool = {
    dialect: 'goflow2',
    unit: 'ns',
    keys: {
        kind: ['type'],
        source: ['src_addr'],
        destination: ['dst_addr'],
        start: ['time_flow_start_ns'],
        end: ['time_flow_end_ns'],
        packets: ['packets'],
        rate: ['sampling_rate'],
    },
    isFlow: ({ kind = '' }) => !kind.startsWith('SFLOW'),
};

const NFDUMP: JsonTool = {
    dialect: 'nfdump-json',
    unit: 'ms',
    keys: {
        kind: ['type'],
        source: ['src4_addr', 'src6_addr'],
        destination: ['dst4_addr', 'dst6_addr'],
        start: ['first', 't_first'],
        end: ['last', 't_last'],
        packets: ['in_packets'],
    },
    isFlow: ({ kind = 'FLOW' }) => kind === 'FLOW',
};

/** The tool that the first record with keys of one tells. */
function toolOfFile(pieces: readonly Piece[]): JsonTool {
    for (const { members, end } of pieces) {
        const tool = members && end < MAX_START ? toolOfRecord(members) : undefined;
        if (tool === 'refused') {
            throw new Unusable('pmacct');
        }
        if (tool) {
            return tool;
        }
    }
    throw new Unusable('JSON of no tool that is known');
}

function toolOfRecord(members: readonly Member[]): JsonTool | 'refused' | undefined {
    const own = members.filter(({ keys }) => keys.length === 1).map(({ keys }) => keys[0]);
    const has = (...keys: string[]): boolean => keys.every((key) => own.includes(key));
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
    const isScript = own.every((key) => key === 'name') && /\.(zeek|bro)$/.test(textOf(members[0]?.written) ?? '');
    return has('_path') || has('ts') || isScript ? ZEEK : undefined;
}

/** True if a record has all the keys that a flow of another tool needs. */
function isFlowOfAnother(members: readonly Member[], own: JsonTool): boolean {
    const needed = ['source', 'destination', 'start', 'packets'] as const;
    return [ZEEK, SURICATA, GOFLOW2, NFDUMP].some(
        (tool) => tool !== own && needed.every((text) => members.some(({ keys }) => isKeyOf(keys, tool.keys[text] ?? []))),
    );
}

/** What a value says, in quotes or not; nothing for null. */
function textOf(written: string | undefined): string | undefined {
    return written?.startsWith('"') ? JSON.parse(written) : written === 'null' ? undefined : written;
}

function takeFlow(members: readonly Member[], tool: JsonTool): Flow {
    const all = (text: keyof JsonTool['keys']): string[] =>
        members.filter(({ keys }) => isKeyOf(keys, tool.keys[text] ?? [])).map(({ written }) => written);
    const first = (text: keyof JsonTool['keys']): string | undefined => textOf(all(text)[0]);
    return {
        kind: first('kind'),
        source: first('source'),
        destination: first('destination'),
        start: first('start'),
        end: first('end'),
        packets: first('packets'),
        rate: first('rate'),
        state: first('state'),
        hasRepeatedKey: Object.keys(tool.keys).some((text) => all(text as keyof JsonTool['keys']).length > 1),
    };
}

function isKeyOf(keys: readonly string[], known: readonly string[]): boolean {
    return known.some((one) => {
        const path = one.split(' ');
        return path.length === keys.length && path.every((key, at) => key === keys[at]);
    });
}

/** Makes all checks of a flow in their order; undefined where one failed. */
function readFlow(
    flow: Flow,
    { tool, unit, reject }: { tool: JsonTool; unit: Unit; reject: (reason: string) => void },
): GoodRow | undefined {
    const { source = '', destination = '', start = '', packets = '' } = flow;
    if (flow.hasRepeatedKey) {
        reject('repeated_key');
        return undefined;
    }
    if ([source, destination, start, packets].some(saysNothing)) {
        reject('missing_field');
        return undefined;
    }
    if (!isAddress(source) || !isAddress(destination)) {
        reject('not_an_ip_address');
        return undefined;
    }
    const date = readStart(start, tool);
    if ('reason' in date) {
        reject(date.reason);
        return undefined;
    }
    const duration = readDuration(flow, { tool, unit });
    const count = readPackets(flow);
    const reason = typeof duration === 'string' ? duration : typeof count === 'string' ? count : undefined;
    const values = typeof duration !== 'string' && typeof count === 'bigint' ? [duration, count] : [];
    return { reject, date, reason, source: shortAddress(source), destination: shortAddress(destination), values };
}

function saysNothing(text: string | undefined): boolean {
    return text === undefined || text === '' || text === '-';
}

function readStart(start: string, tool: JsonTool): PlainDate {
    if (tool === ZEEK && /^\+?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$/.test(start)) {
        return readEpoch(start, 0n) ?? { reason: 'date_unreadable' };
    }
    const instant = instantOf(start, tool);
    const day = instant === undefined ? undefined : dayOfInstant(instant);
    return day === undefined ? { reason: 'date_unreadable' } : { kind: 'instant', day };
}

function instantOf(text: string, tool: JsonTool): bigint | undefined {
    const instant = tool === GOFLOW2 ? instantOfEpoch(text, 'ns') : instantOfIso(text);
    return tool === GOFLOW2 && instant === 0n ? undefined : instant;
}

/** Microseconds, null where the flow has no duration, or the reason why they cannot be told. */
function readDuration({ start = '', end = '' }: Flow, { tool, unit }: { tool: JsonTool; unit: Unit }): bigint | null | string {
    if (saysNothing(end)) {
        return null;
    }
    if (tool === ZEEK) {
        return readMeasure(end, { scale: 6 - UNIT_POWERS[unit], isWhole: false });
    }
    const [from, to] = [instantOf(start, tool), instantOf(end, tool)];
    return from === undefined || to === undefined ? 'date_unreadable' : inRange(spanBetween(from, to));
}

/** The packets, each as often as it stands for others; or the reason why they cannot be told. */
function readPackets({ packets = '', rate = '' }: Flow): bigint | string {
    const whole = { scale: 0, isWhole: true };
    const count = readMeasure(packets, whole);
    if (saysNothing(rate) || typeof count === 'string') {
        return count;
    }
    const factor = readMeasure(rate, whole);
    return typeof factor === 'string' ? factor : inRange(count * (factor === 0n ? 1n : factor));
}

/** @throws Unusable where the records together are no file of flows */
function assertOfUse({ dialect, rowsRead, skipped, rows }: JsonFile, flows: readonly Flow[]): void {
    if (rowsRead === 0 && skipped.size > 0) {
        throw new Unusable('no flows at all');
    }
    if (
        dialect === 'nfdump-json' &&
        rowsRead > 0 &&
        flows.every(({ source, destination }) => source === undefined && destination === undefined)
    ) {
        throw new Unusable('flows without addresses');
    }
    const areKept = rows.some(({ reason }) => reason === undefined);
    const starts = flows.filter(({ start, hasRepeatedKey }) => !hasRepeatedKey && !saysNothing(start));
    if (dialect === 'goflow2' && areKept && starts.every(({ start = '', end }) => start === end && /^(0|[0-9]+0{9})$/.test(start))) {
        throw new Unusable('times of no flow');
    }
}
