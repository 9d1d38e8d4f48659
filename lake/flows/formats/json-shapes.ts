/**
 * Records known by heart. Programs write their records alike: between two values stand the same bytes each time, keys and punctuation. These are
 * learned from records that were taken apart with care. A record that is made of learned pieces only is sound, and where its values stand is
 * known, without a look at its keys.
 */

import type { JsonValue } from './json-object.ts';

const QUOTE = 0x22;

/** Role of a value that is not needed. */
export const NO_ROLE = -1;

/** More is not learned: records that are all different are not known by heart. */
const MAX_PIECES = 4_096;
const MAX_PIECE_BYTES = 1 << 12;
const MAX_ALL_BYTES = 1 << 20;
const MAX_PIECES_BEHIND_ONE = 16;

/** A value that was so many texts in the records that were learned from is not steady; nor is one that is longer. */
const MAX_STEADY_TEXTS = 2;
const MAX_STEADY_BYTES = 32;
/** Records that must have come before a value is steady. */
const RECORDS_TO_BE_STEADY = 32;
/** Records at the beginning that are all learned from, and how far apart others are. */
const FIRST_RECORDS = 64;
const RECORDS_APART = 16_384;

/** A place in records where a value stands: the path of its keys, once for texts and once for all else. */
export interface Place {
    role: number;
    /** True where texts stand, without their quotes: these belong to the pieces around. */
    isText: boolean;
    /** The pieces that were met behind this value: the first, which leads to the others. */
    first: Piece | undefined;
    pieceCount: number;
    /** True behind a whole record, where no value stands. */
    isEnd: boolean;
}

/** Bytes between two values, or in front of the first or behind the last one. */
export interface Piece {
    /** Place of its words in `Shapes.words`, and its length in bytes. */
    wordsAt: number;
    length: number;
    /** Place of the value behind it. */
    to: Place;
    next: Piece | undefined;
}

export class Shapes {
    /** Beginning of every record. */
    readonly start: Place = newPlace(NO_ROLE);
    /**
     * The bytes of all pieces, eight to a double; the last word of a piece with a rest overlaps the one in front. As doubles two texts are equal only
     * if all their bytes are: one that is no number equals nothing, and a zero is no text.
     */
    words = new Float64Array(1 << 10);
    readonly #end: Place = newPlace(NO_ROLE, { isEnd: true });
    readonly #places = new Map<string, Place>();
    readonly #roles: ReadonlyMap<string, number>;
    /** The first texts of each value that is not needed. */
    readonly #textsOf = new Map<string, Set<string>>();
    #records = 0;
    #pieces = 0;
    #wordCount = 0;

    constructor(roles: ReadonlyMap<string, number>) {
        this.#roles = roles;
    }

    /**
     * True if the next record should be learned from, even if it is known: the first ones tell which values are steady, later ones what those have
     * become.
     */
    isCurious(): boolean {
        this.#records += 1;
        return this.#records <= FIRST_RECORDS || this.#records % RECORDS_APART === 0;
    }

    /** Learns the pieces of a whole record. */
    learn(bytes: Buffer, values: readonly JsonValue[], { start, end }: { start: number; end: number }): void {
        // An object in the place of a text would be passed over piece by piece.
        if (this.#pieces >= MAX_PIECES || values.some(({ isContainer, path }) => isContainer && this.#roles.has(path))) {
            return;
        }
        const plain = values.filter(({ isContainer }) => !isContainer);
        this.#learnPieces(bytes, plain, { start, end });
        const unsteady = plain.filter((value) => !this.#isSteady(bytes, value));
        if (this.#records >= RECORDS_TO_BE_STEADY && unsteady.length < plain.length) {
            this.#learnPieces(bytes, unsteady, { start, end });
        }
    }

    /** Learns what stands between the values: keys and punctuation, and values that are left out. */
    #learnPieces(bytes: Buffer, values: readonly JsonValue[], { start, end }: { start: number; end: number }): void {
        let place = this.start;
        let from = start;
        for (const value of values) {
            const isText = bytes[value.start] === QUOTE;
            const quote = isText ? 1 : 0;
            const to = this.#placeOf(value.path, isText);
            if (!to || !this.#connect(place, to, bytes.subarray(from, value.start + quote))) {
                return;
            }
            place = to;
            from = value.end - quote;
        }
        this.#connect(place, this.#end, bytes.subarray(from, end));
    }

