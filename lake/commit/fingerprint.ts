/**
 * The fingerprint of what a source contributes: equal for equal figures of the same keys and periods. The site is no part of it, and neither are
 * the order of rows, the packing and the columns of the file, which leave no trace in the figures.
 */
import { createHash, type Hash } from 'node:crypto';
import type { MergedTable } from '#lake/tables';
import { type TextList, textIn } from '#lake/text-list';
import { bigintAt, NO_TEXT, type NumberPiece, PIECE_ROWS, type TextColumn, type TypedRows, textsOf } from '#lake/typed-rows';

/** 128 bits: equal fingerprints are taken for equal figures, and nothing else is looked at. */
const DIGITS = 32;

/** The fingerprint of the rows of a source's contributions; null where there are none. */
export function fingerprintOf(table: MergedTable, periods: Iterable<[string, TypedRows]>): string | null {
    const fingerprint = new Fingerprint(table);
    for (const [period, rows] of periods) {
        fingerprint.add(period, rows);
    }
    return fingerprint.end();
}

/** Takes the fingerprint period by period, so that their rows need not be in memory together. */
export class Fingerprint {
    readonly #table: MergedTable;
    readonly #hash = createHash('sha256');
    readonly #writer = new HashWriter(this.#hash);
    #rowCount = 0;

    constructor(table: MergedTable) {
        this.#table = table;
    }

    /** Takes the rows of the next period, ascending. */
    add(period: string, rows: TypedRows): void {
        const writer = this.#writer;
        writer.text(`\n${period} ${rows.count}`);
        this.#rowCount += rows.count;
        for (const { name, type, nullable } of this.#table.columns.filter((column) => column.name !== 'site')) {
            writer.text(`\n${name} `);
            if (type === 'string') {
                writeTexts(writer, textsOf(rows, name));
                continue;
            }
            for (let from = 0; from < rows.count; from += PIECE_ROWS) {
                const until = Math.min(from + PIECE_ROWS, rows.count);
                const piece = rows.numbers(name, from, until);
                if ((type === 'bigint' || type === 'timestamp') && !nullable) {
                    writer.words(piece.words.subarray(piece.start * piece.width, (piece.start + until - from) * piece.width));
                } else {
                    writeDigits(writer, piece, { count: until - from, isFirst: from === 0 });
                }
            }
        }
    }

    /** The fingerprint of all that was added; null where that has no row. */
    end(): string | null {
        this.#writer.finish();
        return this.#rowCount === 0 ? null : this.#hash.digest('hex').slice(0, DIGITS);
    }
}

const COMMA = 0x2c;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPACE = 0x20;
const ZERO = 0x30;

/** Room for the bytes that are hashed at once, and the longest number of up to 53 bits. */
const ROOM_BYTES = 1 << 16;
const MAX_DIGITS = 16;

/** Hashes bytes piece by piece: a string for each figure cost a twelfth of an upload of a million pairs. */
class HashWriter {
    readonly #hash: Hash;
    readonly #room = Buffer.alloc(ROOM_BYTES);
    #end = 0;

    constructor(hash: Hash) {
        this.#hash = hash;
    }

    finish(): void {
        this.#hash.update(this.#room.subarray(0, this.#end));
        this.#end = 0;
    }

    text(text: string): void {
        this.finish();
        this.#hash.update(text);
    }

    words(words: Int32Array): void {
        this.finish();
        this.#hash.update(words);
    }

    byte(byte: number): void {
        if (this.#end === ROOM_BYTES) {
            this.finish();
        }
        this.#room[this.#end] = byte;
        this.#end += 1;
    }

    /** A text of a list as JSON has it. */
    quoted(texts: TextList, place: number): void {
        const { bytes, starts } = texts;
        const from = starts[place] as number;
        const until = starts[place + 1] as number;
        if (until - from + 2 > ROOM_BYTES - this.#end) {
            this.finish();
        }
        const room = this.#room;
        let end = this.#end;
        room[end] = QUOTE;
        end += 1;
        for (let at = from; at < until && end < ROOM_BYTES - 1; at += 1) {
            const byte = bytes[at] as number;
            if (byte < SPACE || byte === QUOTE || byte === BACKSLASH) {
                break;
            }
            room[end] = byte;
            end += 1;
        }
        if (end - this.#end - 1 < until - from) {
            // JSON writes some of its characters otherwise, or it is longer than the room.
            this.text(JSON.stringify(textIn(texts, place)));
            return;
        }
        room[end] = QUOTE;
        this.#end = end + 1;
    }

    /** A whole number from 0 to below 2^53 in digits. */
    digits(value: number): void {
        if (this.#end + MAX_DIGITS > ROOM_BYTES) {
            this.finish();
        }
        const room = this.#room;
        let end = this.#end + countDigits(value);
        this.#end = end;
        let rest = value;
        while (rest > MAX_INT) {
            const tenth = Math.floor(rest / 10);
            end -= 1;
            room[end] = ZERO + (rest - tenth * 10);
            rest = tenth;
        }
        let whole = rest | 0;
        do {
            const tenth = (whole / 10) | 0;
            end -= 1;
            room[end] = ZERO + (whole - tenth * 10);
            whole = tenth;
        } while (whole > 0);
    }
}

const MAX_INT = 2 ** 31 - 1;

function countDigits(value: number): number {
    let count = 1;
    for (let limit = 10; value >= limit; limit *= 10) {
        count += 1;
    }
    return count;
}

/** Hashes the texts of all rows as the JSON of a list has them, where a null is none. */
function writeTexts(writer: HashWriter, { texts, places }: TextColumn): void {
    writer.text('[');
    for (let row = 0; row < places.length; row += 1) {
        if (row > 0) {
            writer.byte(COMMA);
        }
        const place = places[row] as number;
        if (place === NO_TEXT) {
            writer.text('null');
        } else {
            writer.quoted(texts, place);
        }
    }
    writer.text(']');
}

/** Top words of a number that is exact as a double. */
const MAX_HIGH_WORD = 2 ** 21;

/** Hashes the digits of all numbers with a comma between; a null has none. */
function writeDigits(
    writer: HashWriter,
    { width, words, nulls, start }: NumberPiece,
    { count, isFirst }: { count: number; isFirst: boolean },
): void {
    for (let row = start; row < start + count; row += 1) {
        if (!isFirst || row > start) {
            writer.byte(COMMA);
        }
        if (nulls?.[row] === 1) {
            continue;
        }
        const at = row * width;
        const high = words[at + 1] as number;
        if (high >= 0 && high < MAX_HIGH_WORD && (width === 2 || (words[at + 2] === 0 && (width === 3 || words[at + 3] === 0)))) {
            writer.digits(high * 2 ** 32 + ((words[at] as number) >>> 0));
        } else {
            writer.text(String(bigintAt(words, at, width)));
        }
    }
}
