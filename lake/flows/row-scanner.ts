/**
 * Rows of bytes into a pair table. The fast path walks a row's bytes once, stops at the last needed column and jumps to the line's
 * end; whatever it does not know by heart (quotes, blanks, IPv6, exponents, every reject) goes the careful way, row by row.
 */
import { parseRow } from './csv-row.ts';
import { type DateRules, type DateSlot, dayOfEpoch, parseDate } from './dates.ts';
import { findHeader, type Header, isRepeatedHeader } from './dialects.ts';
import { parseWhole } from './numbers.ts';
import { type AddressKey, MAX_FAST_VALUE, type PairTable } from './pair-table.ts';
import { MAX_REJECT_LINE_LENGTH, type Reject, type RejectReason } from './rejects.ts';

const LF = 0x0a;
const CR = 0x0d;
const QUOTE = 0x22;
const HASH = 0x23;
const POINT = 0x2e;
const ZERO = 0x30;

/** So many digits fit below `MAX_FAST_VALUE` together with six more for seconds; longer numbers go the careful way. */
const MAX_FAST_DIGITS = 9;
const MAX_FAST_PACKET_DIGITS = 15;

const NOT_FAST = -1;

// What the fast path reads.
const SOURCE = 0;
const DESTINATION = 1;
const TIMESTAMP = 2;
const DURATION = 3;
const PACKETS = 4;

/** What the fast path does in a row. */
interface Plan {
    separator: number;
    /** In pairs: how many separators to pass, and which of the five to read then. */
    steps: Uint32Array;
    /** The last needed column is the row's last. */
    isLastColumn: boolean;
}

/**
 * Where the field ends that was just read, or NOT_FAST where it is none of the plain kind: the second result of the readers below,
 * kept here so that no object is made per field.
 */
let fieldEnd = 0;

export interface ScannerOptions {
    header: Header;
    /** Lines that begin with `#` are no rows. */
    isZeekLog: boolean;
    dateRules: DateRules;
    /** Durations are multiplied by ten to this power: 0 for microseconds, 6 for seconds. */
    durationScale: 0 | 6;
    /** Lines of the file in front of the first row. */
    linesBefore: number;
}

export class RowScanner {
    rowsRead = 0;
    repeatedHeaders = 0;
    /** Filled by `scan`; the caller takes them out. */
    rejects: Reject[] = [];
    readonly slots: DateSlot[] = [];
    /** Why the file cannot be used after all. */
    failure: string | undefined;
    /** Rejected rows that were good up to a date which fits one order only: if the file's is the other, that is why they go. */
    readonly rejectedDates = { dmy: false, mdy: false };
    #header: Header;
    #plan: Plan;
    #lines: number;
    readonly #isZeekLog: boolean;
    readonly #dateRules: DateRules;
    readonly #durationScale: 0 | 6;
    readonly #table: PairTable;
    readonly #slotOfDate = new Map<string, number>();
    #lastDate = Buffer.alloc(0);
    #lastSlot = NOT_FAST;
    #lastEpochDay = -1;
    #lastEpochSlot = NOT_FAST;

    constructor(table: PairTable, { header, isZeekLog, dateRules, durationScale, linesBefore }: ScannerOptions) {
        this.#table = table;
        this.#header = header;
        this.#plan = planOf(header);
        this.#isZeekLog = isZeekLog;
        this.#dateRules = dateRules;
        this.#durationScale = durationScale;
        this.#lines = linesBefore;
    }

    /**
     * Takes every whole row of `bytes` from `start` to `end`; with `isLast` the bytes must end with a line end and all are taken.
     * @returns where the first row begins that is not whole.
     */
    scan(bytes: Buffer, { start, end, isLast }: { start: number; end: number; isLast: boolean }): number {
        const limit = bytes.lastIndexOf(LF, end - 1) + 1;
        let at = start;
        let quote = nextQuote(bytes, at, end);
        while (at < limit) {
            const next = this.#scanPlainRow(bytes, at, quote);
            if (next !== NOT_FAST) {
                at = next;
                continue;
            }
            const after = this.#scanAnyRow(bytes, { start: at, end, isLast });
            if (after === NOT_FAST) {
                return at;
            }
            at = after;
            if (quote < at) {
                quote = nextQuote(bytes, at, end);
            }
        }
        return at;
    }

