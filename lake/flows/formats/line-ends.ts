/** Text whose lines end in CR alone, as old Macs and some spreadsheets write it, becomes text with LF. */

const LF = 0x0a;
const CR = 0x0d;

/** Bytes that are looked at: where they hold a CR and no LF, the lines end in CR alone. */
const LOOKED_AT_BYTES = 1 << 16;

/** Hands out the bytes as they are, or with an LF for each CR where lines end in CR alone. A chunk may be overwritten as soon as the next one is asked for. */
export async function* withLineFeeds(chunks: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
        const parts: Buffer[] = [];
        let length = 0;
        let isAll = false;
        while (!isAll && length < LOOKED_AT_BYTES && parts.at(-1)?.includes(LF) !== true) {
            const { done, value } = await chunks.next();
            if (done === true) {
                isAll = true;
            } else {
                parts.push(Buffer.from(value));
                length += value.length;
            }
        }
        const start = Buffer.concat(parts);
        const lookedAt = start.subarray(0, LOOKED_AT_BYTES);
        if (!lookedAt.includes(CR) || lookedAt.includes(LF)) {
            yield start;
            yield* chunks;
            return;
        }
        yield withLf(start);
        for await (const chunk of chunks) {
            yield withLf(Buffer.from(chunk));
        }
    } finally {
        await chunks.return(undefined);
    }
}

function withLf(bytes: Buffer): Buffer {
    for (let at = bytes.indexOf(CR); at >= 0; at = bytes.indexOf(CR, at + 1)) {
        bytes[at] = LF;
    }
    return bytes;
}
