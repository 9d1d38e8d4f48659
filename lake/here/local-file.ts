/** Reads a file of this machine that is to go into a lake, and tells whether an object has its bytes. */
import { createHash, randomUUID } from 'node:crypto';
import { closeSync, openSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { StorageError } from '#lake/errors';
import type { Inspection, Kind } from '#lake/kind';
import type { ByteRange, Scratch } from '#lake/store/object-store';
import { readAhead } from '#lake/store/read-ahead';
import { openScratchFile } from '#lake/store/scratch-file';

export interface LocalFileEvents {
    /** Called with the bytes read since the last call. */
    onBytes?: ((bytes: number) => void) | undefined;
    signal?: AbortSignal | undefined;
}

/** A beginning is read in pieces of this size: it mostly takes one. */
const BEGINNING_PIECE_BYTES = 1 << 16;

/** The file's bytes; each piece is valid until the next one is asked for. @throws StorageError where it cannot be read. */
export async function* readLocalFile(path: string, { onBytes, signal }: LocalFileEvents = {}): AsyncGenerator<Uint8Array> {
    try {
        for await (const piece of readPieces(path, { signal })) {
            onBytes?.(piece.length);
            yield piece;
        }
    } catch (error) {
        throw asStorageError(error, path);
    }
}

/** Room on a disk of this machine that is no part of a lake. */
export function openLocalScratch(): Scratch {
    return openScratchFile(join(tmpdir(), `flowlake-${randomUUID()}`));
}

/** The file's bytes in smaller pieces, for readers that seldom want more than the beginning. @throws StorageError where it cannot be read. */
export async function* readLocalBeginning(path: string, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    try {
        yield* readPieces(path, { signal, pieceBytes: BEGINNING_PIECE_BYTES });
    } catch (error) {
        throw asStorageError(error, path);
    }
}

function asStorageError(error: unknown, path: string): unknown {
    return error instanceof Error && 'syscall' in error
        ? new StorageError(`cannot read ${path}: ${error.message}`, { cause: error })
        : error;
}

/** The calls are synchronous: handing one over to another thread and back takes five times as long (docs/performance.md). */
async function* readPieces(
    path: string,
    { signal, pieceBytes }: { signal?: AbortSignal | undefined; pieceBytes?: number },
): AsyncGenerator<Uint8Array> {
    const fd = openSync(path, 'r');
    try {
        for await (const piece of readAhead({ fd }, { pieceBytes })) {
            signal?.throwIfAborted();
            yield piece;
        }
    } finally {
        closeSync(fd);
    }
}

/** The SHA-256 of the file, in hex: the etag that a directory lake would give it. @throws StorageError where it cannot be read. */
export async function hashLocalFile(path: string, signal?: AbortSignal): Promise<string> {
    const hash = createHash('sha256');
    for await (const chunk of readLocalFile(path, { signal })) {
        hash.update(chunk);
    }
    return hash.digest('hex');
}

/**
 * True if the file's bytes are those that S3 gave this etag: the MD5 of an object that was put whole, or the MD5 of its parts' MD5s and how
 * many they are. The etag does not say how large the parts were; the usual sizes are tried. False also where the etag is no MD5 at all, as
 * with a KMS key (https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html).
 */
export async function hasS3Etag(
    path: string,
    { etag, sizeBytes, signal }: { etag: string; sizeBytes: number; signal?: AbortSignal | undefined },
): Promise<boolean> {
    const [, count] = /^[0-9a-f]{32}(?:-(\d+))?$/.exec(etag) ?? [];
    if (count === undefined) {
        return /^[0-9a-f]{32}$/.test(etag) && (await multipartEtag(path, { partBytes: sizeBytes, signal })).startsWith(`${etag} `);
    }
    for (const partBytes of USUAL_PART_BYTES) {
        const isPossible = Math.ceil(sizeBytes / partBytes) === Number(count);
        if (isPossible && (await multipartEtag(path, { partBytes, signal })).endsWith(` ${etag}`)) {
            return true;
        }
    }
    return false;
}

/** Part sizes that the AWS command line, its SDKs, rclone and others use. */
const USUAL_PART_BYTES = [5, 8, 10, 15, 16, 25, 32, 50, 64, 100, 128, 256, 512, 1024].map((mebibytes) => mebibytes << 20);

/** Both etags that a file may have: `<MD5 of the whole> <MD5 of the parts' MD5s>-<parts>`. */
async function multipartEtag(path: string, { partBytes, signal }: { partBytes: number; signal: AbortSignal | undefined }): Promise<string> {
    const whole = createHash('md5');
    const ofParts = createHash('md5');
    let part = createHash('md5');
    let filled = 0;
    let parts = 0;
    const endPart = (): void => {
        ofParts.update(part.digest());
        part = createHash('md5');
        filled = 0;
        parts += 1;
    };
    for await (const chunk of readLocalFile(path, { signal })) {
        whole.update(chunk);
        for (let at = 0; at < chunk.length; ) {
            const taken = Math.min(chunk.length - at, partBytes - filled);
            part.update(chunk.subarray(at, at + taken));
            at += taken;
            filled += taken;
            if (filled === partBytes) {
                endPart();
            }
        }
    }
    if (filled > 0) {
        endPart();
    }
    return `${whole.digest('hex')} ${ofParts.digest('hex')}-${parts}`;
}

/** What the file is to a kind of data. @throws what reading it does, and the signal's reason */
export async function inspectLocalFile(
    path: string,
    { kind, signal }: { kind: Pick<Kind, 'inspect'>; signal?: AbortSignal },
): Promise<Inspection> {
    const { size } = statSync(path);
    const parts = { name: basename(path), sizeBytes: size, readRange: (range: ByteRange) => readLocalPart(path, range) };
    return kind.inspect(readPieces(path, { signal, pieceBytes: BEGINNING_PIECE_BYTES }), parts);
}

/** Bytes of the file from `start` up to `end`, which is exclusive; fewer where it ends before. */
export async function readLocalPart(path: string, { start, end }: ByteRange): Promise<Uint8Array<ArrayBuffer>> {
    const file = await open(path);
    try {
        const bytes = new Uint8Array(end - start);
        let filled = 0;
        for (let bytesRead = -1; bytesRead !== 0 && filled < bytes.length; filled += bytesRead) {
            ({ bytesRead } = await file.read(bytes, filled, bytes.length - filled, start + filled));
        }
        return bytes.subarray(0, filled);
    } finally {
        await file.close();
    }
}
