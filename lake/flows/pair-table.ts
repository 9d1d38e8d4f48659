/** Exact running totals of every pair while a file is read: a hash table over typed arrays, one row per pair and written day. */
import { shortAddress } from '#lake/addresses';
import type { FlowBatch } from './flow-batch.ts';

/** Values below this one are added with doubles that never lose a digit; larger ones (durations from 71 minutes on) with bigints. */
export const MAX_FAST_VALUE = 2 ** 32 - 1;

/** Stands in a row's MIN while no fast value was met; no fast value equals it. */
const NONE = MAX_FAST_VALUE;

/** Stands for the duration of a flow that has none: all 32 bits set, as in no value below `MAX_FAST_VALUE`. */
export const UNTIMED = 0xffff_ffff;

/** The measures: a new one is one more number, and one more argument of `addFlow` and `addLargeFlow`. */
export const DURATION = 0;
export const PACKETS = 1;
const MEASURES = [DURATION, PACKETS] as const;
export type Measure = (typeof MEASURES)[number];

// With two measures a row is 80 bytes, so that a flow touches two lines of the processor's cache, seldom three. First words of 32 bits ...
const SOURCE = 0;
const DESTINATION = 1;
const GROUP = 2;
const FLOWS = 3;
// ... of them two for each measure,
const BOUNDS = 4;
const BOUNDS_WORDS = 2;
const MIN = 0;
const MAX = 1;
// ... then doubles, three for each measure: sum, and sum of squares as two limbs (the high one counts 2^32s).
const SUMS = (BOUNDS + MEASURES.length * BOUNDS_WORDS) / 2;
const SUMS_DOUBLES = 3;
const SUM = 0;
const SQUARES_LOW = 1;
const SQUARES_HIGH = 2;
const ROW_DOUBLES = SUMS + MEASURES.length * SUMS_DOUBLES;
const ROW_WORDS = ROW_DOUBLES * 2;

const LIMB = 2 ** 32;

/** A flow adds less than 2^32 to each double: after 2^20 flows all of them are still below 2^52, and are moved elsewhere. */
const MAX_ROW_FLOWS = 2 ** 20;

const FIRST_ROWS = 1 << 11;

/** Stands for the target of a row that stays where it is, or has been moved. */
const ARRANGED = -1;

/** What a row no longer holds, or never did: its first flows, and all values from `MAX_FAST_VALUE` on. */
interface Extra {
    flows: number;
    /** Totals of each measure. */
    totals: Record<Measure, LargeTotals>;
}

interface LargeTotals {
    sum: bigint;
    squares: bigint;
    /** Bounds of the large values alone; undefined before the first one. */
    min: bigint | undefined;
    max: bigint | undefined;
}

/** Totals of what a row's flows have of a measure; no smallest and no largest where none of them has it. */
export interface Totals {
    sum: bigint;
    sumSq: bigint;
    min: bigint | null;
    max: bigint | null;
}

/** An address as a key: an IPv4 address is its own number, an IPv6 address is the place of its short form among the texts. */
export interface AddressKey {
    key: number;
    isText: boolean;
}

export class PairTable {
    rowCount = 0;
    /** The rows, in three views of the same bytes. The row with number n is the one at place n + 1: the first one is no row. */
    #words = new Int32Array(0);
    #bounds = new Uint32Array(0);
    #sums = new Float64Array(0);
    /**
     * Places of the rows by hash: the place of a row whose key has this hash or one of those in front, 0 where there is none. Undefined once rows
     * were arranged: then no flow can be added, and whoever tries gets a TypeError.
     */
    #places: Int32Array | undefined = new Int32Array(FIRST_ROWS * 4);
    readonly #extras = new Map<number, Extra>();
    /** How many flows of each row have no duration; there once a flow has none, and not for every row. Most files never need it. */
    #untimed: Float64Array | undefined;
    readonly #texts: string[] = [];
    readonly #keyOfText = new Map<string, number>();

    constructor() {
        this.#setRows(new ArrayBuffer((FIRST_ROWS + 1) * ROW_WORDS * 4));
        // No group is negative: nothing equals the row that is none.
        this.#words[GROUP] = -1;
    }

