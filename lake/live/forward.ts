/**
 * Hands a chain on to another lake: object by object, in order, under the same names. A name can be taken once there too, so that what is handed on twice is there
 * once. While the other lake cannot be reached the chain is what is kept.
 */
import { ConflictError, StorageError } from '#lake/errors';
import { chainPlaceOf } from '#lake/layout';
import { ABSENT, type ObjectStore } from '#lake/store/object-store';
import { type ChainShard, listChain, readChainEnd } from './chain.ts';

export interface ForwardOptions {
    from: Pick<ObjectStore, 'list' | 'get'>;
    to: ObjectStore;
    shard: ChainShard;
    signal: AbortSignal;
    /** Called after each object: the sequence number up to which the other lake has the chain. */
    onForwarded?: ((end: string) => Promise<void>) | undefined;
}

/** What was handed on. */
export interface Forwarded {
    objects: number;
    /** Sequence number behind which nothing was handed on yet. */
    end: string;
}

/** Hands on all that the other lake does not have. Safe to repeat, and to break off. @throws StorageError where the other lake cannot be reached */
export async function forwardChain({ from, to, shard, signal, onForwarded }: ForwardOptions): Promise<Forwarded> {
    let end = await readChainEnd(to, shard);
    let objects = 0;
    const keys = await listChain(from, { ...shard, behind: end });
    for (const [index, key] of keys.entries()) {
        signal.throwIfAborted();
        const object = await from.get(key);
        if (!object) {
            throw new StorageError(`${key} was taken away before it was handed on: restore it from a backup`);
        }
        try {
            await to.put(key, object.bytes, { ifMatch: ABSENT, metadata: { ...object.info.metadata } });
        } catch (error) {
            // Its answer was lost the last time: nobody else writes under this stream's name.
            if (!(error instanceof ConflictError)) {
                throw error;
            }
        }
        objects += 1;
        const next = keys[index + 1];
        end = next === undefined ? await readChainEnd(to, shard) : (chainPlaceOf(next)?.predecessorEnd ?? end);
        await onForwarded?.(end);
    }
    return { objects, end };
}
