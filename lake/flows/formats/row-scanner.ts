/**
 * Rows of bytes into a pair table. The fast path finds a row's fields without looking at the ones behind the last needed one; whatever it
 * does not know by heart (quotes, blanks, exponents, every reject) goes the careful way, row by row.
 */

import { DateSlots } from '#lake/flows/date-slots';
import type { DateRules, DateSlot } from '#lake/flows/dates';
import { parseWhole } from '#lake/flows/numbers';
import { type AddressKey, MAX_FAST_VALUE, type PairTable } from '#lake/flows/pair-table';
import { MAX_REJECT_LINE_LENGTH, type Reject, type RejectReason } from '#lake/flows/rejects';
import { parseRow, SeenQuotes, trimBlanks } from './csv-row.ts';
import { findHeader, type Header, haveSameNames, isRepeatedHeader } from './dialects.ts';
import { BATCH_FLOWS, FlowBatch } from './flow-batch.ts';
import { NOT_PLAIN, readCount, readIPv4, readScaled, readWhole, splitRow, WORD_BYTES } from './plain-row.ts';

const LF = 0x0a;
const CR = 0x0d;
const QUOTE = 0x22;
const HASH = 0x23;

const NOT_WHOLE_YET = -1;

/** So many bytes behind the last row make it one that the fast path can take: it reads a word at a time. */
export const SPARE_BYTES = WORD_BYTES - 1;

/** A row that does not end must not fill the memory. */
const MAX_ROW_BYTES = 1 << 24;

/** So many rejects are handed over at a time: bytes can be a reject every second one of them. */
const REJECTS_AT_ONCE = 1_000;

export interface ScannerOptions {
    header: Header;
    /** Lines that begin with `#` are no rows. */
    isZeekLog: boolean;
    dateRules: DateRules;
    /** Durations are multiplied by ten to this power: 0 for microseconds, 6 for seconds. */
    durationScale: 0 | 6;
    /** Lines of the file in front of the first row. */
    linesBefore: number;
    watch?: PairWatch | undefined;
}

/** Whoever asks for the rows of one pair: addresses as written, and what is told of each row that is kept. */
export interface PairWatch {
    src: string;
    dst: string;
    onRow: (row: WatchedRow) => void;
}

export interface WatchedRow {
    /** Line of the file at which the row begins, from 1. */
    lineNumber: number;
    /** Its day in either order; the file's order may be known at its end only. */
    date: DateSlot;
    durationUs: bigint;
    packets: bigint;
    /** The row as read, as for a reject. */
    line: string;
}

/** What is handed to the careful path. */
interface AnyRow {
    start: number;
    end: number;
    /** Where the row's first line ends. */
    lineEnd: number;
    isLast: boolean;
    seen: SeenQuotes;
}

/** Where a row stands in the bytes at hand. */
interface RowPlace {
    lineNumber: number;
    bytes: Buffer;
    start: number;
    /** Without the line end. */
    end: number;
}

export class RowScanner {
    rowsRead = 0;
    repeatedHeaders = 0;
    /** Filled by `scan`, which stops where they are many; the caller takes them out. */
    rejects: Reject[] = [];
    /** Whether the last scan stopped for the rejects only. */
    isPaused = false;
    /** Why the file cannot be used after all. */
    failure: string | undefined;
    /** Rejected rows that were good up to a date which fits one order only: if the file's is the other, that is why they go. */
    readonly rejectedDates = { dmy: false, mdy: false };
    #header: Header;
    /** Where the fields of a row begin up to the last needed one, and one more. */
    #starts: Int32Array;
    #lines: number;
    readonly #isZeekLog: boolean;
    readonly #durationScale: 0 | 6;
    readonly #table: PairTable;
    readonly #dates: DateSlots;
    readonly #batch = new FlowBatch();
    /** Of the bytes at hand. */
    #seen = new SeenQuotes(0);
    readonly #watch: PairWatch | undefined;

    constructor(table: PairTable, { header, isZeekLog, dateRules, durationScale, linesBefore, watch }: ScannerOptions) {
        this.#watch = watch;
        this.#table = table;
        this.#header = header;
        this.#starts = new Int32Array(header.lastNeeded + 2);
        this.#isZeekLog = isZeekLog;
        this.#dates = new DateSlots(dateRules, header.separator);
        this.#durationScale = durationScale;
        this.#lines = linesBefore;
    }

