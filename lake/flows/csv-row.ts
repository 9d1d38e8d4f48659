/** One row taken apart the careful way: quotes, blanks, line ends. The byte scanner hands over every row that it cannot take. */

const QUOTE = 0x22;
const LF = 0x0a;
const CR = 0x0d;

/** A quoted field that is longer than this is no field but a quote that was never closed. */
const MAX_QUOTED_BYTES = 1 << 20;

export interface ParsedRow {
    /** The cells up to and with the last one asked for, quotes taken away, not trimmed; bytes as Latin-1 characters. */
    cells: string[];
    /** Whether the row has further cells behind the last one asked for. */
    hasMore: boolean;
    /** Where the row's content ends (before its line end). */
    contentEnd: number;
    /** Where the next row begins. */
    next: number;
    /**
     * `unclosed`: a quoted field does not end as one, with a quote and then (blanks and) a separator or line end; `more` bytes could
     * still close it or bring the row's line end. Both leave the other fields of no use.
     */
    end: 'line end' | 'unclosed' | 'more';
}

export interface ParseRowOptions {
    start: number;
    end: number;
    separator: number;
    /** Cells behind this one are passed over. */
    lastNeeded?: number;
}

/**
 * Takes apart the row that begins at `start`. A field that begins with a quote is quoted (RFC 4180, 2.5 to 2.7): separators and line
 * ends inside belong to it. A quote further in is an ordinary character.
 */
export function parseRow(bytes: Buffer, { start, end, separator, lastNeeded = Number.POSITIVE_INFINITY }: ParseRowOptions): ParsedRow {
    const cells: string[] = [];
    let at = start;
    let hasMore = false;
    for (;;) {
        const isNeeded = cells.length <= lastNeeded;
        let quoted: QuotedField | undefined;
        if (bytes[at] === QUOTE && at < end) {
            const start = at + 1;
            quoted = quotedField(bytes, start, end);
            if ((quoted?.closing ?? end) - start > MAX_QUOTED_BYTES) {
                return { cells, hasMore, contentEnd: end, next: end, end: 'unclosed' };
            }
            if (!quoted) {
                return { cells, hasMore, contentEnd: end, next: end, end: 'more' };
            }
            at = quoted.closing + 1;
        }
        const plainStart = at;
        while (at < end && bytes[at] !== separator && bytes[at] !== LF) {
            at += 1;
        }
        if (at >= end) {
            return { cells, hasMore, contentEnd: end, next: end, end: 'more' };
        }
        const isRowEnd = bytes[at] === LF;
        const contentEnd = isRowEnd && at > plainStart && bytes[at - 1] === CR ? at - 1 : at;
        const plain = isNeeded || quoted ? bytes.toString('latin1', plainStart, contentEnd) : '';
        if (quoted && !/^[ \t]*$/.test(plain)) {
            return { cells, hasMore, contentEnd: end, next: end, end: 'unclosed' };
        }
        if (isNeeded) {
            cells.push(quoted?.text ?? plain);
        } else {
            hasMore = true;
        }
        at += 1;
        if (isRowEnd) {
            return { cells, hasMore, contentEnd, next: at, end: 'line end' };
        }
    }
}

interface QuotedField {
    text: string;
    /** Where the closing quote stands. */
    closing: number;
}

/** The text up to the closing quote; undefined where there is none, or where it is the last byte and could be the first of two. */
function quotedField(bytes: Buffer, start: number, end: number): QuotedField | undefined {
    let text = '';
    let from = start;
    for (;;) {
        const quote = bytes.indexOf(QUOTE, from);
        if (quote < 0 || quote + 1 >= end) {
            return undefined;
        }
        text += bytes.toString('latin1', from, quote);
        if (bytes[quote + 1] !== QUOTE) {
            return { text, closing: quote };
        }
        text += '"';
        from = quote + 2;
    }
}
