/** Distinct texts of a column by their bytes: a string is made once for each, and not for every row. */
import { areUtf8 } from '#lake/text-list';
import { sortTexts, type TextColumn } from '#lake/typed-rows';

/** Room at first. It grows fast, and very many objects are small. */
const FIRST_TEXTS = 1 << 6;
const FIRST_BYTES = 1 << 10;

export class TextIndex {
    count = 0;
    /** All texts one behind the other. */
    #bytes = Buffer.alloc(FIRST_BYTES);
    #isAscii = true;
    /** The place where each text begins, and behind the last one where the next will. */
    #starts = new Int32Array(FIRST_TEXTS + 1);
    /** Numbers of the texts, from 1, by their hashes; 0 where there is none. */
    #slots = new Int32Array(FIRST_TEXTS * 4);

    /** The number of a text, which is its place among those met so far. */
    add(bytes: Uint8Array, from: number, until: number): number {
        let slot = hashOf(bytes, from, until) & (this.#slots.length - 1);
        for (let place = this.#slots[slot] as number; place !== 0; place = this.#slots[slot] as number) {
            if (this.#isEqual(place - 1, bytes, from, until)) {
                return place - 1;
            }
            slot = (slot + 1) & (this.#slots.length - 1);
        }
        this.#append(bytes, from, until);
        this.#slots[slot] = this.count;
        if (this.count * 2 > this.#slots.length) {
            this.#rehash();
        }
        return this.count - 1;
    }

    /** The column of rows that have these numbers, which it changes; undefined where a text is no UTF-8. */
    toColumn(places: Int32Array): TextColumn | undefined {
        const texts = { count: this.count, bytes: this.#bytes, starts: this.#starts };
        return this.#isAscii || areUtf8(texts) ? sortTexts(texts, places) : undefined;
    }

    #isEqual(text: number, bytes: Uint8Array, from: number, until: number): boolean {
        const start = this.#starts[text] as number;
        if ((this.#starts[text + 1] as number) - start !== until - from) {
            return false;
        }
        const known = this.#bytes;
        for (let at = from; at < until; at += 1) {
            if (known[start + at - from] !== bytes[at]) {
                return false;
            }
        }
        return true;
    }

    #append(bytes: Uint8Array, from: number, until: number): void {
        const start = this.#starts[this.count] as number;
        const end = start + until - from;
        if (end > this.#bytes.length) {
            const before = this.#bytes;
            this.#bytes = Buffer.alloc(Math.max(end, before.length * 2));
            this.#bytes.set(before);
        }
        for (let at = from; at < until; at += 1) {
            const byte = bytes[at] as number;
            this.#bytes[start + at - from] = byte;
            this.#isAscii &&= byte < 0x80;
        }
        this.count += 1;
        if (this.count === this.#starts.length) {
            const before = this.#starts;
            this.#starts = new Int32Array(before.length * 2);
            this.#starts.set(before);
        }
        this.#starts[this.count] = end;
    }

    #rehash(): void {
        this.#slots = new Int32Array(this.#slots.length * 4);
        for (let text = 0; text < this.count; text += 1) {
            let slot = hashOf(this.#bytes, this.#starts[text] as number, this.#starts[text + 1] as number) & (this.#slots.length - 1);
            while (this.#slots[slot] !== 0) {
                slot = (slot + 1) & (this.#slots.length - 1);
            }
            this.#slots[slot] = text + 1;
        }
    }
}

function hashOf(bytes: Uint8Array, from: number, until: number): number {
    let hash = until - from;
    for (let at = from; at < until; at += 1) {
        hash = Math.imul(hash ^ (bytes[at] as number), 0x0100_0193);
    }
    return hash ^ (hash >>> 15);
}
