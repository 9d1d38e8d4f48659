/**
 * An independent reader of files of flows, written from docs/reading.md alone: all in memory, one rule after the other, nothing clever and
 * nothing shared with lake/. Where it and the lake differ, one of the two does not do what the page says.
 */
import { type DateContext, isAddress, type Order, type PlainDate, readDate, readNumber, trimmed } from './plain-fields.ts';

export interface PlainOptions {
    dateOrder?: Order;
    durationUnit?: 'us' | 's';
}

export interface PlainReject {
    lineNumber: number;
    reason: string;
    line: string;
}

export interface PlainReading {
    ok: true;
    dialect: string;
    dateOrder: string | null;
    durationUnit: 'us' | 's';
    rowsRead: number;
    /** Rows of other Zeek logs than conn. */
    rowsSkipped: number;
    repeatedHeaders: number;
    pairs: number;
    rejects: PlainReject[];
    /**
     * Totals by day, source and destination: flows, flows with a duration, then sum, sum of squares, smallest and largest of durations and of
     * packets; null where no flow has a duration.
     */
    totals: Map<string, (bigint | null)[]>;
}

const FIELDS = ['source', 'destination', 'began', 'duration', 'packets'] as const;
type Field = (typeof FIELDS)[number];

const SPELLINGS: Record<Field, string[]> = {
    source: ['src ip', 'source ip', 'src_ip', 'id.orig_h'],
    destination: ['dst ip', 'destination ip', 'dst_ip', 'id.resp_h'],
    began: ['timestamp', 'date', 'ts'],
    duration: ['flow duration', 'flow_duration', 'duration'],
    packets: ['tot fwd pkts', 'total fwd packet', 'total fwd packets', 'tot_fwd_pkts', 'orig_pkts'],
};

const MAX_HEADER = 1 << 20;
const MAX_QUOTED = 1 << 20;
const MAX_ROW = 1 << 24;
const MAX_REJECT_LINE = 4096;
const MAX_BIGINT = 2n ** 63n - 1n;

/** The file cannot be used at all. */
class Unusable extends Error {}

/** Reads the plain bytes of a file; `ok: false` where it is no usable file of flows. */
export function readPlainly(bytes: Buffer, options: PlainOptions): PlainReading | { ok: false; why: string } {
    try {
        return read(bytes, options);
    } catch (error) {
        if (error instanceof Unusable) {
            return { ok: false, why: error.message };
        }
        throw error;
    }
}

interface Header {
    separator: string;
    /** Spaces and tabs, but for the separator. */
    blanks: string;
    names: string[];
    at: Record<Field, number>;
}

interface GoodRow {
    reject: (reason: string) => void;
    date: Exclude<PlainDate, { reason: string }>;
    /** What is wrong with the numbers behind the date. */
    reason: string | undefined;
    source: string;
    destination: string;
    /** Duration and packets; no duration where the cell says nothing. */
    values: (bigint | null)[];
}

