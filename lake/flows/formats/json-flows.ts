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
import { Shapes } from './json-shapes.ts';
import { NOT_PLAIN, readCount, readScaled, readWhole } from './plain-row.ts';
import { DAY, PlainIso, readNanosRest, readNanosSeconds } from './plain-times.ts';
import {
    DESTINATION_KEY,
    DURATION,
    ENDS,
    HAS_DESTINATION,
    HAS_DURATION,
    HAS_PACKETS,
    HAS_SOURCE,
    IS_ALL_PLAIN,
    PACKETS_COUNT,
    PLAIN,
    records,
    SOURCE_KEY,
    STARTS,
    walked,
    walkedView,
} from './record-walk.ts';
import { RecordWalker } from './record-walker.ts';

const QUOTE = 0x22;

/** Rejects are handed over after this many, so that they do not fill the memory. */
const REJECTS_AT_ONCE = 1_000;

const SECONDS_PER_DAY = 86_400;
const FEMTOSECONDS_PER_DAY = 86_400n * 10n ** 15n;
/** Differences of nanoseconds below it are exact as doubles. */
const MAX_EXACT_SECONDS = 1e6;

export class JsonFlows implements RecordTaker {
    /** What the first record that is no flow is, as it says itself. */
    otherKind: string | undefined;
    /** Why the file cannot be used: a record of it is a flow of another tool. */
    failure: string | undefined;
    /** Records that have an address. */
    hasAddresses = false;
    /** True once a record has times that can be the flow's own: not one whole second for its start and its end. */
    hasTimes = false;
    linesTaken = 0;
    readonly #sink: FlowSink;
    readonly #dialect: JsonDialect;
    readonly #shapes: Shapes;
    /** What finds the records that are known by heart; their values stand in `walked`. */
    readonly #walker: RecordWalker;
    readonly #isos = [new PlainIso(), new PlainIso()] as const;
    /** Slot of the day of the record at hand, and the last day that one was looked up for. */
    #slot = NOT_PLAIN;
    #lastKind = Buffer.alloc(0);
    #isLastFlow: boolean;
    #lastDay = NOT_PLAIN;
    #lastSlot = NOT_PLAIN;

