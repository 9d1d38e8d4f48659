/**
 * The fingerprint of what a source contributes: equal for equal figures of the same keys and periods. The site is no part of it, and neither are
 * the order of rows, the packing and the columns of the file, which leave no trace in the figures.
 */
import { createHash, type Hash } from 'node:crypto';
import type { MergedTable } from '#lake/tables';
import { bigintAt, type NumberColumn, numbersOf, type TextColumn, type TypedRows, textsOf } from '#lake/typed-rows';

/** 128 bits: equal fingerprints are taken for equal figures, and nothing else is looked at. */
const DIGITS = 32;

/** The fingerprint of the rows of a source's contributions, by period and ascending; null where there are none. */
export function fingerprintOf(table: MergedTable, periods: ReadonlyMap<string, TypedRows>): string | null {
    const hash = createHash('sha256');
    let rowCount = 0;
    for (const [period, rows] of periods) {
        hash.update(`\n${period} ${rows.count}`);
        rowCount += rows.count;
        for (const { name, type, nullable } of table.columns.filter((column) => column.name !== 'site')) {
            hash.update(`\n${name} `);
            if (type === 'string') {
                hashTexts(hash, textsOf(rows, name));
            } else if ((type === 'bigint' || type === 'timestamp') && !nullable) {
                hash.update(numbersOf(rows, name).words);
            } else {
                hashDigits(hash, numbersOf(rows, name), rows.count);
            }
        }
    }
    return rowCount === 0 ? null : hash.digest('hex').slice(0, DIGITS);
}

/** Rows that are made into text at a time. */
const PIECE_ROWS = 4096;

/** Hashes the texts of all rows as the JSON of a list has them, where a null is none. */
function hashTexts(hash: Hash, { texts, places }: TextColumn): void {
    const quoted = texts.map((text) => JSON.stringify(text));
    hash.update('[');
    for (let from = 0; from < places.length; from += PIECE_ROWS) {
        const piece = Array.from(places.subarray(from, from + PIECE_ROWS), (place) => quoted[place] ?? 'null');
        hash.update(`${from === 0 ? '' : ','}${piece.join()}`);
    }
    hash.update(']');
}

/** Hashes the digits of all numbers with a comma between; a null has none. */
function hashDigits(hash: Hash, { width, words, nulls }: NumberColumn, count: number): void {
    for (let from = 0; from < count; from += PIECE_ROWS) {
        const until = Math.min(from + PIECE_ROWS, count);
        const piece: string[] = [];
        for (let row = from; row < until; row += 1) {
            piece.push(nulls?.[row] === 1 ? '' : digitsOf(words, row * width, width));
        }
        hash.update(`${from === 0 ? '' : ','}${piece.join()}`);
    }
}

/** Top words of a number that is exact as a double. */
const MAX_HIGH_WORD = 2 ** 21;

function digitsOf(words: Int32Array, at: number, width: number): string {
    const high = words[at + 1] as number;
    const isSmall = high >= 0 && high < MAX_HIGH_WORD && (width === 2 || (words[at + 2] === 0 && (width === 3 || words[at + 3] === 0)));
    return isSmall ? String(high * 2 ** 32 + ((words[at] as number) >>> 0)) : String(bigintAt(words, at, width));
}