    /** The fast path. Returns where the next row begins, or NOT_FAST with nothing counted. Every row here ends with LF. */
    #scanPlainRow(bytes: Buffer, start: number, quote: number): number {
        const { steps, separator, isLastColumn } = this.#plan;
        const count = steps.length;
        let at = start;
        let source = 0;
        let destination = 0;
        let slot = 0;
        let durationUs = 0;
        let packets = 0;
        for (let step = 0; step < count; step += 2) {
            let separators = steps[step] as number;
            while (separators > 0) {
                const byte = bytes[at] as number;
                at += 1;
                if (byte === separator) {
                    separators -= 1;
                } else if (byte === LF) {
                    return NOT_FAST;
                }
            }
            switch (steps[step + 1]) {
                case SOURCE:
                    source = readIPv4(bytes, at);
                    break;
                case DESTINATION:
                    destination = readIPv4(bytes, at);
                    break;
                case TIMESTAMP:
                    slot = this.#readDate(bytes, at, separator);
                    break;
                case DURATION:
                    durationUs = readDuration(bytes, at, this.#durationScale);
                    break;
                default:
                    packets = readPackets(bytes, at);
            }
            at = fieldEnd;
            if (at < 0 || (bytes[at] !== separator && (step < count - 2 || !isLastColumn || !isLineEnd(bytes, at)))) {
                return NOT_FAST;
            }
        }
        const lineEnd = bytes.indexOf(LF, at);
        if (quote < lineEnd) {
            return NOT_FAST;
        }
        this.#lines += 1;
        this.rowsRead += 1;
        this.#table.addFlow(this.#table.rowOf(source, destination, slot << 2), durationUs, packets);
        return lineEnd + 1;
    }

