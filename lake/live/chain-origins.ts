/** What chains a lake has, and how far those of other lakes stand in them. */
import { StorageError } from '#lake/errors';
import type { ObjectStore } from '#lake/store/object-store';
import { compareSequences } from '#lake/telemetry/chain-line';
import { messagesOf } from './chain-object.ts';
import type { Origin } from './inbox.ts';

/** Prefix of all chains of messages of devices. */
export const CHAINS = 'raw/kind=telemetry/stream=';

/** Names of the streams that the lake has chains of, in the order of their beginnings. */
export async function listStreams(store: Pick<ObjectStore, 'list'>): Promise<string[]> {
    const streams = new Set<string>();
    for await (const { key } of store.list(CHAINS)) {
        const stream = key.slice(CHAINS.length).split('/')[0];
        if (stream) {
            streams.add(stream);
        }
    }
    return [...streams].sort();
}

/**
 * How far streams of other lakes stand in the chains of this one: what a new inbox has to know, so that nothing that stands there is taken again. It reads every
 * object. @throws StorageError for one that cannot be read
 */
export async function readOriginsOfChains(store: Pick<ObjectStore, 'list' | 'head' | 'open'>): Promise<Origin[]> {
    const origins = new Map<string, Origin>();
    for await (const { key } of store.list(CHAINS)) {
        try {
            for await (const { origin } of messagesOf(store, key)) {
                const [gateway, stream, end] = origin?.split('/') ?? [];
                const known = stream === undefined ? undefined : origins.get(stream);
                if (gateway !== undefined && stream !== undefined && end !== undefined && compareSequences(end, known?.end ?? '0') > 0) {
                    origins.set(stream, { stream, gateway, end });
                }
            }
        } catch (error) {
            const why = error instanceof Error ? error.message : String(error);
            throw new StorageError(
                `${key} cannot be read (${why}): put it back as it was written; a new inbox has to know what stands in it`,
                {
                    cause: error,
                },
            );
        }
    }
    return [...origins.values()];
}
