/** Finds the written day of a timestamp: each way of writing a day gets a slot, and the slot of the last row is found by its bytes. */

import { NOT_PLAIN, readSeconds, WORD_BYTES } from '#lake/flows/formats/plain-row';
import { type DateRules, type DateSlot, dayOfEpoch, parseDate } from './dates.ts';
import { dayOfInstant, type Instant } from './instants.ts';
import { parseWhole } from './numbers.ts';
import type { RejectReason } from './rejects.ts';

const BLANK = 0x20;
const TAB = 0x09;
const LETTER_T = 0x54;

const SECONDS_PER_DAY = 86_400;

export class DateSlots {
    readonly all: DateSlot[] = [];
    readonly #rules: DateRules;
    /** What stands between a date and its clock: a blank, which is no blank where it separates fields, or a T. */
    readonly #dateEnd: RegExp;
    readonly #slotOfDate = new Map<string, number>();
    /** The last date that was found. Dates have 8 to 10 characters: three words, which overlap, cover them. */
    #lastLength = Number.MAX_SAFE_INTEGER;
    #lastFirst = 0;
    #lastSecond = 0;
    #lastThird = 0;
    #lastSlot = NOT_PLAIN;
    #lastEpochDay = -1;
    #lastEpochSlot = NOT_PLAIN;

    constructor(rules: DateRules, separator: number) {
        this.#rules = rules;
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
        if (this.#lastEpochDay >= 0 && Math.floor(readSeconds(bytes, start, end) / SECONDS_PER_DAY) === this.#lastEpochDay) {
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

    /** The slot of a trimmed timestamp, or the reason to reject it. */
    slotOf(timestamp: string): number | RejectReason {
        if (/^\d+(\.\d*)?$/.test(timestamp)) {
            // Not as a double: it would round 1612223999.999999999 up into the next day.
            return this.#slotOfEpoch(Number.parseInt(timestamp, 10));
        }
        const written = this.#datePart(timestamp);
        const known = this.#slotOfDate.get(written);
        if (known !== undefined) {
            return known;
        }
        const date = parseDate(written, this.#rules);
        if (!date.ok) {
            const seconds = parseWhole(timestamp, { fraction: 'cut' });
            return seconds.ok ? this.#slotOfEpoch(Number(seconds.value)) : date.reason;
        }
        return this.#add(written, date.slot);
    }

    /** The slot of an instant's day, or the reason to reject it. */
    slotOfInstant(instant: Instant): number | RejectReason {
        const day = dayOfInstant(instant);
        if (day === undefined) {
            return 'date_unreadable';
        }
        const name = `epoch ${day}`;
        return this.#slotOfDate.get(name) ?? this.#add(name, { kind: 'epoch', dmy: day, mdy: day });
    }

    #slotOfEpoch(seconds: number): number | RejectReason {
        const day = seconds >= this.#rules.minEpochSeconds ? dayOfEpoch(seconds) : undefined;
        if (day === undefined) {
            return 'date_unreadable';
        }
        const name = `epoch ${day}`;
        const slot = this.#slotOfDate.get(name) ?? this.#add(name, { kind: 'epoch', dmy: day, mdy: day });
        // The smallest number that is a timestamp may lie within its day.
        if (seconds - (seconds % SECONDS_PER_DAY) >= this.#rules.minEpochSeconds) {
            this.#lastEpochDay = Math.floor(seconds / SECONDS_PER_DAY);
            this.#lastEpochSlot = slot;
        }
        return slot;
    }

    #add(written: string, slot: DateSlot): number {
        const index = this.all.push(slot) - 1;
        this.#slotOfDate.set(written, index);
        return index;
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
