/**
 * Finds where the elements of a JSON text end: objects, arrays, texts and words, one behind the other. Only brackets and quotes are looked at; whether an
 * element is sound JSON finds out who reads it.
 */

const LF = 0x0a;
const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** The element does not end within the bytes. */
export const OPEN = -1;

/** A line end stands in it, which ends what has not ended. */
export const CUT = -2;

/**
 * Place behind the element that begins at `start`, which is no blank; `OPEN` where it does not end before `end`. With `isOnOneLine` a line end in it makes
 * it `CUT`.
 */
export function elementEnd(bytes: Uint8Array, start: number, end: number, isOnOneLine: boolean): number {
    let depth = 0;
    for (let at = start; at < end; at += 1) {
        switch (bytes[at]) {
            case QUOTE:
                at = stringEnd(bytes, at, end, isOnOneLine) - 1;
                if (at < 0) {
                    return at + 1;
                }
                if (depth === 0) {
                    return at + 1;
                }
                break;
            case OPEN_OBJECT:
            case OPEN_ARRAY:
                depth += 1;
                break;
            case CLOSE_OBJECT:
            case CLOSE_ARRAY:
                depth -= 1;
                if (depth <= 0) {
                    // One that closes nothing ends the word in front of it, or is an element by itself.
                    return depth === 0 || at === start ? at + 1 : at;
                }
                break;
            case LF:
                if (depth === 0) {
                    return at;
                }
                if (isOnOneLine) {
                    return CUT;
                }
                break;
            case COMMA:
            case COLON:
                if (depth === 0) {
                    return at === start ? at + 1 : at;
                }
                break;
        }
    }
    return OPEN;
}

/** Place behind the closing quote. */
function stringEnd(bytes: Uint8Array, start: number, end: number, isOnOneLine: boolean): number {
    for (let at = start + 1; at < end; at += 1) {
        const byte = bytes[at];
        if (byte === QUOTE) {
            return at + 1;
        }
        if (byte === BACKSLASH) {
            at += 1;
        } else if (byte === LF && isOnOneLine) {
            return CUT;
        }
    }
    return OPEN;
}

/** Place of a value among the bytes. */
export interface Span {
    start: number;
    end: number;
}

/**
 * The members of an object, each value as it stands; of a key that stands twice the last one, as `JSON.parse` has it. Undefined where it is no object. What is
 * inside of its values is not looked at.
 */
export function membersOf(bytes: Buffer, { start, end }: Span): Map<string, Span> | undefined {
    const members = new Map<string, Span>();
    let at = skipBlanks(bytes, start, end);
    if (bytes[at] !== OPEN_OBJECT) {
        return undefined;
    }
    at = skipBlanks(bytes, at + 1, end);
    if (bytes[at] === CLOSE_OBJECT) {
        return members;
    }
    for (;;) {
        const keyEnd = bytes[at] === QUOTE ? elementEnd(bytes, at, end, false) : OPEN;
        const key = keyEnd < 0 ? undefined : textOf(bytes, { start: at, end: keyEnd });
        const colon = skipBlanks(bytes, keyEnd, end);
        if (key === undefined || bytes[colon] !== COLON) {
            return undefined;
        }
        const valueStart = skipBlanks(bytes, colon + 1, end);
        const valueEnd = elementEnd(bytes, valueStart, end, false);
        if (valueEnd < 0) {
            return undefined;
        }
        members.set(key, { start: valueStart, end: lastOf(bytes, valueStart, valueEnd) });
        at = skipBlanks(bytes, valueEnd, end);
        if (bytes[at] === CLOSE_OBJECT) {
            return skipBlanks(bytes, at + 1, end) === end ? members : undefined;
        }
        if (bytes[at] !== COMMA) {
            return undefined;
        }
        at = skipBlanks(bytes, at + 1, end);
    }
}

/** What a string says; undefined where it is none, or not sound. */
export function textOf(bytes: Buffer, { start, end }: Span): string | undefined {
    if (bytes[start] !== QUOTE) {
        return undefined;
    }
    try {
        return String(JSON.parse(bytes.toString('utf8', start, end)));
    } catch {
        return undefined;
    }
}

/** Place of the first byte that is no blank of JSON. */
export function skipBlanks(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    while (at < end && isBlank(bytes[at] as number)) {
        at += 1;
    }
    return at;
}

/** The end without the blanks in front of it. */
function lastOf(bytes: Uint8Array, start: number, end: number): number {
    let at = end;
    while (at > start && isBlank(bytes[at - 1] as number)) {
        at -= 1;
    }
    return at;
}

function isBlank(byte: number): boolean {
    return byte === 0x20 || byte === 0x09 || byte === 0x0d || byte === LF;
}
