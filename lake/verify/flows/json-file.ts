/** A JSON file of flows as lines for SQL: each record is one, with its texts as the page docs/reading.md takes them. */
import type { Layout } from './header.ts';
import { type Member, textOfValue, walkObject } from './json-object.ts';
import { isFlowOfAnother, JSON_FIELDS, type JsonField, type JsonTool, jsonToolOf } from './json-tools.ts';
import { MAX_ROW_CHARACTERS, RowTooLongError } from './raw-text.ts';
import { REPEATED_KEY, SKIPPED } from './row-sql.ts';
import type { Field } from './tools.ts';

/** Most characters in front of the end of the record that tells the tool. */
const MAX_START_CHARACTERS = 1 << 20;

/** Between the texts of a line; no text has it. */
export const BETWEEN = '\u001f';

/** Stands for a time that cannot be read. */
const NO_TIME = 'no time';

/** True if the text of a file is JSON. */
export function isJson(text: string): boolean {
    return /^[ \t\r\n]*[[{]/.test(text);
}

/** True for the name of a log of Zeek that repeats what stands in conn.log; its JSON does not say so. */
export function isOtherZeekLog(name: string): boolean {
    return /^(?:conn_long|open_conn)(?![a-z])/i.test(name);
}

/** What is known of a JSON file on the way through it. */
export interface JsonFound {
    tool: JsonTool;
    isArray: boolean;
    isSpread: boolean;
    /** What stands in front of a record where records are spread over lines, with its brace. */
    begin: string;
    /** True while an array that has begun has not ended. */
    isArrayOpen: boolean;
    /** True once a record was a flow of another tool. */
    isMixed: boolean;
    /** True once a flow had an address, or times that can be its own. */
    hasAddresses: boolean;
    hasTimes: boolean;
}

/** What the beginning of the text tells; undefined where the file cannot be used. */
export function beginJson(text: string): JsonFound | undefined {
    const brace = text.indexOf('{');
    const lineEnd = text.indexOf('\n', brace);
    const isBlank = (part: string): boolean => /^[ \t\r]*$/.test(part);
    const before = text.slice(text.lastIndexOf('\n', brace) + 1, Math.max(brace, 0));
    const shape: Shape = {
        isArrayOpen: false,
        isArray: /^[ \t\r\n]*\[/.test(text),
        isSpread: brace >= 0 && isBlank(text.slice(brace + 1, lineEnd)),
        begin: `\n${isBlank(before) ? before : ''}{`,
    };
    const start = text.slice(0, MAX_START_CHARACTERS);
    const records = walkRecords(start.endsWith('\n') ? start : `${start}\n`, { ...shape }, { isLast: text.length <= start.length });
    for (const record of records) {
        const keys = new Set(record === 'broken' ? [] : record.filter(({ path }) => !path.includes('/')).map(({ path }) => path));
        const tool = record === 'broken' ? undefined : jsonToolOf(keys, () => textOfValue(record[0]?.raw ?? '') ?? '');
        if (tool !== undefined) {
            return tool === 'refused' ? undefined : { tool, ...shape, isMixed: false, hasAddresses: false, hasTimes: false };
        }
    }
    return undefined;
}

/** What the tool's records are to the SQL: a table with these fields. */
export function jsonLayout({ dialect, unit, times }: JsonTool): Layout {
    const spellings: Record<Field, readonly string[]> = { src: [], dst: [], began: [], duration: [], packets: [] };
    const isSpan = times !== 'epoch or iso';
    const tool = { dialect, spellings, separators: [], unit, isSpan };
    return { dialect, tool, isZeekLog: false, separator: BETWEEN, columns: [], names: [], witness: undefined };
}

/**
 * The records in the text as lines; `rest` is the one that may go on behind it.
 * @throws RowTooLongError for a record of more than 16 MiB
 */
export function jsonLines(text: string, found: JsonFound, { isLast }: { isLast: boolean }): { lines: string; rest: string } {
    const lines: string[] = [];
    const records = walkRecords(text, found, { isLast });
    let next = records.next();
    for (; !next.done; next = records.next()) {
        lines.push(next.value === 'broken' ? lineOf({ kind: 'not_json' }) : lineOfRecord(next.value, found));
    }
    const rest = text.slice(next.value);
    if (rest.length > MAX_ROW_CHARACTERS) {
        throw new RowTooLongError();
    }
    return { lines: lines.join('\n'), rest };
}

type Shape = Pick<JsonFound, 'isArray' | 'isArrayOpen' | 'isSpread' | 'begin'>;

/** The records, and what is no record. @returns where the record begins that may go on behind the text */
function* walkRecords(text: string, shape: Shape, { isLast }: { isLast: boolean }): Generator<Member[] | 'broken', number> {
    const { isArray, isSpread, begin } = shape;
    const between = isArray ? /[ \t\r\n,[\]]*/y : /[ \t\r\n]*/y;
    for (let at = 0; ; ) {
        between.lastIndex = at;
        const [passed = ''] = between.exec(text) ?? [];
        at = between.lastIndex;
        const [opened, closed] = [passed.lastIndexOf('['), passed.lastIndexOf(']')];
        shape.isArrayOpen = opened === closed ? shape.isArrayOpen : opened > closed;
        if (at >= text.length) {
            return at;
        }
        const walked = text[at] === '{' ? walkObject(text, at, { isSpread }) : 'broken';
        if (typeof walked !== 'string') {
            assertLength(walked.end - at);
            yield walked.members;
            at = walked.end;
            continue;
        }
        const end = isSpread ? text.indexOf(begin, at) : text.indexOf('\n', at);
        if (!isLast && (walked === 'open' || end < 0)) {
            return at;
        }
        const next = end < 0 ? text.length : end;
        assertLength(next - at);
        yield 'broken';
        at = next;
    }
}

function assertLength(characters: number): void {
    if (characters > MAX_ROW_CHARACTERS) {
        throw new RowTooLongError();
    }
}

interface Line {
    src?: string;
    dst?: string;
    began?: string;
    duration?: string;
    packets?: string;
    isInstant?: boolean;
    /** The verdict on a record that is not looked at further. */
    kind?: string;
}

function lineOf({ src = '', dst = '', began = '', duration = '', packets = '', isInstant = false, kind = '' }: Line): string {
    const texts = [src, dst, began, duration, packets, isInstant ? 'instant' : '', kind];
    // Nothing that counts has a control character in it.
    return texts.map((text) => text.replace(/\p{Cc}/gu, '\x7f')).join(BETWEEN);
}

function lineOfRecord(members: readonly Member[], found: JsonFound): string {
    const { tool } = found;
    const texts: Record<JsonField, string | undefined> = {
        src: undefined,
        dst: undefined,
        began: undefined,
        duration: undefined,
        packets: undefined,
        kind: undefined,
        state: undefined,
        rate: undefined,
    };
    let hasTwice = false;
    for (const field of JSON_FIELDS) {
        const [first, second] = members.filter(({ path }) => tool.paths[field].includes(path));
        texts[field] = first && textOfValue(first.raw);
        hasTwice ||= second !== undefined;
    }
    const isOwn = tool.isFlow(texts);
    if (!isOwn || texts.src === undefined) {
        found.isMixed ||= isFlowOfAnother(
            tool,
            members.map(({ path }) => path),
        );
    }
    if (!isOwn) {
        return lineOf({ kind: `${SKIPPED}other_event` });
    }
    found.hasAddresses ||= texts.src !== undefined || texts.dst !== undefined;
    if (hasTwice) {
        return lineOf({ kind: REPEATED_KEY });
    }
    const text = (field: JsonField): string => (texts[field] === '-' ? '' : (texts[field] ?? ''));
    const [began, end] = [text('began'), text('duration')];
    const isWholeSecond = began === end && /^(?:0|[0-9]+0{9})$/.test(began);
    found.hasTimes ||= tool.times !== 'nanoseconds' || (began !== '' && !isWholeSecond);
    const common = { src: text('src'), dst: text('dst'), packets: timesRate(text('packets'), text('rate')) };
    if (tool.times === 'epoch or iso') {
        const isNumber = /^[+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/.test(began);
        return lineOf({ ...common, began: isNumber ? began : timeOf(began, secondsOfIso), duration: end, isInstant: !isNumber });
    }
    const seconds = tool.times === 'iso' ? secondsOfIso : secondsOfNanoseconds;
    return lineOf({ ...common, began: timeOf(began, seconds), duration: isNoEnd(end) ? '' : timeOf(end, seconds), isInstant: true });
}

/** True for a word that says that no end is known. */
function isNoEnd(text: string): boolean {
    return ['null', 'none', 'n/a'].includes(text.toLowerCase());
}

function timeOf(text: string, seconds: (text: string) => string | undefined): string {
    return text === '' ? '' : (seconds(text) ?? NO_TIME);
}

/** Seconds since 1970 as decimal text; `-1` for anything before. */
function secondsOfIso(text: string): string | undefined {
    const parts =
        /^(\d{4})-(\d\d)-(\d\d)[T ]([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)(?:[.,](\d+))? ?(?:Z|([+-])(\d\d):?(\d\d))?$/.exec(text) ?? [];
    const [, year = '', month = '', day = '', hour, minute, second, fraction = '', sign, hours = 0, minutes = 0] = parts;
    const date = new Date(`${year}-${month}-${day}T00:00:00Z`);
    if (Number.isNaN(date.getTime()) || date.getUTCDate() !== Number(day) || Number(year) < 100) {
        return undefined;
    }
    const ahead = (sign === '-' ? -60 : 60) * (Number(hours) * 60 + Number(minutes));
    const seconds = date.getTime() / 1000 + Number(hour) * 3600 + Number(minute) * 60 + Number(second) - ahead;
    return seconds < 0 ? '-1' : `${seconds}.${fraction}`;
}

/** Seconds since 1970 as decimal text; zero is no time. */
function secondsOfNanoseconds(text: string): string | undefined {
    const [, whole = '', fraction = ''] = /^(\d{1,30})(?:\.(\d*))?$/.exec(text) ?? [];
    const digits = whole.padStart(10, '0');
    const counted = fraction.slice(0, 6);
    return whole === '' || /^0*$/.test(digits + counted) ? undefined : `${digits.slice(0, -9)}.${digits.slice(-9)}${counted}`;
}

/** The packets as often as each stands for others; where one of the two is no count it is that one, so that SQL says why. */
function timesRate(packets: string, rate: string): string {
    const [count, factor] = [packets, rate].map(countOf);
    if (rate === '' || packets === '' || count === undefined) {
        return packets;
    }
    return factor === undefined ? rate : String(count * (factor > 1n ? factor : 1n));
}

const MAX_COUNT = 2n ** 63n - 1n;

/** A whole number from 0 on; undefined for any other text, also for what is too large. */
function countOf(text: string): bigint | undefined {
    const [, sign, whole = '', fraction = '', exponent = '0'] = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
    const written = whole + fraction;
    const digits = written.replace(/^0+/, '');
    const point = digits.length - fraction.length + Number(exponent);
    if (written === '' || (sign === '-' && digits !== '') || point > 20 || /[1-9]/.test(digits.slice(Math.max(point, 0)))) {
        return undefined;
    }
    const value = digits === '' ? 0n : BigInt(digits.slice(0, Math.max(point, 0)).padEnd(point, '0') || '0');
    return value > MAX_COUNT ? undefined : value;
}
