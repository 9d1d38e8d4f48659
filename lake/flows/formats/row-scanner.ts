/**
 * Rows of bytes into the sink of flows. The fast path finds a row's fields without looking at the ones behind the last needed one; whatever it
 * does not know by heart (quotes, blanks, exponents, every reject) goes the careful way, row by row.
 */

import { BATCH_FLOWS } from '../flow-batch.ts';
import type { FlowPlace, FlowSink } from '../flow-sink.ts';
import { isAgainst, type NumberStyle, styleOf, toPlain } from '../number-styles.ts';
import { hasFraction } from '../numbers.ts';
import { MAX_FAST_VALUE, UNTIMED } from '../pair-table.ts';
import { type ParsedRow, parseRow, SeenQuotes, trimBlanks } from './csv-row.ts';
import {
    behindBlanks,
    findHeader,
    type Header,
    hasAddress,
    hasSourceName,
    haveSameNames,
    isRepeatedHeader,
    ZEEK_DIALECTS,
} from './header.ts';
import { block, blockView, fieldStarts, LineFinder, MAX_FIELDS } from './line-finder.ts';
import {
    hasDigitBehindPoint,
    isMissing,
    NOT_PLAIN,
    readCount,
    readIPv4,
    readMicroseconds,
    readRoughly,
    readScaled,
    readWhole,
} from './plain-row.ts';
import { PlainIso } from './plain-times.ts';
import { FIRST_WITNESS_LINES, type UnitJudge, WITNESS_LINES_APART, witnessedUnit } from './unit-witness.ts';
import { isFlowLog, zeekPathOf } from './zeek-path.ts';

const LF = 0x0a;
const CR = 0x0d;
const QUOTE = 0x22;
const HASH = 0x23;
const SPACE = 0x20;
const TAB = 0x09;

/** A shorter duration was rounded too much to tell its unit by itself. */
const LEAST_TELLING_US = 100;

/** Closer to the unit than a witness must be: whatever rounding does to a quotient within, the row is one. */
const SURELY_CLOSE = 1.1;

type WitnessColumns = NonNullable<Header['witness']>;

const NOT_WHOLE_YET = -1;

/** A longer row stops the reading: one that does not end must not fill the memory. */
const MAX_ROW_BYTES = 1 << 24;

/** Rejects are handed over after this many, so that they do not fill the memory: every second byte of a file can be one. */
const REJECTS_AT_ONCE = 1_000;

export interface ScannerOptions {
    header: Header;
    /** Lines that begin with `#` are no rows. */
    isZeekLog: boolean;
    /** Lines of the file in front of the first row. */
    linesBefore: number;
    /** The judge of what rows say of the unit of their durations. */
    judge: UnitJudge;
    /** True if numbers of another style than the sink's make the file be read again in that style. */
    mayChangeStyle: boolean;
}

/** What is handed to the careful path. */
interface AnyRow {
    start: number;
    end: number;
    /** End of the row's first line. */
    lineEnd: number;
    isLast: boolean;
    seen: SeenQuotes;
}

/** Rows of a text with separators, from bytes into the sink. */
export class RowScanner {
    repeatedHeaders = 0;
    /** True if the last scan stopped for the rejects only: the caller takes them out of the sink. */
    isPaused = false;
    /** Why the file cannot be used after all. */
    failure: string | undefined;
    /** True if a duration is no whole number. */
    hasFractions = false;
    /** A number is written in another style than the one that numbers are read in. */
    otherStyle: NumberStyle | undefined;
    #header: Header;
    #lines: number;
    readonly #judge: UnitJudge;
    readonly #mayChangeStyle: boolean;
    /** Line up to which every row is asked for the unit of its duration; behind it every `WITNESS_LINES_APART`th. */
    #witnessesUntil: number;
    /** True behind a trailer: lines are no rows until a header comes. */
    #isBehindTrailer = false;
    /** What comes next in a trailer that sums up: the names of its sums, then the sums, the flows at this place. */
    #summary: 'none' | 'names' | number = 'none';
    /** Rows in front of the last header. */
    #rowsBefore = 0;
    /** True behind a line `#path` that names another log than conn: the file was put together of several, and its rows are none. */
    #isOtherLog = false;
    readonly #isZeekLog: boolean;
    readonly #sink: FlowSink;
    readonly #iso = new PlainIso();
    /** Quotes in the bytes at hand. */
    #seen = new SeenQuotes(0);

