/** One row taken apart the careful way: quotes, blanks, line ends. The byte scanner hands over every row that it cannot take. */

const QUOTE = 0x22;
const LF = 0x0a;
const CR = 0x0d;
const TAB = '\t'.charCodeAt(0);
const SPACE = ' '.charCodeAt(0);

/** A quoted field that is longer than this is no field but a quote that was never closed. */
const MAX_QUOTED_BYTES = 1 << 20;

export interface ParsedRow {
    /** The cells up to and with the last one asked for, quotes taken away, not trimmed; bytes as Latin-1 characters. */
    cells: string[];
    /** True if the row has further cells behind the last one asked for. */
    hasMore: boolean;
    /** True if the row has more cells than there are columns, and one of those says something. */
    hasExtra: boolean;
    /** End of the row's content (in front of its line end). */
    contentEnd: number;
    /** Beginning of the next row. */
    next: number;
    /**
     * How the row ends. `unclosed`: a quoted field does not end as one, with a quote and then (blanks and) a separator or line end; `more`
     * bytes could still close it or bring the row's line end. Both leave the other fields of no use.
     */
    end: 'line end' | 'unclosed' | 'more';
}

export interface ParseRowOptions {
    start: number;
    end: number;
    separator: number;
    /** Cells behind this one are passed over. */
    lastNeeded?: number;
    /** Count of the header's columns; there is no end of them where it is not said. */
    columns?: number;
    /** The quoted fields that rows of the same bytes went through. */
    seen?: SeenQuotes;
}

/**
 * Takes apart the row that begins at `start`. A field that begins with a quote is quoted (RFC 4180, 2.5 to 2.7): separators and line
 * ends inside belong to it. A quote further in is an ordinary character.
 */
export function parseRow(
    bytes: Buffer,
    { start, end, separator, lastNeeded = Number.POSITIVE_INFINITY, columns = Number.POSITIVE_INFINITY, seen }: ParseRowOptions,
): ParsedRow {
    const cells: string[] = [];
    let at = start;
    let hasMore = false;
    let hasExtra = false;
    const stop = (why: 'unclosed' | 'more'): ParsedRow => ({ cells, hasMore, hasExtra, contentEnd: end, next: end, end: why });
    for (let column = 0; ; column += 1) {
        const isNeeded = column <= lastNeeded;
        const isExtra = column >= columns;
        let quoted: QuotedField | undefined;
        if (bytes[at] === QUOTE && at < end) {
            if (seen?.hasSeen(at) === true) {
                return stop('unclosed');
            }
            const found = quotedField(bytes, at + 1, end);
            if (typeof found === 'string') {
                return stop(found);
            }
            quoted = found;
            at = quoted.closing + 1;
        }
        const plainStart = at;
        while (at < end && bytes[at] !== separator && bytes[at] !== LF) {
            at += 1;
        }
        if (at >= end) {
            return stop('more');
        }
        const isRowEnd = bytes[at] === LF;
        const contentEnd = isRowEnd && at > plainStart && bytes[at - 1] === CR ? at - 1 : at;
        const plain = isNeeded || quoted || isExtra ? bytes.toString('latin1', plainStart, contentEnd) : '';
        if (quoted && trimBlanks(plain, separator) !== '') {
            return stop('unclosed');
        }
        if (isNeeded) {
            cells.push(quoted ? unquoted(bytes, quoted) : plain);
        } else {
            hasMore = true;
        }
        hasExtra ||= isExtra && trimBlanks(quoted ? unquoted(bytes, quoted) : plain, separator) !== '';
        at += 1;
        if (isRowEnd) {
            return { cells, hasMore, hasExtra, contentEnd, next: at, end: 'line end' };
        }
    }
}

/** The text without the blanks around it: spaces and tabs, but not the one that separates fields. */
export function trimBlanks(text: string, separator: number): string {
    const isBlank = (at: number): boolean => {
        const code = text.charCodeAt(at);
        return (code === SPACE || code === TAB) && code !== separator;
    };
    let from = 0;
    let until = text.length;
    while (from < until && isBlank(from)) {
        from += 1;
    }
    while (until > from && isBlank(until - 1)) {
        until -= 1;
    }
    return text.slice(from, until);
}

/**
 * Marks the quoted fields that were met behind the first line of a row. A row that ends is left behind for good; so where a later row
 * comes to such a field, an earlier one came to nothing from there on, and this one will. Without it each line of a file that is one chain
 * of open quotes would be followed to the chain's end.
 */
export class SeenQuotes {
    readonly #length: number;
    #bits: Uint8Array | undefined;
    #from = 0;

    /** Nothing is marked yet. @param length of the bytes that rows are taken from; other bytes need marks of their own. */
    constructor(length: number) {
        this.#length = length;
    }

    /** A row begins whose first line ends at `lineEnd`: no other row comes to the quotes of that line. */
    beginRow(lineEnd: number): void {
        this.#from = lineEnd;
    }

    /** True if the field that begins at `at` was met before. Marks it as met. */
    hasSeen(at: number): boolean {
        if (at < this.#from) {
            return false;
        }
        this.#bits ??= new Uint8Array((this.#length >> 3) + 1);
        const bit = 1 << (at & 7);
        const byte = this.#bits[at >> 3] ?? 0;
        this.#bits[at >> 3] = byte | bit;
        return (byte & bit) !== 0;
    }
}

interface QuotedField {
    /** Beginning of the content, behind the opening quote. */
    start: number;
    /** Place of the closing quote. */
    closing: number;
    hasQuotes: boolean;
}

/** The field whose content begins at `start`; `more` also where a quote is the last byte and could be the first of two. */
function quotedField(bytes: Buffer, start: number, end: number): QuotedField | 'unclosed' | 'more' {
    const limit = start + MAX_QUOTED_BYTES;
    // Without a limit a search for the next quote would go through all that is there.
    const within = bytes.subarray(0, Math.min(end, limit + 1));
    let hasQuotes = false;
    let from = start;
    for (;;) {
        const quote = within.indexOf(QUOTE, from);
        if (quote < 0) {
            return end > limit ? 'unclosed' : 'more';
        }
        if (quote + 1 >= end) {
            return 'more';
        }
        if (bytes[quote + 1] !== QUOTE) {
            return { start, closing: quote, hasQuotes };
        }
        hasQuotes = true;
        from = quote + 2;
    }
}

function unquoted(bytes: Buffer, { start, closing, hasQuotes }: QuotedField): string {
    const text = bytes.toString('latin1', start, closing);
    return hasQuotes ? text.replaceAll('""', '"') : text;
}
