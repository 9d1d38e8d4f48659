/**
 * The port to where objects live. It promises what S3 promises and no more: single objects are written whole or not at all,
 * conditional on their etag, and listings are strongly consistent. Every adapter passes test/support/object-store-contract.ts.
 */
import { ConflictError } from '#lake/errors';

export interface ObjectInfo {
    key: string;
    /** Changes whenever the bytes do; equal bytes may have equal etags. */
    etag: string;
    sizeBytes: number;
    /** Names this very upload: differs between two uploads of the same bytes (S3 versionId). */
    generation: string;
    /** Metadata that `put` was given. */
    metadata: Readonly<Record<string, string>>;
}

export interface ListedObject {
    key: string;
    sizeBytes: number;
    modifiedAt: Date;
    /** The etag, as `head` tells it, where the store's listings have it. */
    etag?: string;
    /** The class that it is kept in, by S3's name, where the store has such. */
    storageClass?: string;
}

/** The last bytes of an object. */
export interface ObjectEnd {
    bytes: Uint8Array<ArrayBuffer>;
    /** Size of the whole object. */
    sizeBytes: number;
}

/** Bytes in chunks. A chunk may be overwritten as soon as the next one is asked for: copy what must stay. */
export type ByteStream = AsyncIterable<Uint8Array>;

/** Bytes by their places: from `start` up to `end`, which is exclusive. */
export interface ByteRange {
    start: number;
    end: number;
}

export interface PutOptions {
    /** The etag that the object must have now, or `absent`. Without it the write is unconditional. */
    ifMatch?: string;
    metadata?: Record<string, string>;
    /** How large the body is, where that is known of a stream. */
    sizeBytes?: number | undefined;
    /** Makes a large stream that is interrupted worth taking up again; a store that cannot do so begins anew. */
    resume?: Resume | undefined;
    /**
     * Called with the bytes that the store has taken since the last call. Some stores never call: then count what is read of the stream.
     */
    onBytes?: ((bytes: number) => void) | undefined;
}

/** The caller's memory of an upload that was begun, for the next attempt with equal bytes, key and metadata. */
export interface Resume {
    /** The upload that an earlier attempt began. */
    find(): Promise<string | undefined>;
    keep(upload: string): Promise<void>;
    forget(): Promise<void>;
    /** True if another attempt may follow after this error; else what was begun is thrown away. */
    isWorthKeeping(error: unknown): boolean;
}

/** Room on a disk for what one piece of work cannot keep in memory. It is no object: nobody else sees it, and nothing of it stays. */
export interface Scratch {
    /** Appends bytes. @returns the place of the first one @throws StorageError */
    append(bytes: Uint8Array): number;
    /** Reads bytes that were appended. @throws StorageError */
    read(range: ByteRange): Uint8Array<ArrayBuffer>;
    /** Frees the room; calling twice is safe. */
    close(): void;
}

export interface ObjectStore {
    /** True if a `put` that threw cannot take effect later, so that one look tells what came of it. Over a network it may arrive late. */
    readonly isSettledByError?: boolean;
    /** The object's facts. @returns undefined where nothing is there. @throws StorageError where it cannot be told. */
    head(key: string): Promise<ObjectInfo | undefined>;
    /** The whole object as a stream, pinned to one etag. The stream @throws ConflictError where the object has another etag or is gone. */
    open(key: string, options: { ifMatch: string }): ByteStream;
    /**
     * The object's bytes from `start` up to `end`, which is exclusive, pinned to one etag; fewer where the object ends before.
     * @throws ConflictError where the object has another etag or is gone.
     */
    readRange(key: string, options: ByteRange & { ifMatch: string }): Promise<Uint8Array<ArrayBuffer>>;
    /** The whole object in memory: for small ones. Undefined where nothing is there. */
    get(key: string): Promise<{ info: ObjectInfo; bytes: Uint8Array<ArrayBuffer> } | undefined>;
    /** The object's last bytes (a Parquet footer stands there), or all of a smaller one; no more of it is read. Undefined where nothing is there. */
    readEnd(key: string, options: { lastBytes: number }): Promise<ObjectEnd | undefined>;
    /** Writes the object whole or not at all. @throws ConflictError where `ifMatch` does not hold. @throws StorageError */
    put(key: string, body: Uint8Array | ByteStream, options?: PutOptions): Promise<ObjectInfo>;
    /**
     * Deletes the object; fine where nothing is there.
     * @throws ConflictError with `only`, where the object is not that very upload any more; the same bytes put once more are another
     * upload.
     */
    delete(key: string, options?: { only?: Pick<ObjectInfo, 'etag' | 'generation'> }): Promise<void>;
    /** Every object whose key begins with the prefix, in the order of their keys' bytes. */
    list(prefix: string): AsyncIterable<ListedObject>;
    /**
     * What changes whenever an object directly in the folder is put or deleted, for less than a listing costs; undefined where that cannot be told. Two
     * changes within a moment may have the same, and so may a file that a person wrote into. @throws StorageError
     */
    folderMark?(prefix: string): Promise<string | undefined>;
    /** Opens empty room, which the caller closes. A store without it has work keep everything in memory. @throws StorageError */
    openScratch?(): Scratch;
}

/** Puts on a condition that may well not hold. @returns undefined where it did not: another writer was faster */
export async function tryPut(
    store: Pick<ObjectStore, 'put'>,
    key: string,
    body: Uint8Array,
    options: PutOptions & { ifMatch: string },
): Promise<ObjectInfo | undefined> {
    try {
        return await store.put(key, body, options);
    } catch (error) {
        if (error instanceof ConflictError) {
            return undefined;
        }
        throw error;
    }
}

/** Deletes one very upload. @returns false where the object is not that one any more */
export async function tryDelete(
    store: Pick<ObjectStore, 'delete'>,
    key: string,
    options: { only: Pick<ObjectInfo, 'etag' | 'generation'> },
): Promise<boolean> {
    try {
        await store.delete(key, options);
        return true;
    } catch (error) {
        if (error instanceof ConflictError) {
            return false;
        }
        throw error;
    }
}

/** What `PutOptions.ifMatch` is for an object that must not exist yet. */
export const ABSENT = 'absent';

/** Calls under way at once where many objects are asked: on S3 a call takes some 20 ms, however little it moves. */
export const CALLS_AT_ONCE = 32;
