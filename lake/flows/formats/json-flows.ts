/** Records of a JSON file into the sink of flows: those that are known by heart straight from their bytes, all others with care. */

import { BATCH_FLOWS } from '../flow-batch.ts';
import type { FlowPlace, FlowSink } from '../flow-sink.ts';
import { MAX_FAST_VALUE, UNTIMED } from '../pair-table.ts';
import {
    DESTINATION,
    END,
    hasOwnTimes,
    type JsonDialect,
    KIND,
    MARK,
    otherToolOf,
    PACKETS,
    RATE,
    ROLE_COUNT,
    SOURCE,
    START,
    takeFlow,
} from './json-dialects.ts';
import { type JsonValue, textOf } from './json-object.ts';
import type { RecordTaker } from './json-records.ts';
import { isPieceAt, NO_ROLE, Shapes } from './json-shapes.ts';
import { NOT_PLAIN, readCount, readIPv4, readScaled, readWhole, WORD_BYTES } from './plain-row.ts';
import { DAY, PlainIso, readNanosRest, readNanosSeconds } from './plain-times.ts';

const QUOTE = 0x22;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;

/** Rejects are handed over after this many, so that they do not fill the memory. */
const REJECTS_AT_ONCE = 1_000;

const SECONDS_PER_DAY = 86_400;
const FEMTOSECONDS_PER_DAY = 86_400n * 10n ** 15n;
/** Differences of nanoseconds below it are exact as doubles. */
const MAX_EXACT_SECONDS = 1e6;

/** The words of JSON, four bytes of each. */
const TRUE = 0x65757274;
const NULL = 0x6c6c756e;
const FALS = 0x736c6166;
const LETTER_E = 0x65;

export class JsonFlows implements RecordTaker {
    /** What the first record that is no flow is, as it says itself. */
    otherKind: string | undefined;
    /** Why the file cannot be used: a record of it is a flow of another tool. */
    failure: string | undefined;
    /** Records that have an address. */
    hasAddresses = false;
    /** True once a record has times that can be the flow's own: not one whole second for its start and its end. */
    hasTimes = false;
    readonly #sink: FlowSink;
    readonly #dialect: JsonDialect;
    readonly #shapes: Shapes;
    /** Places of the values of the record at hand, by role, without their quotes. */
    readonly #starts = new Int32Array(ROLE_COUNT);
    readonly #ends = new Int32Array(ROLE_COUNT);
    readonly #isos = [new PlainIso(), new PlainIso()] as const;
    /** Slot of the day of the record at hand, and the last day that one was looked up for. */
    #slot = NOT_PLAIN;
    #lastKind = Buffer.alloc(0);
    #isLastFlow: boolean;
    #lastDay = NOT_PLAIN;
    #lastSlot = NOT_PLAIN;

    constructor(sink: FlowSink, dialect: JsonDialect) {
        this.#sink = sink;
        this.#dialect = dialect;
        this.#shapes = new Shapes(dialect.roles);
        this.#isLastFlow = dialect.isFlow('', true);
    }

    isFull(): boolean {
        return this.#sink.rejects.length >= REJECTS_AT_ONCE;
    }

    takeBroken(place: FlowPlace): void {
        this.#sink.reject('not_json', place);
    }

