/**
 * Lists of texts as bytes in UTF-8. A million strings are a million objects to make and to collect; here they are two arrays, and the order of their
 * bytes is the order in which the lake sorts.
 */
import { isUtf8 } from 'node:buffer';

/** Texts by their places, from 0. */
export interface TextList {
    count: number;
    /** All texts, one behind the other; there may be room behind the last one. */
    bytes: Uint8Array;
    /** The place in `bytes` where each text begins, and behind the last one where it ends. */
    starts: Int32Array;
}

/** A list of these texts, in their order. */
export function toTextList(texts: readonly string[]): TextList {
    const starts = new Int32Array(texts.length + 1);
    for (let at = 0; at < texts.length; at += 1) {
        starts[at + 1] = (starts[at] as number) + (texts[at] as string).length;
    }
    const length = starts[texts.length] as number;
    const joined = length <= MAX_JOINED ? Buffer.from(texts.join('')) : undefined;
    if (joined?.length === length) {
        // Of characters of one byte each.
        return { count: texts.length, bytes: joined, starts };
    }
    const encoded = texts.map((text) => Buffer.from(text));
    for (let at = 0; at < texts.length; at += 1) {
        starts[at + 1] = (starts[at] as number) + (encoded[at] as Buffer).length;
    }
    return { count: texts.length, bytes: Buffer.concat(encoded), starts };
}

/** Longer texts are not joined: V8 makes none of more than 2^29 characters in one piece (v8::String::kMaxLength). */
const MAX_JOINED = 2 ** 28;

/** The text at a place. */
export function textIn({ bytes, starts }: TextList, place: number): string {
    const from = starts[place] as number;
    return Buffer.from(bytes.buffer, bytes.byteOffset + from, (starts[place + 1] as number) - from).toString();
}

/** Below 0, 0 or above 0: two texts by their bytes. */
export function compareTextsIn(a: TextList, placeA: number, b: TextList, placeB: number): number {
    const [bytesA, bytesB] = [a.bytes, b.bytes];
    const fromA = a.starts[placeA] as number;
    const fromB = b.starts[placeB] as number;
    const lengthA = (a.starts[placeA + 1] as number) - fromA;
    const lengthB = (b.starts[placeB + 1] as number) - fromB;
    const length = Math.min(lengthA, lengthB);
    for (let at = 0; at < length; at += 1) {
        const difference = (bytesA[fromA + at] as number) - (bytesB[fromB + at] as number);
        if (difference !== 0) {
            return difference;
        }
    }
    return lengthA - lengthB;
}

/** True if every text is UTF-8. */
export function areUtf8({ count, bytes, starts }: TextList): boolean {
    if (!isUtf8(bytes.subarray(starts[0], starts[count]))) {
        return false;
    }
    // Together they are: each by itself is where none begins with a byte inside of a character, 10xxxxxx.
    for (let at = 0; at < count; at += 1) {
        if (starts[at] !== starts[at + 1] && ((bytes[starts[at] as number] as number) & 0xc0) === 0x80) {
            return false;
        }
    }
    return true;
}

/** True if the texts ascend, each once. */
export function areAscending(list: TextList): boolean {
    for (let at = 1; at < list.count; at += 1) {
        if (compareTextsIn(list, at - 1, list, at) >= 0) {
            return false;
        }
    }
    return true;
}

/** The texts at these places, in the order of the places. */
export function pickTexts({ bytes, starts }: TextList, places: Int32Array): TextList {
    const picked = new Int32Array(places.length + 1);
    for (let at = 0; at < places.length; at += 1) {
        const place = places[at] as number;
        picked[at + 1] = (picked[at] as number) + (starts[place + 1] as number) - (starts[place] as number);
    }
    const into = new Uint8Array(picked[places.length] as number);
    for (let at = 0; at < places.length; at += 1) {
        const from = starts[places[at] as number] as number;
        const to = picked[at] as number;
        const length = (picked[at + 1] as number) - to;
        for (let byte = 0; byte < length; byte += 1) {
            into[to + byte] = bytes[from + byte] as number;
        }
    }
    return { count: places.length, bytes: into, starts: picked };
}

/** Texts that are sorted one into the other: more are sorted by their bytes. */
const FEW_TEXTS = 16;

/** A text that ends, and the 256 bytes that it may go on with. */
const BUCKETS = 257;

