/** Use case: brings messages into the lake that were given up on their way from a stream to its chain. Most are there already, and only the answer was lost. */
import type { ObjectStore } from '#lake/store/object-store';
import type { ChainMessage } from '#lake/telemetry/chain-line';
import type { ChainShard } from './chain.ts';
import type { DatasetIndex } from './datasets.ts';
import { NotedChain } from './noted-chain.ts';
import { SideChain } from './side-chain.ts';

export interface BringBackOptions extends ChainShard {
    store: ObjectStore;
    index: Pick<DatasetIndex, 'noteChain' | 'spans'>;
    now: () => Date;
}

/** Where messages came to that stood nowhere before. */
export interface BroughtBack {
    inChain: number;
    inSideChain: number;
}

/**
 * Brings back messages of one shard, in the order of their numbers, that its chain's own event source gave up; nobody else may: what another consumer gave up can
 * lie before messages that are still to be appended. Safe to call again, also late. @throws StorageError where it cannot be told whether all are in the lake
 */
export async function bringBack(
    messages: readonly ChainMessage[],
    { store, index, stream, shard, now }: BringBackOptions,
): Promise<BroughtBack> {
    const chain = new NotedChain({ store, index, stream, shard, now });
    // First as any batch: what lies behind the chain's end by then can never come into it any more, however slow another worker is.
    const { appended } = await chain.append(messages);
    const missing = await chain.missing(messages);
    return { inChain: appended, inSideChain: await new SideChain({ store, index, stream, shard }).append(missing) };
}
