/** The bytes of a raw object as text: in blocks of whole records, every record on one line. */
import type { ByteStream } from '#lake/store/object-store';
import { plainBytes } from '#lake/verify/plain-bytes';

/** Text that goes to the engine at a time: enough that pairs meet in one block, little enough that memory stays flat. */
const BLOCK_CHARACTERS = 16 << 20;

/** Most characters that a row has; docs/reading.md: a longer one makes the file unusable. */
export const MAX_ROW_CHARACTERS = 16 << 20;

/** Most characters that a quoted field has; docs/reading.md: one that is still open after 1 MiB was never closed. */
const MAX_QUOTED_CHARACTERS = 1 << 20;

/** Stands for a line end inside a quoted field, so that one line of text is one record. No address, date or number holds either. */
export const INNER_LINE_END = '\u0001';

/** Stands for what stands for a line end, where the file holds that. */
const NO_INNER_LINE_END = '\u0002';

/** Count of first bytes: where they hold a CR and no LF, lines end in CR alone (docs/reading.md). */
const LOOKED_AT_BYTES = 1 << 16;

/** The file has a row that is too long for a file of flows. */
export class RowTooLongError extends Error {
    override name = 'RowTooLongError';
}

/**
 * The file's text in blocks that end with a line end (the last one too, also where the file lacks it). Every byte is one
 * character (Latin-1): all that is compared is ASCII, and no byte can be invalid. A byte order mark is left out.
 * @throws RowTooLongError for a line of more than 16 MiB, DamagedFileError where it cannot be unpacked.
 */
export async function* readText(bytes: ByteStream): AsyncGenerator<string> {
    let parts: string[] = [];
    let length = 0;
    let isFirst = true;
    const withoutMark = (text: string): string => (isFirst ? text.replace(/^\xef\xbb\xbf/, '') : text);
    for await (const text of plainText(bytes)) {
        parts.push(text);
        length += text.length;
        const lineEnd = length < BLOCK_CHARACTERS ? -1 : text.lastIndexOf('\n');
        if (lineEnd >= 0) {
            parts[parts.length - 1] = text.slice(0, lineEnd + 1);
            yield withoutMark(parts.join(''));
            isFirst = false;
            parts = [text.slice(lineEnd + 1)];
            length = text.length - lineEnd - 1;
        }
        if (length > BLOCK_CHARACTERS + MAX_ROW_CHARACTERS) {
            throw new RowTooLongError();
        }
    }
    const last = withoutMark(parts.join(''));
    if (last !== '') {
        yield last.endsWith('\n') ? last : `${last}\n`;
    }
}

/** The text as it comes, its lines ended in LF or CRLF. */
async function* plainText(bytes: ByteStream): AsyncGenerator<string> {
    let start: string | undefined = '';
    let hasCrOnly = false;
    const told = (text: string): string => {
        const lines = hasCrOnly ? text.replaceAll('\r', '\n') : text;
        return lines.includes(INNER_LINE_END) ? lines.replaceAll(INNER_LINE_END, NO_INNER_LINE_END) : lines;
    };
    const decide = (text: string): string => {
        const lookedAt = text.slice(0, LOOKED_AT_BYTES);
        hasCrOnly = lookedAt.includes('\r') && !lookedAt.includes('\n');
        return told(text);
    };
    for await (const chunk of plainBytes(bytes)) {
        const text = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).toString('latin1');
        if (start === undefined) {
            yield told(text);
            continue;
        }
        start += text;
        if (start.length >= LOOKED_AT_BYTES) {
            yield decide(start);
            start = undefined;
        }
    }
    yield start === undefined ? '' : decide(start);
}

/**
 * Brings every record of `text` on one line: line ends inside quoted fields become a character that nothing allows. A field that does not
 * end, with a quote that only blanks, a separator or a line end follow, leaves its record's first line open, and the lines after it are
 * lines of their own.
 * @param isZeekLog true if lines that begin with `#` are no records, whatever they hold.
 * @param isLast true if nothing follows `text`; else `rest` is the record that may go on behind it.
 * @throws RowTooLongError
 */
