/** Reads a stream until its beginning tells what it is. */

export interface ReadBeginningOptions<T> {
    /** Bytes that are waited for before the first look; fewer where the stream ends. */
    firstLook: number;
    /** Bytes that are waited for after a look at `length` that told nothing. */
    nextLook(length: number): number;
    /** What the bytes tell; undefined where more are needed, which is never so where all are there (`isLast`). */
    take(bytes: Buffer, isLast: boolean): T | undefined;
}

/** What the beginning of the stream tells. However small its chunks are, each byte is looked at a few times only. */
export async function readBeginning<T>(
    chunks: AsyncIterator<Uint8Array>,
    { firstLook, nextLook, take }: ReadBeginningOptions<T>,
): Promise<T> {
    let parts: Buffer[] = [];
    let length = 0;
    let lookAt = firstLook;
    for (;;) {
        const { done, value } = await chunks.next();
        if (!done) {
            parts.push(Buffer.from(value));
            length += value.length;
        }
        if (done || length >= lookAt) {
            const bytes = Buffer.concat(parts);
            parts = [bytes];
            lookAt = nextLook(length);
            const found = take(bytes, done === true);
            if (found !== undefined) {
                return found;
            }
        }
    }
}