    /** The key of an address, whichever way it is written; undefined where it is no IP address (IPv4 without leading zeros, or IPv6). */
    addressKey(text: string): AddressKey | undefined {
        const known = this.#keyOfText.get(text);
        if (known !== undefined) {
            return { key: known, isText: true };
        }
        const short = shortAddress(text);
        if (short === undefined) {
            return undefined;
        }
        if (!short.includes(':')) {
            return { key: short.split('.').reduce((number, octet) => (number << 8) | Number(octet), 0), isText: false };
        }
        const key = this.#keyOfText.get(short) ?? this.#texts.push(short) - 1;
        this.#keyOfText.set(short, key);
        this.#keyOfText.set(text, key);
        return { key, isText: true };
    }

    /**
     * The row of a pair on a written day, made where it is missing. `group` is the day's slot times four, plus 1 where the source
     * and plus 2 where the destination is a text.
     */
    rowOf(source: number, destination: number, group: number): number {
        const places = this.#places as Int32Array;
        const words = this.#words;
        const lastIndex = places.length - 1;
        let index = hashOf(source, destination, group) & lastIndex;
        for (;;) {
            const place = places[index] as number;
            if (place === 0) {
                return this.#insert(index, source, destination, group);
            }
            const at = place * ROW_WORDS;
            if (words[at + SOURCE] === (source | 0) && words[at + DESTINATION] === (destination | 0) && words[at + GROUP] === group) {
                return place - 1;
            }
            index = (index + 1) & lastIndex;
        }
    }

    /**
     * Counts all flows of a batch and empties it. Rows of a large table are far away in memory, and one at a time each flow would wait
     * for its row; step by step for a whole batch the processor asks for many of them at once.
     */
    addFlows(batch: FlowBatch): void {
        const { count, sources, destinations, groups, durations, packets, rows } = batch;
        batch.count = 0;
        this.#guessRows(batch, count);
        let words = this.#words;
        for (let flow = 0; flow < count; flow += 1) {
            const source = sources[flow] as number;
            const destination = destinations[flow] as number;
            const group = groups[flow] as number;
            const at = ((rows[flow] as number) + 1) * ROW_WORDS;
            if (words[at + SOURCE] !== source || words[at + DESTINATION] !== destination || words[at + GROUP] !== group) {
                rows[flow] = this.rowOf(source, destination, group);
                words = this.#words;
            }
        }
        for (let flow = 0; flow < count; flow += 1) {
            this.addFlow(rows[flow] as number, durations[flow] as number, packets[flow] as number);
        }
    }

