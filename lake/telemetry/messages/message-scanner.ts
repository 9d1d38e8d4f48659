/** Finds the messages of a JSON file: elements on lines of their own, in an array, one behind the other, or spread over many lines each. */
import { CUT, elementEnd, OPEN, skipBlanks } from './json-elements.ts';

const LF = 0x0a;
const CR = 0x0d;
const TAB = 0x09;
const SPACE = 0x20;
const COMMA = 0x2c;
const OPEN_OBJECT = 0x7b;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;

/** A longer message stops the reading: one that does not end must not fill the memory. */
export const MAX_MESSAGE_BYTES = 1 << 24;

/** How the messages of a file stand in it; its first bytes tell. */
export interface JsonLayout {
    form: 'json-lines' | 'json-array' | 'json-objects';
    /** A message never goes on behind a line end. */
    isOnOneLine: boolean;
    /** What the line of a message begins with where messages are spread over lines: the line end in front of it and its blanks. */
    begin: string;
}

/** Place of a message, and the line at which it begins, from 1. */
export interface MessagePlace {
    bytes: Buffer;
    start: number;
    end: number;
    lineNumber: number;
}

/** Whoever takes the messages. */
export interface MessageTaker {
    /** Takes a message. @returns false where it is not taken yet: the scan stops in front of it. */
    take(place: MessagePlace): boolean;
}

/**
 * The layout of a file whose first byte that is no blank stands at `start`, a bracket. Undefined where more bytes are needed.
 * An array is an array of messages, unless it ends on its line and other arrays follow on theirs: then each line is a message.
 */
export function layoutOf(bytes: Buffer, { start, isLast }: { start: number; isLast: boolean }): JsonLayout | undefined {
    const end = elementEnd(bytes, start, bytes.length, true);
    const isArray = bytes[start] === OPEN_ARRAY;
    if (end === OPEN && !isLast) {
        return undefined;
    }
    if (!isArray) {
        const isOnOneLine = end !== CUT;
        return { form: isOnOneLine ? 'json-lines' : 'json-objects', isOnOneLine, begin: beginOf(bytes, start) };
    }
    if (end >= 0) {
        const next = skipBlanks(bytes, end, bytes.length);
        if (next === bytes.length && !isLast) {
            return undefined;
        }
        if (bytes[next] === OPEN_ARRAY || bytes[next] === OPEN_OBJECT) {
            return { form: 'json-lines', isOnOneLine: true, begin: '\n' };
        }
    }
    const first = skipBlanks(bytes, start + 1, bytes.length);
    const firstEnd = elementEnd(bytes, first, bytes.length, true);
    if (firstEnd === OPEN && !isLast) {
        return undefined;
    }
    return { form: 'json-array', isOnOneLine: firstEnd !== CUT, begin: beginOf(bytes, first) };
}

function beginOf(bytes: Buffer, start: number): string {
    const line = bytes.toString('latin1', bytes.lastIndexOf(LF, start) + 1, start);
    return `\n${/^[ \t]*$/.test(line) ? line : ''}${String.fromCharCode(bytes[start] ?? OPEN_OBJECT)}`;
}

/** The messages of a file, piece by piece. */
export class MessageScanner {
    /** True if the last scan stopped because the taker wants nothing for now. */
    isPaused = false;
    /** Why the file cannot be used after all. */
    failure: string | undefined;
    /** True while an array that has begun has not ended. */
    isArrayOpen = false;
    #lines: number;
    readonly #layout: JsonLayout;
    readonly #taker: MessageTaker;

    constructor(taker: MessageTaker, { layout, linesBefore = 0 }: { layout: JsonLayout; linesBefore?: number }) {
        this.#taker = taker;
        this.#layout = layout;
        this.#lines = linesBefore;
    }