    takeObject(values: readonly JsonValue[], place: FlowPlace): void {
        const { roles, times, isFlow } = this.#dialect;
        this.#shapes.learn(place.bytes, values, place);
        const texts: (string | undefined)[] = new Array(ROLE_COUNT).fill(undefined);
        const seen = new Set<number>();
        let hasTwice = false;
        for (const value of values) {
            const role = roles.get(value.path);
            if (role !== undefined) {
                hasTwice ||= seen.has(role);
                const text = textOf(place.bytes, value.start, value.end);
                const isNull = text === 'null' && place.bytes[value.start] !== QUOTE;
                texts[role] = seen.has(role) ? texts[role] : isNull ? undefined : text;
                seen.add(role);
            }
        }
        const sink = this.#sink;
        const isOwn = isFlow(texts[KIND], texts[PACKETS] !== undefined || texts[MARK] !== undefined);
        const other =
            isOwn && texts[SOURCE] !== undefined ? undefined : otherToolOf(this.#dialect, new Set(values.map(({ path }) => path)));
        if (other) {
            this.failure ??= `the record of line ${place.lineNumber} is of ${other.title}, and the file begins as ${this.#dialect.title} writes: split it by what wrote it`;
        }
        if (!isOwn) {
            this.otherKind ??= texts[KIND] ?? '';
            sink.skip('other_event');
            return;
        }
        this.hasAddresses ||= texts[SOURCE] !== undefined || texts[DESTINATION] !== undefined;
        if (hasTwice) {
            sink.reject('repeated_key', place);
            return;
        }
        this.hasTimes ||= times !== 'nanoseconds' || hasOwnTimes(texts);
        takeFlow(texts, { times, sink, place });
    }

    takePlain(bytes: Buffer, view: DataView, start: number): number {
        // The batch tells nobody of a row.
        const isKnown = !this.#shapes.isCurious() && !this.#sink.needsTexts;
        const end = isKnown ? this.#findValues(bytes, view, start) : NOT_PLAIN;
        if (end === NOT_PLAIN) {
            return NOT_PLAIN;
        }
        return this.#countPlain(bytes, view) ? end : NOT_PLAIN;
    }

    /** Finds where the values stand. @returns the place behind the record */
    #findValues(bytes: Buffer, view: DataView, start: number): number {
        const starts = this.#starts;
        const ends = this.#ends;
        const { words } = this.#shapes;
        const length = bytes.length;
        const last = length - WORD_BYTES;
        for (let role = 0; role < ROLE_COUNT; role += 1) {
            starts[role] = NOT_PLAIN;
        }
        let place = this.#shapes.start;
        let at = start;
        for (;;) {
            let piece = place.first;
            while (piece && (at + piece.length > length || !isPieceAt(view, at, piece, words))) {
                piece = piece.next;
            }
            if (!piece) {
                return NOT_PLAIN;
            }
            at += piece.length;
            place = piece.to;
            if (place.isEnd) {
                return at;
            }
            const valueStart = at;
            const role = place.role;
            if (place.isText) {
                at = plainStringEnd(view, at, last);
            } else if ((bytes[at] as number) <= NINE) {
                at = numberEnd(bytes, at);
            } else {
                at = role === NO_ROLE ? wordEnd(view, at) : NOT_PLAIN;
            }
            if (at === NOT_PLAIN) {
                return NOT_PLAIN;
            }
            if (role !== NO_ROLE) {
                if (starts[role] !== NOT_PLAIN) {
                    return NOT_PLAIN;
                }
                starts[role] = valueStart;
                ends[role] = at;
            }
        }
    }

