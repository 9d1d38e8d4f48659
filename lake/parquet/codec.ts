/** The two ways in which pages of the lake's objects are compressed. */
// Imported as a whole: a name that older versions of Node have not would keep this file from loading.
import * as zlib from 'node:zlib';
import { type CompressionCodec, snappyUncompress } from 'hyparquet';
import type { MergedTable } from '#lake/tables';
import { compress, maxCompressedBytes } from './snappy.ts';

export interface Codec {
    /** Name in a footer. */
    name: CompressionCodec;
    /** Bytes of room that `compress` needs for so many. */
    roomFor(length: number): number;
    /** The first bytes of the input, compressed; they may stand in the room. */
    compress(input: Uint8Array, length: number, room: Uint8Array): Uint8Array;
    /** Unpacks a block to just as many bytes as there is room for. @throws Error where it cannot, RangeError where they are others in number */
    uncompress(block: Uint8Array, into: Uint8Array): void;
    /** How many bytes a block unpacks to. @throws Error where that cannot be told */
    uncompressedBytes(block: Uint8Array): number;
    /**
     * A column chunk is written with a dictionary if that has this many times fewer bytes than all values. Places in a dictionary are packed bit by bit, in which
     * zstd finds nothing that repeats, as it does in the values themselves.
     */
    dictionaryGain: number;
    /** No byte of a block comes to more bytes than this. */
    maxRatio: number;
}

const snappy: Codec = {
    name: 'SNAPPY',
    roomFor: maxCompressedBytes,
    compress: (input, length, room) => room.subarray(0, compress(input, length, room)),
    uncompress: (block, into) => void snappyUncompress(block, into),
    uncompressedBytes(block) {
        // A varint in front says it.
        let length = 0;
        for (let at = 0, shift = 0; shift < 35; at += 1, shift += 7) {
            const byte = block[at] ?? 0;
            length += (byte & 0x7f) * 2 ** shift;
            if (byte < 0x80) {
                break;
            }
        }
        return length;
    },
    dictionaryGain: 2,
    // 64 bytes of 3.
    maxRatio: 22,
};

/** zstd's own default. */
const ZSTD_LEVEL = 3;

/** Output is taken in pieces of at most this size: how long it will be a damaged header may say wrong. */
const MAX_PIECE_BYTES = 1 << 20;
const MIN_PIECE_BYTES = 64;

const zstd: Codec = {
    name: 'ZSTD',
    roomFor: () => 0,
    compress: (input, length) =>
        zlib.zstdCompressSync(input.subarray(0, length), { params: { [zlib.constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL } }),
    uncompress(block, into) {
        const chunkSize = Math.max(MIN_PIECE_BYTES, Math.min(into.length, MAX_PIECE_BYTES));
        const bytes = zlib.zstdDecompressSync(block, { maxOutputLength: Math.max(1, into.length), chunkSize });
        if (bytes.length !== into.length) {
            throw new RangeError(`a page unpacks to ${bytes.length} bytes instead of ${into.length}`);
        }
        into.set(bytes);
    },
    uncompressedBytes: (block) => zlib.zstdDecompressSync(block).length,
    // An hour of 1.4 million readings has 8.0 bytes a reading with 2, 4.0 with 16 and 3.9 with 64.
    dictionaryGain: 16,
    // RFC 8878, 3.1.1.2: a block of 4 bytes may repeat one byte 128 KiB.
    maxRatio: 1 << 15,
};

/**
 * Objects of fewer rows are never of zstd. It needs a context of its own for each page, which costs 0.3 ms and memory outside of the heap: an upload
 * of ten months of one device, 3,900 hours of a few rows each, took half of its processor time for contexts and their collection (2026-11-30).
 */
const ZSTD_FROM_ROWS = 256;

/** How the pages of an object of the table with so many rows are compressed when they are written. */
export function codecOf({ codec }: Pick<MergedTable, 'codec'>, rows: number): Codec {
    return codec === 'zstd' && rows >= ZSTD_FROM_ROWS ? zstd : snappy;
}

/** The codec that a footer names; undefined for one that the lake does not write. */
export function codecNamed(name: CompressionCodec | undefined): Codec | undefined {
    return [snappy, zstd].find((codec) => codec.name === name);
}
