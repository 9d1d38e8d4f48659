/**
 * Small objects of a prefix in memory, kept up with what other processes write: the prefix is listed every few seconds, and what changed is read again.
 * A device that another process revokes is so known within seconds. Where the store tells by one call that nothing was put or deleted, it is not listed:
 * ten thousand objects cost some milliseconds of each second otherwise.
 */
import pMap from 'p-map';
import { StorageError } from '#lake/errors';
import { CALLS_AT_ONCE, type ListedObject, type ObjectStore } from '#lake/store/object-store';

export interface FollowOptions<T> {
    store: ObjectStore;
    prefix: string;
    /** What an object says; undefined for one that is none of these. @throws StorageError where it is damaged */
    parse(key: string, bytes: Uint8Array): T | undefined;
    /** Time between two looks. */
    everyMs: number;
    now: () => number;
    /** Milliseconds of a clock that never goes back. */
    monotonicMs?: () => number;
    /** Called when objects cannot be read, once for as long as the reason stays the same. */
    onTrouble: (why: string) => void;
}

/** What is known of an object. One that is damaged is known as such: it is neither missing nor as it was. */
export type Known<T> = { ok: true; value: T } | { ok: false; why: string };

/** An object changed within this time before a look is read again at the next: a second change may bear the same time and size. */
const SETTLED_AFTER_MS = 3_000;

/** The prefix is listed this often all the same: for what a person wrote into a file in its place. */
const LISTED_EVERY_MS = 30_000;

export class FollowedObjects<T> {
    readonly #options: FollowOptions<T>;
    readonly #known = new Map<string, { mark: string; etag: string; what: Known<T> }>();
    readonly #listeners = new Set<(keys: readonly string[]) => void>();
    #timer: NodeJS.Timeout | undefined;
    #looking: Promise<void> | undefined;
    #trouble = '';
    /** The folder as it was at the last listing, and when it was first seen so and last listed, by a clock that never goes back. */
    #folder: { mark: string; seenMs: number; listedMs: number } | undefined;
    #isClosed = false;

    private constructor(options: FollowOptions<T>) {
        this.#options = options;
    }

    /** Reads all that is there, and follows it from then on. @throws StorageError where the store cannot be listed or read */
    static async open<T>(options: FollowOptions<T>): Promise<FollowedObjects<T>> {
        const objects = new FollowedObjects(options);
        await objects.#read();
        objects.#lookLater();
        return objects;
    }

    /** What is known of the object; undefined where there is none. */
    get(key: string): Known<T> | undefined {
        return this.#known.get(key)?.what;
    }

    entries(): [string, Known<T>][] {
        return [...this.#known].map(([key, { what }]) => [key, what]);
    }

    /** Calls back with the keys of objects that changed, came or went. */
    onChanged(listener: (keys: readonly string[]) => void): void {
        this.#listeners.add(listener);
    }

    /** Looks now. Trouble is told by `onTrouble`: what was known stays known. */
    async refresh(): Promise<void> {
        // A look that is under way may have passed by what the caller has just written.
        await this.#looking;
        this.#looking ??= this.#lookOnce().finally(() => {
            this.#looking = undefined;
        });
        await this.#looking;
    }

    close(): void {
        this.#isClosed = true;
        clearTimeout(this.#timer);
    }

    #lookLater(): void {
        if (!this.#isClosed) {
            this.#timer = setTimeout(() => void this.refresh().finally(() => this.#lookLater()), this.#options.everyMs);
            this.#timer.unref();
        }
    }

    async #lookOnce(): Promise<void> {
        try {
            await this.#read();
            this.#trouble = '';
        } catch (error) {
            const why = error instanceof Error ? error.message : String(error);
            if (this.#trouble !== why) {
                this.#trouble = why;
                this.#options.onTrouble(`${why}; what was known of ${this.#options.prefix} before stays known`);
            }
        }
    }

    async #read(): Promise<void> {
        const { store, prefix, monotonicMs = () => performance.now() } = this.#options;
        const lookedMs = monotonicMs();
        const mark = await store.folderMark?.(prefix);
        const before = this.#folder?.mark === mark ? this.#folder : undefined;
        // A second change may bear the same time as the first: a mark counts once the folder was listed some time after it was seen.
        if (before && before.listedMs - before.seenMs >= SETTLED_AFTER_MS && lookedMs - before.listedMs < LISTED_EVERY_MS) {
            return;
        }
        await this.#list();
        this.#folder = mark === undefined ? undefined : { mark, seenMs: before?.seenMs ?? lookedMs, listedMs: lookedMs };
    }

    async #list(): Promise<void> {
        const { store, prefix, now } = this.#options;
        const settledBefore = now() - SETTLED_AFTER_MS;
        const gone = new Set(this.#known.keys());
        const stale: { key: string; mark: string }[] = [];
        for await (const object of store.list(prefix)) {
            gone.delete(object.key);
            const mark = markOf(object);
            if (this.#known.get(object.key)?.mark !== mark || object.modifiedAt.getTime() > settledBefore) {
                stale.push({ key: object.key, mark });
            }
        }
        const changed = await pMap(stale, (one) => this.#readOne(one), { concurrency: CALLS_AT_ONCE });
        for (const key of gone) {
            this.#known.delete(key);
        }
        const keys = [...gone, ...changed.flatMap((key) => (key === undefined ? [] : [key]))];
        if (keys.length > 0) {
            for (const listener of this.#listeners) {
                listener(keys);
            }
        }
    }

    /** @returns the key where something else stands there now */
    async #readOne({ key, mark }: { key: string; mark: string }): Promise<string | undefined> {
        const object = await this.#options.store.get(key);
        const before = this.#known.get(key);
        if (object === undefined) {
            return this.#known.delete(key) ? key : undefined;
        }
        const { etag } = object.info;
        if (before?.etag === etag) {
            before.mark = mark;
            return undefined;
        }
        const what = this.#parse(key, object.bytes);
        if (what === undefined) {
            return undefined;
        }
        this.#known.set(key, { mark, etag, what });
        return key;
    }

    #parse(key: string, bytes: Uint8Array): Known<T> | undefined {
        try {
            const value = this.#options.parse(key, bytes);
            return value === undefined ? undefined : { ok: true, value };
        } catch (error) {
            if (!(error instanceof StorageError)) {
                throw error;
            }
            this.#options.onTrouble(error.message);
            return { ok: false, why: error.message };
        }
    }
}

function markOf({ etag, sizeBytes, modifiedAt }: ListedObject): string {
    return etag ?? `${sizeBytes} ${modifiedAt.getTime()}`;
}