    /** The slot of the date that begins at `start`. */
    #readDate(bytes: Buffer, start: number, separator: number): number {
        const lastDate = this.#lastDate;
        const length = lastDate.length;
        let at = start;
        while (at - start < length && bytes[at] === lastDate[at - start]) {
            at += 1;
        }
        const isSame = length > 0 && at - start === length && (isDateEnd(bytes[at] as number) || bytes[at] === separator);
        let byte = bytes[at] as number;
        while (byte !== separator && byte !== LF) {
            at += 1;
            byte = bytes[at] as number;
        }
        fieldEnd = at;
        return isSame ? this.#lastSlot : this.#findDate(bytes, start, byte === LF && bytes[at - 1] === CR ? at - 1 : at);
    }

    /** The slot of a date that is not the last row's. */
    #findDate(bytes: Buffer, start: number, end: number): number {
        const text = bytes.toString('latin1', start, end);
        const slot = this.#slotOf(text);
        if (typeof slot !== 'number') {
            fieldEnd = NOT_FAST;
            return 0;
        }
        if (this.slots[slot]?.kind !== 'epoch') {
            this.#lastDate = Buffer.from(datePart(text), 'latin1');
            this.#lastSlot = slot;
        }
        return slot;
    }

    /** The slot of a trimmed timestamp, or the reason to reject it. */
    #slotOf(timestamp: string): number | RejectReason {
        if (/^\d+(\.\d*)?$/.test(timestamp)) {
            // Not as a double: it would round 1612223999.999999999 up into the next day.
            return this.#slotOfEpoch(Number.parseInt(timestamp, 10));
        }
        const written = datePart(timestamp);
        const known = this.#slotOfDate.get(written);
        if (known !== undefined) {
            return known;
        }
        const date = parseDate(written, this.#dateRules);
        if (!date.ok) {
            const seconds = parseWhole(timestamp, { fraction: 'cut' });
            return seconds.ok ? this.#slotOfEpoch(Number(seconds.value)) : date.reason;
        }
        return this.#addSlot(written, date.slot);
    }

    #slotOfEpoch(seconds: number): number | RejectReason {
        const epochDay = Math.floor(seconds / 86_400);
        if (epochDay === this.#lastEpochDay && seconds >= this.#dateRules.minEpochSeconds) {
            return this.#lastEpochSlot;
        }
        const day = seconds >= this.#dateRules.minEpochSeconds ? dayOfEpoch(seconds) : undefined;
        if (day === undefined) {
            return 'date_unreadable';
        }
        const name = `epoch ${day}`;
        this.#lastEpochDay = epochDay;
        this.#lastEpochSlot = this.#slotOfDate.get(name) ?? this.#addSlot(name, { kind: 'epoch', dmy: day, mdy: day });
        return this.#lastEpochSlot;
    }

    #addSlot(written: string, slot: DateSlot): number {
        const index = this.slots.push(slot) - 1;
        this.#slotOfDate.set(written, index);
        return index;
    }

    /** The careful path, for any row. Returns where the next row begins, or NOT_FAST where the row is not whole yet. */
    #scanAnyRow(bytes: Buffer, { start, end, isLast }: { start: number; end: number; isLast: boolean }): number {
        const { separator, lastNeeded, names, columns } = this.#header;
        const lineNumber = this.#lines + 1;
        const lineEnd = bytes.indexOf(LF, start);
        if (this.#isZeekLog && bytes[start] === HASH) {
            this.#takeZeekLine(bytes, { start, end: lineEnd + 1 });
            this.#lines += 1;
            return lineEnd + 1;
        }
        const row = parseRow(bytes, { start, end, separator, lastNeeded });
        if (row.end !== 'line end') {
            if (row.end === 'more' && !isLast) {
                return NOT_FAST;
            }
            this.#lines += 1;
            this.#reject('unclosed_quote', { lineNumber, bytes, start, end: lineEnd });
            return lineEnd + 1;
        }
        this.#lines += countLines(bytes, start, row.next);
        if (row.cells.length === 1 && !row.hasMore && /^[ \t]*$/.test(bytes.toString('latin1', start, row.contentEnd))) {
            return row.next;
        }
        if (isRepeatedHeader(row.cells, this.#header)) {
            this.repeatedHeaders += 1;
            return row.next;
        }
        const isCut = row.cells.length <= lastNeeded || (!row.hasMore && lastNeeded < names.length - 1);
        const cell = (at: number): string => (row.cells[at] ?? '').replace(/^[ \t]+|[ \t]+$/g, '');
        const reason = isCut
            ? 'ragged_row'
            : this.#count({
                  source: cell(columns.src_ip),
                  destination: cell(columns.dst_ip),
                  timestamp: cell(columns.timestamp),
                  duration: cell(columns.flow_duration),
                  packets: cell(columns.fwd_pkts),
              });
        if (reason !== undefined) {
            this.#reject(reason, { lineNumber, bytes, start, end: row.contentEnd });
        } else {
            this.rowsRead += 1;
        }
        return row.next;
    }

    /** Counts one row of trimmed cells, or says why not. */
    #count(row: { source: string; destination: string; timestamp: string; duration: string; packets: string }): RejectReason | undefined {
        if (Object.values(row).some((cell) => cell === '' || cell === '-')) {
            return 'missing_field';
        }
        const source = this.#table.addressKey(row.source);
        const destination = this.#table.addressKey(row.destination);
        if (!source || !destination) {
            return 'not_an_ip_address';
        }
        const slot = this.#slotOf(row.timestamp);
        if (typeof slot !== 'number') {
            return slot;
        }
        const duration = parseWhole(row.duration, { scale: this.#durationScale });
        const packets = parseWhole(row.packets, { fraction: 'reject' });
        if (!duration.ok || !packets.ok) {
            this.#rememberDate(this.slots[slot]);
            return duration.ok ? packets.ok ? undefined : packets.reason : duration.reason;
        }
        this.#addRow(source, destination, slot, duration.value, packets.value);
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

    #reject(reason: RejectReason, { lineNumber, bytes, start, end }: { lineNumber: number; bytes: Buffer; start: number; end: number }): void {
        const withoutCr = end > start && bytes[end - 1] === CR ? end - 1 : end;
        // Four bytes make at most one character cut short: never decode a row of megabytes for a line that is cut anyway.
        const line = bytes.toString('utf8', start, Math.min(withoutCr, start + MAX_REJECT_LINE_LENGTH * 4)).slice(0, MAX_REJECT_LINE_LENGTH);
        this.rejects.push({ lineNumber, reason, line });
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
        if (found.header.names.join() === this.#header.names.join()) {
            this.repeatedHeaders += 1;
        }
        this.#header = found.header;
        this.#plan = planOf(found.header);
    }
}

const ZEEK_FIELDS = '#fields';

/** Where the names of a Zeek `#fields` line begin, or undefined for any other line. */
export function zeekNamesStart(bytes: Buffer, { start, separator }: { start: number; separator: number }): number | undefined {
    const behind = start + ZEEK_FIELDS.length;
    return bytes.toString('latin1', start, behind) === ZEEK_FIELDS && bytes[behind] === separator ? behind + 1 : undefined;
}

