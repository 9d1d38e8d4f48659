/** Finds the records of a JSON file: objects on lines of their own, in an array, or spread over many lines each. */

import type { FlowPlace } from '../flow-sink.ts';
import { type JsonValue, walkObject } from './json-object.ts';
import { NOT_PLAIN } from './plain-row.ts';

const LF = 0x0a;
const CR = 0x0d;
const TAB = 0x09;
const SPACE = 0x20;
const COMMA = 0x2c;
const OPEN_OBJECT = 0x7b;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;

/** A longer record stops the reading: one that does not end must not fill the memory. */
const MAX_RECORD_BYTES = 1 << 24;

/** How the records of a file stand in it; its first bytes tell. */
export interface JsonLayout {
    /** The file is an array: brackets and commas may stand around its records. */
    isArray: boolean;
    /** Records are spread over lines: the first brace has nothing behind it on its line. */
    isSpread: boolean;
    /** What the line of a record begins with where records are spread: the line end in front of it, its blanks and the brace. */
    begin: string;
}

/** Whoever takes the records. */
export interface RecordTaker {
    /** Says in which bytes the next records stand. */
    begin(bytes: Buffer): void;
    /** Line ends between the records that `takePlain` took last. */
    readonly linesTaken: number;
    /**
     * Takes the record that begins at `start` if it is known by heart, and those behind it that are. @returns the place behind them, or `NOT_PLAIN`:
     * then nothing is counted
     */
    takePlain(start: number): number;
    takeObject(values: readonly JsonValue[], place: FlowPlace): void;
    takeBroken(place: FlowPlace): void;
    /** True if nothing more is wanted for now: the scan stops. */
    isFull(): boolean;
}

/** The layout of a file; undefined where its bytes do not hold the first brace and what is behind it yet. `start` is behind a byte order mark. */
export function layoutOf(bytes: Buffer, { start, isLast }: { start: number; isLast: boolean }): JsonLayout | undefined {
    const brace = bytes.indexOf(OPEN_OBJECT, start);
    const lineEnd = brace < 0 ? -1 : bytes.indexOf(LF, brace);
    if (lineEnd < 0 && !isLast) {
        return undefined;
    }
    const [first = ''] = bytes.toString('latin1', start, Math.max(start, brace + 1)).trimStart();
    const line = bytes.toString('latin1', Math.max(start, bytes.lastIndexOf(LF, brace) + 1), brace);
    const behind = bytes.toString('latin1', brace + 1, lineEnd < 0 ? bytes.length : lineEnd);
    return {
        isArray: first === '[',
        isSpread: brace >= 0 && lineEnd >= 0 && isBlank(behind),
        begin: `\n${isBlank(line) ? line : ''}{`,
    };
}

/** The records of a file, piece by piece. */
export class JsonRecords {
    /** True if the last scan stopped because the taker is full. */
    isPaused = false;
    /** Why the file cannot be used after all. */
    failure: string | undefined;
    /** True while an array that has begun has not ended. */
    isArrayOpen = false;
    #lines: number;
    readonly #layout: JsonLayout;
    readonly #taker: RecordTaker;

    constructor(taker: RecordTaker, { layout, linesBefore = 0 }: { layout: JsonLayout; linesBefore?: number }) {
        this.#taker = taker;
        this.#layout = layout;
        this.#lines = linesBefore;
    }

    /** @returns where the first record begins that is not whole, or earlier where the scan is paused or the file of no use. */
    scan(bytes: Buffer, { start, end, isLast }: { start: number; end: number; isLast: boolean }): number {
        const taker = this.#taker;
        taker.begin(bytes);
        this.isPaused = false;
        let at = start;
        while (at < end) {
            const byte = bytes[at] as number;
            if (byte === OPEN_OBJECT) {
                const plain = taker.takePlain(at);
                if (plain !== NOT_PLAIN) {
                    this.#lines += this.#layout.isSpread ? countLines(bytes, at, plain) : taker.linesTaken;
                    at = plain;
                    continue;
                }
            } else if (byte === LF || byte === SPACE || byte === TAB || byte === CR || (this.#layout.isArray && isOfArray(byte))) {
                this.#lines += byte === LF ? 1 : 0;
                if (byte === OPEN_ARRAY || byte === CLOSE_ARRAY) {
                    this.isArrayOpen = byte === OPEN_ARRAY;
                }
                at += 1;
                continue;
            }
            if (taker.isFull()) {
                this.isPaused = true;
                return at;
            }
            const next = this.#takeAny(bytes, { start: at, end, isLast });
            if (next === at) {
                break;
            }
            at = next;
        }
        if (end - at > MAX_RECORD_BYTES) {
            this.#failAsTooLong();
        }
        return at;
    }

    /** Takes what begins at `start`, whatever it is. @returns the place behind it; `start` where it has not ended yet. */
    #takeAny(bytes: Buffer, { start, end, isLast }: { start: number; end: number; isLast: boolean }): number {
        const lineNumber = this.#lines + 1;
        if (bytes[start] === OPEN_OBJECT) {
            const { isSpread } = this.#layout;
            const found = walkObject(bytes, { start, end: Math.min(end, start + MAX_RECORD_BYTES), isSpread });
            if (found.is === 'whole') {
                this.#lines += isSpread ? countLines(bytes, start, found.next) : 0;
                this.#taker.takeObject(found.values, { lineNumber, bytes, start, end: found.next });
                return found.next;
            }
            if (found.is === 'open' && !isLast) {
                return start;
            }
        }
        const brokenEnd = this.#brokenEnd(bytes, { start, end });
        if (brokenEnd === undefined && !isLast) {
            return start;
        }
        const next = brokenEnd ?? end;
        if (next - start > MAX_RECORD_BYTES) {
            this.#failAsTooLong();
            return start;
        }
        this.#lines += countLines(bytes, start, next);
        // What nothing follows ends with the file, line end and all.
        const textEnd = bytes[next - 1] === LF ? next - 1 : next;
        this.#taker.takeBroken({ lineNumber, bytes, start, end: textEnd > start && bytes[textEnd - 1] === CR ? textEnd - 1 : textEnd });
        return next;
    }

    #failAsTooLong(): void {
        this.failure = `a record is longer than ${MAX_RECORD_BYTES >> 20} MiB (line ${this.#lines + 1}): this is no file of flows, or its line ends are lost`;
    }

    /** The line end up to which nothing can be used: that of the line, or where records are spread the one in front of the next record. */
    #brokenEnd(bytes: Buffer, { start, end }: { start: number; end: number }): number | undefined {
        const { isSpread, begin } = this.#layout;
        const found = isSpread ? bytes.indexOf(begin, start, 'latin1') : bytes.indexOf(LF, start);
        return found >= 0 && found < end ? found : undefined;
    }
}

function isBlank(text: string): boolean {
    return /^[ \t\r]*$/.test(text);
}

function isOfArray(byte: number): boolean {
    return byte === COMMA || byte === OPEN_ARRAY || byte === CLOSE_ARRAY;
}

function countLines(bytes: Buffer, start: number, end: number): number {
    let count = 0;
    for (let at = bytes.indexOf(LF, start); at >= 0 && at < end; at = bytes.indexOf(LF, at + 1)) {
        count += 1;
    }
    return count;
}
