/** Objects as files, for an engine that reads files only: copied when needed, a few at a time, and gone when they were used. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import pMap from 'p-map';
import { ConflictError, StorageError } from '#lake/errors';
import type { ByteStream, ListedObject, ObjectStore } from '#lake/store/object-store';

/** Objects that are copied at once: small ones are one request each, so the time to the first byte is what counts. */
const SIDE_BY_SIDE = 16;

/** Larger objects are not held in memory. */
const MAX_WHOLE_BYTES = 8 << 20;

export interface Copies {
    /**
     * Runs `work` over copies of the objects, in their order, each at a path that ends with its key; afterwards they are gone.
     * @throws ConflictError where an object is gone or is replaced meanwhile.
     */
    use<T>(objects: readonly StoredObject[], work: (paths: string[]) => Promise<T>): Promise<T>;
    /** Removes what is left; nothing stays behind. */
    close(): Promise<void>;
}

export type StoredObject = Pick<ListedObject, 'key' | 'sizeBytes'>;

/** Opens copies of the store's objects. @param signal aborting it stops before the next object; `use` then rejects with its reason. */
export function openCopies({ store, signal }: { store: ObjectStore; signal?: AbortSignal | undefined }): Copies {
    let folder: Promise<string> | undefined;

    async function copy({ key, sizeBytes }: StoredObject): Promise<string> {
        signal?.throwIfAborted();
        folder ??= mkdtemp(join(tmpdir(), 'flowlake-verify-')).catch(explain);
        const path = join(await folder, key);
        const body = await bodyOf(store, { key, sizeBytes });
        await mkdir(dirname(path), { recursive: true }).catch(explain);
        await writeFile(path, body).catch(explain);
        return path;
    }

    /** Copies the objects and waits for all of them: none must still be written when its folder goes. */
    async function copyAll(objects: readonly StoredObject[]): Promise<string[]> {
        const copied = await pMap(
            objects,
            (object) =>
                copy(object).then(
                    (path) => ({ path }),
                    (error: unknown) => ({ error }),
                ),
            { concurrency: SIDE_BY_SIDE },
        );
        return copied.map((outcome) => {
            if ('error' in outcome) {
                throw outcome.error;
            }
            return outcome.path;
        });
    }

    return {
        async use(objects, work) {
            try {
                return await work(await copyAll(objects));
            } finally {
                const made = await folder;
                await Promise.all(made === undefined ? [] : objects.map(({ key }) => rm(join(made, key), { force: true })));
            }
        },
        async close() {
            const made = await folder;
            if (made !== undefined) {
                await rm(made, { recursive: true, force: true });
            }
        },
    };
}

async function bodyOf(store: ObjectStore, { key, sizeBytes }: StoredObject): Promise<Uint8Array | ByteStream> {
    const found = sizeBytes <= MAX_WHOLE_BYTES ? await store.get(key) : await store.head(key);
    if (!found) {
        throw new ConflictError(`${key} is gone`);
    }
    return 'bytes' in found ? found.bytes : store.open(key, { ifMatch: found.etag });
}

function explain(error: unknown): never {
    if (error instanceof Error && 'syscall' in error) {
        throw new StorageError(`cannot write into the folder for temporary files (TMPDIR): ${error.message}`, { cause: error });
    }
    throw error;
}
