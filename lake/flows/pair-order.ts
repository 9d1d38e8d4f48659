/** The order of a table's pairs by the text of their addresses, found without a text for each pair. */
import { compareTexts } from '#lake/rows';
import type { PairTable } from './pair-table.ts';

export interface PairOrder {
    /** The table's rows by source and destination, ascending by the texts' bytes. */
    rows: Int32Array;
    /** All their addresses, each once, ascending. */
    texts: string[];
    /** Places of the ordered rows' addresses in `texts`. */
    sources: Int32Array;
    destinations: Int32Array;
}

/** The order of some of the table's rows. */
export function orderPairs(table: PairTable, rows: readonly number[]): PairOrder {
    const addresses = new Addresses();
    const sources = new Int32Array(rows.length);
    const destinations = new Int32Array(rows.length);
    for (let at = 0; at < rows.length; at += 1) {
        const row = rows[at] as number;
        const group = table.groupOf(row);
        sources[at] = addresses.add(table.sourceKeyOf(row), group & 1);
        destinations[at] = addresses.add(table.destinationKeyOf(row), group & 2);
    }
    const { texts, placeOf } = addresses.sorted(table);
    for (let at = 0; at < rows.length; at += 1) {
        sources[at] = placeOf[sources[at] as number] as number;
        destinations[at] = placeOf[destinations[at] as number] as number;
    }
    const byDestination = sortStably(
        Int32Array.from(rows, (_, at) => at),
        destinations,
        texts.length,
    );
    const order = sortStably(byDestination, sources, texts.length);
    return {
        rows: order.map((at) => rows[at] as number),
        texts,
        sources: order.map((at) => sources[at] as number),
        destinations: order.map((at) => destinations[at] as number),
    };
}

const FIRST_ADDRESSES = 1 << 10;

/** Addresses in the order in which they are met, each once: far fewer than pairs as a rule. */
class Addresses {
    count = 0;
    /** An IPv4 address as a number whose order is that of its text, or the number of a text. */
    #keys = new Int32Array(FIRST_ADDRESSES);
    #isText = new Uint8Array(FIRST_ADDRESSES);
    /** Numbers of the addresses, from 1, by their hashes; 0 where there is none. */
    #slots = new Int32Array(FIRST_ADDRESSES * 4);

    /** The number of the address with this key of the table's. */
    add(tableKey: number, textBit: number): number {
        const key = textBit === 0 ? rankOf(tableKey) : tableKey;
        const isText = textBit === 0 ? 0 : 1;
        const last = this.#slots.length - 1;
        let slot = hashOf(key + isText) & last;
        for (let place = this.#slots[slot] as number; place !== 0; place = this.#slots[slot] as number) {
            if (this.#keys[place - 1] === key && this.#isText[place - 1] === isText) {
                return place - 1;
            }
            slot = (slot + 1) & last;
        }
        if (this.count === this.#keys.length) {
            this.#grow();
            return this.add(tableKey, textBit);
        }
        this.#keys[this.count] = key;
        this.#isText[this.count] = isText;
        this.count += 1;
        this.#slots[slot] = this.count;
        return this.count - 1;
    }

    #grow(): void {
        const [keys, isText] = [this.#keys, this.#isText];
        this.#keys = new Int32Array(keys.length * 2);
        this.#keys.set(keys);
        this.#isText = new Uint8Array(keys.length * 2);
        this.#isText.set(isText);
        this.#slots = new Int32Array(this.#slots.length * 2);
        const last = this.#slots.length - 1;
        for (let at = 0; at < this.count; at += 1) {
            let slot = hashOf((keys[at] as number) + (isText[at] as number)) & last;
            while (this.#slots[slot] !== 0) {
                slot = (slot + 1) & last;
            }
            this.#slots[slot] = at + 1;
        }
    }