    get slots(): readonly DateSlot[] {
        return this.#dates.all;
    }

    /**
     * Takes the whole rows of `bytes` from `start` to `end`; with `isLast` the bytes must end with a line end. After a scan that was paused
     * the same bytes must come again, from where it stopped.
     * @returns where the first row begins that is not whole, or earlier where there are rejects to be handed over (`isPaused`) or the file
     * has turned out to be of no use (`failure`).
     */
    scan(bytes: Buffer, { start, end, isLast }: { start: number; end: number; isLast: boolean }): number {
        const limit = bytes.lastIndexOf(LF, end - 1) + 1;
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
        let at = start;
        let plainEnd = this.#plainEnd(bytes, at, end);
        if (!this.isPaused) {
            this.#seen = new SeenQuotes(bytes.length);
        }
        this.isPaused = false;
        const seen = this.#seen;
        const mayBeTooLong = end - start > MAX_ROW_BYTES;
        while (at < limit) {
            const lineEnd = bytes.indexOf(LF, at);
            if (mayBeTooLong && lineEnd - at >= MAX_ROW_BYTES) {
                break;
            }
            if (lineEnd < plainEnd && this.#takePlainRow(bytes, view, at, lineEnd)) {
                at = lineEnd + 1;
                continue;
            }
            const filled = this.#skipEmptyLines(bytes, at, limit);
            if (filled > at) {
                at = filled;
                continue;
            }
            if (this.rejects.length >= REJECTS_AT_ONCE) {
                this.isPaused = true;
                break;
            }
            const next = this.#takeAnyRow(bytes, { start: at, end, lineEnd, isLast, seen });
            if (next === NOT_WHOLE_YET) {
                break;
            }
            at = next;
            if (this.failure !== undefined) {
                break;
            }
            if (plainEnd < at) {
                plainEnd = this.#plainEnd(bytes, at, end);
            }
        }
        this.#table.addFlows(this.#batch);
        if (!this.isPaused && end - at > MAX_ROW_BYTES) {
            this.failure ??= `a row is longer than ${MAX_ROW_BYTES >> 20} MiB (line ${this.#lines + 1}): this is no file of flows, or its line ends are lost`;
        }
        return at;
    }

