/** Finds the written day of a timestamp: each way of writing a day gets a slot, and the slot of the last row is found by its bytes. */

import { NOT_PLAIN, readSeconds, WORD_BYTES } from '#lake/flows/formats/plain-row';
import { CUT_TIMES_MONTH, type DateRules, type DateSlot, isCutDate, parseDate } from './dates.ts';
import { looksLikeEpoch, readEpoch } from './epochs.ts';
import { dayOfInstant, type Instant } from './instants.ts';
import { type DurationUnit, UNIT_DIGITS } from './options.ts';
import type { RejectReason } from './rejects.ts';

const POINT = 0x2e;
const BLANK = 0x20;
const TAB = 0x09;
const LETTER_T = 0x54;

const SECONDS_PER_DAY = 86_400;

/** From 2033 on some numbers of seconds are compact dates, so that one timestamp of a day does not tell of the others. */
const UNSAFE_SECONDS = 1_990_000_000;

export class DateSlots {
    readonly all: DateSlot[] = [];
    readonly rules: DateRules;
    /** What stands between a date and its clock: a blank, which is no blank where it separates fields, or a T. */
    readonly #dateEnd: RegExp;
    readonly #slotOfDate = new Map<string, number>();
    /** Slots of days that are not written but counted, by what counts them. */
    readonly #slotOfDay = new Map<string, number>();
    /** The last date that was found. Dates have 8 to 10 characters: three words, which overlap, cover them. */
    #lastLength = Number.MAX_SAFE_INTEGER;
    #lastFirst = 0;
    #lastSecond = 0;
    #lastThird = 0;
    #lastSlot = NOT_PLAIN;
    #lastEpochDay = -1;
    #lastEpochSlot = NOT_PLAIN;
    /** Length of a day in what the last epoch counts. */
    #lastEpochLength = SECONDS_PER_DAY;
    /** The first eight digits of an epoch, as two words, how many digits stand in front of its point, and the slot of its day. */
    #numberFirst = 0;
    #numberSecond = 0;
    #numberDigits = Number.MAX_SAFE_INTEGER;
    #numberSlot = NOT_PLAIN;

    constructor(rules: DateRules, separator: number) {
        this.rules = rules;
        this.#dateEnd = separator === TAB ? /[ T]/ : separator === BLANK ? /[\tT]/ : /[ \tT]/;
    }

    /** The slot of the timestamp that stands in a plain field, or `NOT_PLAIN`: then what it is must be found out with care. */
    slotAt(bytes: Buffer, view: DataView, start: number, end: number): number {
        const dateEnd = start + this.#lastLength;
        if (
            dateEnd <= end &&
            view.getInt32(start, true) === this.#lastFirst &&
            view.getInt32(start + WORD_BYTES, true) === this.#lastSecond &&
            view.getInt32(dateEnd - WORD_BYTES, true) === this.#lastThird &&
            (dateEnd === end || isDateEnd(bytes[dateEnd] as number))
        ) {
            return this.#lastSlot;
        }
        if (this.#lastEpochDay >= 0 && Math.floor(readSeconds(bytes, start, end) / this.#lastEpochLength) === this.#lastEpochDay) {
            return this.#lastEpochSlot;
        }
        const text = bytes.toString('latin1', start, end);
        const slot = this.slotOf(text);
        if (typeof slot !== 'number') {
            return NOT_PLAIN;
        }
        if (this.all[slot]?.kind !== 'epoch') {
            this.#remember(this.#datePart(text), slot);
        }
        return slot;
    }

    /**
     * The slot of a timestamp that is known to be a number of JSON without an exponent, or `NOT_PLAIN` as `slotAt` has it. Epochs of as many digits that
     * begin with the same eight are of one day: they count 100 seconds at most, and a day is a multiple of that.
     */
    slotOfNumberAt(bytes: Buffer, view: DataView, start: number, end: number): number {
        const pointAt = start + this.#numberDigits;
        if (
            pointAt <= end &&
            view.getInt32(start, true) === this.#numberFirst &&
            view.getInt32(start + WORD_BYTES, true) === this.#numberSecond &&
            (pointAt === end || bytes[pointAt] === POINT)
        ) {
            return this.#numberSlot;
        }
        const slot = this.slotAt(bytes, view, start, end);
        let wholeEnd = start;
        while (wholeEnd < end && bytes[wholeEnd] !== POINT) {
            wholeEnd += 1;
        }
        if (slot !== NOT_PLAIN && slot === this.#lastEpochSlot && wholeEnd - start >= 2 * WORD_BYTES) {
            this.#numberFirst = view.getInt32(start, true);
            this.#numberSecond = view.getInt32(start + WORD_BYTES, true);
            this.#numberDigits = wholeEnd - start;
            this.#numberSlot = slot;
        }
        return slot;
    }

