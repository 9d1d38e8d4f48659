/** A local file from its start to its end, in memory that does not grow with it. */
import type { FileHandle } from 'node:fs/promises';

/** Fits the processor's cache together with what the reader does with it. */
const READ_BYTES = 1 << 18;

/**
 * The next piece is read while the caller works on this one. Two buffers serve the whole file, so a piece is overwritten once the
 * next one is asked for; a stream of `fs` would leave a new buffer behind for each.
 */
export async function* readAhead(file: FileHandle): AsyncGenerator<Uint8Array> {
    const { size } = await file.stat();
    const pieceBytes = Math.max(1, Math.min(READ_BYTES, size));
    let current = Buffer.allocUnsafeSlow(pieceBytes);
    let next = Buffer.allocUnsafeSlow(pieceBytes);
    let position = 0;
    let reading = file.read(current, 0, pieceBytes, position);
    for (;;) {
        const { bytesRead } = await reading;
        if (bytesRead === 0) {
            return;
        }
        position += bytesRead;
        reading = file.read(next, 0, pieceBytes, position);
        try {
            yield current.subarray(0, bytesRead);
        } finally {
            await reading.catch(() => undefined);
        }
        [current, next] = [next, current];
    }
}