function planOf({ separator, columns, lastNeeded, names }: Header): Plan {
    const roles: [column: number, field: number][] = [
        [columns.src_ip, SOURCE],
        [columns.dst_ip, DESTINATION],
        [columns.timestamp, TIMESTAMP],
        [columns.flow_duration, DURATION],
        [columns.fwd_pkts, PACKETS],
    ];
    roles.sort(([a], [b]) => a - b);
    const steps = roles.flatMap(([column, field], index) => [column - (roles[index - 1]?.[0] ?? 0), field]);
    return { separator, steps: Uint32Array.from(steps), isLastColumn: lastNeeded === names.length - 1 };
}

/** An IPv4 address without leading zeros as a signed 32-bit number. */
function readIPv4(bytes: Buffer, start: number): number {
    let at = start;
    let address = 0;
    let octet = NOT_FAST;
    let points = 0;
    for (;;) {
        const byte = bytes[at] as number;
        const digit = byte - ZERO;
        if (digit >= 0 && digit <= 9) {
            octet = octet < 0 ? digit : octet === 0 ? 256 : octet * 10 + digit;
            if (octet > 255) {
                break;
            }
        } else if (byte === POINT && octet >= 0) {
            address = (address << 8) | octet;
            octet = NOT_FAST;
            points += 1;
        } else {
            break;
        }
        at += 1;
    }
    fieldEnd = points === 3 && octet >= 0 && octet <= 255 ? at : NOT_FAST;
    return (address << 8) | octet;
}

/** Digits with or without a fraction, times ten to the scale, rounded half up. */
function readDuration(bytes: Buffer, start: number, scale: number): number {
    let at = start;
    let value = 0;
    let digit = (bytes[at] as number) - ZERO;
    while (digit >= 0 && digit <= 9) {
        value = value * 10 + digit;
        at += 1;
        digit = (bytes[at] as number) - ZERO;
    }
    const digits = at - start;
    if (digits === 0 || digits > (scale === 0 ? MAX_FAST_PACKET_DIGITS : MAX_FAST_DIGITS)) {
        fieldEnd = NOT_FAST;
        return 0;
    }
    let missing = scale;
    if (bytes[at] === POINT) {
        at += 1;
        digit = (bytes[at] as number) - ZERO;
        while (missing > 0 && digit >= 0 && digit <= 9) {
            value = value * 10 + digit;
            missing -= 1;
            at += 1;
            digit = (bytes[at] as number) - ZERO;
        }
        // The first digit that is cut decides; it is cut only once all that count are taken.
        if (digit >= 5 && digit <= 9) {
            value += 1;
        }
        while (digit >= 0 && digit <= 9) {
            at += 1;
            digit = (bytes[at] as number) - ZERO;
        }
    }
    while (missing > 0) {
        value *= 10;
        missing -= 1;
    }
    fieldEnd = value < MAX_FAST_VALUE ? at : NOT_FAST;
    return value;
}

/** Digits, also with a fraction of zeros. */
function readPackets(bytes: Buffer, start: number): number {
    let at = start;
    let value = 0;
    let digit = (bytes[at] as number) - ZERO;
    while (digit >= 0 && digit <= 9) {
        value = value * 10 + digit;
        at += 1;
        digit = (bytes[at] as number) - ZERO;
    }
    if (at === start || at - start > MAX_FAST_PACKET_DIGITS) {
        fieldEnd = NOT_FAST;
        return 0;
    }
    if (bytes[at] === POINT) {
        at += 1;
        while (bytes[at] === ZERO) {
            at += 1;
        }
    }
    fieldEnd = at;
    return value;
}

function isLineEnd(bytes: Buffer, at: number): boolean {
    return bytes[at] === LF || (bytes[at] === CR && bytes[at + 1] === LF);
}

function isDateEnd(byte: number): boolean {
    return byte === 0x20 || byte === 0x09 || byte === 0x54;
}

/** What stands in front of the clock. */
function datePart(timestamp: string): string {
    const end = timestamp.search(/[ \tT]/);
    return end < 0 ? timestamp : timestamp.slice(0, end);
}

function nextQuote(bytes: Buffer, from: number, end: number): number {
    const at = bytes.indexOf(QUOTE, from);
    return at < 0 || at >= end ? Number.MAX_SAFE_INTEGER : at;
}

function countLines(bytes: Buffer, start: number, end: number): number {
    let count = 0;
    for (let at = bytes.indexOf(LF, start); at >= 0 && at < end; at = bytes.indexOf(LF, at + 1)) {
        count += 1;
    }
    return count;
}
