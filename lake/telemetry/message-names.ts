/**
 * Identities of messages. Most are 16 hex digits of a hash: those are two words of 32 bits each, and become texts only where a table needs them. What
 * profiles name is kept as text.
 */

import { compareTexts } from '#lake/rows';
import { type TextList, toTextList } from '#lake/text-list';

const HASH = /^[0-9a-f]{16}$/;

/** Identities by themselves. */
interface PickedNames {
    /** Their numbers, as `MessageNames` gives them. */
    numbers: Int32Array;
    /** The lower word of each hash, then its higher one. */
    hashes: Int32Array;
    names: readonly string[];
}

/** Identities of the messages of one source, each under a number: from 0 on for hashes, below 0 for all others. A repeat may have another number. */
export class MessageNames {
    /** The lower word of each hash, then its higher one: in memory a whole number of 64 bits. */
    #words = new Uint32Array(2 * 1024);
    #hashes = 0;
    readonly #names: string[] = [];
    readonly #placeOfName = new Map<string, number>();

    /** The number of a hash, by its first 8 digits and its last 8. */
    addHash(high: number, low: number): number {
        if (this.#hashes * 2 === this.#words.length) {
            const larger = new Uint32Array(this.#words.length * 2);
            larger.set(this.#words);
            this.#words = larger;
        }
        this.#words[this.#hashes * 2] = low;
        this.#words[this.#hashes * 2 + 1] = high;
        this.#hashes += 1;
        return this.#hashes - 1;
    }

    /** The number of any identity. */
    add(name: string): number {
        if (HASH.test(name)) {
            return this.addHash(Number.parseInt(name.slice(0, 8), 16), Number.parseInt(name.slice(8), 16));
        }
        let place = this.#placeOfName.get(name);
        if (place === undefined) {
            place = this.#names.length;
            this.#names.push(name);
            this.#placeOfName.set(name, place);
        }
        return -1 - place;
    }

    /** The identities that the numbers name, and the number of each among them. Neighbours are often the same. */
    pick(numbers: Int32Array): PickedNames {
        const picked = new MessageNames();
        const ofPicked = new Int32Array(numbers.length);
        for (let at = 0; at < numbers.length; at += 1) {
            const number = numbers[at] as number;
            if (at > 0 && number === numbers[at - 1]) {
                ofPicked[at] = ofPicked[at - 1] as number;
            } else if (number < 0) {
                ofPicked[at] = picked.add(this.textOf(number));
            } else {
                ofPicked[at] = picked.addHash(this.#words[number * 2 + 1] as number, this.#words[number * 2] as number);
            }
        }
        return { numbers: ofPicked, hashes: new Int32Array(picked.#words.buffer, 0, picked.#hashes * 2), names: picked.#names };
    }

    /** Adds identities that were picked from others, and changes their numbers in place to those that they have here. */
    addPicked({ numbers, hashes, names }: PickedNames): void {
        const before = this.#hashes;
        for (let at = 0; at < hashes.length; at += 2) {
            this.addHash(hashes[at + 1] as number, hashes[at] as number);
        }
        const numberHere = names.map((name) => this.add(name));
        for (let at = 0; at < numbers.length; at += 1) {
            const number = numbers[at] as number;
            numbers[at] = number < 0 ? (numberHere[-1 - number] as number) : before + number;
        }
    }

    /** The text of an identity. */
    textOf(number: number): string {
        return number < 0
            ? (this.#names[-1 - number] as string)
            : (textsOfHashes(this.#words.subarray(number * 2, number * 2 + 2))[0] as string);
    }

    /** Texts of these identities, each once and ascending, and the place of each of the `count` first ones among them. Neighbours are often the same. */
    sort(numbers: Int32Array, count: number): { texts: TextList; places: Int32Array } {
        const { hashes, names } = this.#distinctOf(numbers, count);
        const united = names.length === 0 ? undefined : this.#unite(textsOfHashes(hashes), names);
        const sorted = new SortedHashes(hashes);
        const places = new Int32Array(count);
        for (let at = 0; at < count; at += 1) {
            const number = numbers[at] as number;
            if (at > 0 && number === numbers[at - 1]) {
                places[at] = places[at - 1] as number;
            } else if (number < 0) {
                places[at] = united?.placeOfName.get(number) as number;
            } else {
                const place = sorted.find(this.#words[number * 2 + 1] as number, this.#words[number * 2] as number);
                places[at] = united ? (united.placeOfHash[place] as number) : place;
            }
        }
        return { texts: united ? toTextList(united.texts) : listOfHashes(hashes), places };
    }

    /** Both lists of texts in one, and the places of either's. */
    #unite(hashes: string[], names: readonly number[]): { texts: string[]; placeOfHash: Int32Array; placeOfName: Map<number, number> } {
        const placeOfHash = Int32Array.from(hashes, (_, at) => at);
        const placeOfName = new Map<number, number>();
        const texts: string[] = [];
        for (let hash = 0, name = 0; hash < hashes.length || name < names.length; ) {
            const text = hashes[hash];
            const number = names[name];
            const other = number === undefined ? undefined : this.textOf(number);
            if (number === undefined || other === undefined || (text !== undefined && compareTexts(text, other) < 0)) {
                placeOfHash[hash] = texts.length;
                texts.push(text as string);
                hash += 1;
            } else {
                placeOfName.set(number, texts.length);
                texts.push(other);
                name += 1;
            }
        }
        return { texts, placeOfHash, placeOfName };
    }

    /** The hashes among the identities, each once, as words and ascending; and the numbers of the other ones, ascending by their texts. */
    #distinctOf(numbers: Int32Array, count: number): { hashes: Uint32Array; names: number[] } {
        const names = new Set<number>();
        const words = new Uint32Array(count * 2);
        let length = 0;
        for (let at = 0; at < count; at += 1) {
            const number = numbers[at] as number;
            if (number < 0) {
                names.add(number);
            } else if (at === 0 || number !== numbers[at - 1]) {
                words[length] = this.#words[number * 2] as number;
                words[length + 1] = this.#words[number * 2 + 1] as number;
                length += 2;
            }
        }
        // Sorted as they lie in memory: no object is made.
        new BigUint64Array(words.buffer, 0, length / 2).sort();
        let distinct = 0;
        for (let at = 0; at < length; at += 2) {
            if (distinct === 0 || words[at] !== words[distinct - 2] || words[at + 1] !== words[distinct - 1]) {
                words[distinct] = words[at] as number;
                words[distinct + 1] = words[at + 1] as number;
                distinct += 2;
            }
        }
        const sorted = [...names].sort((a, b) => compareTexts(this.textOf(a), this.textOf(b)));
        return { hashes: words.subarray(0, distinct), names: sorted };
    }
}

/** Hashes as words, ascending, each once. */
class SortedHashes {
    readonly #words: Uint32Array;
    /** The first hash of each value that the highest bits may have, and one end more: hashes are all over the place, so that few share theirs. */
    readonly #starts: Int32Array;
    readonly #shift: number;

    constructor(words: Uint32Array) {
        this.#words = words;
        const count = words.length / 2;
        const bits = Math.min(MAX_BITS, Math.max(1, 32 - Math.clz32(count)));
        this.#shift = 32 - bits;
        this.#starts = new Int32Array((1 << bits) + 1);
        for (let hash = 0, bucket = 0; bucket < 1 << bits; bucket += 1) {
            while (hash < count && (words[hash * 2 + 1] as number) >>> this.#shift <= bucket) {
                hash += 1;
            }
            this.#starts[bucket + 1] = hash;
        }
    }

    /** The place of one of them. */
    find(high: number, low: number): number {
        const words = this.#words;
        const bucket = high >>> this.#shift;
        let from = this.#starts[bucket] as number;
        let until = this.#starts[bucket + 1] as number;
        while (from + 1 < until) {
            const middle = (from + until) >>> 1;
            const middleHigh = words[middle * 2 + 1] as number;
            if (middleHigh < high || (middleHigh === high && (words[middle * 2] as number) <= low)) {
                from = middle;
            } else {
                until = middle;
            }
        }
        return from;
    }
}

const MAX_BITS = 20;

/** Hashes that become one text, of which each is a part, at a time. */
const HASHES_AT_ONCE = 1 << 14;
const HASH_BYTES = 8;
const HASH_DIGITS = 16;

/** Texts of hashes that are given as words. One call for many is five times as fast as one for each. */
function textsOfHashes(words: Uint32Array): string[] {
    const texts: string[] = [];
    for (let from = 0; from < words.length; from += HASHES_AT_ONCE * 2) {
        const until = Math.min(from + HASHES_AT_ONCE * 2, words.length);
        const bytes = Buffer.allocUnsafe((until - from) * 4);
        for (let at = from; at < until; at += 2) {
            bytes.writeUInt32BE(words[at + 1] as number, (at - from) * 4);
            bytes.writeUInt32BE(words[at] as number, (at - from) * 4 + 4);
        }
        const hex = bytes.toString('hex');
        for (let at = 0; at < bytes.length / HASH_BYTES; at += 1) {
            texts.push(hex.slice(at * HASH_DIGITS, (at + 1) * HASH_DIGITS));
        }
    }
    return texts;
}

const DIGITS = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0));

/** The texts of hashes, without a string of any. */
function listOfHashes(words: Uint32Array): TextList {
    const count = words.length / 2;
    const bytes = new Uint8Array(count * HASH_DIGITS);
    const starts = new Int32Array(count + 1);
    for (let hash = 0; hash < count; hash += 1) {
        const at = hash * HASH_DIGITS;
        starts[hash + 1] = at + HASH_DIGITS;
        let rest = words[hash * 2 + 1] as number;
        for (let digit = HASH_DIGITS / 2 - 1; digit >= 0; digit -= 1, rest >>>= 4) {
            bytes[at + digit] = DIGITS[rest & 0xf] as number;
        }
        rest = words[hash * 2] as number;
        for (let digit = HASH_DIGITS - 1; digit >= HASH_DIGITS / 2; digit -= 1, rest >>>= 4) {
            bytes[at + digit] = DIGITS[rest & 0xf] as number;
        }
    }
    return { count, bytes, starts };
}
