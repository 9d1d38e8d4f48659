/** Runs of small numbers as Parquet has them ("RLE/bit-packing hybrid"): places in a dictionary, and levels that say what is null. */
import { writeVarint } from './snappy.ts';

/** Values of a bit-packed group, and the shortest run that is worth its own header. */
const GROUP = 8;

/** Bits of each number up to `max`. */
export function bitsFor(max: number): number {
    return 32 - Math.clz32(max);
}

/** Bytes that `writeRuns` may need. */
export function maxRunsBytes(count: number, bits: number): number {
    return 16 + Math.ceil(count / GROUP) * (bits + 1) + count;
}

/** Writes `count` numbers of `bits` bits. @returns the place behind them */
export function writeRuns(
    output: Uint8Array,
    start: number,
    { values, count, bits }: { values: Int32Array | Uint8Array; count: number; bits: number },
): number {
    let end = start;
    let at = 0;
    while (at < count) {
        const run = runLength(values, at, count);
        if (run >= GROUP || run === count - at) {
            end = writeVarint(output, end, run * 2);
            for (let shift = 0; shift < bits; shift += 8) {
                output[end] = ((values[at] as number) >>> shift) & 0xff;
                end += 1;
            }
            at += run;
            continue;
        }
        let until = at + GROUP;
        while (until < count && runLength(values, until, Math.min(count, until + GROUP)) < GROUP) {
            until += GROUP;
        }
        end = writeVarint(output, end, ((until - at) / GROUP) * 2 + 1);
        end = pack(output, end, { values, from: at, until, count, bits });
        at = until;
    }
    return end;
}

function runLength(values: Int32Array | Uint8Array, from: number, until: number): number {
    let end = from + 1;
    while (end < until && values[end] === values[from]) {
        end += 1;
    }
    return end - from;
}

/** Writes the numbers bit by bit, the lowest bit first; what is beyond `count` is 0. */
function pack(
    output: Uint8Array,
    start: number,
    { values, from, until, count, bits }: { values: Int32Array | Uint8Array; from: number; until: number; count: number; bits: number },
): number {
    let end = start;
    let buffer = 0;
    let filled = 0;
    for (let at = from; at < until; at += 1) {
        const value = at < count ? (values[at] as number) : 0;
        buffer |= value << filled;
        filled += bits;
        while (filled >= 8) {
            output[end] = buffer & 0xff;
            end += 1;
            buffer >>>= 8;
            filled -= 8;
        }
    }
    return end;
}

/** Reads `count` numbers of `bits` bits out of all of `input`. @returns false where the bytes are no such runs */
export function readRuns(input: Uint8Array, { into, count, bits }: { into: Int32Array; count: number; bits: number }): boolean {
    const mask = bits === 0 ? 0 : 2 ** bits - 1;
    let at = 0;
    let read = 0;
    while (read < count) {
        let header = 0;
        for (let shift = 0; ; shift += 7) {
            const byte = input[at];
            at += 1;
            if (byte === undefined || shift > 21) {
                return false;
            }
            header |= (byte & 0x7f) << shift;
            if (byte < 0x80) {
                break;
            }
        }
        if ((header & 1) === 0) {
            let value = 0;
            for (let shift = 0; shift < bits; shift += 8) {
                const byte = input[at];
                at += 1;
                if (byte === undefined) {
                    return false;
                }
                value |= byte << shift;
            }
            const run = header >>> 1;
            if (run === 0 || read + run > count || value > mask) {
                return false;
            }
            into.fill(value, read, read + run);
            read += run;
            continue;
        }
        const packed = (header >>> 1) * GROUP;
        if (packed === 0 || at + (packed / GROUP) * bits > input.length || read + packed - GROUP >= count) {
            return false;
        }
        const until = Math.min(count, read + packed);
        const behind = at + (packed / GROUP) * bits;
        let buffer = 0;
        let filled = 0;
        while (read < until) {
            while (filled < bits) {
                buffer |= (input[at] as number) << filled;
                at += 1;
                filled += 8;
            }
            into[read] = buffer & mask;
            buffer >>>= bits;
            filled -= bits;
            read += 1;
        }
        at = behind;
    }
    return at === input.length;
}
