/**
 * The fields of a plain row, one without quotes: what the plain kinds of them say. These functions see every
 * row; they take numbers one by one and give back one number, so that no object is made.
 */
/** Result for a field that is none of the plain kind. */
export const NOT_PLAIN = -1;

const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;

/** Nine digits always fit 32 bits; integer adds are faster than double adds. */
const MAX_SHORT_DIGITS = 9;
/** Fifteen digits always fit a double exactly. */
const MAX_DIGITS = 15;

/** Bytes that are compared at once. */
export const WORD_BYTES = 4;

/** Writes an IPv4 address without leading zeros to a place of `into`, as a number of 32 bits. @returns false where the field is none */
export function readIPv4(bytes: Buffer, start: number, end: number, into: Int32Array, place: number): boolean {
    let at = start;
    let address = 0;
    for (let points = 0; ; points += 1) {
        let octet = (bytes[at] as number) - ZERO;
        if (octet < 0 || octet > 9) {
            return false;
        }
        at += 1;
        let digit = (bytes[at] as number) - ZERO;
        if (digit >= 0 && digit <= 9) {
            if (octet === 0) {
                return false;
            }
            octet = octet * 10 + digit;
            at += 1;
            digit = (bytes[at] as number) - ZERO;
            if (digit >= 0 && digit <= 9) {
                octet = octet * 10 + digit;
                at += 1;
                if (octet > 255) {
                    return false;
                }
            }
        }
        address = (address << 8) | octet;
        if (points === 3) {
            into[place] = address;
            return at === end;
        }
        if (bytes[at] !== POINT) {
            return false;
        }
        at += 1;
    }
}

/** The number in a field of digits and nothing else; `NOT_PLAIN` for any other. */
export function readWhole(bytes: Buffer, start: number, end: number): number {
    if (end - start > MAX_SHORT_DIGITS) {
        return readLongWhole(bytes, start, end);
    }
    let value = 0;
    for (let at = start; at < end; at += 1) {
        const digit = (bytes[at] as number) - ZERO;
        if (digit < 0 || digit > 9) {
            return NOT_PLAIN;
        }
        value = (Math.imul(value, 10) + digit) | 0;
    }
    return start === end ? NOT_PLAIN : value;
}

function readLongWhole(bytes: Buffer, start: number, end: number): number {
    let value = 0;
    for (let at = start; at < end; at += 1) {
        const digit = (bytes[at] as number) - ZERO;
        if (digit < 0 || digit > 9) {
            return NOT_PLAIN;
        }
        value = value * 10 + digit;
    }
    return end - start > MAX_DIGITS ? NOT_PLAIN : value;
}

/** The number in a field of digits, also with a point and zeros behind; `NOT_PLAIN` for any other. */
export function readCount(bytes: Buffer, start: number, end: number): number {
    const value = readWhole(bytes, start, end);
    if (value !== NOT_PLAIN) {
        return value;
    }
    let at = end;
    while (at > start && bytes[at - 1] === ZERO) {
        at -= 1;
    }
    return at > start && bytes[at - 1] === POINT ? readWhole(bytes, start, at - 1) : NOT_PLAIN;
}

/**
 * The number in a field of digits, also with a point and a fraction, times ten to the power of `scale`, rounded half up to a whole number;
 * `NOT_PLAIN` for any other.
 */
export function readScaled(bytes: Buffer, start: number, end: number, scale: number): number {
    let value = 0;
    let at = start;
    for (; at < end && bytes[at] !== POINT; at += 1) {
        const digit = (bytes[at] as number) - ZERO;
        if (digit < 0 || digit > 9) {
            return NOT_PLAIN;
        }
        value = value * 10 + digit;
    }
    if (at === start || at - start + scale > MAX_DIGITS) {
        return NOT_PLAIN;
    }
    let isRoundedUp = false;
    let missing = scale;
    for (at += 1; at < end; at += 1) {
        const digit = (bytes[at] as number) - ZERO;
        if (digit < 0 || digit > 9) {
            return NOT_PLAIN;
        }
        // Once all digits that count are taken, the first one that is cut decides.
        if (missing > 0) {
            value = value * 10 + digit;
        } else if (missing === 0) {
            isRoundedUp = digit >= 5;
        }
        missing -= 1;
    }
    for (; missing > 0; missing -= 1) {
        value *= 10;
    }
    return isRoundedUp ? value + 1 : value;
}

/** Digits of the seconds of an epoch from 2001 on. */
const EPOCH_DIGITS = 10;
const MICROSECOND_DIGITS = 6;
const MICROSECONDS = 10 ** MICROSECOND_DIGITS;

/**
 * The microseconds since 1970 of an epoch in seconds, of the years 2001 to 2033, with at most six digits behind a point; `NOT_PLAIN` for any
 * other field.
 */
export function readMicroseconds(bytes: Buffer, start: number, end: number): number {
    const pointAt = start + EPOCH_DIGITS;
    const seconds = end >= pointAt && bytes[start] === ZERO + 1 ? readWhole(bytes, start, pointAt) : NOT_PLAIN;
    if (seconds === NOT_PLAIN || end === pointAt) {
        return seconds === NOT_PLAIN ? NOT_PLAIN : seconds * MICROSECONDS;
    }
    const digits = end - pointAt - 1;
    let fraction = bytes[pointAt] === POINT && digits <= MICROSECOND_DIGITS ? readWhole(bytes, pointAt + 1, end) : NOT_PLAIN;
    if (fraction === NOT_PLAIN) {
        return NOT_PLAIN;
    }
    for (let missing = MICROSECOND_DIGITS - digits; missing > 0; missing -= 1) {
        fraction *= 10;
    }
    return seconds * MICROSECONDS + fraction;
}

/** True for a field that says nothing: it is empty, or Zeek's sign for that. */
export function isMissing(bytes: Buffer, start: number, end: number): boolean {
    return start === end || (start + 1 === end && bytes[start] === MINUS);
}

/** The number in a field of digits, also with a point and a fraction, as a double that is right to some twelve digits; NaN for any other. */
export function readRoughly(bytes: Buffer, start: number, end: number): number {
    let value = 0;
    let scale = 0;
    for (let at = start; at < end; at += 1) {
        const digit = (bytes[at] as number) - ZERO;
        if (digit >= 0 && digit <= 9) {
            value = value * 10 + digit;
            scale *= 10;
        } else if (bytes[at] === POINT && scale === 0) {
            scale = 1;
        } else {
            return Number.NaN;
        }
    }
    return scale === 0 ? value : value / scale;
}

/** True if a digit other than 0 stands behind a point. */
export function hasDigitBehindPoint(bytes: Buffer, start: number, end: number): boolean {
    let at = start;
    while (at < end && bytes[at] !== POINT) {
        at += 1;
    }
    for (at += 1; at < end; at += 1) {
        if ((bytes[at] as number) > ZERO) {
            return true;
        }
    }
    return false;
}

/** The whole seconds in a field of digits, also with a point and a fraction; `NOT_PLAIN` for any other. */
export function readSeconds(bytes: Buffer, start: number, end: number): number {
    let wholeEnd = end;
    for (let at = start; at < end; at += 1) {
        const byte = bytes[at] as number;
        if (byte === POINT && wholeEnd === end) {
            wholeEnd = at;
        } else if (byte < ZERO || byte > ZERO + 9) {
            return NOT_PLAIN;
        }
    }
    return readWhole(bytes, start, wholeEnd);
}