    /** Line ends in front of this place are where their rows end, and may be left to the fast path. */
    #plainEnd(bytes: Buffer, from: number, end: number): number {
        if (this.#watch) {
            // The fast path tells nobody of a row.
            return from;
        }
        const quote = bytes.indexOf(QUOTE, from);
        return Math.min(quote < 0 ? end : quote, bytes.length - SPARE_BYTES);
    }

    /** A few bytes of a packed file may unpack to gigabytes of them. Returns where the first line is that has something in it. */
    #skipEmptyLines(bytes: Buffer, start: number, limit: number): number {
        let at = start;
        while (at < limit && (bytes[at] === LF || (bytes[at] === CR && bytes[at + 1] === LF))) {
            at += bytes[at] === LF ? 1 : 2;
            this.#lines += 1;
        }
        return at;
    }

    /** The fast path. Returns whether the row was taken; if not, nothing is counted. */
    #takePlainRow(bytes: Buffer, view: DataView, start: number, lineEnd: number): boolean {
        const { separator, columns, lastNeeded, names } = this.#header;
        const starts = this.#starts;
        const separators = splitRow(view, start, lineEnd, separator, starts);
        if (separators <= lastNeeded) {
            if (separators < lastNeeded || lastNeeded < names.length - 1) {
                return false;
            }
            // The last needed column is the row's last.
            starts[lastNeeded + 1] = (bytes[lineEnd - 1] === CR ? lineEnd - 1 : lineEnd) + 1;
        }
        const batch = this.#batch;
        const place = batch.count;
        const { timestamp, flow_duration, fwd_pkts } = columns;
        const slot = this.#dates.slotAt(bytes, view, starts[timestamp] as number, endOf(starts, timestamp));
        const durationUs = this.#readDuration(bytes, starts[flow_duration] as number, endOf(starts, flow_duration));
        const packets = readCount(bytes, starts[fwd_pkts] as number, endOf(starts, fwd_pkts));
        if (slot < 0 || durationUs < 0 || packets < 0 || (this.#isZeekLog && bytes[start] === HASH)) {
            return false;
        }
        let group = slot << 2;
        if (!readIPv4(bytes, starts[columns.src_ip] as number, endOf(starts, columns.src_ip), batch.sources, place)) {
            if (!this.#readText(bytes, columns.src_ip, batch.sources)) {
                return false;
            }
            group += 1;
        }
        if (!readIPv4(bytes, starts[columns.dst_ip] as number, endOf(starts, columns.dst_ip), batch.destinations, place)) {
            if (!this.#readText(bytes, columns.dst_ip, batch.destinations)) {
                return false;
            }
            group += 2;
        }
        this.#lines += 1;
        this.rowsRead += 1;
        if (durationUs >= MAX_FAST_VALUE || packets >= MAX_FAST_VALUE) {
            const row = this.#table.rowOf(batch.sources[place] as number, batch.destinations[place] as number, group);
            this.#table.addLargeFlow(row, BigInt(durationUs), BigInt(packets));
            return true;
        }
        batch.groups[place] = group;
        batch.durations[place] = durationUs;
        batch.packets[place] = packets;
        batch.count = place + 1;
        if (place + 1 === BATCH_FLOWS) {
            this.#table.addFlows(batch);
        }
        return true;
    }

    /** Puts the key of an address that is no IPv4 address at the batch's next place; returns false where it is no address at all. */
    #readText(bytes: Buffer, column: number, keys: Int32Array): boolean {
        const address = this.#table.addressKey(bytes.toString('latin1', this.#starts[column], endOf(this.#starts, column)));
        keys[this.#batch.count] = address?.key ?? 0;
        return address?.isText === true;
    }

    #readDuration(bytes: Buffer, start: number, end: number): number {
        const scale = this.#durationScale;
        const whole = scale === 0 ? readWhole(bytes, start, end) : NOT_PLAIN;
        return whole === NOT_PLAIN ? readScaled(bytes, start, end, scale) : whole;
    }

    /** The careful path, for any row. Returns where the next row begins, or NOT_WHOLE_YET. */
    #takeAnyRow(bytes: Buffer, { start, end, lineEnd, isLast, seen }: AnyRow): number {
        const { separator, lastNeeded, names, columns } = this.#header;
        const lineNumber = this.#lines + 1;
        if (this.#isZeekLog && bytes[start] === HASH) {
            this.#takeZeekLine(bytes, { start, end: lineEnd + 1 });
            this.#lines += 1;
            return lineEnd + 1;
        }
        seen.beginRow(lineEnd);
        const limit = Math.min(end, start + MAX_ROW_BYTES);
        const row = parseRow(bytes, { start, end: limit, separator, lastNeeded, seen });
        if (row.end !== 'line end') {
            if (row.end === 'more' && (!isLast || limit < end)) {
                return NOT_WHOLE_YET;
            }
            this.#lines += 1;
            const hasCr = lineEnd > start && bytes[lineEnd - 1] === CR;
            this.#reject('unclosed_quote', { lineNumber, bytes, start, end: hasCr ? lineEnd - 1 : lineEnd });
            return lineEnd + 1;
        }
        this.#lines += countLines(bytes, start, row.next);
        if (row.cells.length === 1 && !row.hasMore && trimBlanks(bytes.toString('latin1', start, row.contentEnd), separator) === '') {
            return row.next;
        }
        if (isRepeatedHeader(row.cells, this.#header)) {
            this.repeatedHeaders += 1;
            return row.next;
        }
        const isCut = row.cells.length <= lastNeeded || (!row.hasMore && lastNeeded < names.length - 1);
        const cell = (at: number): string => trimBlanks(row.cells[at] ?? '', separator);
        const place = { lineNumber, bytes, start, end: row.contentEnd };
        const reason = isCut
            ? 'ragged_row'
            : this.#count(
                  {
                      source: cell(columns.src_ip),
                      destination: cell(columns.dst_ip),
                      timestamp: cell(columns.timestamp),
                      duration: cell(columns.flow_duration),
                      packets: cell(columns.fwd_pkts),
                  },
                  place,
              );
        if (reason !== undefined) {
            this.#reject(reason, place);
        } else {
            this.rowsRead += 1;
        }
        return row.next;
    }

    /** Counts one row of trimmed cells, or says why not. */
    #count(
        row: { source: string; destination: string; timestamp: string; duration: string; packets: string },
        place: RowPlace,
    ): RejectReason | undefined {
        if (Object.values(row).some((cell) => cell === '' || cell === '-')) {
            return 'missing_field';
        }
        const source = this.#table.addressKey(row.source);
        const destination = this.#table.addressKey(row.destination);
        if (!source || !destination) {
            return 'not_an_ip_address';
        }
        const slot = this.#dates.slotOf(row.timestamp);
        if (typeof slot !== 'number') {
            return slot;
        }
        const duration = parseWhole(row.duration, { scale: this.#durationScale });
        const packets = parseWhole(row.packets, { fraction: 'reject' });
        if (!duration.ok || !packets.ok) {
            this.#rememberDate(this.slots[slot]);
            return duration.ok ? (packets.ok ? undefined : packets.reason) : duration.reason;
        }
        this.#addRow(source, destination, slot, duration.value, packets.value);
        const date = this.slots[slot];
        if (this.#watch?.src === row.source && this.#watch.dst === row.destination && date) {
            const { lineNumber } = place;
            this.#watch.onRow({ lineNumber, date, durationUs: duration.value, packets: packets.value, line: lineAt(place) });
        }
        return undefined;
    }

    #rememberDate(slot: DateSlot | undefined): void {
        if (slot?.kind === 'slash' && slot.dmy !== slot.mdy) {
            this.rejectedDates.dmy ||= slot.mdy === undefined;
            this.rejectedDates.mdy ||= slot.dmy === undefined;
        }
    }

    #addRow(source: AddressKey, destination: AddressKey, slot: number, durationUs: bigint, packets: bigint): void {
        const group = (slot << 2) | (source.isText ? 1 : 0) | (destination.isText ? 2 : 0);
        this.#table.addLargeFlow(this.#table.rowOf(source.key, destination.key, group), durationUs, packets);
    }

    #reject(reason: RejectReason, place: RowPlace): void {
        this.rejects.push({ lineNumber: place.lineNumber, reason, line: lineAt(place) });
        this.rowsRead += 1;
    }

    /** A later `#fields` line, of a log that was put together from several. */
    #takeZeekLine(bytes: Buffer, { start, end }: { start: number; end: number }): void {
        const separator = this.#header.separator;
        const namesStart = zeekNamesStart(bytes, { start, separator });
        if (namesStart === undefined) {
            return;
        }
        const found = findHeader(bytes, { start: namesStart, end, separators: [separator] });
        if (!found.ok) {
            this.failure ??= `${found.error} (line ${this.#lines + 1}, a later #fields line)`;
            return;
        }
        if (haveSameNames(found.header, this.#header)) {
            this.repeatedHeaders += 1;
        }
        this.#header = found.header;
        this.#starts = new Int32Array(found.header.lastNeeded + 2);
    }
}

