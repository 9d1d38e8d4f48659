/** The bytes of a raw object as text: in blocks of whole records, every record on one line. */
import type { ByteStream } from '#lake/store/object-store';
import { plainBytes } from './plain-bytes.ts';

/** So much text goes to the engine at a time: enough that pairs meet in one block, little enough that memory stays flat. */
const BLOCK_CHARACTERS = 16 << 20;

/** A line longer than this is no line of a CSV file; it would have to be held in memory whole. */
const MAX_LINE_CHARACTERS = 256 << 20;

/** docs/reading.md: a quoted field that is still open after 1 MiB was never closed. */
const MAX_QUOTED_CHARACTERS = 1 << 20;

/** Stands for a line end inside a quoted field, so that one line of text is one record. No address, date or number holds either. */
const INNER_LINE_END = '\u0001';

/** The file has a construct that this second reading does not follow: it says neither right nor wrong. */
export class NotFollowedError extends Error {
    override name = 'NotFollowedError';
}

/**
 * The file's text in blocks that end with a line end (the last one too, also where the file lacks it). Every byte is one
 * character (Latin-1): all that is compared is ASCII, and no byte can be invalid. A byte order mark is left out.
 * @throws NotFollowedError for a line of hundreds of megabytes, DamagedFileError where it cannot be unpacked.
 */
export async function* readText(bytes: ByteStream): AsyncGenerator<string> {
    let parts: string[] = [];
    let length = 0;
    let isFirst = true;
    for await (const chunk of plainBytes(bytes)) {
        let text = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).toString('latin1');
        if (isFirst) {
            isFirst = false;
            text = text.replace(/^\xef\xbb\xbf/, '');
        }
        parts.push(text);
        length += text.length;
        const lineEnd = length < BLOCK_CHARACTERS ? -1 : text.lastIndexOf('\n');
        if (lineEnd >= 0) {
            parts[parts.length - 1] = text.slice(0, lineEnd + 1);
            yield parts.join('');
            parts = [text.slice(lineEnd + 1)];
            length = text.length - lineEnd - 1;
        }
        if (length > MAX_LINE_CHARACTERS) {
            throw new NotFollowedError(`the file has a line of more than ${MAX_LINE_CHARACTERS} bytes`);
        }
    }
    const last = parts.join('');
    if (last !== '') {
        yield last.endsWith('\n') ? last : `${last}\n`;
    }
}

/**
 * Brings every record of `text` on one line: line ends inside quoted fields become a character that nothing allows. A field
 * that does not end, with a quote that only blanks, a separator or a line end follow, leaves its record's first line open, and the
 * lines after it are lines of their own.
 * @param isZeekLog whether lines that begin with `#` are no records, whatever they hold.
 * @param isLast whether nothing follows `text`; else `rest` is the record that may go on behind it.
 */
export function joinRecords(
    text: string,
    { separator, isZeekLog = false, isLast }: { separator: string; isZeekLog?: boolean; isLast: boolean },
): { records: string; rest: string } {
    if (!text.includes('"')) {
        return { records: withPlainLineEnds(text), rest: '' };
    }
    const fieldStart = new RegExp(`[\\n\\x${hex(separator)}]"`, 'g');
    const fieldEnd = new RegExp(`${blanks(separator)}(?:\\x${hex(separator)}|\\r?\\n)`, 'y');
    const pieces: string[] = [];
    let copied = 0;
    let record = { start: 0, pieces: 0, copied: 0 };
    let lastClose = 0;
    let opening = text.startsWith('"') ? 0 : nextOpening(fieldStart, text, 0);
    while (opening >= 0) {
        const lineEnd = text.slice(lastClose, opening).lastIndexOf('\n');
        if (lineEnd >= 0) {
            record = { start: lastClose + lineEnd + 1, pieces: pieces.length, copied };
        }
        if (isZeekLog && text[record.start] === '#') {
            lastClose = text.indexOf('\n', record.start);
            opening = nextOpening(fieldStart, text, lastClose);
            continue;
        }
        const closing = closingQuote(text, opening + 1);
        if (closing < 0 && !isLast && text.length - opening <= MAX_QUOTED_CHARACTERS) {
            return { records: withPlainLineEnds(pieces.join('') + text.slice(copied, record.start)), rest: text.slice(record.start) };
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
    return { records: withPlainLineEnds(pieces.join('')), rest: '' };
}

/** Any number of blanks, as a regular expression; a tab is none where it separates. */
export function blanks(separator: string): string {
    return separator === '\t' ? ' *' : '[ \\t]*';
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

/** Where a quoted field ends whose content begins at `from`, or -1. */
function closingQuote(text: string, from: number): number {
    let quote = text.indexOf('"', from);
    while (quote >= 0 && text[quote + 1] === '"') {
        quote = text.indexOf('"', quote + 2);
    }
    return quote;
}
