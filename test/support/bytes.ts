/** Bytes and streams of bytes for tests of what moves them. */
import { createHash, randomFillSync } from 'node:crypto';
import type { ByteStream } from '#lake/store/object-store';

/** The pieces, each in the buffer that the one before was in, as the port allows. */
export async function* inPieces(pieces: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    let buffer = Buffer.alloc(0);
    for (const piece of pieces) {
        buffer = buffer.length < piece.length ? Buffer.alloc(piece.length) : buffer;
        buffer.set(piece);
        yield buffer.subarray(0, piece.length);
        buffer.fill(0xff);
    }
}

/** Pieces of these lengths in turn, until the bytes end. */
export function* cut(bytes: Uint8Array, lengths: readonly number[]): Generator<Uint8Array> {
    for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
        const length = lengths[turn % lengths.length] ?? 0;
        yield bytes.subarray(at, at + length);
        at += length;
    }
}

export async function* failing(length: number, error: Error): AsyncGenerator<Uint8Array> {
    yield* inPieces(cut(noise(length), [1 << 18]));
    throw error;
}

export async function readAll(stream: ByteStream): Promise<Uint8Array> {
    const pieces: Buffer[] = [];
    for await (const piece of stream) {
        pieces.push(Buffer.from(piece));
    }
    return new Uint8Array(Buffer.concat(pieces));
}

export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
    return new TextEncoder().encode(text);
}

export function textOf(bytes: Uint8Array | undefined): string {
    return Buffer.from(bytes ?? []).toString();
}

/** Bytes that no two calls share. */
export function noise(length: number): Uint8Array {
    return randomFillSync(new Uint8Array(length));
}

export function sha256(bytes: Uint8Array): string {
    return createHash('sha256').update(bytes).digest('hex');
}
