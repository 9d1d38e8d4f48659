/** Times in plain texts as numbers, without an object made: what instants.ts reads with care, in the forms that programs write. */

import { instantOfIso } from '../instants.ts';
import { NOT_PLAIN, readWhole } from './plain-row.ts';

const ZERO = 0x30;
const PLUS = 0x2b;
const MINUS = 0x2d;
const POINT = 0x2e;
const COLON = 0x3a;
const BLANK = 0x20;
const LETTER_T = 0x54;
const LETTER_Z = 0x5a;

const DATE_BYTES = 10;
/** `yyyy-MM-ddTHH:mm:ss`. */
const CLOCK_BYTES = 19;
const FRACTION_DIGITS = 6;

const SECOND = 1e6;
const MINUTE = 60 * SECOND;
export const DAY = 24 * 60 * MINUTE;

const FEMTOSECONDS_PER_MICROSECOND = 10n ** 9n;

/** Reads ISO 8601 with at most six decimal places into microseconds since 1970 began; knows the date of the last one by heart. */
export class PlainIso {
    #first = 0;
    #second = 0;
    #third = 0;
    /** Beginning of the last date, in microseconds. */
    #dayStart = NOT_PLAIN;

    /** The field's instant, in UTC where it names an offset; `NOT_PLAIN` for any other than the plain forms. */
    read(bytes: Buffer, view: DataView, start: number, end: number): number {
        if (end - start < CLOCK_BYTES) {
            return NOT_PLAIN;
        }
        const first = view.getInt32(start, true);
        const second = view.getInt32(start + 4, true);
        const third = view.getInt32(start + 6, true);
        if (first !== this.#first || second !== this.#second || third !== this.#third) {
            const dayStart = instantOfIso(`${bytes.toString('latin1', start, start + DATE_BYTES)}T00:00:00`);
            this.#first = first;
            this.#second = second;
            this.#third = third;
            this.#dayStart = dayStart === undefined ? NOT_PLAIN : Number(dayStart / FEMTOSECONDS_PER_MICROSECOND);
        }
        const clockAt = start + DATE_BYTES;
        const hour = readTwo(bytes, clockAt + 1);
        const minute = readTwo(bytes, clockAt + 4);
        const second2 = readTwo(bytes, clockAt + 7);
        const isClock =
            (bytes[clockAt] === LETTER_T || bytes[clockAt] === BLANK) && bytes[clockAt + 3] === COLON && bytes[clockAt + 6] === COLON;
        if (this.#dayStart < 0 || !isClock || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second2 < 0 || second2 > 60) {
            return NOT_PLAIN;
        }
        let at = start + CLOCK_BYTES;
        let fraction = 0;
        if (at < end && bytes[at] === POINT) {
            at += 1;
            let digits = 0;
            for (; at < end && digits < FRACTION_DIGITS; at += 1) {
                const digit = (bytes[at] as number) - ZERO;
                if (digit < 0 || digit > 9) {
                    break;
                }
                fraction = fraction * 10 + digit;
                digits += 1;
            }
            if (digits === 0) {
                return NOT_PLAIN;
            }
            for (; digits < FRACTION_DIGITS; digits += 1) {
                fraction *= 10;
            }
        }
        const ahead = readOffset(bytes, at, end);
        const instant = this.#dayStart + (hour * 60 + minute) * MINUTE + second2 * SECOND + fraction - ahead;
        // Microseconds are whole numbers in a double until the year 2255.
        return instant >= 0 && instant <= Number.MAX_SAFE_INTEGER ? instant : NOT_PLAIN;
    }
}

/** Microseconds that a clock with this offset (`Z`, `+0100`, `+01:00`, or none) is ahead of UTC; NaN for any other text. */
function readOffset(bytes: Buffer, start: number, end: number): number {
    const length = end - start;
    if (length === 0 || (length === 1 && bytes[start] === LETTER_Z)) {
        return 0;
    }
    const sign = bytes[start] === PLUS ? 1 : bytes[start] === MINUS ? -1 : 0;
    const hours = readTwo(bytes, start + 1);
    const minutes = readTwo(bytes, end - 2);
    const isPlain = length === 5 || (length === 6 && bytes[start + 3] === COLON);
    return sign === 0 || !isPlain || hours < 0 || minutes < 0 ? Number.NaN : sign * (hours * 60 + minutes) * MINUTE;
}

/** Number of two digits; `NOT_PLAIN` where they are none. */
function readTwo(bytes: Buffer, at: number): number {
    const tens = (bytes[at] as number) - ZERO;
    const ones = (bytes[at + 1] as number) - ZERO;
    return tens < 0 || tens > 9 || ones < 0 || ones > 9 ? NOT_PLAIN : tens * 10 + ones;
}

const NANOSECONDS_DIGITS = 19;
const SECONDS_DIGITS = 10;

/** Whole seconds of an epoch in nanoseconds with 19 digits (2001 to 2262); `NOT_PLAIN` for any other. */
export function readNanosSeconds(bytes: Buffer, start: number, end: number): number {
    return end - start === NANOSECONDS_DIGITS ? readWhole(bytes, start, start + SECONDS_DIGITS) : NOT_PLAIN;
}

/** Its nanoseconds behind the whole second. */
export function readNanosRest(bytes: Buffer, start: number, end: number): number {
    return end - start === NANOSECONDS_DIGITS ? readWhole(bytes, start + SECONDS_DIGITS, end) : NOT_PLAIN;
}