export function joinRecords(
    text: string,
    { separator, isZeekLog = false, isLast }: { separator: string; isZeekLog?: boolean; isLast: boolean },
): { records: string; rest: string } {
    if (!text.includes('"')) {
        assertRows(text);
        return { records: withPlainLineEnds(text), rest: '' };
    }
    // Quoted fields behind the first line of a row. Where a later row comes to one, the earlier row was given up behind it, and so is this.
    const seen = new Uint8Array(text.length);
    const fieldStart = new RegExp(`[\\n\\x${hex(separator)}]"`, 'g');
    const fieldEnd = new RegExp(`${blanks(separator)}(?:\\x${hex(separator)}|\\r?\\n)`, 'y');
    const pieces: string[] = [];
    let copied = 0;
    let record = { start: 0, lineEnd: text.indexOf('\n'), pieces: 0, copied: 0 };
    let lastClose = 0;
    let opening = text.startsWith('"') ? 0 : nextOpening(fieldStart, text, 0);
    while (opening >= 0) {
        const lineEnd = text.slice(lastClose, opening).lastIndexOf('\n');
        if (lineEnd >= 0) {
            const start = lastClose + lineEnd + 1;
            record = { start, lineEnd: text.indexOf('\n', start), pieces: pieces.length, copied };
        }
        if (isZeekLog && text[record.start] === '#') {
            lastClose = text.indexOf('\n', record.start);
            opening = nextOpening(fieldStart, text, lastClose);
            continue;
        }
        const isSeen = opening > record.lineEnd && seen[opening] === 1;
        seen[opening] = opening > record.lineEnd ? 1 : 0;
        const closing = isSeen ? -1 : closingQuote(text, opening + 1);
        const reached = isSeen ? opening : Math.min(closing < 0 ? text.length : closing, opening + MAX_QUOTED_CHARACTERS);
        if (reached - record.start >= MAX_ROW_CHARACTERS) {
            throw new RowTooLongError();
        }
        if (!isSeen && closing < 0 && !isLast && text.length - opening <= MAX_QUOTED_CHARACTERS) {
            const records = pieces.join('') + text.slice(copied, record.start);
            assertRows(records);
            return { records: withPlainLineEnds(records), rest: text.slice(record.start) };
        }
        if (closing < 0 || closing - opening - 1 > MAX_QUOTED_CHARACTERS || !matchesAt(fieldEnd, text, closing + 1)) {
            pieces.length = record.pieces;
            copied = record.copied;
            lastClose = text.indexOf('\n', record.start);
            opening = nextOpening(fieldStart, text, lastClose);
            continue;
        }
        const field = text.slice(opening, closing);
        if (field.includes('\n')) {
            pieces.push(text.slice(copied, opening), field.replaceAll('\n', INNER_LINE_END));
            copied = closing;
        }
        lastClose = closing + 1;
        opening = nextOpening(fieldStart, text, lastClose);
    }
    pieces.push(text.slice(copied));
    const records = pieces.join('');
    assertRows(records);
    return { records: withPlainLineEnds(records), rest: '' };
}

/** Lets records pass that are no longer than a row may be. @throws RowTooLongError */
function assertRows(records: string): void {
    for (let at = 0; at < records.length; ) {
        const lineEnd = records.lastIndexOf('\n', at + MAX_ROW_CHARACTERS - 1);
        if (lineEnd < at) {
            throw new RowTooLongError();
        }
        at = lineEnd + 1;
    }
}

/** Spaces and tabs, but for the one that separates fields. */
export function blanksOf(separator: string): string {
    return ' \t'.replace(separator, '');
}

/** Any number of blanks, as a regular expression. */
export function blanks(separator: string): string {
    return `[${blanksOf(separator).replace('\t', '\\t')}]*`;
}

/** The text without the blanks at its ends. */
export function trimBlanks(text: string, separator: string): string {
    const blank = blanks(separator);
    return text.replace(new RegExp(`^${blank}`), '').replace(new RegExp(`${blank}$`), '');
}

/** A character as two hex digits, for a regular expression. */
export function hex(character: string): string {
    return character.charCodeAt(0).toString(16).padStart(2, '0');
}

function withPlainLineEnds(text: string): string {
    return text.includes('\r\n') ? text.replaceAll('\r\n', '\n') : text;
}

function nextOpening(fieldStart: RegExp, text: string, from: number): number {
    fieldStart.lastIndex = from;
    const match = fieldStart.exec(text);
    return match ? match.index + 1 : -1;
}

function matchesAt(sticky: RegExp, text: string, at: number): boolean {
    sticky.lastIndex = at;
    return sticky.test(text);
}

/** Place of the quote that ends a quoted field whose content begins at `from`; -1 where none does. */
function closingQuote(text: string, from: number): number {
    let quote = text.indexOf('"', from);
    while (quote >= 0 && text[quote + 1] === '"') {
        quote = text.indexOf('"', quote + 2);
    }
    return quote;
}
