/** Finds the messages of a text with separators: each row behind the header is a flat JSON object of its cells. */
import { parseRow, SeenQuotes, trimBlanks } from '#lake/flows/formats/csv-row';
import type { MessagePlace } from './message-scanner.ts';

const LF = 0x0a;

/** The separator is the first of these that the header has. */
const SEPARATORS = [',', ';', '\t', '|'].map((character) => character.charCodeAt(0));

/** A file whose first line has not ended after so many bytes has no header. */
const MAX_HEADER_BYTES = 1 << 20;

export interface CsvHeader {
    names: readonly string[];
    separator: number;
    /** Line at which the first row begins, from 1, and the place of its first byte. */
    firstLine: number;
    next: number;
}

/** A row of the file as a message. */
export interface CsvRow extends MessagePlace {
    /** JSON object of the cells; why there is none where the row is of no use. */
    found: { payload: Buffer } | { reason: string; why: string };
}

/** The header that begins at `start`; why there is none; undefined where more bytes are needed. */
export function findHeader(bytes: Buffer, { start, isLast }: { start: number; isLast: boolean }): CsvHeader | { why: string } | undefined {
    let at = start;
    let lines = 1;
    while (bytes[at] === LF || bytes[at] === 0x0d) {
        lines += bytes[at] === LF ? 1 : 0;
        at += 1;
    }
    const lineEnd = bytes.indexOf(LF, at);
    if (lineEnd < 0 && !isLast && bytes.length - at < MAX_HEADER_BYTES) {
        return undefined;
    }
    const line = bytes.toString('latin1', at, lineEnd < 0 ? bytes.length : lineEnd);
    const separator = SEPARATORS.find((one) => line.includes(String.fromCharCode(one)));
    if (lineEnd < 0 || separator === undefined) {
        return { why: 'it is no JSON, and its first line is no header of a text with separators' };
    }
    const row = parseRow(bytes, { start: at, end: bytes.length, separator });
    const names = row.cells.map((cell) => fromBytes(trimBlanks(cell, separator)));
    if (row.end !== 'line end' || names.some((name) => name === '' || hasControls(name))) {
        return { why: 'it is no JSON, and a name is missing in its first line, which should be the header of a text with separators' };
    }
    const repeated = names.find((name, place) => names.indexOf(name) !== place);
    if (repeated !== undefined) {
        return { why: `its header names ${JSON.stringify(repeated)} twice: which column counts cannot be told` };
    }
    return { names, separator, next: row.next, firstLine: lines + 1 };
}

function hasControls(text: string): boolean {
    return [...text].some((character) => character < ' ');
}

/** A cell's text: `parseRow` has its bytes as characters. */
function fromBytes(cell: string): string {
    return Buffer.from(cell, 'latin1').toString();
}

/** The rows of a file, piece by piece. */
export class CsvMessages {
    #lines: number;
    readonly #header: CsvHeader;
    readonly #keys: readonly string[];
    readonly #take: (row: CsvRow) => boolean;
    /** True if the last scan stopped because the taker wants nothing for now. */
    isPaused = false;

    /** @param take takes a row, or returns false where it is not taken yet: the scan stops in front of it. */
    constructor(header: CsvHeader, take: (row: CsvRow) => boolean) {
        this.#header = header;
        this.#keys = header.names.map((name) => JSON.stringify(name));
        this.#lines = header.firstLine - 1;
        this.#take = take;
    }

    /** @returns where the first row begins that is not whole, or where the scan is paused. The last line must have a line end. */
    scan(bytes: Buffer, { start, isLast }: { start: number; isLast: boolean }): number {
        const { separator, names } = this.#header;
        const seen = new SeenQuotes(bytes.length);
        this.isPaused = false;
        let at = start;
        while (at < bytes.length) {
            const lineEnd = bytes.indexOf(LF, at);
            if (lineEnd < 0) {
                return at;
            }
            seen.beginRow(lineEnd);
            const row = parseRow(bytes, { start: at, end: bytes.length, separator, columns: names.length, seen });
            if (row.end === 'more' && !isLast && bytes.length - at < MAX_HEADER_BYTES) {
                return at;
            }
            const isWhole = row.end === 'line end';
            const next = isWhole ? row.next : lineEnd + 1;
            const end = isWhole ? row.contentEnd : withoutCr(bytes, at, lineEnd);
            if (end > at) {
                const found = isWhole ? this.#payloadOf(row) : UNCLOSED;
                if (!this.#take({ bytes, start: at, end, lineNumber: this.#lines + 1, found })) {
                    this.isPaused = true;
                    return at;
                }
            }
            for (let line = bytes.indexOf(LF, at); line >= 0 && line < next; line = bytes.indexOf(LF, line + 1)) {
                this.#lines += 1;
            }
            at = next;
        }
        return at;
    }

    #payloadOf({ cells, hasExtra }: { cells: readonly string[]; hasExtra: boolean }): CsvRow['found'] {
        if (hasExtra) {
            return { reason: 'extra_cells', why: `the row has more cells than the ${this.#keys.length} of the header` };
        }
        const members = this.#keys.flatMap((key, column) => {
            const cell = trimBlanks(cells[column] ?? '', this.#header.separator);
            return cell === '' ? [] : [`${key}:${jsonOf(cell)}`];
        });
        return { payload: Buffer.from(`{${members.join()}}`) };
    }
}

const UNCLOSED = { reason: 'unclosed_quote', why: 'a quoted cell does not end' };

/** A number of JSON (RFC 8259, 6), or one of its words. */
const BARE = /^(-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?|true|false|null)$/;

/** The cell as JSON has it. */
function jsonOf(cell: string): string {
    return BARE.test(cell) ? cell : JSON.stringify(fromBytes(cell));
}

function withoutCr(bytes: Buffer, start: number, lineEnd: number): number {
    return lineEnd > start && bytes[lineEnd - 1] === 0x0d ? lineEnd - 1 : lineEnd;
}