    /** The slot of a trimmed timestamp, or the reason to reject it. */
    slotOf(timestamp: string): number | RejectReason {
        if (/^\d+(\.\d*)?$/.test(timestamp)) {
            return this.#slotOfEpoch(timestamp);
        }
        const written = this.#datePart(timestamp);
        const known = this.#slotOfDate.get(written);
        if (known !== undefined) {
            return known;
        }
        if (this.#isCut(written)) {
            return 'date_implausible';
        }
        const date = parseDate(written, this.rules);
        if (!date.ok) {
            return looksLikeEpoch(timestamp) ? this.#slotOfEpoch(timestamp) : date.reason;
        }
        return this.#add(this.#slotOfDate, written, date.slot);
    }

    /** The slot of an instant's day, or the reason to reject it. */
    slotOfInstant(instant: Instant): number | RejectReason {
        const day = dayOfInstant(instant);
        if (day === undefined) {
            return 'date_unreadable';
        }
        if (this.rules.isWithoutJanuary1970 === true && day.startsWith(CUT_TIMES_MONTH)) {
            return 'date_implausible';
        }
        const name = `instant ${day}`;
        return this.#slotOfDay.get(name) ?? this.#add(this.#slotOfDay, name, { kind: 'epoch', dmy: day, mdy: day });
    }

    #slotOfEpoch(text: string): number | RejectReason {
        // The whole part only: as a double 1612223999.999999999 would be of the next day.
        const isPlain = this.#lastEpochDay >= 0 && /^\d{1,15}(\.\d*)?$/.test(text);
        if (isPlain && Math.floor(Number.parseInt(text, 10) / this.#lastEpochLength) === this.#lastEpochDay) {
            return this.#lastEpochSlot;
        }
        const epoch = readEpoch(text, this.rules.minEpochSeconds);
        if (!epoch) {
            return 'date_unreadable';
        }
        const { day, unit } = epoch;
        if (this.rules.epochUnit !== undefined && this.rules.epochUnit !== unit) {
            return 'date_against_order';
        }
        const name = `${unit} ${day}`;
        const slot = this.#slotOfDay.get(name) ?? this.#add(this.#slotOfDay, name, { kind: 'epoch', dmy: day, mdy: day, epochUnit: unit });
        this.#rememberEpoch(text, typeof slot === 'number' ? slot : NOT_PLAIN, unit);
        return slot;
    }

    /** Remembers the day of an epoch that was just read; not one whose day may begin with numbers that are no timestamps. */
    #rememberEpoch(text: string, slot: number, unit: DurationUnit): void {
        const dayLength = SECONDS_PER_DAY * 10 ** UNIT_DIGITS[unit];
        const day = Math.floor(Number.parseInt(text, 10) / dayLength);
        const isSafe =
            unit !== 's' || (day * SECONDS_PER_DAY >= this.rules.minEpochSeconds && (day + 1) * SECONDS_PER_DAY < UNSAFE_SECONDS);
        if (slot !== NOT_PLAIN && isSafe && /^\d+(\.\d*)?$/.test(text)) {
            this.#lastEpochDay = day;
            this.#lastEpochSlot = slot;
            this.#lastEpochLength = dayLength;
        }
    }

    /** A new slot; the reason where its day is out of the file's range. */
    #add(slots: Map<string, number>, name: string, slot: DateSlot): number | RejectReason {
        const { days } = this.rules;
        const isIn = (day: string | undefined): boolean =>
            days === undefined || (day !== undefined && day >= days.first && day <= days.last);
        if (!isIn(slot.dmy) && !isIn(slot.mdy)) {
            return 'date_implausible';
        }
        const index = this.all.push(slot) - 1;
        slots.set(name, index);
        return index;
    }

    /** True for a date that lost its end, whatever the order of the file's dates or in the one that is known. */
    #isCut(written: string): boolean {
        if (this.rules.isWithoutJanuary1970 !== true) {
            return false;
        }
        const dates = [parseDate(written, this.rules), parseDate(written, { ...this.rules, slashOrder: undefined })];
        return dates.some((date) => date.ok && isCutDate(date.slot));
    }

    /** What stands in front of the clock. */
    #datePart(timestamp: string): string {
        const end = timestamp.search(this.#dateEnd);
        return end < 0 ? timestamp : timestamp.slice(0, end);
    }

    #remember(date: string, slot: number): void {
        const bytes = Buffer.from(date, 'latin1');
        this.#lastLength = bytes.length;
        this.#lastFirst = bytes.readInt32LE(0);
        this.#lastSecond = bytes.readInt32LE(WORD_BYTES);
        this.#lastThird = bytes.readInt32LE(bytes.length - WORD_BYTES);
        this.#lastSlot = slot;
    }
}

function isDateEnd(byte: number): boolean {
    return byte === BLANK || byte === TAB || byte === LETTER_T;
}