    constructor(sink: FlowSink, dialect: JsonDialect, { isArray }: { isArray: boolean }) {
        this.#sink = sink;
        this.#dialect = dialect;
        this.#shapes = new Shapes(dialect.roles);
        this.#walker = new RecordWalker(this.#shapes, {
            isArray,
            durationScale: dialect.times === 'start and duration' ? sink.durationScale : NOT_PLAIN,
        });
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

    begin(bytes: Buffer): void {
        this.#walker.begin(bytes);
    }

    takePlain(start: number): number {
        const walker = this.#walker;
        let left = this.#shapes.recordsToCome;
        this.linesTaken = 0;
        // The batch tells nobody of a row.
        if (left === 0 || this.#sink.needsTexts || !walker.find(start)) {
            return NOT_PLAIN;
        }
        const { linesBefore } = walker;
        const before = left;
        let end = NOT_PLAIN;
        do {
            if (!this.#countAllPlain(walker.record) && !this.#countPlain(walker.record)) {
                break;
            }
            left -= 1;
            end = walker.end;
            this.linesTaken = walker.linesBefore - linesBefore;
        } while (walker.next() && left > 0);
        this.#shapes.countTaken(before - left);
        return end;
    }

    /** Counts the record that the walker found if it has read all of it, as it can of Zeek's. @returns false where it has not; nothing is counted then */
    #countAllPlain(record: number): boolean {
        const start = records[record + STARTS + START] as number;
        const isAll = records[record + PLAIN] === IS_ALL_PLAIN && start !== NOT_PLAIN && walked[start - 1] !== QUOTE;
        if (!isAll || !this.#isPlainFlow(record)) {
            return false;
        }
        const { batch, dates, table } = this.#sink;
        const slot = dates.slotOfNumberAt(walked, walkedView, start, records[record + ENDS + START] as number);
        if (slot < 0) {
            return false;
        }
        const place = batch.count;
        batch.sources[place] = records[record + SOURCE_KEY] as number;
        batch.destinations[place] = records[record + DESTINATION_KEY] as number;
        batch.groups[place] = slot << 2;
        batch.durations[place] = records[record + DURATION] as number;
        batch.packets[place] = records[record + PACKETS_COUNT] as number;
        batch.count = place + 1;
        this.hasAddresses = true;
        this.#sink.rowsRead += 1;
        if (place + 1 === BATCH_FLOWS) {
            table.addFlows(batch);
        }
        return true;
    }

    /** Counts the record that the walker found. @returns false where that takes care; nothing is counted then */
    #countPlain(record: number): boolean {
        const starts = record + STARTS;
        const ends = record + ENDS;
        const sink = this.#sink;
        if (!this.#isPlainFlow(record)) {
            sink.skip('other_event');
            return true;
        }
        for (let role = SOURCE; role <= PACKETS; role += 1) {
            if (records[starts + role] === NOT_PLAIN && role !== END) {
                return false;
            }
        }
        const { batch, table } = sink;
        const place = batch.count;
        const plain = records[record + PLAIN] as number;
        const durationUs = this.#readTimes(record, plain);
        let packets =
            (plain & HAS_PACKETS) !== 0
                ? (records[record + PACKETS_COUNT] as number)
                : readCount(walked, records[starts + PACKETS] as number, records[ends + PACKETS] as number);
        if (durationUs === NOT_PLAIN || packets === NOT_PLAIN) {
            return false;
        }
        if (records[starts + RATE] !== NOT_PLAIN) {
            const rate = readWhole(walked, records[starts + RATE] as number, records[ends + RATE] as number);
            packets *= Math.max(rate, 1);
            if (rate === NOT_PLAIN || packets > Number.MAX_SAFE_INTEGER) {
                return false;
            }
        }
        let group = this.#slot << 2;
        if ((plain & HAS_SOURCE) !== 0) {
            batch.sources[place] = records[record + SOURCE_KEY] as number;
        } else {
            if (!this.#readText(record, SOURCE, batch.sources)) {
                return false;
            }
            group += 1;
        }
        if ((plain & HAS_DESTINATION) !== 0) {
            batch.destinations[place] = records[record + DESTINATION_KEY] as number;
        } else {
            if (!this.#readText(record, DESTINATION, batch.destinations)) {
                return false;
            }
            group += 2;
        }
        this.hasAddresses = true;
        sink.rowsRead += 1;
        if (durationUs >= MAX_FAST_VALUE || packets >= MAX_FAST_VALUE) {
            const row = table.rowOf(batch.sources[place] as number, batch.destinations[place] as number, group);
            table.addLargeFlow(row, records[starts + END] === NOT_PLAIN ? null : BigInt(durationUs), BigInt(packets));
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
    #isPlainFlow(record: number): boolean {
        const bytes = walked;
        const start = records[record + STARTS + KIND] as number;
        const end = records[record + ENDS + KIND] as number;
        const last = this.#lastKind;
        if (start === NOT_PLAIN) {
            const isFlow = this.#dialect.isFlow(
                undefined,
                records[record + STARTS + PACKETS] !== NOT_PLAIN || records[record + STARTS + MARK] !== NOT_PLAIN,
            );
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
    #readText(record: number, role: number, keys: Int32Array): boolean {
        const { table, batch } = this.#sink;
        const address = table.addressKey(walked.toString('latin1', records[record + STARTS + role], records[record + ENDS + role]));
        keys[batch.count] = address?.key ?? 0;
        return address?.isText === true;
    }

    /** Reads the record's times; its day's slot becomes `#slot`. @returns the duration in microseconds, `UNTIMED` or `NOT_PLAIN` */
    #readTimes(record: number, plain: number): number {
        const bytes = walked;
        const view = walkedView;
        const start = records[record + STARTS + START] as number;
        const startEnd = records[record + ENDS + START] as number;
        const end = records[record + STARTS + END] as number;
        const endEnd = records[record + ENDS + END] as number;
        const { times } = this.#dialect;
        const isTimed = end !== NOT_PLAIN;
        if (times === 'nanoseconds') {
            const seconds = readNanosSeconds(bytes, start, startEnd);
            const rest = readNanosRest(bytes, start, startEnd);
            if (seconds < 0 || rest < 0 || !this.#goToDay(dayOf(seconds, SECONDS_PER_DAY))) {
                return NOT_PLAIN;
            }
            this.hasTimes ||= !isTimed;
            return isTimed ? this.#nanosTo(record, seconds, rest) : UNTIMED;
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
        if ((plain & HAS_DURATION) !== 0) {
            return (records[record + DURATION] as number) >>> 0;
        }
        return isTimed ? readScaled(bytes, end, endEnd, durationScale) : UNTIMED;
    }

    /** Microseconds from a time in seconds and nanoseconds to the end of the record, or `NOT_PLAIN`. */
    #nanosTo(record: number, seconds: number, rest: number): number {
        const bytes = walked;
        const end = records[record + STARTS + END] as number;
        const endEnd = records[record + ENDS + END] as number;
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