    /** True for a value that nobody needs and that is one of a few short texts in all records so far: it is as good as a part of its key. */
    #isSteady(bytes: Buffer, { path, start, end }: JsonValue): boolean {
        const texts = this.#textsOf.get(path) ?? new Set();
        if (this.#roles.has(path) || end - start > MAX_STEADY_BYTES || this.#textsOf.size >= MAX_PIECES) {
            return false;
        }
        this.#textsOf.set(path, texts);
        if (texts.size <= MAX_STEADY_TEXTS) {
            texts.add(bytes.toString('latin1', start, end));
        }
        return texts.size <= MAX_STEADY_TEXTS;
    }

    /** The place of a path, new where there is room for one. */
    #placeOf(path: string, isText: boolean): Place | undefined {
        const name = `${isText ? 'text ' : ''}${path}`;
        let place = this.#places.get(name);
        if (!place && this.#places.size < MAX_PIECES) {
            place = newPlace(this.#roles.get(path) ?? NO_ROLE, { isText });
            this.#places.set(name, place);
        }
        return place;
    }

    /** @returns false where there is no room for the piece */
    #connect(from: Place, to: Place, bytes: Buffer): boolean {
        // The longest stand first: a shorter one may be what a longer one begins with.
        let before: Piece | undefined;
        for (let piece = from.first; piece && piece.length >= bytes.length; piece = piece.next) {
            if (this.#isSame(piece, bytes)) {
                return true;
            }
            before = piece;
        }
        const isTooMuch = bytes.length > MAX_PIECE_BYTES || this.#wordCount * WORD_BYTES > MAX_ALL_BYTES;
        if (isTooMuch || this.#pieces >= MAX_PIECES || from.pieceCount >= MAX_PIECES_BEHIND_ONE) {
            return false;
        }
        const next = before ? before.next : from.first;
        const piece: Piece = { wordsAt: this.#wordCount, length: bytes.length, to, next };
        this.#keep(bytes);
        if (before) {
            before.next = piece;
        } else {
            from.first = piece;
        }
        from.pieceCount += 1;
        this.#pieces += 1;
        return true;
    }

    #isSame(piece: Piece, bytes: Buffer): boolean {
        return piece.length === bytes.length && wordsOf(bytes).every((word, at) => word === this.words[piece.wordsAt + at]);
    }

    #keep(bytes: Buffer): void {
        const words = wordsOf(bytes);
        while (this.#wordCount + words.length > this.words.length) {
            const larger = new Float64Array(this.words.length * 2);
            larger.set(this.words);
            this.words = larger;
        }
        this.words.set(words, this.#wordCount);
        this.#wordCount += words.length;
    }
}

function newPlace(role: number, { isText = false, isEnd = false }: { isText?: boolean; isEnd?: boolean } = {}): Place {
    return { role, isText, first: undefined, pieceCount: 0, isEnd };
}

/** Eight bytes are compared at once. */
const WORD_BYTES = 8;

/** Bytes as words; of fewer than eight bytes each is a word. */
function wordsOf(bytes: Buffer): number[] {
    if (bytes.length < WORD_BYTES) {
        return [...bytes];
    }
    const words: number[] = [];
    for (let at = 0; at + WORD_BYTES <= bytes.length; at += WORD_BYTES) {
        words.push(bytes.readDoubleLE(at));
    }
    if (bytes.length % WORD_BYTES !== 0) {
        words.push(bytes.readDoubleLE(bytes.length - WORD_BYTES));
    }
    return words;
}

/** True if the bytes at `at` are those of the piece. The view must reach to their end. */
export function isPieceAt(view: DataView, at: number, piece: Piece, words: Float64Array): boolean {
    const { length } = piece;
    let word = piece.wordsAt;
    if (length < WORD_BYTES) {
        for (let byte = at; byte < at + length; byte += 1) {
            if (view.getUint8(byte) !== words[word]) {
                return false;
            }
            word += 1;
        }
        return true;
    }
    const last = at + length - WORD_BYTES;
    for (let from = at; from < last; from += WORD_BYTES) {
        if (view.getFloat64(from, true) !== words[word]) {
            return false;
        }
        word += 1;
    }
    return view.getFloat64(last, true) === words[word];
}
