/** A store that counts the calls that go through it, as S3 bills them. */
import type { ObjectStore } from '#lake/store/object-store';

export interface Calls {
    put: number;
    /** Listings; one of more than a thousand objects is several calls of S3. */
    list: number;
    /** Reads of objects, whole or in part, and of their facts. */
    get: number;
    delete: number;
}

export interface CountingStore extends ObjectStore {
    calls: Calls;
    /** How often each object was read, or asked for its facts. */
    reads: Map<string, number>;
    /** Begins to count anew. */
    reset(): void;
}

/** Keys that S3 lists with one call. */
const KEYS_PER_LIST = 1000;

export function countingStore(store: ObjectStore): CountingStore {
    const none = (): Calls => ({ put: 0, list: 0, get: 0, delete: 0 });
    const read = (key: string): void => {
        counting.calls.get += 1;
        counting.reads.set(key, (counting.reads.get(key) ?? 0) + 1);
    };
    const counting: CountingStore = {
        ...store,
        calls: none(),
        reads: new Map(),
        reset() {
            counting.calls = none();
            counting.reads = new Map();
        },
        head(key) {
            read(key);
            return store.head(key);
        },
        get(key) {
            read(key);
            return store.get(key);
        },
        readEnd(key, options) {
            read(key);
            return store.readEnd(key, options);
        },
        readRange(key, options) {
            read(key);
            return store.readRange(key, options);
        },
        open(key, options) {
            read(key);
            return store.open(key, options);
        },
        put(key, ...rest) {
            counting.calls.put += 1;
            return store.put(key, ...rest);
        },
        delete(key, options) {
            counting.calls.delete += 1;
            return store.delete(key, options);
        },
        async *list(prefix) {
            let keys = 0;
            for await (const object of store.list(prefix)) {
                counting.calls.list += keys % KEYS_PER_LIST === 0 ? 1 : 0;
                keys += 1;
                yield object;
            }
            counting.calls.list += keys === 0 ? 1 : 0;
        },
    };
    return counting;
}