    /** @returns where the first message begins that is not whole, or earlier where the scan is paused or the file of no use. */
    scan(bytes: Buffer, { start, isLast }: { start: number; isLast: boolean }): number {
        const taker = this.#taker;
        const end = bytes.length;
        const isSpread = !this.#layout.isOnOneLine;
        const lines = new WholeLines(bytes, { form: this.#layout.form, isLast });
        this.isPaused = false;
        let at = start;
        while (at < end) {
            const byte = bytes[at] as number;
            if (byte === LF || byte === SPACE || byte === TAB || byte === CR || this.#isOfArray(byte)) {
                this.#lines += byte === LF ? 1 : 0;
                at += 1;
                continue;
            }
            const next = lines.endOf(at) ?? this.#endOfMessage(bytes, { start: at, isLast });
            if (next === OPEN) {
                break;
            }
            if (!taker.take({ bytes, start: at, end: withoutBlanks(bytes, at, next), lineNumber: this.#lines + 1 })) {
                this.isPaused = true;
                return at;
            }
            this.#lines += isSpread ? countLines(bytes, at, next) : 0;
            at = next;
        }
        return at;
    }

    /**
     * Place behind the message that begins at `start`, whatever it is; `OPEN` where it has not ended yet, or never will. No more than a message may have is
     * looked at, so that it makes no difference how many bytes are there.
     */
    #endOfMessage(bytes: Buffer, { start, isLast }: { start: number; isLast: boolean }): number {
        const { form, isOnOneLine, begin } = this.#layout;
        const byte = bytes[start];
        const isContainer = byte === OPEN_OBJECT || byte === OPEN_ARRAY;
        const limit = Math.min(bytes.length, start + MAX_MESSAGE_BYTES);
        const element = isContainer || form === 'json-array' ? elementEnd(bytes, start, limit, isOnOneLine) : CUT;
        const end = form === 'json-lines' && element >= 0 ? this.#endOnLine(bytes, element, isLast) : element;
        if (end >= 0) {
            return end;
        }
        const isTooLong = bytes.length > limit;
        if (end === OPEN && !isLast && !isTooLong) {
            return OPEN;
        }
        // A line that is no whole message ends with its line end; where messages are spread over lines, what never ends does where the next one begins.
        const next = end === CUT ? bytes.indexOf(LF, start) : isOnOneLine ? -1 : bytes.indexOf(begin, start, 'latin1');
        if (next >= 0 && next <= limit) {
            return next;
        }
        if (isTooLong) {
            this.failure = `a message is longer than ${MAX_MESSAGE_BYTES >> 20} MiB (line ${this.#lines + 1}): these are no messages, or the file's line ends are lost`;
            return OPEN;
        }
        return isLast ? bytes.length : OPEN;
    }

    /** The end of an element of a line, where its line or another object follows; with anything else the line is no whole message from there on. */
    #endOnLine(bytes: Buffer, end: number, isLast: boolean): number {
        let next = end;
        while (bytes[next] === SPACE || bytes[next] === TAB || bytes[next] === CR) {
            next += 1;
        }
        if (next === bytes.length) {
            return isLast ? end : OPEN;
        }
        return bytes[next] === LF || bytes[next] === OPEN_OBJECT ? end : CUT;
    }

    #isOfArray(byte: number): boolean {
        if (this.#layout.form !== 'json-array') {
            return false;
        }
        if (byte === OPEN_ARRAY && !this.isArrayOpen) {
            this.isArrayOpen = true;
            return true;
        }
        if (byte === CLOSE_ARRAY && this.isArrayOpen) {
            this.isArrayOpen = false;
            return true;
        }
        return byte === COMMA;
    }
}

/**
 * Lines that are one message each: those without a brace that closes and one that opens behind it, with blanks between or without, which stand so nowhere in
 * a message but in texts. Their ends need not be looked for bracket by bracket.
 */
class WholeLines {
    readonly #bytes: Buffer;
    readonly #isOn: boolean;
    readonly #isLast: boolean;
    /** The next pair of such braces, by what stands behind the first one. */
    readonly #pairs = ['}{', '} ', '}\t'].map((text) => ({ text, at: -1 }));

    constructor(bytes: Buffer, { form, isLast }: { form: JsonLayout['form']; isLast: boolean }) {
        this.#bytes = bytes;
        this.#isOn = form === 'json-lines';
        this.#isLast = isLast;
    }

    /** The end of the line, if it is one message that begins at `start`; else undefined. The last line of all may lack its line end. */
    endOf(start: number): number | undefined {
        const lineFeed = this.#isOn ? this.#bytes.indexOf(LF, start) : -1;
        const lineEnd = this.#isOn && this.#isLast && lineFeed < 0 ? this.#bytes.length : lineFeed;
        if (lineEnd < 0 || lineEnd - start > MAX_MESSAGE_BYTES) {
            return undefined;
        }
        for (const pair of this.#pairs) {
            if (pair.at < start) {
                pair.at = this.#findPair(pair.text, start);
            }
            if (pair.at < lineEnd) {
                return undefined;
            }
        }
        return lineEnd;
    }

    #findPair(text: string, start: number): number {
        const bytes = this.#bytes;
        for (let at = bytes.indexOf(text, start, 'latin1'); at >= 0; at = bytes.indexOf(text, at + 1, 'latin1')) {
            let next = at + 1;
            while (bytes[next] === SPACE || bytes[next] === TAB) {
                next += 1;
            }
            if (bytes[next] === OPEN_OBJECT) {
                return at;
            }
        }
        return bytes.length;
    }
}

/** The end without the blanks in front of it. */
function withoutBlanks(bytes: Buffer, start: number, end: number): number {
    let at = end;
    while (at > start && isBlank(bytes[at - 1] as number)) {
        at -= 1;
    }
    return at;
}

function isBlank(byte: number): boolean {
    return byte === SPACE || byte === TAB || byte === CR || byte === LF;
}

function countLines(bytes: Buffer, start: number, end: number): number {
    let count = 0;
    for (let at = bytes.indexOf(LF, start); at >= 0 && at < end; at = bytes.indexOf(LF, at + 1)) {
        count += 1;
    }
    return count;
}
