/**
 * Times without texts: most stand at one path in one of two plain forms, and are read from their bytes. What is not plain is left to `compileTextTime` and
 * `readDuration`, which know all forms.
 */
import type { TimeWords } from './document.ts';
import { type Field, NUMBER, TEXT } from './fields.ts';
import { fieldAt } from './sources.ts';
import { compileTextTime } from './times.ts';
import type { Context, Scope } from './tokens.ts';

/** A plain time in UTC epoch milliseconds; undefined where the long way has to be gone. */
export type FastTime = (context: Context) => number | undefined;

/** A reader of plain times; undefined for a time that needs more than this. */
export function fastTimeOf({ path, unit = 'ISO', ...others }: TimeWords, scope: Scope): FastTime | undefined {
    if (path === undefined || Object.keys(others).length > 0 || unit === 'us' || unit === 'ns') {
        return undefined;
    }
    const field = fieldAt(path, false, scope);
    const { scanner } = scope.inner;
    const type = unit === 'ISO' ? TEXT : NUMBER;
    const iso = new PlainIso();
    const read = unit === 'ISO' ? () => iso.read(field) : () => readEpoch(field, unit === 's' ? MS_PER_SECOND : 1);
    return ({ hasPayload }) => {
        const ms = hasPayload && field.scan === scanner.scan && field.type === type ? read() : Number.NaN;
        return Number.isNaN(ms) ? undefined : ms;
    };
}

const MS_PER_SECOND = 1000;
const MS_PER_MINUTE = 60_000;
const ZERO = 0x30;
const POINT = 0x2e;
const COLON = 0x3a;
const DASH = 0x2d;
const PLUS = 0x2b;
const DATE_LENGTH = 10;
const CLOCK_LENGTH = 19;
/** A millisecond's digits behind the point. */
const MS_DIGITS = 3;
/** Digits of a fraction that `times.ts` takes. */
const MAX_FRACTION = 18;
/** Fifteen digits are always exact in a double. */
const MAX_DIGITS = 15;

/** Digits to a number; NaN where one is none. */
function digitsAt(bytes: Uint8Array, start: number, end: number): number {
    let value = 0;
    for (let at = start; at < end; at++) {
        const digit = (bytes[at] as number) - ZERO;
        if (digit < 0 || digit > 9) {
            return Number.NaN;
        }
        value = value * 10 + digit;
    }
    return start < end ? value : Number.NaN;
}

/** The first digits of a fraction as milliseconds, what is finer cut off; NaN where one is no digit. */
function fractionAt(bytes: Uint8Array, start: number, end: number): number {
    let ms = 0;
    for (let at = start; at < end || at < start + MS_DIGITS; at++) {
        const digit = at < end ? (bytes[at] as number) - ZERO : 0;
        if (digit < 0 || digit > 9) {
            return Number.NaN;
        }
        ms = at < start + MS_DIGITS ? ms * 10 + digit : ms;
    }
    return start < end && end - start <= MAX_FRACTION ? ms : Number.NaN;
}

/** Reads `2026-01-05T10:00:00.123Z`, and offsets like `+01:00`; knows the last date by heart. */
class PlainIso {
    readonly #readDate = compileTextTime(undefined, undefined);
    #date = Number.NaN;
    #dateMs = Number.NaN;

    read({ bytes, start, end }: Field): number {
        const clock = start + DATE_LENGTH;
        const isForm =
            end - start >= CLOCK_LENGTH &&
            bytes[start + 4] === DASH &&
            bytes[start + 7] === DASH &&
            (bytes[clock] === 0x54 || bytes[clock] === 0x20) &&
            bytes[clock + 3] === COLON &&
            bytes[clock + 6] === COLON;
        if (!isForm) {
            return Number.NaN;
        }
        const date =
            (digitsAt(bytes, start, start + 4) * 100 + digitsAt(bytes, start + 5, start + 7)) * 100 + digitsAt(bytes, start + 8, clock);
        if (date !== this.#date) {
            this.#date = date;
            this.#dateMs = this.#readDate(String(date).padStart(8, '0'), undefined) ?? Number.NaN;
        }
        const hour = digitsAt(bytes, clock + 1, clock + 3);
        const minute = digitsAt(bytes, clock + 4, clock + 6);
        const second = digitsAt(bytes, clock + 7, clock + 9);
        if (!(hour <= 23 && minute <= 59 && second <= 60)) {
            return Number.NaN;
        }
        let at = start + CLOCK_LENGTH;
        let ms = 0;
        if (at < end && bytes[at] === POINT) {
            const from = at + 1;
            at = from;
            while (at < end && (bytes[at] as number) >= ZERO && (bytes[at] as number) <= ZERO + 9) {
                at++;
            }
            ms = fractionAt(bytes, from, at);
        }
        const ofDay = (hour * 60 + minute) * MS_PER_MINUTE + second * MS_PER_SECOND + ms;
        return this.#dateMs + ofDay - offsetAt(bytes, at, end) * MS_PER_MINUTE;
    }
}

/** Minutes east of UTC; 0 where nothing says so; NaN for another form than `Z`, `+01:00` and `-0100`. */
function offsetAt(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start;
    if (length === 0 || (length === 1 && bytes[start] === 0x5a)) {
        return 0;
    }
    const isForm = length === 5 || (length === 6 && bytes[start + 3] === COLON);
    const sign = bytes[start] === PLUS ? 1 : bytes[start] === DASH ? -1 : Number.NaN;
    return isForm ? sign * (digitsAt(bytes, start + 1, start + 3) * 60 + digitsAt(bytes, end - 2, end)) : Number.NaN;
}

/** Reads digits of seconds or milliseconds, seconds with a fraction too. */
function readEpoch({ bytes, start, end }: Field, factor: number): number {
    let point = start;
    while (point < end && bytes[point] !== POINT) {
        point++;
    }
    const whole = digitsAt(bytes, start, point);
    if (point - start > MAX_DIGITS - MS_DIGITS || (point < end && factor === 1)) {
        return Number.NaN;
    }
    return whole * factor + (point < end ? fractionAt(bytes, point + 1, end) : 0);
}