    /** Counts one flow in a row; both values are whole numbers from 0 to below `MAX_FAST_VALUE`, the duration may be `UNTIMED`. */
    addFlow(row: number, durationUs: number, packets: number): void {
        const at = (row + 1) * ROW_WORDS;
        const flows = (this.#words[at + FLOWS] as number) + 1;
        this.#words[at + FLOWS] = flows;
        const sumsAt = (row + 1) * ROW_DOUBLES + SUMS;
        if (durationUs === UNTIMED) {
            this.#countUntimed(row);
        } else {
            addBounds(this.#bounds, at + BOUNDS, durationUs);
            addSums(this.#sums, sumsAt, durationUs);
        }
        addBounds(this.#bounds, at + BOUNDS + BOUNDS_WORDS, packets);
        addSums(this.#sums, sumsAt + SUMS_DOUBLES, packets);
        if (flows === MAX_ROW_FLOWS) {
            this.#moveToExtra(row);
        }
    }

    /** Counts one flow in a row, with values of any size up to 2^63 - 1; the duration is null where it has none. */
    addLargeFlow(row: number, durationUs: bigint | null, packets: bigint): void {
        const extra = this.#extraOf(row);
        extra.flows += 1;
        if (durationUs === null) {
            this.#countUntimed(row);
        }
        for (const [measure, value] of [durationUs, packets].entries()) {
            if (value === null) {
                continue;
            }
            const totals = extra.totals[measure as Measure];
            totals.sum += value;
            totals.squares += value * value;
            if (value < BigInt(MAX_FAST_VALUE)) {
                addBounds(this.#bounds, (row + 1) * ROW_WORDS + BOUNDS + measure * BOUNDS_WORDS, Number(value));
            } else {
                totals.min = totals.min === undefined || value < totals.min ? value : totals.min;
                totals.max = totals.max === undefined || value > totals.max ? value : totals.max;
            }
        }
    }

    groupOf(row: number): number {
        return this.#words[(row + 1) * ROW_WORDS + GROUP] as number;
    }

    flowsOf(row: number): number {
        return (this.#words[(row + 1) * ROW_WORDS + FLOWS] as number) + (this.#extras.get(row)?.flows ?? 0);
    }

    /** How many of the row's flows have a duration. */
    timedFlowsOf(row: number): number {
        return this.flowsOf(row) - (this.#untimed?.[row] ?? 0);
    }

    /** True if there are flows, and none of them has a duration. */
    areAllUntimed(): boolean {
        let row = 0;
        while (row < this.rowCount && this.timedFlowsOf(row) === 0) {
            row += 1;
        }
        return this.rowCount > 0 && row === this.rowCount;
    }

    sourceOf(row: number): string {
        return this.#address(this.#words[(row + 1) * ROW_WORDS + SOURCE] as number, (this.groupOf(row) & 1) !== 0);
    }

    destinationOf(row: number): string {
        return this.#address(this.#words[(row + 1) * ROW_WORDS + DESTINATION] as number, (this.groupOf(row) & 2) !== 0);
    }

    /** The exact totals of one measure (`DURATION` or `PACKETS`) in a row that has at least one flow. */
    totalsOf(row: number, measure: Measure): Totals {
        return {
            sum: this.totalOf(row, measure, 'sum') ?? 0n,
            sumSq: this.totalOf(row, measure, 'sumSq') ?? 0n,
            min: this.totalOf(row, measure, 'min'),
            max: this.totalOf(row, measure, 'max'),
        };
    }

    /** One of the totals, without the others being made. */
    totalOf(row: number, measure: Measure, name: keyof Totals): bigint | null {
        const extra = this.#extras.get(row)?.totals[measure];
        if (name === 'sum') {
            return this.#sumOf(row, measure) + (extra?.sum ?? 0n);
        }
        if (name === 'sumSq') {
            return this.#squaresOf(row, measure) + (extra?.squares ?? 0n);
        }
        const at = (row + 1) * ROW_WORDS + BOUNDS + measure * BOUNDS_WORDS;
        const hasFast = this.#bounds[at + MIN] !== NONE;
        const fast = hasFast ? BigInt(this.#bounds[at + (name === 'min' ? MIN : MAX)] as number) : undefined;
        return (name === 'min' ? (fast ?? extra?.min) : (extra?.max ?? fast)) ?? null;
    }

    /** Key of the row's source, a text where bit 0 of its group says so. */
    sourceKeyOf(row: number): number {
        return this.#words[(row + 1) * ROW_WORDS + SOURCE] as number;
    }

    /** Key of the row's destination, a text where bit 1 of its group says so. */
    destinationKeyOf(row: number): number {
        return this.#words[(row + 1) * ROW_WORDS + DESTINATION] as number;
    }

    /** The text that a key stands for. */
    textOf(key: number): string {
        return this.#texts[key] ?? '';
    }

    /** True if the row's totals are not all in its words: `totalsOf` has them. */
    isLarge(row: number): boolean {
        return this.#extras.size > 0 && this.#extras.has(row);
    }

    /** The places in the list, which ascends, of those rows that are large; ascending too. */
    largeAmong(rows: Int32Array): Int32Array {
        const places: number[] = [];
        for (const row of this.#extras.keys()) {
            const place = placeIn(rows, row);
            if (rows[place] === row) {
                places.push(place);
            }
        }
        return Int32Array.from(places).sort();
    }

    /** Stores the flows of rows that are not large as two words of 32 bits each, or only those that have a duration. */
    copyFlows(rows: Int32Array, { isTimed, words: into }: { isTimed: boolean; words: Int32Array }): void {
        const words = this.#words;
        const untimed = isTimed ? this.#untimed : undefined;
        for (let at = 0; at < rows.length; at += 1) {
            const row = rows[at] as number;
            into[at * 2] = (words[(row + 1) * ROW_WORDS + FLOWS] as number) - (untimed?.[row] ?? 0);
            into[at * 2 + 1] = 0;
        }
    }

    /** Stores the sums of rows that are not large as two words each, the lowest first. */
    copySums(rows: Int32Array, measure: Measure, into: Int32Array): void {
        const sums = this.#sums;
        for (let at = 0; at < rows.length; at += 1) {
            const sum = sums[((rows[at] as number) + 1) * ROW_DOUBLES + SUMS + measure * SUMS_DOUBLES + SUM] as number;
            into[at * 2] = sum;
            into[at * 2 + 1] = sum / LIMB;
        }
    }

    /** Stores the sums of squares of rows that are not large as four words each. */
    copySquares(rows: Int32Array, measure: Measure, into: Int32Array): void {
        const sums = this.#sums;
        for (let at = 0; at < rows.length; at += 1) {
            const sumsAt = ((rows[at] as number) + 1) * ROW_DOUBLES + SUMS + measure * SUMS_DOUBLES;
            // All below 2^52: the carry and what it is added to stay exact, and storing keeps the low 32 bits.
            const low = sums[sumsAt + SQUARES_LOW] as number;
            const high = (sums[sumsAt + SQUARES_HIGH] as number) + Math.floor(low / LIMB);
            into[at * 4] = low;
            into[at * 4 + 1] = high;
            into[at * 4 + 2] = high / LIMB;
            into[at * 4 + 3] = 0;
        }
    }

    /** Stores the smallest or largest values of rows that are not large as two words each; `nulls` gets a 1 where no flow of a row has one. */
    copyBounds(
        rows: Int32Array,
        measure: Measure,
        { isMax, words, nulls }: { isMax: boolean; words: Int32Array; nulls: Uint8Array | undefined },
    ): void {
        const bounds = this.#bounds;
        for (let at = 0; at < rows.length; at += 1) {
            const boundsAt = ((rows[at] as number) + 1) * ROW_WORDS + BOUNDS + measure * BOUNDS_WORDS;
            const isNone = bounds[boundsAt + MIN] === NONE;
            words[at * 2] = isNone ? 0 : (bounds[boundsAt + (isMax ? MAX : MIN)] as number);
            words[at * 2 + 1] = 0;
            if (isNone && nulls) {
                nulls[at] = 1;
            } else if (isNone && !this.isLarge(rows[at] as number)) {
                // Where the column holds no nulls every flow has the measure, and no row is without flows.
                throw new TypeError('a row of the pair table has no flow with the measure');
            }
        }
    }

    /** Distinct pairs, whatever the day. */
    countPairs(): number {
        if (this.#isOfOneDay()) {
            return this.rowCount;
        }
        const places = new Int32Array(2 ** Math.ceil(Math.log2(this.rowCount * 2 + 1)));
        const words = this.#words;
        let count = 0;
        for (let place = 1; place <= this.rowCount; place += 1) {
            const at = place * ROW_WORDS;
            const kinds = (words[at + GROUP] as number) & 3;
            let index = hashOf(words[at + SOURCE] as number, words[at + DESTINATION] as number, kinds) & (places.length - 1);
            const isOther = (other: number): boolean =>
                words[other + SOURCE] !== words[at + SOURCE] ||
                words[other + DESTINATION] !== words[at + DESTINATION] ||
                ((words[other + GROUP] as number) & 3) !== kinds;
            while (places[index] !== 0 && isOther((places[index] as number) * ROW_WORDS)) {
                index = (index + 1) & (places.length - 1);
            }
            count += places[index] === 0 ? 1 : 0;
            places[index] = place;
        }
        return count;
    }

    /**
     * Moves rows: the one that `order` names at a place goes where `rows` has the row of that place. Both have the same rows. In order they are gone
     * through many times faster than all over a large table.
     */
    arrange(rows: Int32Array, order: Int32Array): void {
        this.#places = undefined;
        const words = this.#words;
        const untimed = this.#untimed;
        const targets = new Int32Array(this.rowCount).fill(ARRANGED);
        for (let at = 0; at < rows.length; at += 1) {
            targets[order[at] as number] = rows[at] as number;
        }
        this.#moveExtras(targets);
        const held = new Int32Array(ROW_WORDS);
        for (let at = 0; at < rows.length; at += 1) {
            const first = rows[at] as number;
            let into = targets[first] as number;
            targets[first] = ARRANGED;
            if (into === first || into === ARRANGED) {
                continue;
            }
            // Around a circle: a row is held, goes where it belongs, and the row that was there is held next.
            held.set(words.subarray((first + 1) * ROW_WORDS, (first + 2) * ROW_WORDS));
            let heldUntimed = untimed?.[first] ?? 0;
            for (let isBack = false; !isBack; ) {
                isBack = into === first;
                const intoAt = (into + 1) * ROW_WORDS;
                for (let word = 0; word < ROW_WORDS; word += 1) {
                    const next = words[intoAt + word] as number;
                    words[intoAt + word] = held[word] as number;
                    held[word] = next;
                }
                if (untimed) {
                    const next = untimed[into] as number;
                    untimed[into] = heldUntimed;
                    heldUntimed = next;
                }
                const next = targets[into] as number;
                targets[into] = ARRANGED;
                into = next;
            }
        }
    }

    #moveExtras(targets: Int32Array): void {
        const all = [...this.#extras];
        this.#extras.clear();
        for (const [row, extra] of all) {
            this.#extras.set(targets[row] === ARRANGED ? row : (targets[row] as number), extra);
        }
    }

    /** True if all rows are of one written day. */
    #isOfOneDay(): boolean {
        const words = this.#words;
        const slot = (words[ROW_WORDS + GROUP] as number) >> 2;
        let place = 1;
        while (place <= this.rowCount && (words[place * ROW_WORDS + GROUP] as number) >> 2 === slot) {
            place += 1;
        }
        return place > this.rowCount;
    }

    /** Finds the row that each flow's hash leads to first: nearly always its own, which the caller must check. */
    #guessRows(batch: FlowBatch, count: number): void {
        const { sources, destinations, groups, rows } = batch;
        const places = this.#places as Int32Array;
        const lastIndex = places.length - 1;
        for (let flow = 0; flow < count; flow += 1) {
            const hash = hashOf(sources[flow] as number, destinations[flow] as number, groups[flow] as number);
            rows[flow] = (places[hash & lastIndex] as number) - 1;
        }
        // Reads both ends of each row for nothing: as nothing waits for what is read, the rows come from memory side by side.
        const words = this.#words;
        let read = 0;
        for (let flow = 0; flow < count; flow += 1) {
            const at = ((rows[flow] as number) + 1) * ROW_WORDS;
            read ^= (words[at] as number) ^ (words[at + ROW_WORDS - 1] as number);
        }
        batch.readAhead = read;
    }

    #sumOf(row: number, measure: Measure): bigint {
        return BigInt(this.#sums[(row + 1) * ROW_DOUBLES + SUMS + measure * SUMS_DOUBLES + SUM] as number);
    }

    #squaresOf(row: number, measure: Measure): bigint {
        const at = (row + 1) * ROW_DOUBLES + SUMS + measure * SUMS_DOUBLES;
        return BigInt(this.#sums[at + SQUARES_HIGH] as number) * BigInt(LIMB) + BigInt(this.#sums[at + SQUARES_LOW] as number);
    }

    /** Takes flows and sums out of a row before they no longer fit. */
    #moveToExtra(row: number): void {
        const extra = this.#extraOf(row);
        extra.flows += this.#words[(row + 1) * ROW_WORDS + FLOWS] as number;
        for (const measure of MEASURES) {
            extra.totals[measure].sum += this.#sumOf(row, measure);
            extra.totals[measure].squares += this.#squaresOf(row, measure);
        }
        this.#words[(row + 1) * ROW_WORDS + FLOWS] = 0;
        const sumsAt = (row + 1) * ROW_DOUBLES + SUMS;
        this.#sums.fill(0, sumsAt, sumsAt + MEASURES.length * SUMS_DOUBLES);
    }

    #countUntimed(row: number): void {
        if (this.#untimed === undefined || row >= this.#untimed.length) {
            const before = this.#untimed;
            // Room for as many rows as the table has room for.
            this.#untimed = new Float64Array(this.#words.length / ROW_WORDS);
            this.#untimed.set(before ?? []);
        }
        this.#untimed[row] = (this.#untimed[row] as number) + 1;
    }

    #extraOf(row: number): Extra {
        let extra = this.#extras.get(row);
        if (!extra) {
            const nothing = (): LargeTotals => ({ sum: 0n, squares: 0n, min: undefined, max: undefined });
            extra = { flows: 0, totals: { [DURATION]: nothing(), [PACKETS]: nothing() } };
            this.#extras.set(row, extra);
        }
        return extra;
    }

    #insert(index: number, source: number, destination: number, group: number): number {
        const row = this.rowCount;
        this.rowCount += 1;
        const at = this.rowCount * ROW_WORDS;
        if (at + ROW_WORDS > this.#words.length) {
            const before = this.#words;
            this.#setRows(new ArrayBuffer(before.byteLength * 2));
            this.#words.set(before);
        }
        this.#words[at + SOURCE] = source;
        this.#words[at + DESTINATION] = destination;
        this.#words[at + GROUP] = group;
        for (const measure of MEASURES) {
            this.#bounds[at + BOUNDS + measure * BOUNDS_WORDS + MIN] = NONE;
        }
        const places = this.#places as Int32Array;
        places[index] = this.rowCount;
        if (this.rowCount * 2 > places.length) {
            this.#rehash();
        }
        return row;
    }

    #setRows(bytes: ArrayBuffer): void {
        this.#words = new Int32Array(bytes);
        this.#bounds = new Uint32Array(bytes);
        this.#sums = new Float64Array(bytes);
    }

    #rehash(): void {
        const places = new Int32Array((this.#places as Int32Array).length * 4);
        const lastIndex = places.length - 1;
        const words = this.#words;
        for (let place = 1; place <= this.rowCount; place += 1) {
            const at = place * ROW_WORDS;
            let index = hashOf(words[at + SOURCE] as number, words[at + DESTINATION] as number, words[at + GROUP] as number) & lastIndex;
            while (places[index] !== 0) {
                index = (index + 1) & lastIndex;
            }
            places[index] = place;
        }
        this.#places = places;
    }

    #address(key: number, isText: boolean): string {
        return isText ? (this.#texts[key] ?? '') : `${key >>> 24}.${(key >>> 16) & 255}.${(key >>> 8) & 255}.${key & 255}`;
    }
}

/** The first place with the number or a larger one in a list that ascends, by halves. */
export function placeIn(ascending: Int32Array, number: number): number {
    let [low, high] = [0, ascending.length];
    while (low < high) {
        const middle = (low + high) >> 1;
        if ((ascending[middle] as number) < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

function addBounds(bounds: Uint32Array, at: number, value: number): void {
    if (value < (bounds[at + MIN] as number)) {
        bounds[at + MIN] = value;
    }
    if (value > (bounds[at + MAX] as number)) {
        bounds[at + MAX] = value;
    }
}

/** Adds a value and its square, which has up to 64 bits: what a double drops of it is less than half of 2^32. */
function addSums(sums: Float64Array, at: number, value: number): void {
    const squareLow = Math.imul(value, value) >>> 0;
    const squareHigh = Math.floor((value * value - squareLow) * (1 / LIMB) + 0.5);
    sums[at + SUM] = (sums[at + SUM] as number) + value;
    sums[at + SQUARES_LOW] = (sums[at + SQUARES_LOW] as number) + squareLow;
    sums[at + SQUARES_HIGH] = (sums[at + SQUARES_HIGH] as number) + squareHigh;
}

function hashOf(source: number, destination: number, group: number): number {
    const mixed = Math.imul(source, 0x9e3779b1) ^ Math.imul(destination, 0x85ebca6b) ^ Math.imul(group, 0xc2b2ae35);
    const hash = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
    return hash ^ (hash >>> 13);
}
