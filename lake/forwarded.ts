/** How far the chain of a stream was handed on to another lake: an object for each stream that ever was. What was not handed on is not pruned. */
import { StorageError } from '#lake/errors';
import { FORWARDED_PREFIX, forwardedKey } from '#lake/layout';
import type { ObjectStore } from '#lake/store/object-store';

export interface Forwarded {
    /** Prefix of the chain's objects. */
    prefix: string;
    /** The other lake, `s3://bucket`. */
    to: string;
    /** Sequence number up to which it has the chain. */
    end: string;
}

export async function noteForwarded(store: Pick<ObjectStore, 'put'>, stream: string, forwarded: Forwarded): Promise<void> {
    await store.put(forwardedKey(stream), Buffer.from(`${JSON.stringify(forwarded)}\n`));
}

/** What is known of every chain that is handed on. @throws StorageError for a record that is damaged */
export async function readForwarded(store: Pick<ObjectStore, 'list' | 'get'>): Promise<Forwarded[]> {
    const found: Forwarded[] = [];
    for await (const { key } of store.list(FORWARDED_PREFIX)) {
        const object = await store.get(key);
        if (object) {
            found.push(parseForwarded(object.bytes, key));
        }
    }
    return found;
}

function parseForwarded(bytes: Uint8Array, key: string): Forwarded {
    try {
        const { prefix, to, end } = JSON.parse(Buffer.from(bytes).toString());
        if ([prefix, to, end].every((value) => typeof value === 'string') && /^\d+$/.test(end)) {
            return { prefix, to, end };
        }
    } catch {
        // Said below.
    }
    throw new StorageError(`${key} does not say how far a chain was handed on: delete it, and serve --forward writes it anew`);
}