/** The places of the texts, ascending: a radix sort, byte by byte from the front. */
export function orderOfTexts(list: TextList): Int32Array {
    const { count, bytes, starts } = list;
    const order = Int32Array.from({ length: count }, (_, at) => at);
    const spare = new Int32Array(count);
    const ends = new Int32Array(BUCKETS);
    const bucketOf = (place: number, depth: number): number => {
        const at = (starts[place] as number) + depth;
        return at < (starts[place + 1] as number) ? (bytes[at] as number) + 1 : 0;
    };
    // Ranges of `order` that are equal up to some byte: from, until, and that byte.
    const waiting = [0, count, 0];
    while (waiting.length > 0) {
        const depth = waiting.pop() as number;
        const until = waiting.pop() as number;
        const from = waiting.pop() as number;
        if (until - from <= FEW_TEXTS) {
            sortFew(list, order, from, until);
            continue;
        }
        ends.fill(0);
        for (let at = from; at < until; at += 1) {
            const bucket = bucketOf(order[at] as number, depth);
            ends[bucket] = (ends[bucket] as number) + 1;
        }
        for (let bucket = 0, end = from; bucket < BUCKETS; bucket += 1) {
            const size = ends[bucket] as number;
            if (size > 1 && bucket > 0) {
                waiting.push(end, end + size, depth + 1);
            }
            ends[bucket] = end;
            end += size;
        }
        spare.set(order.subarray(from, until), from);
        for (let at = from; at < until; at += 1) {
            const place = spare[at] as number;
            const bucket = bucketOf(place, depth);
            const to = ends[bucket] as number;
            order[to] = place;
            ends[bucket] = to + 1;
        }
    }
    return order;
}

function sortFew(list: TextList, order: Int32Array, from: number, until: number): void {
    for (let next = from + 1; next < until; next += 1) {
        const place = order[next] as number;
        let at = next;
        while (at > from && compareTextsIn(list, order[at - 1] as number, list, place) > 0) {
            order[at] = order[at - 1] as number;
            at -= 1;
        }
        order[at] = place;
    }
}

/** Lists that ascend as one that does, each text once, and for each list the places of its texts in that one. */
export function uniteTexts(lists: readonly TextList[]): { texts: TextList; placesOf: Int32Array[] } {
    const [only] = lists;
    if (only && lists.length === 1) {
        return { texts: only, placesOf: [Int32Array.from({ length: only.count }, (_, at) => at)] };
    }
    const { all, offsets } = putTogether(lists);
    const order = mergeRuns(offsets, (a, b) => compareTextsIn(all, a, all, b));
    const placeOf = new Int32Array(all.count);
    const firsts = new Int32Array(all.count);
    let count = 0;
    for (const text of order) {
        if (count === 0 || compareTextsIn(all, firsts[count - 1] as number, all, text) !== 0) {
            firsts[count] = text;
            count += 1;
        }
        placeOf[text] = count - 1;
    }
    return {
        texts: pickTexts(all, firsts.subarray(0, count)),
        placesOf: lists.map((_, list) => placeOf.subarray(offsets[list], offsets[list + 1])),
    };
}

/** The lists one behind the other, and where each of them begins, at last where the last one ends. */
function putTogether(lists: readonly TextList[]): { all: TextList; offsets: Int32Array } {
    const offsets = new Int32Array(lists.length + 1);
    let length = 0;
    for (const [at, { count, starts }] of lists.entries()) {
        offsets[at + 1] = (offsets[at] as number) + count;
        length += (starts[count] as number) - (starts[0] as number);
    }
    const count = offsets[lists.length] as number;
    const all: TextList = { count, bytes: new Uint8Array(length), starts: new Int32Array(count + 1) };
    let end = 0;
    for (const [at, list] of lists.entries()) {
        const from = list.starts[0] as number;
        all.bytes.set(list.bytes.subarray(from, list.starts[list.count]), end);
        const offset = offsets[at] as number;
        for (let text = 0; text < list.count; text += 1) {
            all.starts[offset + text] = end + (list.starts[text] as number) - from;
        }
        end += (list.starts[list.count] as number) - from;
        all.starts[offset + list.count] = end;
    }
    return { all, offsets };
}

/**
 * Merges runs of numbers, each of which ascends by `compare`: run n has the numbers from `offsets[n]` up to `offsets[n + 1]`. Equal ones stay in the
 * order of their runs.
 */
export function mergeRuns(offsets: Int32Array, compare: (a: number, b: number) => number): Int32Array {
    let ends = offsets;
    let merged = Int32Array.from({ length: offsets.at(-1) ?? 0 }, (_, at) => at);
    let spare = ends.length > 2 ? new Int32Array(merged.length) : merged;
    while (ends.length > 2) {
        const fewer: number[] = [0];
        for (let run = 0; run + 1 < ends.length; run += 2) {
            const middle = ends[run + 1] as number;
            const end = ends[run + 2] ?? middle;
            mergeTwo({ from: merged, into: spare, start: ends[run] as number, middle, end, compare });
            fewer.push(end);
        }
        [merged, spare] = [spare, merged];
        ends = Int32Array.from(fewer);
    }
    return merged;
}

interface TwoRuns {
    from: Int32Array;
    into: Int32Array;
    start: number;
    middle: number;
    end: number;
    compare: (a: number, b: number) => number;
}

function mergeTwo({ from, into, start, middle, end, compare }: TwoRuns): void {
    let [left, right] = [start, middle];
    for (let at = start; at < end; at += 1) {
        if (right >= end || (left < middle && compare(from[left] as number, from[right] as number) <= 0)) {
            into[at] = from[left] as number;
            left += 1;
        } else {
            into[at] = from[right] as number;
            right += 1;
        }
    }
}