const ZEEK_FIELDS = '#fields';

/** Where the names of a Zeek `#fields` line begin, or undefined for any other line. */
export function zeekNamesStart(bytes: Buffer, { start, separator }: { start: number; separator: number }): number | undefined {
    const behind = start + ZEEK_FIELDS.length;
    return bytes.toString('latin1', start, behind) === ZEEK_FIELDS && bytes[behind] === separator ? behind + 1 : undefined;
}

/** A row for a person to look at: bytes that are not UTF-8 replaced, cut at `MAX_REJECT_LINE_LENGTH` characters. */
function lineAt({ bytes, start, end }: RowPlace): string {
    // Four bytes make at most one character cut short: never decode a row of megabytes for a line that is cut anyway.
    return bytes.toString('utf8', start, Math.min(end, start + MAX_REJECT_LINE_LENGTH * 4)).slice(0, MAX_REJECT_LINE_LENGTH);
}

/** Where the field of a column ends: at the separator in front of the next one. */
function endOf(starts: Int32Array, column: number): number {
    return (starts[column + 1] as number) - 1;
}

function countLines(bytes: Buffer, start: number, end: number): number {
    let count = 0;
    for (let at = bytes.indexOf(LF, start); at >= 0 && at < end; at = bytes.indexOf(LF, at + 1)) {
        count += 1;
    }
    return count;
}
