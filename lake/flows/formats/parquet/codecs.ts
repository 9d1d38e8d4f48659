/** Unpacks pages: each codec of Parquet that is read, by Node's own libraries where it has them. */
// Imported as a whole: Node before 22.15 has no zstd in it, and a name that is not there would keep this file from loading.
import * as zlib from 'node:zlib';
import { type CompressionCodec, snappyUncompress } from 'hyparquet';
import { damaged, RefusedParquetError } from './refused.ts';

type Unpack = (packed: Uint8Array, sizeBytes: number) => Uint8Array;

const UNPACK: Partial<Record<CompressionCodec, Unpack>> = {
    UNCOMPRESSED: (packed) => packed,
    SNAPPY: (packed, sizeBytes) => {
        const bytes = new Uint8Array(sizeBytes);
        snappyUncompress(packed, bytes);
        return bytes;
    },
    GZIP: (packed, sizeBytes) => zlib.gunzipSync(packed, { maxOutputLength: Math.max(1, sizeBytes) }),
    BROTLI: (packed, sizeBytes) => zlib.brotliDecompressSync(packed, { maxOutputLength: Math.max(1, sizeBytes) }),
    LZ4_RAW: unpackLz4,
    ...(zlib.zstdDecompressSync && {
        ZSTD: (packed, sizeBytes) => zlib.zstdDecompressSync(packed, { maxOutputLength: Math.max(1, sizeBytes) }),
    }),
};

/** Codecs in which columns are read. */
const READ = Object.keys(UNPACK).join(', ');

/** @throws RefusedParquetError for a codec that is not read. */
export function assertCodec(codec: CompressionCodec, column: string): void {
    if (!UNPACK[codec]) {
        const advice = codec === 'ZSTD' ? 'that needs Node 22.15 or newer' : `read are ${READ}: write the file anew with one of them`;
        throw new RefusedParquetError(
            `column ${JSON.stringify(column)} is compressed with ${codec ?? 'a codec without a name'}; ${advice}`,
        );
    }
}

/** The page, which must unpack to `sizeBytes`. @throws DamagedFileError */
export function unpackPage(packed: Uint8Array, { codec, sizeBytes }: { codec: CompressionCodec; sizeBytes: number }): Uint8Array {
    let page: Uint8Array | undefined;
    try {
        page = UNPACK[codec]?.(packed, sizeBytes);
    } catch (error) {
        throw damaged(`${codec}: ${error instanceof Error ? error.message : String(error)}`, error);
    }
    if (page?.length !== sizeBytes) {
        throw damaged(`a page of ${page?.length} bytes where its header says ${sizeBytes}`);
    }
    return page;
}

/** Fewest bytes that a copy has; its token counts those beyond. */
const MIN_COPY_BYTES = 4;

/** One block of LZ4 (lz4_Block_format.md): literals and copies of what came before, in turn; it ends with literals. */
function unpackLz4(packed: Uint8Array, sizeBytes: number): Uint8Array {
    const bytes = new Uint8Array(sizeBytes);
    let at = 0;
    let filled = 0;
    /** A length of 15 goes on in bytes of 255, and one that is smaller. */
    const lengthOf = (nibble: number): number => {
        let length = nibble;
        for (let byte = nibble === 15 ? 255 : 0; byte === 255; length += byte) {
            byte = packed[at++] ?? 0;
        }
        return length;
    };
    while (at < packed.length) {
        const token = packed[at++] as number;
        const literals = lengthOf(token >> 4);
        if (at + literals > packed.length || filled + literals > sizeBytes) {
            throw new RangeError('literals are cut off');
        }
        bytes.set(packed.subarray(at, at + literals), filled);
        at += literals;
        filled += literals;
        if (at === packed.length) {
            break;
        }
        const distance = (packed[at++] ?? 0) | ((packed[at++] ?? 0) << 8);
        const length = lengthOf(token & 15) + MIN_COPY_BYTES;
        if (distance === 0 || distance > filled || filled + length > sizeBytes) {
            throw new RangeError('a copy reaches beyond the block');
        }
        // Byte by byte: a copy may overlap what it writes.
        for (const end = filled + length; filled < end; filled += 1) {
            bytes[filled] = bytes[filled - distance] as number;
        }
    }
    return bytes.subarray(0, filled);
}
