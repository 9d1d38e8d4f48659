/** The very bytes that a ledger record speaks of, or why they cannot be had. */
import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { ConflictError } from '#lake/errors';
import type { SecondSource } from '#lake/kind';
import { siteOf } from '#lake/layout';
import { isStrangeInChain } from '#lake/ledger';
import type { ByteStream, ObjectStore } from '#lake/store/object-store';

/** The object holds other bytes than those that were summarized. */
export class ChangedError extends Error {
    override name = 'ChangedError';
    /** True if it is no correction, because there are none of its kind of object. */
    readonly isStrange: boolean;

    constructor(message: string, { isStrange }: { isStrange: boolean }) {
        super(message);
        this.isStrange = isStrange;
    }
}

/** The object is the one that was summarized, by its file and by all that its store says, and its bytes are others: they rotted on the disk. */
export class RottenError extends Error {
    override name = 'RottenError';
}

/** The object is there, or may be, and its store does not hand it out. */
export class UnreadableError extends Error {
    override name = 'UnreadableError';
}

export interface PinnedOptions {
    store: ObjectStore;
    /** Called with the bytes of the object as they are read. */
    onBytes?: ((bytes: number) => void) | undefined;
    signal?: AbortSignal | undefined;
}

/**
 * A SHA-256 in hex: a directory's etag, which the store remembers by the file's inode, time and size. So bytes that rotted on the disk, or
 * were changed with the time set back, are found by hashing alone. S3 checks the bytes that it keeps by itself.
 */
const SHA_256 = /^[0-9a-f]{64}$/;

/**
 * The object, to be read as often as it is opened; undefined where there is none.
 * @throws ChangedError where it has another etag, UnreadableError where that cannot be told. The stream throws UnreadableError too, RottenError
 * at its end, and ConflictError where the object was replaced since.
 */
export async function openPinned(
    { key, etag }: { key: string; etag: string | null },
    options: PinnedOptions,
): Promise<Omit<SecondSource, 'input'> | undefined> {
    const info = await options.store.head(key).catch(unreadable);
    if (info && info.etag !== etag) {
        const isStrange = etag !== null && isStrangeInChain(info, { etag, state: 'done' });
        throw new ChangedError(
            isStrange
                ? `an object of a chain is never replaced; its etag is ${info.etag}`
                : `${key} has etag ${info.etag} instead of ${etag}`,
            {
                isStrange,
            },
        );
    }
    let isFirst = true;
    const open = (found: { key: string; etag: string }): ByteStream => {
        // What is read again is no progress.
        const stream = pinnedBytes(found, isFirst ? options : { ...options, onBytes: undefined });
        isFirst = false;
        return stream;
    };
    return info && { open: () => open(info), name: posix.basename(key), site: siteOf(key) };
}

async function* pinnedBytes(
    { key, etag }: { key: string; etag: string },
    { store, onBytes, signal }: PinnedOptions,
): AsyncGenerator<Uint8Array> {
    const hash = SHA_256.test(etag) ? createHash('sha256') : undefined;
    const chunks = store.open(key, { ifMatch: etag })[Symbol.asyncIterator]();
    try {
        for (let next = await chunks.next().catch(unreadable); !next.done; next = await chunks.next().catch(unreadable)) {
            signal?.throwIfAborted();
            hash?.update(next.value);
            onBytes?.(next.value.length);
            yield next.value;
        }
    } finally {
        await chunks.return?.();
    }
    const found = hash?.digest('hex') ?? etag;
    if (found !== etag) {
        throw new RottenError(`its SHA-256 is ${found}`);
    }
}

function unreadable(error: unknown): never {
    if (error instanceof ConflictError || !(error instanceof Error)) {
        throw error;
    }
    throw new UnreadableError(error.message, { cause: error });
}

/** True if the etag is a hash of the bytes, so that reading them to their end tells whether they rotted. */
export function isHash(etag: string | null): boolean {
    return SHA_256.test(etag ?? '');
}

/** True if the very bytes of the record are there, read once more from start to end. Always true where the etag is no hash of them. */
export async function areBytesSound(object: { key: string; etag: string | null }, options: PinnedOptions): Promise<boolean> {
    try {
        const opened = await openPinned(object, { ...options, onBytes: undefined });
        for await (const _ of opened?.open() ?? []) {
            // Hashed on their way.
        }
        return true;
    } catch (error) {
        if (error instanceof RottenError) {
            return false;
        }
        throw error;
    }
}
