/**
 * Hands a chain on to another lake in S3: object by object, in order, under the same names. A name can be taken once there too, so that what is handed on twice
 * is there once. While the other lake cannot be reached the chain is what is kept.
 */
import { ConflictError, StorageError } from '#lake/errors';
import { chainPlaceOf } from '#lake/layout';
import { ABSENT, type ObjectStore } from '#lake/store/object-store';
import { compareSequences } from '#lake/telemetry/chain-line';
import { type ChainShard, listChain, readChainEnd } from './chain.ts';

export interface ForwardOptions {
    from: Pick<ObjectStore, 'list' | 'head' | 'get' | 'open'>;
    shard: ChainShard;
    /** True for the chain of an inbox that was followed by another: nothing more is appended to it. */
    isEnded?: boolean | undefined;
    signal: AbortSignal;
    /** Called now and then: the sequence number up to which the other lake has the chain. */
    onForwarded?: ((end: string) => Promise<void>) | undefined;
    /** Takes lines of the log. */
    say?: ((line: string) => void) | undefined;
}

/** What was handed on. */
export interface Forwarded {
    objects: number;
    /** Sequence number behind which nothing was handed on yet. */
    end: string;
}

/** Hands on all that the other lake does not have. Safe to repeat, and to break off. @throws StorageError where the other lake cannot be reached */
export async function forwardChain({
    from,
    to,
    shard,
    isEnded = false,
    signal,
    onForwarded,
}: ForwardOptions & { to: ObjectStore }): Promise<Forwarded> {
    let end = await readChainEnd(to, shard);
    if (!isEnded) {
        assertNotBehind({ stream: shard.stream, own: await readChainEnd(from, shard), there: end });
    }
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

/**
 * Lets a chain pass that the other lake has no more of than this one.
 * @throws StorageError for one of which it has more: this lake is an older copy of itself, and gives numbers again that are taken there
 */
export function assertNotBehind({ stream, own, there }: { stream: string; own: string; there: string }): void {
    if (compareSequences(there, own) > 0) {
        throw new StorageError(
            `it has stream ${stream} up to ${there}, and this lake up to ${own} only: this lake is an older copy of itself, and what came since the copy has numbers that are taken there. ` +
                'Stop serve, move .flowlake/live/inbox.sqlite away, and start it: a new stream begins; what came in between stays in this lake alone',
        );
    }
}

/** Keys of the chain's objects that hold messages behind this end, also in their midst, and the end of what is missing before them: prune has freed it. */
export async function findBehind(
    from: Pick<ObjectStore, 'list'>,
    { end, ...shard }: ChainShard & { end: string },
): Promise<{ keys: string[]; missingTo: string | undefined }> {
    const all = await listChain(from, { ...shard, behind: '0' });
    const beginning = (key: string | undefined): string => (key === undefined ? '0' : (chainPlaceOf(key)?.predecessorEnd ?? '0'));
    const first = all.findLastIndex((key) => compareSequences(beginning(key), end) <= 0);
    const keys = all.slice(Math.max(0, first));
    return { keys, missingTo: first < 0 && keys.length > 0 ? beginning(keys[0]) : undefined };
}
