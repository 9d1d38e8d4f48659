/** The order of a table's pairs by the text of their addresses, found without a text for each pair. */
import { compareTexts } from '#lake/rows';
import { orderOfTexts, pickTexts, type TextList, toTextList, uniteTexts } from '#lake/text-list';
import type { PairTable } from './pair-table.ts';

export interface PairOrder {
    /** The table's rows by source and destination, ascending by the texts' bytes. */
    order: Int32Array;
    /** All their addresses, each once, ascending. */
    texts: TextList;
    /** Places of the ordered rows' addresses in `texts`. */
    sources: Int32Array;
    destinations: Int32Array;
}

/** The order of some of the table's rows. */
export function orderPairs(table: PairTable, rows: Int32Array): PairOrder {
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
        Int32Array.from({ length: rows.length }, (_, at) => at),
        destinations,
        texts.count,
    );
    const order = sortStably(byDestination, sources, texts.count);
    return { order: valuesAt(rows, order), texts, sources: valuesAt(sources, order), destinations: valuesAt(destinations, order) };
}

function valuesAt(values: Int32Array, places: Int32Array): Int32Array {
    const picked = new Int32Array(places.length);
    for (let at = 0; at < places.length; at += 1) {
        picked[at] = values[places[at] as number] as number;
    }
    return picked;
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
    sorted(table: PairTable): { texts: TextList; placeOf: Int32Array } {
        const ranked = sortByKey(this.#numbersWhere(0), this.#keys);
        const others = this.#numbersWhere(1);
        const otherTexts = toTextList(Array.from(others, (at) => table.textOf(this.#keys[at] as number)));
        const otherOrder = orderOfTexts(otherTexts);
        const { texts, placesOf } = uniteTexts([addressesOf(ranked, this.#keys), pickTexts(otherTexts, otherOrder)]);
        const placeOf = new Int32Array(this.count);
        for (let at = 0; at < ranked.length; at += 1) {
            placeOf[ranked[at] as number] = placesOf[0]?.[at] as number;
        }
        for (let at = 0; at < others.length; at += 1) {
            placeOf[others[otherOrder[at] as number] as number] = placesOf[1]?.[at] as number;
        }
        return { texts, placeOf };
    }

    /** The numbers of the addresses that are texts (1), or of those that are not (0). */
    #numbersWhere(isText: number): Int32Array {
        const numbers = new Int32Array(this.count);
        let count = 0;
        for (let at = 0; at < this.count; at += 1) {
            if (this.#isText[at] === isText) {
                numbers[count] = at;
                count += 1;
            }
        }
        return numbers.subarray(0, count);
    }
}

/** All octets, ascending as texts: 0, 1, 10, 100, 101 ... As `.` comes in front of all digits, whole addresses are in the order of their octets. */
const OCTETS = Array.from({ length: 256 }, (_, octet) => octet).sort((a, b) => compareTexts(String(a), String(b)));

const RANKS = new Uint8Array(256);
for (const [rank, octet] of OCTETS.entries()) {
    RANKS[octet] = rank;
}

/** The IPv4 address with each octet's rank in its place. */
function rankOf(address: number): number {
    return (
        ((RANKS[address >>> 24] as number) << 24) |
        ((RANKS[(address >>> 16) & 255] as number) << 16) |
        ((RANKS[(address >>> 8) & 255] as number) << 8) |
        (RANKS[address & 255] as number)
    );
}

const MAX_ADDRESS_BYTES = 15;
const POINT = 0x2e;
const DIGIT_ZERO = 0x30;

/** The texts of the IPv4 addresses that have these numbers, by their ranks. */
function addressesOf(numbers: Int32Array, ranks: Int32Array): TextList {
    const bytes = new Uint8Array(numbers.length * MAX_ADDRESS_BYTES);
    const starts = new Int32Array(numbers.length + 1);
    let end = 0;
    for (let at = 0; at < numbers.length; at += 1) {
        const rank = ranks[numbers[at] as number] as number;
        for (let shift = 24; shift >= 0; shift -= 8) {
            const octet = OCTETS[(rank >>> shift) & 255] as number;
            if (octet >= 100) {
                bytes[end] = DIGIT_ZERO + Math.floor(octet / 100);
                end += 1;
            }
            if (octet >= 10) {
                bytes[end] = DIGIT_ZERO + (Math.floor(octet / 10) % 10);
                end += 1;
            }
            bytes[end] = DIGIT_ZERO + (octet % 10);
            end += 1;
            if (shift > 0) {
                bytes[end] = POINT;
                end += 1;
            }
        }
        starts[at + 1] = end;
    }
    return { count: numbers.length, bytes, starts };
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
    let spare: Int32Array = new Int32Array(numbers.length);
    for (let shift = 0; shift < 32 && (end - 1) >>> shift > 0; shift += DIGIT_BITS) {
        sortByDigit(sorted, spare, { keys, shift });
        [sorted, spare] = [spare, sorted];
    }
    return sorted;
}

/** The numbers by their keys as numbers of 32 bits without a sign. */
function sortByKey(numbers: Int32Array, keys: Int32Array): Int32Array {
    return sortStably(numbers, keys, 2 ** 32);
}

function sortByDigit(numbers: Int32Array, into: Int32Array, { keys, shift }: { keys: Int32Array; shift: number }): void {
    const starts = new Int32Array(DIGITS + 1);
    for (let at = 0; at < numbers.length; at += 1) {
        const digit = ((keys[numbers[at] as number] as number) >>> shift) & (DIGITS - 1);
        starts[digit + 1] = (starts[digit + 1] as number) + 1;
    }
    for (let digit = 1; digit < DIGITS; digit += 1) {
        starts[digit] = (starts[digit] as number) + (starts[digit - 1] as number);
    }
    for (let at = 0; at < numbers.length; at += 1) {
        const number = numbers[at] as number;
        const digit = ((keys[number] as number) >>> shift) & (DIGITS - 1);
        const place = starts[digit] as number;
        starts[digit] = place + 1;
        into[place] = number;
    }
}