    constructor(sink: FlowSink, { header, isZeekLog, linesBefore, judge, mayChangeStyle }: ScannerOptions) {
        this.#sink = sink;
        this.#header = header;
        this.#isZeekLog = isZeekLog;
        this.#lines = linesBefore;
        this.#witnessesUntil = linesBefore + FIRST_WITNESS_LINES;
        this.#judge = judge;
        this.#mayChangeStyle = mayChangeStyle;
    }

    /** True if nothing more is to be read: the file is of no use, or must be read again with what was found out. */
    get isOver(): boolean {
        const isUnitRefused = this.#judge.conflict !== undefined && !this.#mayChangeStyle;
        return this.failure !== undefined || this.#judge.other !== undefined || this.otherStyle !== undefined || isUnitRefused;
    }

    /** True if the fast path may take the next rows: numbers are plain, nobody is told of single rows, and no trailer was met. */
    get #isFast(): boolean {
        return this.#sink.numberStyle === 'plain' && !this.#sink.needsTexts && !this.#isBehindTrailer && this.#isSplit;
    }

    /** True if the fields that are needed are few enough to be told. */
    get #isSplit(): boolean {
        return this.#header.lastSplit < MAX_FIELDS;
    }

    /**
     * Takes the whole rows of `bytes` from `start` to `end`; with `isLast` the bytes must end with a line end. After a scan that was paused
     * the same bytes must come again, from where it stopped.
     * @returns where the first row begins that is not whole, or earlier where there are rejects to be handed over (`isPaused`) or the file
     * has turned out to be of no use (`failure`).
     */
    scan(bytes: Buffer, { start, end, isLast }: { start: number; end: number; isLast: boolean }): number {
        const limit = bytes.lastIndexOf(LF, end - 1) + 1;
        let at = start;
        let plainEnd = this.#plainEnd(bytes, at, end);
        if (!this.isPaused) {
            this.#seen = new SeenQuotes(bytes.length);
        }
        this.isPaused = false;
        const seen = this.#seen;
        const mayBeTooLong = end - start > MAX_ROW_BYTES;
        let lines = this.#linesOf(bytes, start, limit);
        let header = this.#header;
        while (at < limit) {
            lines.find(at);
            const { lineEnd } = lines;
            if (mayBeTooLong && lineEnd - at >= MAX_ROW_BYTES) {
                break;
            }
            if (this.#isOtherLog && bytes[at] !== HASH) {
                at = this.#skipOtherRow(bytes, at, lineEnd);
                continue;
            }
            if (lineEnd < plainEnd && !this.#isWitness() && this.#takePlainRow(lines)) {
                at = lineEnd + 1;
                continue;
            }
            const filled = this.#skipEmptyLines(bytes, at, limit);
            if (filled > at) {
                at = filled;
                continue;
            }
            if (this.#sink.rejects.length >= REJECTS_AT_ONCE) {
                this.isPaused = true;
                break;
            }
            const next = this.#takeAnyRow(bytes, { start: at, end, lineEnd, isLast, seen });
            if (next === NOT_WHOLE_YET) {
                break;
            }
            at = next;
            if (this.isOver) {
                break;
            }
            if (plainEnd < at || this.#isBehindTrailer) {
                plainEnd = this.#plainEnd(bytes, at, end);
            }
            if (header !== this.#header) {
                header = this.#header;
                lines = this.#linesOf(bytes, at, limit);
            }
        }
        this.#sink.flush();
        if (!this.isPaused && end - at > MAX_ROW_BYTES) {
            this.failure ??= `a row is longer than ${MAX_ROW_BYTES >> 20} MiB (line ${this.#lines + 1}): this is no file of flows, or its line ends are lost`;
        }
        return at;
    }

    /** True if the next line is one of those that are asked for the unit of their duration, whatever the dialect. */
    #isWitness(): boolean {
        const { witness } = this.#header;
        return witness !== undefined && (this.#lines < this.#witnessesUntil || (this.#lines + 1) % WITNESS_LINES_APART === 0);
    }

    /** True if a plain row surely speaks for the unit that is read in, or tells nothing. */
    #isOfUnit(
        starts: number,
        { rate, backward }: WitnessColumns,
        { durationUs, forward }: { durationUs: number; forward: number },
    ): boolean {
        const perSecond = readRoughly(block, startAt(starts, rate), endAt(starts, rate));
        const others = backward === undefined ? 0 : readWhole(block, startAt(starts, backward), endAt(starts, backward));
        if (durationUs < LEAST_TELLING_US || others < 0) {
            return durationUs === 0 && perSecond === 0;
        }
        const quotient = (durationUs * perSecond) / (forward + others) / 1e6;
        return this.#judge.isWitnessed && quotient > 1 / SURELY_CLOSE && quotient < SURELY_CLOSE;
    }

    /** Line ends in front of this place are where their rows end, and may be left to the fast path. */
    #plainEnd(bytes: Buffer, from: number, end: number): number {
        if (!this.#isFast) {
            return from;
        }
        const quote = bytes.indexOf(QUOTE, from);
        return quote < 0 ? end : quote;
    }

    /** The lines from a place on, with the fields of the header that rules. */
    #linesOf(bytes: Buffer, start: number, limit: number): LineFinder {
        const { separator, lastSplit } = this.#header;
        return new LineFinder(bytes, { start, limit, separator, fields: this.#isSplit ? lastSplit + 1 : 0 });
    }

    /** Beginning of the first line that has something in it. A few bytes of a packed file may unpack to gigabytes of empty lines. */
    #skipEmptyLines(bytes: Buffer, start: number, limit: number): number {
        let at = start;
        while (at < limit && (bytes[at] === LF || (bytes[at] === CR && bytes[at + 1] === LF))) {
            at += bytes[at] === LF ? 1 : 2;
            this.#lines += 1;
        }
        return at;
    }

    /** Counts a row of another Zeek log. A line of its own is a row there, whatever its quotes. @returns where the next line begins */
    #skipOtherRow(bytes: Buffer, start: number, lineEnd: number): number {
        const isEmpty = lineEnd === start || (lineEnd === start + 1 && bytes[start] === CR);
        if (!isEmpty) {
            this.#sink.skip('other_log');
        }
        this.#lines += 1;
        return lineEnd + 1;
    }

    /** The fast path. Returns whether the row was taken; if not, nothing is counted. */
    #takePlainRow(lines: LineFinder): boolean {
        const { separator, columns, lastSplit, names, dialect, witness, plainKind } = this.#header;
        const { separators, starts } = lines;
        const first = block[fieldStarts[starts] as number];
        // A row with more cells than the header is two that run together, unless they are empty; where blanks separate, a first one does not.
        if (separators >= names.length || (first === SPACE && separator === SPACE) || (first === HASH && this.#isZeekLog)) {
            return false;
        }
        if (separators <= lastSplit) {
            if (separators < lastSplit || lastSplit < names.length - 1) {
                return false;
            }
            // The last column that is looked at is the row's last.
            const lineEnd = lines.lineEndInBlock;
            fieldStarts[starts + lastSplit + 1] = (block[lineEnd - 1] === CR ? lineEnd - 1 : lineEnd) + 1;
        }
        if (plainKind >= 0 && dialect.rowKind?.isFlow(block, startAt(starts, plainKind), endAt(starts, plainKind)) === false) {
            return false;
        }
        const asked = dialect.isUnitOpen === true ? witness : undefined;
        const sink = this.#sink;
        const { batch, table } = sink;
        const place = batch.count;
        const { src_ip, dst_ip, timestamp, flow_duration, fwd_pkts } = columns;
        const slot = sink.dates.slotAt(block, blockView, startAt(starts, timestamp), endAt(starts, timestamp));
        const durationStart = startAt(starts, flow_duration);
        const durationEnd = endAt(starts, flow_duration);
        const durationUs =
            dialect.isEnd === true
                ? this.#readSpan(startAt(starts, timestamp), endAt(starts, timestamp), durationStart, durationEnd)
                : this.#readDuration(durationStart, durationEnd);
        const packets = readCount(block, startAt(starts, fwd_pkts), endAt(starts, fwd_pkts));
        const isUntimed = durationUs < 0 && isMissing(block, durationStart, durationEnd);
        if (slot < 0 || (durationUs < 0 && !isUntimed) || packets < 0) {
            return false;
        }
        if (asked && !isUntimed && !this.#isOfUnit(starts, asked, { durationUs, forward: packets })) {
            return false;
        }
        let group = slot << 2;
        if (!readIPv4(block, startAt(starts, src_ip), endAt(starts, src_ip), batch.sources, place)) {
            if (!this.#readText(startAt(starts, src_ip), endAt(starts, src_ip), batch.sources)) {
                return false;
            }
            group += 1;
        }
        if (!readIPv4(block, startAt(starts, dst_ip), endAt(starts, dst_ip), batch.destinations, place)) {
            if (!this.#readText(startAt(starts, dst_ip), endAt(starts, dst_ip), batch.destinations)) {
                return false;
            }
            group += 2;
        }
        this.#lines += 1;
        sink.rowsRead += 1;
        if (durationUs >= MAX_FAST_VALUE || packets >= MAX_FAST_VALUE) {
            const row = table.rowOf(batch.sources[place] as number, batch.destinations[place] as number, group);
            table.addLargeFlow(row, isUntimed ? null : BigInt(durationUs), BigInt(packets));
            return true;
        }
        batch.groups[place] = group;
        batch.durations[place] = isUntimed ? UNTIMED : durationUs;
        batch.packets[place] = packets;
        batch.count = place + 1;
        if (place + 1 === BATCH_FLOWS) {
            table.addFlows(batch);
        }
        return true;
    }

    /** Puts the key of an address that is no IPv4 address at the batch's next place; returns false where it is no address at all. */
    #readText(start: number, end: number, keys: Int32Array): boolean {
        const { table, batch } = this.#sink;
        const address = table.addressKey(block.toString('latin1', start, end));
        keys[batch.count] = address?.key ?? 0;
        return address?.isText === true;
    }

    /** Microseconds from one time to another; `NOT_PLAIN` where one of them is none of the plain kind, or the end comes first. */
    #readSpan(start: number, startEnd: number, end: number, endEnd: number): number {
        let began = readMicroseconds(block, start, startEnd);
        let ended = NOT_PLAIN;
        if (began === NOT_PLAIN) {
            began = this.#iso.read(block, blockView, start, startEnd);
            ended = began === NOT_PLAIN ? NOT_PLAIN : this.#iso.read(block, blockView, end, endEnd);
        } else {
            ended = readMicroseconds(block, end, endEnd);
        }
        return began === NOT_PLAIN || ended < began ? NOT_PLAIN : ended - began;
    }

    #readDuration(start: number, end: number): number {
        const scale = this.#sink.durationScale;
        if (scale < 0) {
            // Nanoseconds are rounded, which needs care.
            return NOT_PLAIN;
        }
        const whole = scale === 0 ? readWhole(block, start, end) : NOT_PLAIN;
        if (
            whole === NOT_PLAIN &&
            this.#header.dialect.isDurationWhole === true &&
            !this.hasFractions &&
            hasDigitBehindPoint(block, start, end)
        ) {
            return NOT_PLAIN;
        }
        return whole === NOT_PLAIN ? readScaled(block, start, end, scale) : whole;
    }

    /** The careful path, for any row. Returns where the next row begins, or NOT_WHOLE_YET. */
    #takeAnyRow(bytes: Buffer, { start, end, lineEnd, isLast, seen }: AnyRow): number {
        const { separator, lastRead, names } = this.#header;
        const lineNumber = this.#lines + 1;
        if (this.#isZeekLog && bytes[start] === HASH) {
            this.#lines += 1;
            this.#takeZeekLine(bytes, { start, end: lineEnd + 1 });
            return lineEnd + 1;
        }
        const isWitness = this.#header.dialect.isUnitOpen === true || this.#isWitness();
        seen.beginRow(lineEnd);
        const limit = Math.min(end, start + MAX_ROW_BYTES);
        const from = this.#isZeekLog ? start : behindBlanks(bytes, { start, separator });
        const row = parseRow(bytes, { start: from, end: limit, separator, lastNeeded: lastRead, columns: names.length, seen });
        if (row.end !== 'line end') {
            if (row.end === 'more' && (!isLast || limit < end)) {
                return NOT_WHOLE_YET;
            }
            this.#lines += 1;
            if (this.#isBehindTrailer) {
                return lineEnd + 1;
            }
            const hasCr = lineEnd > start && bytes[lineEnd - 1] === CR;
            this.#sink.reject('unclosed_quote', { lineNumber, bytes, start, end: hasCr ? lineEnd - 1 : lineEnd });
            return lineEnd + 1;
        }
        this.#lines += countLines(bytes, start, row.next);
        const place = { lineNumber, bytes, start, end: row.contentEnd };
        const cells = row.cells.map((text) => trimBlanks(text, separator));
        if (cells.every((text) => text === '') && isBlankRow(bytes, place, separator)) {
            if ((cells.length > 1 || row.hasMore || bytes[from] === QUOTE) && !this.#isBehindTrailer) {
                this.#sink.skip('blank_row');
            }
            return row.next;
        }
        if (this.#isTrailer(cells, row.hasMore) || this.#takeHeader(cells, { ...row, ...place })) {
            return row.next;
        }
        if (this.#isBehindTrailer) {
            this.#takeSummary(cells);
        } else {
            this.#takeRow(cells, { ...row, place, isWitness });
        }
        return row.next;
    }

    /** Takes a row of data: a flow, a reject, or what is no flow by right. */
    #takeRow(
        cells: readonly string[],
        { place, isWitness, hasMore, hasExtra }: Pick<ParsedRow, 'hasMore' | 'hasExtra'> & { place: FlowPlace; isWitness: boolean },
    ): void {
        const { columns, dialect, kindColumns, lastNeeded, names } = this.#header;
        const cell = (at: number): string => cells[at] ?? '';
        if (hasExtra) {
            this.#sink.reject('extra_cells', place);
            return;
        }
        const kind = dialect.rowKind?.of(kindColumns.map(cell));
        if (typeof kind === 'string') {
            this.#sink.skip(kind);
            return;
        }
        if (kind) {
            this.failure ??= kind.error;
            return;
        }
        const isCut = cells.length <= lastNeeded || (cells.length === lastNeeded + 1 && !hasMore && lastNeeded < names.length - 1);
        if (isCut) {
            this.#sink.reject('ragged_row', place);
            return;
        }
        this.#hear(cells, { lineNumber: place.lineNumber, isWitness });
        const flow = { source: cell(columns.src_ip), destination: cell(columns.dst_ip), packets: cell(columns.fwd_pkts) };
        const timestamp = cell(columns.timestamp);
        const duration = cell(columns.flow_duration);
        if (dialect.isEnd === true) {
            this.#sink.takeSpan({ ...flow, timestamp, end: duration }, place);
        } else {
            this.#sink.take({ ...flow, timestamp, duration }, place);
        }
    }

    /** Finds out how the row writes its numbers, and which unit it speaks for. */
    #hear(cells: readonly string[], { lineNumber, isWitness }: { lineNumber: number; isWitness: boolean }): void {
        const { columns, dialect, witness } = this.#header;
        const style = this.#sink.numberStyle;
        const numbers = [columns.flow_duration, columns.fwd_pkts, ...(isWitness && witness ? [witness.rate] : [])].map(
            (at) => cells[at] ?? '',
        );
        if (this.#mayChangeStyle) {
            // The time when a flow ended is no number of that kind.
            const styles = numbers.slice(dialect.isEnd === true ? 1 : 0).map(styleOf);
            this.otherStyle ??= styles.find((one) => one !== undefined && isAgainst(one, style));
        }
        this.hasFractions ||= dialect.isDurationWhole === true && hasFraction(toPlain(numbers[0] ?? '', style));
        if (isWitness && witness) {
            const [duration = '', packets = '', rate = ''] = numbers.map((text) => toPlain(text, style));
            const backward = witness.backward === undefined ? [] : [toPlain(cells[witness.backward] ?? '', style)];
            const unit = witnessedUnit({ duration, rate, packets: [packets, ...backward] });
            if (unit !== undefined) {
                this.#judge.hear({ unit, lineNumber });
            }
        }
    }

    /** True if the row is what a tool writes behind its last row. */
    #isTrailer(cells: readonly string[], hasMore: boolean): boolean {
        const isOne = cells.length === 1 && !hasMore && this.#header.dialect.trailers?.includes(cells[0] ?? '') === true;
        this.#isBehindTrailer ||= isOne;
        this.#summary = isOne ? 'names' : this.#summary;
        return isOne;
    }

    /** Takes a line of a trailer: it may say how many flows the tool wrote. */
    #takeSummary(cells: readonly string[]): void {
        if (this.#summary === 'names') {
            this.#summary = cells.includes('flows') ? cells.indexOf('flows') : 'none';
        } else if (this.#summary !== 'none') {
            const [announced, rows] = [cells[this.#summary] ?? '', this.#sink.rowsRead - this.#rowsBefore];
            this.#summary = 'none';
            if (/^\d{1,15}$/.test(announced) && Number(announced) !== rows) {
                this.#sink.announced ??= `${rows} of ${Number(announced)}`;
            }
        }
    }

    /** Takes a row that is a header: the same once more, or another, which rules from there on. @returns false where it is none */
    #takeHeader(
        cells: readonly string[],
        { bytes, start, next, lineNumber, hasExtra }: FlowPlace & Pick<ParsedRow, 'next' | 'hasExtra'>,
    ): boolean {
        const header = this.#header;
        const { separator } = header;
        if (!hasExtra && isRepeatedHeader(cells, header)) {
            this.repeatedHeaders += 1;
            this.#beginRows();
            return true;
        }
        if (hasAddress(cells)) {
            return false;
        }
        const from = this.#isZeekLog ? start : behindBlanks(bytes, { start, separator });
        const row = parseRow(bytes, { start: from, end: next, separator });
        // A header that ran together with a row is none.
        const mayBeOne = hasSourceName(row.cells, separator) && !hasAddress(row.cells.map((cell) => trimBlanks(cell, separator)));
        const found = mayBeOne ? findHeader(bytes, { start: from, end: next, separators: [separator] }) : undefined;
        if (found?.ok !== true) {
            return false;
        }
        if (found.header.dialect.name !== header.dialect.name) {
            this.failure ??= `line ${lineNumber} is the header of another tool (${found.header.dialect.name}, and the file begins as ${header.dialect.name}): split the file there`;
        }
        this.repeatedHeaders += 1;
        this.#rule(found.header);
        return true;
    }

    #rule(header: Header): void {
        this.#header = header;
        this.#beginRows();
    }

    #beginRows(): void {
        this.#isBehindTrailer = false;
        this.#rowsBefore = this.#sink.rowsRead;
        this.#witnessesUntil = this.#lines + FIRST_WITNESS_LINES;
    }

    /** A later `#path` or `#fields` line, of a log that was put together from several. */
    #takeZeekLine(bytes: Buffer, { start, end }: { start: number; end: number }): void {
        const separator = this.#header.separator;
        const path = zeekPathOf(bytes, { start, end: end - 1, separator });
        if (path !== undefined) {
            this.#isOtherLog = !isFlowLog(path);
        }
        if (this.#isOtherLog) {
            return;
        }
        const namesStart = zeekNamesStart(bytes, { start, separator });
        if (namesStart === undefined) {
            return;
        }
        const found = findHeader(bytes, { start: namesStart, end, separators: [separator], dialects: ZEEK_DIALECTS });
        if (!found.ok) {
            this.failure ??= `${found.error} (line ${this.#lines}, a later #fields line)`;
            return;
        }
        if (haveSameNames(found.header, this.#header)) {
            this.repeatedHeaders += 1;
        }
        // What kind of file it is, the first header tells.
        this.#rule({ ...found.header, dialect: this.#header.dialect });
    }
}

