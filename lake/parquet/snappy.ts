/**
 * Compresses with snappy (github.com/google/snappy, format_description.txt) between arrays that the caller keeps. hyparquet-writer's own appends
 * byte by byte to an array that grows: 213 ms of CPU for the pages of 330 thousand pairs, and 68 here. zstd of node:zlib at level 1 takes 101, and
 * a third fewer bytes; but the readers of a lake take 1.3 to 1.6 times as long to unpack it (docs/performance.md).
 */

/** Bytes that `compress` may need for `length` bytes, as in the reference (MaxCompressedLength). */
export function maxCompressedBytes(length: number): number {
    return 32 + length + Math.floor(length / 6);
}

/** Slots of the table that finds where four bytes stood before: 2^13 of four bytes stay in the processor's nearest cache. */
const TABLE_BITS = 13;

/** A copy with an offset of two bytes reaches no further back. */
const MAX_OFFSET = 0xffff;

const MIN_MATCH = 4;

/** After that many failed looks the search takes longer steps: bytes that do not repeat are passed over faster. */
const LOOKS_PER_STEP_BITS = 5;

const table = new Int32Array(1 << TABLE_BITS);

/** Compresses `length` bytes of `input` into `output`, which has room for `maxCompressedBytes`. @returns the bytes written */
export function compress(input: Uint8Array, length: number, output: Uint8Array): number {
    const view = new DataView(input.buffer, input.byteOffset, length);
    let written = writeVarint(output, 0, length);
    // Places are counted from 1: 0 is none.
    table.fill(0);
    let literal = 0;
    let at = 0;
    let looks = 1 << LOOKS_PER_STEP_BITS;
    const lastStart = length - MIN_MATCH;
    while (at <= lastStart) {
        const word = view.getInt32(at, true);
        const slot = Math.imul(word, 0x1e35a7bd) >>> (32 - TABLE_BITS);
        const before = (table[slot] as number) - 1;
        table[slot] = at + 1;
        if (before < 0 || at - before > MAX_OFFSET || view.getInt32(before, true) !== word) {
            at += looks >>> LOOKS_PER_STEP_BITS;
            looks += 1;
            continue;
        }
        written = writeLiteral(input, literal, at, output, written);
        const offset = at - before;
        let end = at + MIN_MATCH;
        while (end <= lastStart && view.getInt32(end, true) === view.getInt32(end - offset, true)) {
            end += MIN_MATCH;
        }
        while (end < length && input[end] === input[end - offset]) {
            end += 1;
        }
        written = writeCopy(output, written, offset, end - at);
        // The end of a match is known to the table too: what follows it often stood there before.
        if (end - 1 <= lastStart) {
            table[Math.imul(view.getInt32(end - 1, true), 0x1e35a7bd) >>> (32 - TABLE_BITS)] = end;
        }
        at = end;
        literal = end;
        looks = 1 << LOOKS_PER_STEP_BITS;
    }
    return writeLiteral(input, literal, length, output, written);
}

/** Writes a whole number of up to 32 bits, seven bits a byte, lowest first. @returns the place behind it */
export function writeVarint(output: Uint8Array, at: number, value: number): number {
    let end = at;
    let rest = value;
    while (rest > 0x7f) {
        output[end] = (rest & 0x7f) | 0x80;
        rest >>>= 7;
        end += 1;
    }
    output[end] = rest;
    return end + 1;
}

/** The longest literal whose length stands in its tag. */
const SHORT_LITERAL = 60;

/** Below that many bytes a loop is faster than a call. */
const FEW_BYTES = 24;

function writeLiteral(input: Uint8Array, from: number, until: number, output: Uint8Array, at: number): number {
    const length = until - from;
    if (length === 0) {
        return at;
    }
    let end = at;
    if (length <= SHORT_LITERAL) {
        output[end] = (length - 1) << 2;
        end += 1;
    } else {
        const bytes = length <= 0x100 ? 1 : length <= 0x1_0000 ? 2 : length <= 0x100_0000 ? 3 : 4;
        output[end] = (SHORT_LITERAL - 1 + bytes) << 2;
        end += 1;
        for (let byte = 0; byte < bytes; byte += 1) {
            output[end] = ((length - 1) >>> (byte * 8)) & 0xff;
            end += 1;
        }
    }
    if (length < FEW_BYTES) {
        for (let byte = 0; byte < length; byte += 1) {
            output[end + byte] = input[from + byte] as number;
        }
    } else {
        output.set(input.subarray(from, until), end);
    }
    return end + length;
}

const MAX_COPY = 64;

function writeCopy(output: Uint8Array, at: number, offset: number, length: number): number {
    let end = at;
    let rest = length;
    while (rest > 0) {
        // What is left is never shorter than 4: then the short form, of 4 to 11 bytes, may do.
        const part = rest <= MAX_COPY ? rest : rest < MAX_COPY + MIN_MATCH ? rest - MIN_MATCH : MAX_COPY;
        if (part < 12 && offset < 2048) {
            output[end] = 1 | ((part - MIN_MATCH) << 2) | ((offset >>> 8) << 5);
            output[end + 1] = offset & 0xff;
            end += 2;
        } else {
            output[end] = 2 | ((part - 1) << 2);
            output[end + 1] = offset & 0xff;
            output[end + 2] = offset >>> 8;
            end += 3;
        }
        rest -= part;
    }
    return end;
}
