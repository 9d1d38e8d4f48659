/** One JSON object taken apart with care (RFC 8259): where each of its plain values stands, and under which path of keys. */

const LF = 0x0a;
const CR = 0x0d;
const TAB = 0x09;
const SPACE = 0x20;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;

/** Step of a path into an array. No key looks like it: `~` in a key is written `~0`. */
const ELEMENT = '/~a';

/** A number, string or word, or an object or array of which only the beginning is told. */
export interface JsonValue {
    /** Keys that lead to it, as in a JSON pointer (RFC 6901): `/flow/start`. */
    path: string;
    /** Place of its first byte, and of the first one behind it. Of an object or array: of its bracket. */
    start: number;
    end: number;
    isContainer: boolean;
}

/** What begins with an opening brace. */
export type JsonObject =
    | { is: 'whole'; values: JsonValue[]; next: number }
    /** It is no JSON object, whatever follows. */
    | { is: 'broken' }
    /** The bytes end before it does. */
    | { is: 'open' };

const BROKEN: JsonObject = { is: 'broken' };
const OPEN: JsonObject = { is: 'open' };

/** A line end stands between the parts of an object only where its file is spread over lines; elsewhere it ends what has not ended. */
export function walkObject(bytes: Buffer, { start, end, isSpread }: { start: number; end: number; isSpread: boolean }): JsonObject {
    const values: JsonValue[] = [];
    /** Path of each object and array that is open. */
    const paths: string[] = [];
    const closers: number[] = [];
    let path = '';
    let at = start;
    const skipBlanks = (): void => {
        while (at < end && isBlank(bytes[at] as number, isSpread)) {
            at += 1;
        }
    };
    /** Reads a key and its colon. */
    const takeKey = (): JsonObject | undefined => {
        if (at >= end || bytes[at] !== QUOTE) {
            return at >= end ? OPEN : BROKEN;
        }
        const keyEnd = stringEnd(bytes, at, end);
        if (typeof keyEnd !== 'number') {
            return keyEnd;
        }
        const key = textOf(bytes, at, keyEnd);
        at = keyEnd;
        skipBlanks();
        if (at >= end || bytes[at] !== COLON) {
            return at >= end ? OPEN : BROKEN;
        }
        at += 1;
        path = `${paths.at(-1) ?? ''}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
        return undefined;
    };
    for (;;) {
        skipBlanks();
        if (at >= end) {
            return OPEN;
        }
        const first = bytes[at] as number;
        let isEmpty = false;
        if (first === OPEN_OBJECT || first === OPEN_ARRAY) {
            values.push({ path, start: at, end: at + 1, isContainer: true });
            paths.push(path);
            closers.push(first + 2);
            at += 1;
            skipBlanks();
            isEmpty = at < end && bytes[at] === first + 2;
        } else {
            const valueEnd = first === QUOTE ? stringEnd(bytes, at, end) : wordEnd(bytes, at, end);
            if (typeof valueEnd !== 'number') {
                return valueEnd;
            }
            values.push({ path, start: at, end: valueEnd, isContainer: false });
            at = valueEnd;
        }
        // Behind a value, or in a container that has just been opened: what closes there, and where the next value is.
        let isOpened = (first === OPEN_OBJECT || first === OPEN_ARRAY) && !isEmpty;
        while (!isOpened) {
            skipBlanks();
            if (at >= end) {
                return OPEN;
            }
            if (bytes[at] === COMMA && !isEmpty) {
                at += 1;
                skipBlanks();
                isOpened = true;
            } else if (bytes[at] === closers.at(-1)) {
                at += 1;
                isEmpty = false;
                closers.pop();
                paths.pop();
                if (closers.length === 0) {
                    // The first one told of is the object itself.
                    return { is: 'whole', values: values.slice(1), next: at };
                }
            } else {
                return BROKEN;
            }
        }
        if (closers.at(-1) === CLOSE_OBJECT) {
            const failure = takeKey();
            if (failure) {
                return failure;
            }
        } else {
            path = (paths.at(-1) ?? '') + ELEMENT;
        }
    }
}

/** The text of a value: of a string what it says, of any other what stands there. */
export function textOf(bytes: Buffer, start: number, end: number): string {
    const text = bytes.toString('latin1', start, end);
    if (!text.startsWith('"')) {
        return text;
    }
    // Its escapes were looked at: what is left is JSON.
    return text.includes('\\') ? String(JSON.parse(text)) : text.slice(1, -1);
}

/** Blanks of JSON. */
function isBlank(byte: number, isSpread: boolean): boolean {
    return byte === SPACE || byte === TAB || byte === CR || (byte === LF && isSpread);
}

/** Place behind the closing quote. Bytes beyond ASCII may be of any encoding. */
function stringEnd(bytes: Buffer, start: number, end: number): number | JsonObject {
    for (let at = start + 1; at < end; at += 1) {
        const byte = bytes[at] as number;
        if (byte === QUOTE) {
            return at + 1;
        }
        if (byte < SPACE) {
            return BROKEN;
        }
        if (byte === BACKSLASH) {
            const escaped = escapeEnd(bytes, at + 1, end);
            if (typeof escaped !== 'number') {
                return escaped;
            }
            at = escaped - 1;
        }
    }
    return OPEN;
}

const SHORT_ESCAPES = new Set([...'"\\/bfnrt'].map((character) => character.charCodeAt(0)));
const LETTER_U = 0x75;

function escapeEnd(bytes: Buffer, start: number, end: number): number | JsonObject {
    if (start >= end) {
        return OPEN;
    }
    if (bytes[start] !== LETTER_U) {
        return SHORT_ESCAPES.has(bytes[start] as number) ? start + 1 : BROKEN;
    }
    const digits = bytes.toString('latin1', start + 1, Math.min(start + 5, end));
    if (!/^[0-9a-fA-F]*$/.test(digits)) {
        return BROKEN;
    }
    return digits.length < 4 ? OPEN : start + 5;
}

/** Place behind a number or one of the words of JSON. */
function wordEnd(bytes: Buffer, start: number, end: number): number | JsonObject {
    let at = start;
    while (at < end && isOfWord(bytes[at] as number)) {
        at += 1;
    }
    if (at === end) {
        return OPEN;
    }
    return /^(-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?|true|false|null)$/.test(bytes.toString('latin1', start, at)) ? at : BROKEN;
}

/** Letters, digits, `+`, `-` and `.`. */
function isOfWord(byte: number): boolean {
    return (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a) || WORD_SIGNS.has(byte);
}

const WORD_SIGNS = new Set([...'+-.'].map((character) => character.charCodeAt(0)));