/** True if nothing but separators and blanks stands in the row, in quotes or not. */
function isBlankRow(bytes: Buffer, { start, end }: FlowPlace, separator: number): boolean {
    let isFieldStart = true;
    for (let at = start; at < end; at += 1) {
        if (isFieldStart && bytes[at] === QUOTE) {
            do {
                at += 1;
            } while (at < end && isBlank(bytes[at], separator));
            if (bytes[at] !== QUOTE || at >= end) {
                return false;
            }
        } else if (bytes[at] !== separator && !isBlank(bytes[at], separator)) {
            return false;
        }
        isFieldStart = bytes[at] === separator;
    }
    return true;
}

function isBlank(byte: number | undefined, separator: number): boolean {
    return (byte === SPACE || byte === TAB) && byte !== separator;
}

const ZEEK_FIELDS = '#fields';

/** Beginning of the names in a Zeek `#fields` line; undefined for any other line. */
export function zeekNamesStart(bytes: Buffer, { start, separator }: { start: number; separator: number }): number | undefined {
    const behind = start + ZEEK_FIELDS.length;
    return bytes.toString('latin1', start, behind) === ZEEK_FIELDS && bytes[behind] === separator ? behind + 1 : undefined;
}

/** Beginning of a column's field of a row that `fieldStarts` tells from place `starts` on. */
function startAt(starts: number, column: number): number {
    return fieldStarts[starts + column] as number;
}

/** Its end: the separator in front of the next one. */
function endAt(starts: number, column: number): number {
    return (fieldStarts[starts + column + 1] as number) - 1;
}

function countLines(bytes: Buffer, start: number, end: number): number {
    let count = 0;
    for (let at = bytes.indexOf(LF, start); at >= 0 && at < end; at = bytes.indexOf(LF, at + 1)) {
        count += 1;
    }
    return count;
}
