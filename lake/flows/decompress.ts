/** Plain bytes of a file that may be gzip or zstd, told by its first bytes. */
import { Readable } from 'node:stream';
// As a whole, because Node before 22.15 has no zstd in it, and a name that is not there would keep this file from loading.
import * as zlib from 'node:zlib';

export type Compression = 'none' | 'gzip' | 'zstd';

/** RFC 1952, 2.3.1 and RFC 8878, 3.1.1. */
export function compressionOf(firstBytes: Uint8Array): Compression {
    const [a, b, c, d] = firstBytes;
    if (a === 0x1f && b === 0x8b) {
        return 'gzip';
    }
    return a === 0x28 && b === 0xb5 && c === 0x2f && d === 0xfd ? 'zstd' : 'none';
}

/** The file ends too early or its compressed bytes are damaged: nothing of it can be trusted. */
export class DamagedFileError extends Error {
    override name = 'DamagedFileError';
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
        return;
    }
    if (compression === 'zstd' && zlib.createZstdDecompress === undefined) {
        throw new DamagedFileError('zstd needs Node 22.15 or newer: unpack the file first, or use a newer Node');
    }
    const options = { chunkSize: 1 << 18 };
    const unpack = compression === 'gzip' ? zlib.createGunzip(options) : zlib.createZstdDecompress(options);
    const input = Readable.from(copies(first, chunks), { objectMode: false, highWaterMark: 1 << 20 });
    let inputError: unknown;
    input.on('error', (error) => {
        inputError = error;
        unpack.destroy(error);
    });
    try {
        for await (const chunk of input.pipe(unpack)) {
            yield chunk;
        }
    } catch (error) {
        if (inputError !== undefined) {
            throw inputError;
        }
        throw new DamagedFileError(`${compression} data is damaged or ends too early (${error instanceof Error ? error.message : String(error)})`, {
            cause: error,
        });
    } finally {
        input.destroy();
        unpack.destroy();
    }
}

/** At least four bytes, or all there are. */
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