    /** Counts the record whose values were found. @returns false where that takes care; nothing is counted then */
    #countPlain(bytes: Buffer, view: DataView): boolean {
        const starts = this.#starts;
        const ends = this.#ends;
        const sink = this.#sink;
        if (!this.#isPlainFlow(bytes)) {
            sink.skip('other_event');
            return true;
        }
        for (let role = SOURCE; role <= PACKETS; role += 1) {
            if (starts[role] === NOT_PLAIN && role !== END) {
                return false;
            }
        }
        const { batch, table } = sink;
        const place = batch.count;
        const durationUs = this.#readTimes(bytes, view);
        let packets = readCount(bytes, starts[PACKETS] as number, ends[PACKETS] as number);
        if (durationUs === NOT_PLAIN || packets === NOT_PLAIN) {
            return false;
        }
        if (starts[RATE] !== NOT_PLAIN) {
            const rate = readWhole(bytes, starts[RATE] as number, ends[RATE] as number);
            packets *= Math.max(rate, 1);
            if (rate === NOT_PLAIN || packets > Number.MAX_SAFE_INTEGER) {
                return false;
            }
        }
        let group = this.#slot << 2;
        if (!readIPv4(bytes, starts[SOURCE] as number, ends[SOURCE] as number, batch.sources, place)) {
            if (!this.#readText(bytes, SOURCE, batch.sources)) {
                return false;
            }
            group += 1;
        }
        if (!readIPv4(bytes, starts[DESTINATION] as number, ends[DESTINATION] as number, batch.destinations, place)) {
            if (!this.#readText(bytes, DESTINATION, batch.destinations)) {
                return false;
            }
            group += 2;
        }
        this.hasAddresses = true;
        sink.rowsRead += 1;
        if (durationUs >= MAX_FAST_VALUE || packets >= MAX_FAST_VALUE) {
            const row = table.rowOf(batch.sources[place] as number, batch.destinations[place] as number, group);
            table.addLargeFlow(row, starts[END] === NOT_PLAIN ? null : BigInt(durationUs), BigInt(packets));
            return true;
        }
        batch.groups[place] = group;
        batch.durations[place] = durationUs;
        batch.packets[place] = packets;
        batch.count = place + 1;
        if (place + 1 === BATCH_FLOWS) {
            table.addFlows(batch);
        }
        return true;
    }

    /** True if the record says that it is a flow; knows the last kind of record by its bytes. */
    #isPlainFlow(bytes: Buffer): boolean {
        const start = this.#starts[KIND] as number;
        const end = this.#ends[KIND] as number;
        const last = this.#lastKind;
        if (start === NOT_PLAIN) {
            const isFlow = this.#dialect.isFlow(undefined, this.#starts[PACKETS] !== NOT_PLAIN || this.#starts[MARK] !== NOT_PLAIN);
            this.otherKind ??= isFlow ? undefined : '';
            return isFlow;
        }
        let at = 0;
        while (at < last.length && last[at] === bytes[start + at]) {
            at += 1;
        }
        if (at < last.length || end - start !== last.length) {
            const kind = bytes.toString('latin1', start, end);
            this.#lastKind = Buffer.from(kind, 'latin1');
            this.#isLastFlow = this.#dialect.isFlow(kind, true);
            this.otherKind ??= this.#isLastFlow ? undefined : kind;
        }
        return this.#isLastFlow;
    }

    /** Puts the key of an address that is no IPv4 address at the batch's next place; returns false where it is no address at all. */
    #readText(bytes: Buffer, role: number, keys: Int32Array): boolean {
        const { table, batch } = this.#sink;
        const address = table.addressKey(bytes.toString('latin1', this.#starts[role], this.#ends[role]));
        keys[batch.count] = address?.key ?? 0;
        return address?.isText === true;
    }

    /** Reads the record's times; its day's slot becomes `#slot`. @returns the duration in microseconds, `UNTIMED` or `NOT_PLAIN` */
    #readTimes(bytes: Buffer, view: DataView): number {
        const start = this.#starts[START] as number;
        const startEnd = this.#ends[START] as number;
        const end = this.#starts[END] as number;
        const endEnd = this.#ends[END] as number;
        const { times } = this.#dialect;
        const isTimed = end !== NOT_PLAIN;
        if (times === 'nanoseconds') {
            const seconds = readNanosSeconds(bytes, start, startEnd);
            const rest = readNanosRest(bytes, start, startEnd);
            if (seconds < 0 || rest < 0 || !this.#goToDay(dayOf(seconds, SECONDS_PER_DAY))) {
                return NOT_PLAIN;
            }
            this.hasTimes ||= !isTimed;
            return isTimed ? this.#nanosTo(bytes, seconds, rest) : UNTIMED;
        }
        if (times === 'iso') {
            const startUs = this.#isos[0].read(bytes, view, start, startEnd);
            if (startUs < 0 || !this.#goToDay(dayOf(startUs, DAY))) {
                return NOT_PLAIN;
            }
            const endUs = isTimed ? this.#isos[1].read(bytes, view, end, endEnd) : startUs + UNTIMED;
            return endUs >= startUs ? endUs - startUs : NOT_PLAIN;
        }
        const { dates, durationScale } = this.#sink;
        if (bytes[start - 1] !== QUOTE) {
            this.#slot = dates.slotOfNumberAt(bytes, view, start, startEnd);
        } else {
            const startUs = this.#isos[0].read(bytes, view, start, startEnd);
            this.#slot = startUs >= 0 && this.#goToDay(dayOf(startUs, DAY)) ? this.#slot : NOT_PLAIN;
        }
        if (this.#slot < 0 || durationScale < 0) {
            return NOT_PLAIN;
        }
        return isTimed ? readScaled(bytes, end, endEnd, durationScale) : UNTIMED;
    }

    /** Microseconds from a time in seconds and nanoseconds to the end of the record, or `NOT_PLAIN`. */
    #nanosTo(bytes: Buffer, seconds: number, rest: number): number {
        const end = this.#starts[END] as number;
        const endEnd = this.#ends[END] as number;
        const wholeSeconds = readNanosSeconds(bytes, end, endEnd) - seconds;
        const endRest = readNanosRest(bytes, end, endEnd);
        const nanoseconds = wholeSeconds * 1e9 + endRest - rest;
        if (wholeSeconds < 0 || wholeSeconds > MAX_EXACT_SECONDS || endRest < 0 || nanoseconds < 0) {
            return NOT_PLAIN;
        }
        this.hasTimes ||= nanoseconds > 0 || rest > 0;
        return Math.floor((nanoseconds + 500) / 1000);
    }

    /** Finds the slot of a day. @returns false where the file has no such day */
    #goToDay(day: number): boolean {
        if (day !== this.#lastDay) {
            const slot = this.#sink.dates.slotOfInstant(BigInt(day) * FEMTOSECONDS_PER_DAY);
            if (typeof slot !== 'number') {
                return false;
            }
            this.#lastDay = day;
            this.#lastSlot = slot;
        }
        this.#slot = this.#lastSlot;
        return true;
    }
}