    /** The addresses' texts, ascending, and the place among them of each address by its number. */
    sorted(table: PairTable): { texts: string[]; placeOf: Int32Array } {
        const numbers = Int32Array.from({ length: this.count }, (_, at) => at);
        const ranked = sortByKey(
            numbers.filter((at) => this.#isText[at] === 0),
            this.#keys,
        );
        const textOf = (at: number): string => table.textOf(this.#keys[at] as number);
        const others = numbers.filter((at) => this.#isText[at] === 1).sort((a, b) => compareTexts(textOf(a), textOf(b)));
        const texts: string[] = [];
        const placeOf = new Int32Array(this.count);
        let other = 0;
        const takeOthers = (before?: string): void => {
            while (other < others.length) {
                const text = textOf(others[other] as number);
                if (before !== undefined && compareTexts(text, before) > 0) {
                    return;
                }
                placeOf[others[other] as number] = texts.push(text) - 1;
                other += 1;
            }
        };
        for (const at of ranked) {
            const text = addressOf(this.#keys[at] as number);
            takeOthers(text);
            placeOf[at] = texts.push(text) - 1;
        }
        takeOthers();
        return { texts, placeOf };
    }
}

/** All octets, ascending as texts: 0, 1, 10, 100, 101 ... As `.` comes in front of all digits, whole addresses are in the order of their octets. */
const OCTETS = Array.from({ length: 256 }, (_, octet) => octet).sort((a, b) => compareTexts(String(a), String(b)));

const RANKS = new Uint8Array(256);
for (const [rank, octet] of OCTETS.entries()) {
    RANKS[octet] = rank;
}

const RANKED_TEXTS = OCTETS.map(String);

/** The IPv4 address with each octet's rank in its place. */
function rankOf(address: number): number {
    return (
        ((RANKS[address >>> 24] as number) << 24) |
        ((RANKS[(address >>> 16) & 255] as number) << 16) |
        ((RANKS[(address >>> 8) & 255] as number) << 8) |
        (RANKS[address & 255] as number)
    );
}

function addressOf(rank: number): string {
    return `${RANKED_TEXTS[rank >>> 24]}.${RANKED_TEXTS[(rank >>> 16) & 255]}.${RANKED_TEXTS[(rank >>> 8) & 255]}.${RANKED_TEXTS[rank & 255]}`;
}

function hashOf(key: number): number {
    const hash = Math.imul(key ^ (key >>> 16), 0x85ebca6b);
    return hash ^ (hash >>> 13);
}

const DIGIT_BITS = 11;
const DIGITS = 1 << DIGIT_BITS;

/** The numbers by their keys, which are below `end`; equal ones stay in their order: radix sort, lowest digit first. */
function sortStably(numbers: Int32Array, keys: Int32Array, end: number): Int32Array {
    let sorted = numbers;
    for (let shift = 0; shift < 32 && (end - 1) >>> shift > 0; shift += DIGIT_BITS) {
        sorted = sortByDigit(sorted, keys, shift);
    }
    return sorted;
}

/** The numbers by their keys as numbers of 32 bits without a sign. */
function sortByKey(numbers: Int32Array, keys: Int32Array): Int32Array {
    return sortStably(numbers, keys, 2 ** 32);
}

function sortByDigit(numbers: Int32Array, keys: Int32Array, shift: number): Int32Array {
    const starts = new Int32Array(DIGITS + 1);
    for (let at = 0; at < numbers.length; at += 1) {
        const digit = ((keys[numbers[at] as number] as number) >>> shift) & (DIGITS - 1);
        starts[digit + 1] = (starts[digit + 1] as number) + 1;
    }
    for (let digit = 1; digit < DIGITS; digit += 1) {
        starts[digit] = (starts[digit] as number) + (starts[digit - 1] as number);
    }
    const sorted = new Int32Array(numbers.length);
    for (let at = 0; at < numbers.length; at += 1) {
        const number = numbers[at] as number;
        const digit = ((keys[number] as number) >>> shift) & (DIGITS - 1);
        const place = starts[digit] as number;
        starts[digit] = place + 1;
        sorted[place] = number;
    }
    return sorted;
}
