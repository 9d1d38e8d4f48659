/** Finds where the frames of a zstd stream begin and end (RFC 8878, 3.1): a file may be several, one behind the other. */

/** The file ends too early or its compressed bytes are damaged: nothing of it can be trusted. */
export class DamagedFileError extends Error {
    override name = 'DamagedFileError';
}

const FRAME_MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;

/** One stream of compressed bytes per frame, each to be read to its end before the next is asked for; skippable frames are left out. */
export async function* zstdFrames(source: AsyncIterable<Uint8Array>): AsyncGenerator<AsyncGenerator<Uint8Array>> {
    const bytes = byteReader(source);
    for (let magic = await bytes.takeUpTo(4); magic.length > 0; magic = await bytes.takeUpTo(4)) {
        const number = magic.length === 4 ? magic.readUInt32LE(0) : 0;
        if ((number & ~0xf) >>> 0 === SKIPPABLE_MAGIC) {
            await bytes.skip((await bytes.take(4)).readUInt32LE(0));
        } else if (number === FRAME_MAGIC) {
            yield frame(magic, bytes);
        } else {
            throw new DamagedFileError('zstd data is damaged: something else stands behind the end of a frame');
        }
    }
}

async function* frame(magic: Buffer, bytes: ByteReader): AsyncGenerator<Uint8Array> {
    const descriptor = await bytes.take(1);
    const flags = descriptor.readUInt8(0);
    const isSingleSegment = (flags & 0x20) !== 0;
    const windowBytes = isSingleSegment ? 0 : 1;
    const dictionaryIdBytes = [0, 1, 2, 4][flags & 3] ?? 0;
    const contentSizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][flags >> 6] ?? 0;
    yield Buffer.concat([magic, descriptor, await bytes.take(windowBytes + dictionaryIdBytes + contentSizeBytes)]);
    for (let isLast = false; !isLast; ) {
        const header = await bytes.take(3);
        const block = header.readUIntLE(0, 3);
        isLast = (block & 1) === 1;
        const isOneByteRepeated = ((block >> 1) & 3) === 1;
        yield Buffer.concat([header, await bytes.take(isOneByteRepeated ? 1 : block >> 3)]);
    }
    if ((flags & 4) !== 0) {
        yield await bytes.take(4);
    }
}

interface ByteReader {
    /** The next bytes, fewer than `count` only at the end. */
    takeUpTo(count: number): Promise<Buffer>;
    /** The next bytes, `count` of them. @throws DamagedFileError where there are fewer */
    take(count: number): Promise<Buffer>;
    skip(count: number): Promise<void>;
}

function byteReader(source: AsyncIterable<Uint8Array>): ByteReader {
    const chunks = source[Symbol.asyncIterator]();
    let left: Buffer = Buffer.alloc(0);

    async function takeUpTo(count: number): Promise<Buffer> {
        const parts: Buffer[] = [];
        let missing = count;
        while (missing > 0) {
            if (left.length === 0) {
                const { done, value } = await chunks.next();
                if (done) {
                    break;
                }
                left = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
                continue;
            }
            parts.push(left.subarray(0, missing));
            left = left.subarray(parts.at(-1)?.length);
            missing -= parts.at(-1)?.length ?? 0;
        }
        return Buffer.concat(parts);
    }

    async function take(count: number): Promise<Buffer> {
        const taken = await takeUpTo(count);
        if (taken.length < count) {
            throw new DamagedFileError('zstd data ends too early');
        }
        return taken;
    }

    return {
        takeUpTo,
        take,
        async skip(count) {
            for (let missing = count; missing > 0; missing -= 1 << 16) {
                await take(Math.min(missing, 1 << 16));
            }
        },
    };
}
