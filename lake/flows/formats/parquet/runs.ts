/** Small whole numbers as Parquet packs them: runs of one value, and groups of eight values bit by bit ("RLE / Bit-Packing Hybrid"). */
import { damaged } from './refused.ts';

export interface RunsPlace {
    start: number;
    /** Exclusive. */
    end: number;
    /** Bits of a value. */
    width: number;
    /** Values that must come. */
    count: number;
}

/** Longest length of a run in bytes: 32 bits, seven in a byte. */
const MAX_HEADER_BYTES = 5;

/** Widest values that are unpacked in 32 bits together with seven bits of the next value. */
const MAX_FAST_WIDTH = 24;

/**
 * The values. What stands behind the last of them is not looked at.
 * @throws DamagedFileError where there are fewer
 */
export function readRuns(bytes: Uint8Array, { start, end, width, count }: RunsPlace): Int32Array {
    const values = new Int32Array(count);
    let at = start;
    for (let filled = 0; filled < count; ) {
        let header = 0;
        let length = 0;
        for (let isLast = false; !isLast; length += 1) {
            if (at >= end || length === MAX_HEADER_BYTES) {
                throw damaged('a run has no length');
            }
            const byte = bytes[at++] as number;
            header |= (byte & 0x7f) << (7 * length);
            isLast = byte < 0x80;
        }
        const isPacked = (header & 1) === 1;
        const run = isPacked ? (header >>> 1) * 8 : header >>> 1;
        const taken = Math.min(run, count - filled);
        // The last group may be cut off behind its last value.
        const neededBytes = isPacked ? Math.ceil((taken * width) / 8) : (width + 7) >> 3;
        if (at + neededBytes > end) {
            throw damaged('a run is cut off');
        }
        if (isPacked) {
            unpack(bytes, { at, width, values, from: filled, until: filled + taken });
            at += (run * width) / 8;
        } else {
            let value = 0;
            for (let byte = 0; byte < neededBytes; byte += 1) {
                value |= (bytes[at++] as number) << (8 * byte);
            }
            values.fill(value, filled, filled + taken);
        }
        filled += taken;
    }
    return values;
}

interface Packed {
    at: number;
    width: number;
    values: Int32Array;
    from: number;
    until: number;
}

function unpack(bytes: Uint8Array, { at: start, width, values, from, until }: Packed): void {
    if (width > MAX_FAST_WIDTH) {
        unpackWide(bytes, { at: start, width, values, from, until });
        return;
    }
    const mask = (1 << width) - 1;
    let at = start;
    let bits = 0;
    let held = 0;
    for (let place = from; place < until; place += 1) {
        while (held < width) {
            bits |= (bytes[at++] as number) << held;
            held += 8;
        }
        values[place] = bits & mask;
        bits >>>= width;
        held -= width;
    }
}

/** Unpacks values of up to 32 bits: a double holds one with a byte more. */
function unpackWide(bytes: Uint8Array, { at: start, width, values, from, until }: Packed): void {
    const size = 2 ** width;
    let at = start;
    let bits = 0;
    let held = 0;
    for (let place = from; place < until; place += 1) {
        while (held < width) {
            bits += (bytes[at++] as number) * 2 ** held;
            held += 8;
        }
        values[place] = bits % size;
        bits = Math.floor(bits / size);
        held -= width;
    }
}
