/** Exact running totals of every pair while a file is read: a hash table over typed arrays, one row per pair and written day. */
import { isIP } from 'node:net';

/** Values below this one are added with doubles that never lose a digit; larger ones (durations over 142 years) with bigints. */
export const MAX_FAST_VALUE = 2 ** 52;

const LIMB = 2 ** 52;
const HALF_LIMB = 2 ** 26;

// One row: flows, then for each measure a block of six doubles.
const FLOWS = 0;
export const DURATION = 1;
export const PACKETS = 7;
const ROW_DOUBLES = 13;
// One block: sum and sum of squares as two limbs each (low < 2^52; high counts 2^52s), smallest, largest.
const SUM_LOW = 0;
const SUM_HIGH = 1;
const SQUARES_LOW = 2;
const SQUARES_HIGH = 3;
const MIN = 4;
const MAX = 5;

/** What does not fit the doubles of a row. */
interface Extra {
    sum: bigint;
    squares: bigint;
    min: bigint | undefined;
    max: bigint | undefined;
}

export interface Totals {
    sum: bigint;
    sumSq: bigint;
    min: bigint;
    max: bigint;
}

/** An address as a key: an IPv4 address is its own number, any other text is its place among the texts. */
export interface AddressKey {
    key: number;
    isText: boolean;
}

export class PairTable {
    rowCount = 0;
    #slots = new Int32Array(1 << 12);
    #keys = new Int32Array(3 << 11);
    #totals = new Float64Array(ROW_DOUBLES << 11);
    readonly #extras = new Map<number, Extra>();
    readonly #texts: string[] = [];
    readonly #keyOfText = new Map<string, number>();

    /** The key of an address as written, or undefined where it is no IP address (IPv4 without leading zeros, or IPv6). */
    addressKey(text: string): AddressKey | undefined {
        const kind = isIP(text);
        if (kind === 4) {
            return { key: text.split('.').reduce((number, octet) => (number << 8) | Number(octet), 0), isText: false };
        }
        if (kind === 0) {
            return undefined;
        }
        let key = this.#keyOfText.get(text);
        if (key === undefined) {
            key = this.#texts.push(text) - 1;
            this.#keyOfText.set(text, key);
        }
        return { key, isText: true };
    }

    /**
     * The row of a pair on a written day, made where it is missing. `group` is the day's slot times four, plus 1 where the source
     * and plus 2 where the destination is a text.
     */
    rowOf(source: number, destination: number, group: number): number {
        const slots = this.#slots;
        const keys = this.#keys;
        const mask = slots.length - 1;
        let slot = hashOf(source, destination, group) & mask;
        for (;;) {
            const row = (slots[slot] as number) - 1;
            if (row < 0) {
                return this.#insert(slot, source, destination, group);
            }
            const key = row * 3;
            if (keys[key] === (source | 0) && keys[key + 1] === (destination | 0) && keys[key + 2] === group) {
                return row;
            }
            slot = (slot + 1) & mask;
        }
    }

    /** Counts one flow in a row; both values are whole numbers from 0 to below `MAX_FAST_VALUE`. */
    addFlow(row: number, durationUs: number, packets: number): void {
        const base = row * ROW_DOUBLES;
        const totals = this.#totals;
        totals[base + FLOWS] = (totals[base + FLOWS] as number) + 1;
        this.#add(row, base + DURATION, durationUs);
        this.#add(row, base + PACKETS, packets);
    }

    /** Like `addFlow` for values of any size up to 2^63 - 1. */
    addLargeFlow(row: number, durationUs: bigint, packets: bigint): void {
        const at = row * ROW_DOUBLES + FLOWS;
        this.#totals[at] = (this.#totals[at] as number) + 1;
        this.#addLarge(row, DURATION, durationUs);
        this.#addLarge(row, PACKETS, packets);
    }

    groupOf(row: number): number {
        return this.#keys[row * 3 + 2] as number;
    }

    flowsOf(row: number): number {
        return this.#totals[row * ROW_DOUBLES + FLOWS] as number;
    }

    sourceOf(row: number): string {
        return this.#address(this.#keys[row * 3] as number, (this.groupOf(row) & 1) !== 0);
    }

    destinationOf(row: number): string {
        return this.#address(this.#keys[row * 3 + 1] as number, (this.groupOf(row) & 2) !== 0);
    }

    /** The exact totals of one measure (`DURATION` or `PACKETS`) in a row that has at least one flow. */
    totalsOf(row: number, measure: number): Totals {
        const at = row * ROW_DOUBLES + measure;
        const totals = this.#totals;
        const extra = this.#extras.get(row * ROW_DOUBLES + measure);
        const min = totals[at + MIN] as number;
        const max = totals[at + MAX] as number;
        return {
            sum: whole(totals[at + SUM_HIGH] as number, totals[at + SUM_LOW] as number) + (extra?.sum ?? 0n),
            sumSq: whole(totals[at + SQUARES_HIGH] as number, totals[at + SQUARES_LOW] as number) + (extra?.squares ?? 0n),
            min: min === Number.POSITIVE_INFINITY ? (extra?.min ?? 0n) : BigInt(min),
            max: extra?.max ?? BigInt(Math.max(max, 0)),
        };
    }

