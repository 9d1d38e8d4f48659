/** A store that counts what a Lambda reports, and that stops in time. */
import { ConflictError } from '#lake/errors';
import type { ObjectStore } from '#lake/store/object-store';

/** What was seen since the store was wrapped. */
export interface Seen {
    /** Writes that another worker was faster with. */
    conflicts: number;
}

/**
 * The store, and what is seen of its writes. No object is read or written any more after `signal` was aborted: the call fails with its
 * reason. That stops a use case that takes no signal, between two calls, where it may stop as well as a worker that dies.
 */
export function watchStore(store: ObjectStore, { signal }: { signal?: AbortSignal } = {}): { store: ObjectStore; seen: Seen } {
    const seen: Seen = { conflicts: 0 };
    const watched: ObjectStore = {
        ...store,
        async get(key) {
            signal?.throwIfAborted();
            return store.get(key);
        },
        async readEnd(key, options) {
            signal?.throwIfAborted();
            return store.readEnd(key, options);
        },
        async put(key, body, options) {
            signal?.throwIfAborted();
            try {
                return await store.put(key, body, options);
            } catch (error) {
                seen.conflicts += error instanceof ConflictError ? 1 : 0;
                throw error;
            }
        },
    };
    return { store: watched, seen };
}
