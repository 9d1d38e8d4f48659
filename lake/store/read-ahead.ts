/** A local file from its start to its end, in memory that does not grow with it. */
import { fstatSync, readSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';

/** Size of a piece: it fits the processor's cache together with what the reader does with it. */
const PIECE_BYTES = 1 << 19;

/** Messages and timers get their turn after this many bytes, some milliseconds of work. */
const TURN_BYTES = 1 << 23;

/**
 * The file's bytes in pieces; one buffer serves the whole file, so a piece is overwritten once the next one is asked for. This thread reads
 * by itself: to have each piece read by another one and handed over costs more than the reading, and puts it into the cache of another
 * core. It seldom waits, because the system reads ahead of whoever reads a file from its start.
 */
export async function* readAhead(
    { fd }: { fd: number },
    { pieceBytes = PIECE_BYTES }: { pieceBytes?: number | undefined } = {},
): AsyncGenerator<Uint8Array> {
    const { size } = fstatSync(fd);
    const piece = Buffer.allocUnsafeSlow(Math.max(1, Math.min(pieceBytes, size)));
    let turnAt = TURN_BYTES;
    for (let position = 0; ; ) {
        const bytesRead = readSync(fd, piece, 0, piece.length, position);
        if (bytesRead === 0) {
            return;
        }
        position += bytesRead;
        yield piece.subarray(0, bytesRead);
        if (position >= turnAt) {
            turnAt = position + TURN_BYTES;
            await setImmediate();
        }
    }
}