/** The day of a time, both as whole numbers: the quotient alone could be rounded up into the next one. */
function dayOf(time: number, day: number): number {
    return (time - (time % day)) / day - (time < 0 ? 1 : 0);
}

/** Place behind a plain number of JSON, one without an exponent. */
function numberEnd(bytes: Buffer, start: number): number {
    let at = bytes[start] === MINUS ? start + 1 : start;
    const wholeStart = at;
    while (isDigit(bytes[at] as number)) {
        at += 1;
    }
    if (at === wholeStart || (bytes[wholeStart] === ZERO && at > wholeStart + 1)) {
        return NOT_PLAIN;
    }
    if (bytes[at] !== POINT) {
        return at;
    }
    at += 1;
    const fractionStart = at;
    while (isDigit(bytes[at] as number)) {
        at += 1;
    }
    return at === fractionStart ? NOT_PLAIN : at;
}

function isDigit(byte: number): boolean {
    return byte >= ZERO && byte <= NINE;
}

// Masks for four bytes at once in one number.
const EACH_BYTE = 0x01010101;
const EACH_HIGHEST_BIT = 0x80808080;
const EACH_QUOTE = 0x22222222;
const EACH_BACKSLASH = 0x5c5c5c5c;
const EACH_SPACE = 0x20202020;

/** Place of what ends the plain part of a string: its quote, a backslash, or what no string may hold. Looks no further than behind `last`. */
function plainStringEnd(view: DataView, start: number, last: number): number {
    let at = start;
    for (; at <= last; at += WORD_BYTES) {
        const word = view.getInt32(at, true);
        const quotes = word ^ EACH_QUOTE;
        const backslashes = word ^ EACH_BACKSLASH;
        // The lowest bit set is the highest one of the first byte that is sought (higher ones may be set without reason).
        const found =
            (((quotes - EACH_BYTE) & ~quotes) | ((backslashes - EACH_BYTE) & ~backslashes) | ((word - EACH_SPACE) & ~word)) &
            EACH_HIGHEST_BIT;
        if (found !== 0) {
            return at + ((31 - Math.clz32(found & -found)) >> 3);
        }
    }
    return at;
}

/** Place behind one of the words of JSON. */
function wordEnd(view: DataView, start: number): number {
    if (start + WORD_BYTES >= view.byteLength) {
        return NOT_PLAIN;
    }
    const word = view.getInt32(start, true);
    if (word === TRUE || word === NULL) {
        return start + WORD_BYTES;
    }
    return word === FALS && view.getUint8(start + WORD_BYTES) === LETTER_E ? start + WORD_BYTES + 1 : NOT_PLAIN;
}
