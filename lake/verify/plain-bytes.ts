/** The bytes of a raw object unpacked as they come: gzip and zstd are told by their first bytes. */
import { Readable } from 'node:stream';
// Imported as a whole: a name that Node before 22.15 has not would keep this file from loading.
import * as zlib from 'node:zlib';
import type { ByteStream } from '#lake/store/object-store';
import { DamagedFileError } from '#lake/verify/second-reading';

const UNPACKED_BYTES = 1 << 20;

/** Magic numbers as they stand in the file: RFC 8878, 3.1.1 and 3.1.2. */
const ZSTD_MAGIC = '28b52ffd';
const ZSTD_SKIPPABLE_MAGIC = /^5[0-9a-f]2a4d18$/;

/** What the file holds, in chunks; each may be overwritten by the next one. @throws DamagedFileError where it cannot be unpacked. */
export async function* plainBytes(bytes: ByteStream): AsyncGenerator<Uint8Array> {
    const cursor = openCursor(bytes);
    try {
        const magic = (await cursor.peek(4)).toString('hex');
        if (magic.startsWith('1f8b')) {
            yield* unpackMembers(cursor);
        } else if (magic === ZSTD_MAGIC) {
            yield* unpackFrames(cursor);
        } else {
            yield* cursor.rest();
        }
    } finally {
        await cursor.close();
    }
}

/**
 * Unpacks gzip. Node's decompressor takes member after member, but leaves off at a zero behind one: zeros may fill up a tape's block, no
 * more.
 */
async function* unpackMembers(cursor: Cursor): AsyncGenerator<Uint8Array> {
    const gunzip = zlib.createGunzip({ chunkSize: UNPACKED_BYTES });
    let nonZeroUntil = 0;
    async function* watched(): AsyncGenerator<Uint8Array> {
        for await (const chunk of cursor.rest()) {
            const last = chunk.findLastIndex((byte) => byte !== 0);
            nonZeroUntil = last < 0 ? nonZeroUntil : cursor.position() - chunk.length + last + 1;
            yield chunk;
        }
    }
    const packed = watched();
    yield* unpack(packed, gunzip);
    await packed.return(undefined);
    for await (const _ of watched()) {
        // Only looked through.
    }
    if (nonZeroUntil > gunzip.bytesWritten) {
        throw new DamagedFileError('gzip data is damaged: something else stands behind its end');
    }
}

/** Unpacks zstd. Node's decompressor stops after one frame and says nothing: each frame gets its own. */
async function* unpackFrames(cursor: Cursor): AsyncGenerator<Uint8Array> {
    for (let head = await cursor.peek(8); head.length > 0; head = await cursor.peek(8)) {
        const magic = head.toString('hex', 0, 4);
        if (ZSTD_SKIPPABLE_MAGIC.test(magic) && head.length === 8) {
            await cursor.skip(8 + head.readUInt32LE(4));
            continue;
        }
        if (magic !== ZSTD_MAGIC) {
            throw new DamagedFileError(`zstd data is damaged: no frame begins at byte ${cursor.position()}`);
        }
        yield* unpack(takeFrame(cursor), zlib.createZstdDecompress({ chunkSize: UNPACKED_BYTES }));
    }
}

/** The bytes of one frame, header and blocks (RFC 8878, 3.1.1). */
async function* takeFrame(cursor: Cursor): AsyncGenerator<Uint8Array> {
    const take = async (length: number): Promise<Buffer> => {
        const piece = await cursor.take(length);
        if (piece.length < length) {
            throw new DamagedFileError('zstd data is damaged or ends too early');
        }
        return piece;
    };
    const start = await take(5);
    const descriptor = start.readUInt8(4);
    yield start;
    const isSingleSegment = (descriptor & 0x20) !== 0;
    const contentSizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
    const dictionaryIdBytes = [0, 1, 2, 4][descriptor & 3] ?? 0;
    yield await take((isSingleSegment ? 0 : 1) + dictionaryIdBytes + contentSizeBytes);
    for (let isLastBlock = false; !isLastBlock; ) {
        const block = await take(3);
        const header = block.readUIntLE(0, 3);
        yield block;
        isLastBlock = (header & 1) === 1;
        const isOneByteRepeated = ((header >> 1) & 3) === 1;
        yield await take(isOneByteRepeated ? 1 : header >> 3);
    }
    yield await take((descriptor & 4) === 0 ? 0 : 4);
}

async function* unpack(packed: ByteStream, unpacker: zlib.Gunzip | zlib.ZstdDecompress): AsyncGenerator<Uint8Array> {
    const source = Readable.from(copies(packed), { highWaterMark: 1 });
    source.on('error', (error) => unpacker.destroy(error));
    try {
        yield* source.pipe(unpacker);
    } catch (error) {
        if (source.errored || !(error instanceof Error)) {
            throw error;
        }
        throw new DamagedFileError(error.message, { cause: error });
    } finally {
        source.destroy();
        unpacker.destroy();
    }
}

/** The chunks, each in memory of its own: a stream asks for the next chunk while it still holds this one. */
async function* copies(chunks: ByteStream): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
        if (chunk.length > 0) {
            yield Buffer.from(chunk);
        }
    }
}

/** A place in a stream. What it hands out is good until the next call. */
interface Cursor {
    /** The next bytes without taking them: fewer where the stream ends. */
    peek(length: number): Promise<Buffer>;
    /** The next bytes: fewer where the stream ends. */
    take(length: number): Promise<Buffer>;
    skip(length: number): Promise<void>;
    rest(): AsyncGenerator<Uint8Array>;
    /** Bytes taken so far. */
    position(): number;
    close(): Promise<void>;
}

function openCursor(bytes: ByteStream): Cursor {
    const chunks = bytes[Symbol.asyncIterator]();
    let held: Buffer = Buffer.alloc(0);
    let position = 0;

    async function peek(length: number): Promise<Buffer> {
        while (held.length < length) {
            // Asking for the next chunk may overwrite this one.
            const kept = Buffer.from(held);
            const { done, value } = await chunks.next();
            if (done) {
                held = kept;
                break;
            }
            const chunk = Buffer.from(value.buffer, value.byteOffset, value.length);
            held = kept.length === 0 ? chunk : Buffer.concat([kept, chunk]);
        }
        return held.subarray(0, length);
    }

    async function take(length: number): Promise<Buffer> {
        const piece = await peek(length);
        held = held.subarray(piece.length);
        position += piece.length;
        return piece;
    }

    return {
        peek,
        take,
        async skip(length) {
            for (let left = length; left > 0 && (await peek(1)).length > 0; ) {
                left -= (await take(Math.min(left, held.length))).length;
            }
        },
        async *rest() {
            for (let piece = await peek(1); piece.length > 0; piece = await peek(1)) {
                yield await take(held.length);
            }
        },
        position: () => position,
        async close() {
            await chunks.return?.();
        },
    };
}
