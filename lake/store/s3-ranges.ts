/** A large object of S3 from its start to its end, several ranges of it under way at once, in memory that does not grow with it. */
import { GetObjectCommand, HeadObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { fillFrom, withWholeBody } from './s3-body.ts';

/**
 * Size of a range: large enough that the time to the first byte hardly counts
 * (https://docs.aws.amazon.com/whitepapers/latest/s3-optimizing-performance-best-practices/use-byte-range-fetches.html).
 */
const RANGE_BYTES = 8 << 20;

/** One connection gives some 80 MB/s; four are faster than one core reads flows. */
const RANGES_AHEAD = 4;

/** Size of a piece: it fits the processor's cache together with what the reader does with it. */
const PIECE_BYTES = 1 << 19;

export interface ReadRangesOptions {
    client: S3Client;
    Bucket: string;
    Key: string;
    /** Etag that the object must have, without quotes. */
    IfMatch: string;
}

/** The object's bytes in pieces, each valid until the next one is asked for. @throws what S3 says: 412 for another etag, 404 */
export async function* readRanges({ client, IfMatch, ...object }: ReadRangesOptions): AsyncGenerator<Uint8Array> {
    const pinned = { ...object, IfMatch: `"${IfMatch}"` };
    const abort = new AbortController();
    const { ContentLength: sizeBytes = 0 } = await client.send(new HeadObjectCommand(pinned));
    const buffers = Array.from({ length: Math.min(RANGES_AHEAD, Math.ceil(sizeBytes / RANGE_BYTES)) }, () =>
        Buffer.allocUnsafeSlow(Math.min(RANGE_BYTES, sizeBytes)),
    );
    const fetchRange = (start: number, buffer: Buffer): Promise<Buffer> => {
        const length = Math.min(RANGE_BYTES, sizeBytes - start);
        const fetched = withWholeBody(() => fill(buffer.subarray(0, length), start), { signal: abort.signal });
        // Whoever waits for an earlier range learns of it when it comes to this one.
        fetched.catch(() => undefined);
        return fetched;
    };
    const fill = async (buffer: Buffer, start: number): Promise<Buffer> => {
        const Range = `bytes=${start}-${start + buffer.length - 1}`;
        const { Body } = await client.send(new GetObjectCommand({ ...pinned, Range }), { abortSignal: abort.signal });
        await fillFrom(Body, buffer);
        return buffer;
    };
    try {
        const ahead = buffers.map((buffer, at) => fetchRange(at * RANGE_BYTES, buffer));
        for (let start = 0; start < sizeBytes; start += RANGE_BYTES) {
            const range = await ahead.shift();
            for (let at = 0; range && at < range.length; at += PIECE_BYTES) {
                yield range.subarray(at, at + PIECE_BYTES);
            }
            const next = start + buffers.length * RANGE_BYTES;
            const free = buffers[(start / RANGE_BYTES) % buffers.length];
            if (free && next < sizeBytes) {
                ahead.push(fetchRange(next, free));
            }
        }
    } finally {
        abort.abort();
    }
}