function read(bytes: Buffer, options: PlainOptions): PlainReading {
    if (['fffe', 'feff'].includes(bytes.toString('hex', 0, 2))) {
        throw new Unusable('UTF-16');
    }
    if (isTar(bytes.subarray(0, 512))) {
        throw new Unusable('tar');
    }
    const withoutMark = bytes.toString('hex', 0, 3) === 'efbbbf' ? bytes.subarray(3) : bytes;
    // Every byte is one character; a last line without its end gets one.
    const latin1 = withoutMark.toString('latin1');
    const text = latin1 === '' || latin1.endsWith('\n') ? latin1 : `${latin1}\n`;

    const start = findHeader(text, bytes.length - withoutMark.length);
    let { header, rowsSkipped } = start;
    const { isZeekLog } = start;
    let isOtherLog = false;
    const name = header.names[header.at.source]!;
    const dialect = name === 'id.orig_h' ? 'zeek' : name === 'src_ip' ? 'python-cicflowmeter' : 'cicflowmeter';
    const durationUnit = options.durationUnit ?? (dialect === 'cicflowmeter' ? 'us' : 's');
    const context: DateContext = {
        given: options.dateOrder,
        firstEpochSecond: dialect === 'zeek' ? 0n : 100_000_000n,
        blanks: header.blanks,
    };

    const rejects: PlainReject[] = [];
    const goodDates: GoodRow[] = [];
    let rowsRead = 0;
    let repeatedHeaders = 0;
    let lineNumber = countLineEnds(text, 0, start.end) + 1;
    for (let at = start.end; at < text.length; ) {
        const lineEnd = text.indexOf('\n', at);
        if (lineEnd + 1 - at > MAX_ROW) {
            throw new Unusable('a line is too long');
        }
        const line = text.slice(at, lineEnd);
        const rowLine = lineNumber;
        if (isZeekLog) {
            isOtherLog = isOtherLogBehind(line, { separator: header.separator, isOtherLog });
        }
        if (isZeekLog && !isOtherLog && line.startsWith('#')) {
            if (line.startsWith(`#fields${header.separator}`)) {
                const later = zeekHeader(line, header.separator);
                repeatedHeaders +=
                    later.names.length === header.names.length && later.names.every((one, i) => one === header.names[i]) ? 1 : 0;
                header = later;
            }
            at = lineEnd + 1;
            lineNumber += 1;
            continue;
        }
        if (isOtherLog) {
            rowsSkipped += /^(#|\r?$)/.test(line) ? 0 : 1;
            at = lineEnd + 1;
            lineNumber += 1;
            continue;
        }
        if (trimmed(line.replace(/\r$/, ''), header.blanks) === '') {
            at = lineEnd + 1;
            lineNumber += 1;
            continue;
        }
        const row = takeRow(text, at, header);
        const next = row ? row.end : lineEnd + 1;
        const written = text.slice(at, next).replace(/\r?\n$/, '');
        const reject = (reason: string): void => {
            rejects.push({
                lineNumber: rowLine,
                reason,
                line: Buffer.from(written.slice(0, MAX_REJECT_LINE * 4), 'latin1')
                    .toString('utf8')
                    .slice(0, MAX_REJECT_LINE),
            });
        };
        lineNumber += countLineEnds(text, at, next);
        at = next;
        if (!row) {
            rowsRead += 1;
            reject('unclosed_quote');
            continue;
        }
        const { names, blanks } = header;
        const columns = header.at;
        const cell = (field: Field): string | undefined => row.cells[columns[field]] && trimmed(row.cells[columns[field]]!, blanks);
        if (FIELDS.every((field) => cell(field)?.toLowerCase() === names[columns[field]])) {
            repeatedHeaders += 1;
            continue;
        }
        rowsRead += 1;
        const lastNeeded = Math.max(...Object.values(columns));
        const isLastOfHeader = lastNeeded === names.length - 1;
        if (row.cells.length <= lastNeeded || (row.cells.length === lastNeeded + 1 && !isLastOfHeader)) {
            reject('ragged_row');
            continue;
        }
        const [source, destination, began, duration, packets] = FIELDS.map((field) => cell(field) ?? '') as [
            string,
            string,
            string,
            string,
            string,
        ];
        if ([source, destination, began, packets].some(saysNothing)) {
            reject('missing_field');
            continue;
        }
        if (!isAddress(source) || !isAddress(destination)) {
            reject('not_an_ip_address');
            continue;
        }
        const date = readDate(began, context);
        if ('reason' in date) {
            reject(date.reason);
            continue;
        }
        const durationUs = saysNothing(duration) ? null : readMeasure(duration, { scale: durationUnit === 's' ? 6 : 0, isWhole: false });
        const count = readMeasure(packets, { scale: 0, isWhole: true });
        const reason = typeof durationUs === 'string' ? durationUs : typeof count === 'string' ? count : undefined;
        const values = typeof durationUs !== 'string' && typeof count === 'bigint' ? [durationUs, count] : [];
        goodDates.push({ reject, date, reason, source, destination, values });
    }
    return { ok: true, dialect, durationUnit, rowsRead, rowsSkipped, repeatedHeaders, rejects, ...settle(goodDates, rejects, options) };
}

/** The octal number at 148 is the sum of the first block's bytes, the number's own place counted as eight blanks. */
function isTar(block: Buffer): boolean {
    const written = /^ *([0-7]+)(?![0-9])/.exec(block.toString('latin1', 148, 156))?.[1];
    const others = [...block.subarray(0, 148), ...block.subarray(156)];
    return (
        block.length === 512 && written !== undefined && Number.parseInt(written, 8) === others.reduce((sum, byte) => sum + byte, 8 * 32)
    );
}

function saysNothing(cell: string): boolean {
    return cell === '' || cell === '-';
}

/** A whole number, or the reason why not. */
function readMeasure(text: string, { scale, isWhole }: { scale: number; isWhole: boolean }): bigint | string {
    const number = readNumber(text, { scale });
    if ('reason' in number) {
        return number.reason;
    }
    if (isWhole && number.hasFraction) {
        return 'not_whole';
    }
    return number.value > MAX_BIGINT ? 'too_large' : number.value;
}

/** Decides the order of `a/b/yyyy`, and adds up the rows that are left. */
function settle(rows: GoodRow[], rejects: PlainReject[], options: PlainOptions): Pick<PlainReading, 'dateOrder' | 'pairs' | 'totals'> {
    const witnesses = { dmy: 0, mdy: 0 };
    for (const { date, reason } of rows) {
        if (date.kind === 'slash' && reason === undefined) {
            witnesses.dmy += date.mdy === undefined ? 1 : 0;
            witnesses.mdy += date.dmy === undefined ? 1 : 0;
        }
    }
    const order = witnesses.mdy > witnesses.dmy ? 'mdy' : 'dmy';
    const totals: PlainReading['totals'] = new Map();
    const pairs = new Set<string>();
    const kinds = new Set<string>();
    for (const { reject, date, reason, source, destination, values } of rows) {
        const day = date.kind === 'slash' ? date[order] : date.day;
        if (day === undefined || reason !== undefined) {
            reject(day === undefined ? 'date_against_order' : reason!);
            continue;
        }
        kinds.add(date.kind);
        pairs.add(`${source} ${destination}`);
        addUp(totals, `${day} ${source} ${destination}`, values);
    }
    rejects.sort((a, b) => a.lineNumber - b.lineNumber);
    const isSettled = witnesses.dmy + witnesses.mdy > 0;
    const unambiguous = kinds.has('dotted') ? 'dmy' : kinds.has('ymd') ? 'ymd' : kinds.has('epoch') ? 'epoch' : null;
    const found = isSettled ? order : kinds.has('slash') ? 'assumed' : unambiguous;
    return { dateOrder: options.dateOrder ?? found, pairs: pairs.size, totals };
}

function addUp(totals: PlainReading['totals'], key: string, values: (bigint | null)[]): void {
    const before = totals.get(key);
    const flows = (before?.[0] ?? 0n) + 1n;
    const timed = (before?.[1] ?? 0n) + (values[0] === null ? 0n : 1n);
    const figures = values.flatMap((value, measure) => {
        const [sum, squares, min, max] = before?.slice(2 + measure * 4, 6 + measure * 4) ?? [0n, 0n, null, null];
        return value === null
            ? [sum!, squares!, min!, max!]
            : [
                  sum! + value,
                  squares! + value * value,
                  min === null || value < min! ? value : min!,
                  max === null || value > max! ? value : max!,
              ];
    });
    totals.set(key, [flows, timed, ...figures]);
}

/** The header, and where it ends; it must end within the first MiB of the file. */
function findHeader(text: string, bytesBefore: number): { header: Header; end: number; isZeekLog: boolean; rowsSkipped: number } {
    const limit = Math.min(text.length, MAX_HEADER - bytesBefore);
    let isZeekLog = false;
    let separator = '\t';
    let isOtherLog = false;
    let rowsSkipped = 0;
    for (let at = 0; at < limit; ) {
        const lineEnd = text.indexOf('\n', at);
        if (lineEnd >= limit) {
            break;
        }
        const line = text.slice(at, lineEnd).replace(/\r$/, '');
        isZeekLog ||= /^#(separator|fields)\b/.test(line);
        if (!isZeekLog && trimmed(line, ' \t') !== '') {
            return { ...csvHeader(text.slice(0, limit), at), isZeekLog, rowsSkipped };
        }
        if (line.startsWith('#separator ')) {
            separator = zeekSeparator(line.slice('#separator '.length));
        }
        isOtherLog = isZeekLog && isOtherLogBehind(line, { separator, isOtherLog });
        rowsSkipped += isOtherLog && !/^(#|$)/.test(line) ? 1 : 0;
        if (isZeekLog && !isOtherLog && line.startsWith(`#fields${separator}`)) {
            return { header: zeekHeader(text.slice(at, lineEnd), separator), end: lineEnd + 1, isZeekLog, rowsSkipped };
        }
        at = lineEnd + 1;
    }
    throw new Unusable('no header');
}

/** True if the rows behind a line are of another Zeek log than conn: the last line `#path` says so. */
function isOtherLogBehind(line: string, { separator, isOtherLog }: { separator: string; isOtherLog: boolean }): boolean {
    return line.startsWith(`#path${separator}`) ? line.slice(6).trim() !== 'conn' : isOtherLog;
}

function csvHeader(text: string, at: number): { header: Header; end: number } {
    const found = [',', ';', '\t'].map((separator) => {
        const shape = { separator, blanks: blanksOf(separator) };
        const row = takeRow(text, at, shape);
        const names = row?.cells.map((name) => trimmed(name, shape.blanks).toLowerCase()) ?? [];
        return { ...shape, names, at: placesOf(names), end: row?.end ?? 0 };
    });
    const best = found.find((header) => FIELDS.every((field) => header.at[field] >= 0));
    if (!best) {
        throw new Unusable('no usable header');
    }
    return { header: best, end: best.end };
}

function zeekHeader(line: string, separator: string): Header {
    const shape = { separator, blanks: blanksOf(separator) };
    const row = takeRow(`${line.slice('#fields'.length + 1)}\n`, 0, shape);
    const names = row?.cells.map((name) => trimmed(name, shape.blanks).toLowerCase()) ?? [];
    const at = placesOf(names);
    if (FIELDS.some((field) => at[field] < 0)) {
        throw new Unusable('no usable #fields line');
    }
    return { ...shape, names, at };
}

/** One character, or its code as `\xHH`; a quote or a line end separates nothing. */
function zeekSeparator(written: string): string {
    const code = /^\\x([0-9a-fA-F]{2})$/.exec(written)?.[1];
    const separator = code === undefined ? written : String.fromCharCode(Number.parseInt(code, 16));
    if (separator.length !== 1 || '"\r\n'.includes(separator)) {
        throw new Unusable('no usable separator');
    }
    return separator;
}

function blanksOf(separator: string): string {
    return [' ', '\t'].filter((blank) => blank !== separator).join('');
}

function placesOf(names: string[]): Record<Field, number> {
    const place = (field: Field): number => names.findIndex((name) => SPELLINGS[field].includes(name));
    return {
        source: place('source'),
        destination: place('destination'),
        began: place('began'),
        duration: place('duration'),
        packets: place('packets'),
    };
}

/**
 * The cells of the row that begins at `start` and where the next one begins; undefined where a quoted field does not end.
 * @throws Unusable where the row has not ended after 16 MiB
 */
function takeRow(
    text: string,
    start: number,
    { separator, blanks }: { separator: string; blanks: string },
): { cells: string[]; end: number } | undefined {
    const cells: string[] = [];
    for (let at = start; ; ) {
        if (at - start >= MAX_ROW) {
            throw new Unusable('a row is too long');
        }
        if (text[at] === '"') {
            const content = quotedContent(text, at + 1);
            if (content === undefined) {
                return undefined;
            }
            at += content.length + 2;
            while (at < text.length && blanks.includes(text[at]!)) {
                at += 1;
            }
            cells.push(content.replaceAll('""', '"'));
        } else {
            const from = at;
            while (text[at] !== separator && text[at] !== '\n') {
                if (at >= text.length) {
                    return undefined;
                }
                at += 1;
            }
            cells.push(text.slice(from, at));
            // The carriage return of a line end belongs to no field.
            if (text[at] === '\n' && at > from && text[at - 1] === '\r') {
                cells.push(cells.pop()!.slice(0, -1));
            }
        }
        if (text.startsWith('\r\n', at)) {
            at += 1;
        }
        if (text[at] !== separator && text[at] !== '\n') {
            return undefined;
        }
        at += 1;
        if (text[at - 1] === '\n') {
            return { cells, end: at };
        }
    }
}

/** What stands between the quotes, doubled ones as they are; undefined where it does not end within a MiB. */
function quotedContent(text: string, start: number): string | undefined {
    for (let at = start; at < text.length && at - start <= MAX_QUOTED; at += 1) {
        if (text[at] === '"') {
            if (text[at + 1] !== '"') {
                return text.slice(start, at);
            }
            at += 1;
        }
    }
    return undefined;
}

function countLineEnds(text: string, from: number, until: number): number {
    let count = 0;
    for (let at = text.indexOf('\n', from); at >= 0 && at < until; at = text.indexOf('\n', at + 1)) {
        count += 1;
    }
    return count;
}