    #add(row: number, at: number, value: number): void {
        const totals = this.#totals;
        let low = (totals[at + SUM_LOW] as number) + value;
        if (low >= LIMB) {
            low -= LIMB;
            totals[at + SUM_HIGH] = (totals[at + SUM_HIGH] as number) + 1;
        }
        totals[at + SUM_LOW] = low;
        if (value < HALF_LIMB) {
            low = (totals[at + SQUARES_LOW] as number) + value * value;
            if (low >= LIMB) {
                low -= LIMB;
                totals[at + SQUARES_HIGH] = (totals[at + SQUARES_HIGH] as number) + 1;
            }
            totals[at + SQUARES_LOW] = low;
        } else {
            this.#addWideSquare(row, at, value);
        }
        if (value < (totals[at + MIN] as number)) {
            totals[at + MIN] = value;
        }
        if (value > (totals[at + MAX] as number)) {
            totals[at + MAX] = value;
        }
    }

    /** (h 2^26 + l)^2 = h^2 2^52 + 2hl 2^26 + l^2: every part and every partial sum stays below 2^53, so no double rounds. */
    #addWideSquare(row: number, at: number, value: number): void {
        const totals = this.#totals;
        const high = Math.floor(value / HALF_LIMB);
        const low = value - high * HALF_LIMB;
        const cross = 2 * high * low;
        const crossHigh = Math.floor(cross / HALF_LIMB);
        let squaresLow = (totals[at + SQUARES_LOW] as number) + low * low;
        let squaresHigh = (totals[at + SQUARES_HIGH] as number) + crossHigh;
        if (squaresLow >= LIMB) {
            squaresLow -= LIMB;
            squaresHigh += 1;
        }
        squaresLow += (cross - crossHigh * HALF_LIMB) * HALF_LIMB;
        if (squaresLow >= LIMB) {
            squaresLow -= LIMB;
            squaresHigh += 1;
        }
        totals[at + SQUARES_LOW] = squaresLow;
        if (squaresHigh >= LIMB / 2) {
            // With the next square it may pass 2^53: kept elsewhere.
            this.#extraOf(at).squares += BigInt(squaresHigh) * BigInt(LIMB);
            squaresHigh = 0;
        }
        totals[at + SQUARES_HIGH] = squaresHigh + high * high;
    }

    #addLarge(row: number, measure: number, value: bigint): void {
        const at = row * ROW_DOUBLES + measure;
        if (value < BigInt(MAX_FAST_VALUE)) {
            this.#add(row, at, Number(value));
            return;
        }
        const extra = this.#extraOf(at);
        extra.sum += value;
        extra.squares += value * value;
        extra.min = extra.min === undefined || value < extra.min ? value : extra.min;
        extra.max = extra.max === undefined || value > extra.max ? value : extra.max;
    }

    #extraOf(at: number): Extra {
        let extra = this.#extras.get(at);
        if (!extra) {
            extra = { sum: 0n, squares: 0n, min: undefined, max: undefined };
            this.#extras.set(at, extra);
        }
        return extra;
    }

    #insert(slot: number, source: number, destination: number, group: number): number {
        const row = this.rowCount;
        this.rowCount += 1;
        if (this.rowCount * 3 > this.#keys.length) {
            this.#keys = grown(this.#keys, new Int32Array(this.#keys.length * 2));
            this.#totals = grown(this.#totals, new Float64Array(this.#totals.length * 2));
        }
        this.#keys[row * 3] = source;
        this.#keys[row * 3 + 1] = destination;
        this.#keys[row * 3 + 2] = group;
        for (const measure of [DURATION, PACKETS]) {
            this.#totals[row * ROW_DOUBLES + measure + MIN] = Number.POSITIVE_INFINITY;
            this.#totals[row * ROW_DOUBLES + measure + MAX] = -1;
        }
        this.#slots[slot] = row + 1;
        if (this.rowCount * 2 > this.#slots.length) {
            this.#rehash();
        }
        return row;
    }

    #rehash(): void {
        const count = this.rowCount;
        this.#slots = new Int32Array(this.#slots.length * 4);
        const mask = this.#slots.length - 1;
        for (let row = 0; row < count; row += 1) {
            let slot = hashOf(this.#keys[row * 3] as number, this.#keys[row * 3 + 1] as number, this.#keys[row * 3 + 2] as number) & mask;
            while (this.#slots[slot] !== 0) {
                slot = (slot + 1) & mask;
            }
            this.#slots[slot] = row + 1;
        }
    }

    #address(key: number, isText: boolean): string {
        return isText ? (this.#texts[key] ?? '') : `${key >>> 24}.${(key >>> 16) & 255}.${(key >>> 8) & 255}.${key & 255}`;
    }
}

function hashOf(source: number, destination: number, group: number): number {
    const mixed = Math.imul(source, 0x9e3779b1) ^ Math.imul(destination, 0x85ebca6b) ^ Math.imul(group, 0xc2b2ae35);
    const hash = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
    return hash ^ (hash >>> 13);
}

function grown<T extends Int32Array | Float64Array>(from: T, to: T): T {
    to.set(from);
    return to;
}

function whole(high: number, low: number): bigint {
    return high === 0 ? BigInt(low) : BigInt(high) * BigInt(LIMB) + BigInt(low);
}
