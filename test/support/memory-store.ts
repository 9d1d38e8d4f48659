/** An object store in memory, as strict as S3: for use cases, and to be wrapped by what counts calls or makes them fail. */
import { createHash } from 'node:crypto';
import { ConflictError } from '#lake/errors';
import { ABSENT, type ObjectInfo, type ObjectStore } from '#lake/store/object-store';
import { memoryScratch } from './memory-scratch.ts';

interface Stored {
    info: ObjectInfo;
    bytes: Uint8Array<ArrayBuffer>;
    modifiedAt: Date;
}

/** An empty store; `pieceBytes` is how much a stream yields at once. */
export function memoryStore({ pieceBytes = 1 << 16, now = () => new Date() }: { pieceBytes?: number; now?: () => Date } = {}): ObjectStore {
    const objects = new Map<string, Stored>();
    let generations = 0;

    function check(key: string, ifMatch: string | undefined): void {
        const found = objects.get(key)?.info.etag ?? ABSENT;
        if (ifMatch !== undefined && found !== ifMatch) {
            throw new ConflictError(`${key}: found ${found}, expected ${ifMatch}`);
        }
    }

    return {
        head: async (key) => objects.get(key)?.info,
        async *open(key, { ifMatch }) {
            check(key, ifMatch);
            const bytes = objects.get(key)?.bytes ?? new Uint8Array();
            // One buffer for all pieces: whoever keeps a piece without copying it is found out.
            const piece = Buffer.alloc(Math.min(pieceBytes, bytes.length));
            for (let at = 0; at < bytes.length; at += pieceBytes) {
                piece.set(bytes.subarray(at, at + pieceBytes));
                yield piece.subarray(0, Math.min(pieceBytes, bytes.length - at));
            }
        },
        async readRange(key, { ifMatch, start, end }) {
            check(key, ifMatch);
            return new Uint8Array(objects.get(key)?.bytes.subarray(start, Math.max(start, end)) ?? []);
        },
        async get(key) {
            const stored = objects.get(key);
            return stored && { info: stored.info, bytes: new Uint8Array(stored.bytes) };
        },
        async readEnd(key, { lastBytes }) {
            const stored = objects.get(key);
            return stored && { bytes: new Uint8Array(stored.bytes.subarray(-lastBytes)), sizeBytes: stored.bytes.length };
        },
        async put(key, body, { ifMatch, metadata = {} } = {}) {
            const pieces: Uint8Array[] = [];
            for await (const piece of body instanceof Uint8Array ? [body] : body) {
                pieces.push(Buffer.from(piece));
            }
            const bytes = new Uint8Array(Buffer.concat(pieces));
            check(key, ifMatch);
            generations += 1;
            const etag = createHash('sha256').update(bytes).digest('hex');
            const info = { key, etag, sizeBytes: bytes.length, generation: String(generations), metadata };
            objects.set(key, { info, bytes, modifiedAt: now() });
            return info;
        },
        async delete(key, { only } = {}) {
            const found = objects.get(key)?.info.generation;
            if (only && found !== undefined && found !== only.generation) {
                throw new ConflictError(`${key}: found generation ${found}, expected ${only.generation}`);
            }
            objects.delete(key);
        },
        openScratch: memoryScratch,
        async *list(prefix) {
            const keys = [...objects.keys()].filter((key) => key.startsWith(prefix));
            for (const key of keys.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))) {
                const stored = objects.get(key);
                if (stored) {
                    yield { key, sizeBytes: stored.bytes.length, modifiedAt: stored.modifiedAt, etag: stored.info.etag };
                }
            }
        },
    };
}
