/**
 * Records known by heart. Programs write their records alike: between two values stand the same bytes each time, keys and punctuation. These are
 * learned from records that were taken apart with care. A record that is made of learned pieces only is sound, and where its values stand is
 * known, without a look at its keys.
 */

import type { JsonValue } from './json-object.ts';

const QUOTE = 0x22;

/** More is not learned: records that are all different are not known by heart. */
const MAX_PIECES = 4_096;
export const MAX_PIECE_BYTES = 1 << 12;
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

/** What was learned takes so many bytes at most. */
export const IMAGE_BYTES = 1 << 21;
const FIRST_IMAGE_BYTES = 1 << 12;

// A place in records where a value stands, the path of its keys, once for texts and once for all else: from its beginning in the image to ...
/** ... the first of the pieces that were met behind this value, 0 where there is none, */
export const PLACE_FIRST = 0;
/** ... how many pieces there are, */
const PLACE_PIECES = 4;
/** ... and its kind. */
const PLACE_KIND = 8;
const PLACE_BYTES = 16;

// The kinds of places: of texts, without their quotes, which belong to the pieces around; of all else; and the end of a whole record.
const IS_OTHER = 0;
export const IS_TEXT = 1;
export const IS_END = 2;
/** A kind has the role of its value too, if there is one: times four, and four more. */
export const FIRST_ROLE = 4;

// The bytes between two values, or in front of the first or behind the last one: from the piece's beginning to ...
/** ... the next piece behind the same value, a shorter one or one as long, 0 where there is none, */
export const PIECE_NEXT = 0;
/** ... its length in bytes, */
export const PIECE_LENGTH = 4;
/** ... the place of the value behind it, */
export const PIECE_TO = 8;
/** ... that place's kind, */
export const PIECE_KIND = 12;
/** ... a bit for each of sixteen bytes that is behind the piece, and one more for a piece that is longer than that, */
export const PIECE_BESIDE = 16;
/** ... and its bytes. */
export const PIECE_BYTES_AT = 32;

export class Shapes {
    /**
     * All places and pieces, by their beginnings: numbers of 32 bits, and the bytes of the pieces. It is one piece of memory because the walker has a copy of it
     * in its own. `version` is another one whenever it has changed.
     */
    image: Buffer = Buffer.alloc(FIRST_IMAGE_BYTES);
    version = 0;
    #imageEnd = 0;
    /** Beginning of every record. */
    readonly start: number = this.#newPlace(IS_OTHER);
    readonly #end: number = this.#newPlace(IS_END);
    readonly #places = new Map<string, number>();
    readonly #roles: ReadonlyMap<string, number>;
    /** The first texts of each value that is not needed. */
    readonly #textsOf = new Map<string, Set<string>>();
    #learned = 0;
    /** Records that were taken by heart since. */
    #taken = 0;
    #pieces = 0;

    constructor(roles: ReadonlyMap<string, number>) {
        this.#roles = roles;
    }

    /**
     * How many records may be taken by heart before one should be learned from, even if it is known: the first ones tell which values are steady,
     * later ones what those have become.
     */
    get recordsToCome(): number {
        return this.#learned < FIRST_RECORDS ? 0 : RECORDS_APART - this.#taken;
    }

    /** Counts records that were taken by heart. */
    countTaken(records: number): void {
        this.#taken += records;
    }

    /** Learns the pieces of a whole record. */
    learn(bytes: Buffer, values: readonly JsonValue[], { start, end }: { start: number; end: number }): void {
        this.#learned += 1;
        this.#taken %= RECORDS_APART;
        // An object in the place of a text would be passed over piece by piece.
        if (this.#pieces >= MAX_PIECES || values.some(({ isContainer, path }) => isContainer && this.#roles.has(path))) {
            return;
        }
        const plain = values.filter(({ isContainer }) => !isContainer);
        this.#learnPieces(bytes, plain, { start, end });
        const unsteady = plain.filter((value) => !this.#isSteady(bytes, value));
        if (this.#learned >= RECORDS_TO_BE_STEADY && unsteady.length < plain.length) {
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
            if (to === undefined || !this.#connect(place, to, bytes.subarray(from, value.start + quote))) {
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
    #placeOf(path: string, isText: boolean): number | undefined {
        const name = `${isText ? 'text ' : ''}${path}`;
        let place = this.#places.get(name);
        if (place === undefined && this.#places.size < MAX_PIECES) {
            const role = this.#roles.get(path);
            place = this.#newPlace((isText ? IS_TEXT : IS_OTHER) + (role === undefined ? 0 : FIRST_ROLE + role * 4));
            this.#places.set(name, place);
        }
        return place;
    }

    /** @returns false where there is no room for the piece */
    #connect(from: number, to: number, bytes: Buffer): boolean {
        // The longest stand first: a shorter one may be what a longer one begins with.
        let link = from + PLACE_FIRST;
        for (let piece = this.image.readInt32LE(link); piece !== 0; piece = this.image.readInt32LE(link)) {
            const length = this.image.readInt32LE(piece + PIECE_LENGTH);
            if (length < bytes.length) {
                break;
            }
            if (length === bytes.length && bytes.equals(this.image.subarray(piece + PIECE_BYTES_AT, piece + PIECE_BYTES_AT + length))) {
                return true;
            }
            link = piece + PIECE_NEXT;
        }
        const count = this.image.readInt32LE(from + PLACE_PIECES);
        const isTooMuch = bytes.length > MAX_PIECE_BYTES || this.#imageEnd > MAX_ALL_BYTES;
        if (isTooMuch || this.#pieces >= MAX_PIECES || count >= MAX_PIECES_BEHIND_ONE) {
            return false;
        }
        const piece = this.#allocate(PIECE_BYTES_AT + bytes.length);
        this.image.writeInt32LE(this.image.readInt32LE(link), piece + PIECE_NEXT);
        this.image.writeInt32LE(bytes.length, piece + PIECE_LENGTH);
        this.image.writeInt32LE(to, piece + PIECE_TO);
        this.image.writeInt32LE(this.image.readInt32LE(to + PLACE_KIND), piece + PIECE_KIND);
        const beside = bytes.length > VECTOR_BYTES ? 1 << VECTOR_BYTES : (1 << VECTOR_BYTES) - (1 << bytes.length);
        this.image.writeInt32LE(beside, piece + PIECE_BESIDE);
        this.image.set(bytes, piece + PIECE_BYTES_AT);
        this.image.writeInt32LE(piece, link);
        this.image.writeInt32LE(count + 1, from + PLACE_PIECES);
        this.#pieces += 1;
        return true;
    }

    #newPlace(kind: number): number {
        const place = this.#allocate(PLACE_BYTES);
        this.image.writeInt32LE(kind, place + PLACE_KIND);
        return place;
    }

    /** Room for so many bytes at the end of the image, all of them zero. */
    #allocate(length: number): number {
        const at = this.#imageEnd;
        this.#imageEnd = Math.ceil((at + length) / VECTOR_BYTES) * VECTOR_BYTES;
        if (this.#imageEnd > this.image.length) {
            const larger = Buffer.alloc(Math.max(this.image.length * 2, this.#imageEnd));
            larger.set(this.image);
            this.image = larger;
        }
        this.version += 1;
        return at;
    }
}

/** The walker compares so many bytes at once. */
const VECTOR_BYTES = 16;
