/** Plain bytes of a file that may be gzip or zstd, told by its first bytes. */
import { Readable } from 'node:stream';
// Imported as a whole: Node before 22.15 has no zstd in it, and a name that is not there would keep this file from loading.
import * as zlib from 'node:zlib';
import { DamagedFileError, zstdFrames } from './zstd-frames.ts';

type Compression = 'none' | 'gzip' | 'zstd';

/** RFC 1952, 2.3.1 and RFC 8878, 3.1.1. */
function compressionOf(firstBytes: Uint8Array): Compression {
    const [a, b, c, d] = firstBytes;
    if (a === 0x1f && b === 0x8b) {
        return 'gzip';
    }
    return a === 0x28 && b === 0xb5 && c === 0x2f && d === 0xfd ? 'zstd' : 'none';
}

/**
 * The plain bytes. A chunk may be overwritten as soon as the next one is asked for.
 * @throws DamagedFileError in the middle of the stream.
 */
export async function* decompress(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const chunks = source[Symbol.asyncIterator]();
    try {
        yield* plainBytes(chunks);
    } finally {
        await chunks.return?.();
    }
}

async function* plainBytes(chunks: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
    const first = await firstBytes(chunks);
    const compression = compressionOf(first);
    if (compression === 'none') {
        yield first;
        yield* { [Symbol.asyncIterator]: () => chunks };
    } else if (compression === 'gzip') {
        yield* gunzip(copies(first, chunks));
    } else if (zlib.createZstdDecompress === undefined) {
        throw new DamagedFileError('zstd needs Node 22.15 or newer: unpack the file first, or use a newer Node');
    } else {
        // Node's decompressor stops behind the first frame and says nothing of what follows: each frame gets its own.
        for await (const frame of zstdFrames(copies(first, chunks))) {
            yield* unpack(frame, { with: zlib.createZstdDecompress(UNPACK_OPTIONS), format: 'zstd' });
        }
    }
}

const UNPACK_OPTIONS = { chunkSize: 1 << 18 };

/** All members of a gzip file. Node's decompressor ends at a zero behind one of them, whatever follows: nothing but zeros may. */
async function* gunzip(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const unpacker = zlib.createGunzip(UNPACK_OPTIONS);
    const chunks = source[Symbol.asyncIterator]();
    let length = 0;
    let lastByteEnd = 0;
    async function next(): Promise<Uint8Array | undefined> {
        const { done, value } = await chunks.next();
        if (done) {
            return undefined;
        }
        const last = value.findLastIndex((byte: number) => byte !== 0);
        lastByteEnd = last < 0 ? lastByteEnd : length + last + 1;
        length += value.length;
        return value;
    }
    async function* watched(): AsyncGenerator<Uint8Array> {
        for (let chunk = await next(); chunk; chunk = await next()) {
            yield chunk;
        }
    }
    const watching = watched();
    yield* unpack(watching, { with: unpacker, format: 'gzip' });
    // It may still be waiting for a chunk.
    await watching.return(undefined);
    for (let chunk: Uint8Array | undefined = new Uint8Array(0); chunk; chunk = await next()) {
        if (lastByteEnd > unpacker.bytesWritten) {
            throw new DamagedFileError('gzip data is damaged: something else stands behind its end');
        }
    }
}

async function* unpack(
    source: AsyncIterable<Uint8Array>,
    { with: unpacker, format }: { with: zlib.Gunzip | zlib.ZstdDecompress; format: string },
): AsyncGenerator<Uint8Array> {
    const input = Readable.from(source, { objectMode: false, highWaterMark: 1 << 20 });
    let inputError: unknown;
    input.on('error', (error) => {
        inputError = error;
        unpacker.destroy(error);
    });
    try {
        yield* input.pipe(unpacker);
    } catch (error) {
        if (inputError !== undefined) {
            throw inputError;
        }
        const told = error instanceof Error ? error.message : String(error);
        throw new DamagedFileError(`${format} data is damaged or ends too early (${told})`, { cause: error });
    } finally {
        input.destroy();
        unpacker.destroy();
    }
}

/** The first bytes: four at least, or all there are. */
async function firstBytes(chunks: AsyncIterator<Uint8Array>): Promise<Uint8Array> {
    let first: Uint8Array = new Uint8Array(0);
    for (;;) {
        const { done, value } = await chunks.next();
        if (done) {
            return first;
        }
        if (first.length === 0 && value.length >= 4) {
            return value;
        }
        first = Buffer.concat([first, value]);
        if (first.length >= 4) {
            return first;
        }
    }
}

async function* copies(first: Uint8Array, chunks: AsyncIterator<Uint8Array>): AsyncGenerator<Buffer> {
    yield Buffer.from(first);
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) {
        yield Buffer.from(next.value);
    }
}
