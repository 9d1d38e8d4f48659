/** Use case: brings messages into the lake that were given up on their way from a stream to its chain. Most are there already, and only the answer was lost. */
import type { ObjectStore } from '#lake/store/object-store';
import type { ChainMessage } from '#lake/telemetry/chain-line';
import type { ChainShard } from './chain.ts';
import type { DatasetIndex } from './datasets.ts';
import { lossOf, type RangeReadAgain } from './lost-records.ts';
import { NotedChain } from './noted-chain.ts';
import { SideChain } from './side-chain.ts';

export interface BringBackOptions extends ChainShard {
    store: ObjectStore;
    index: Pick<DatasetIndex, 'noteChain' | 'spans'>;
    /** The range as it was read again. */
    range: RangeReadAgain;
    now: () => Date;
}

/** Numbers of messages that stood nowhere before, by where they came to, and of lost records that were not said before. */
export interface BroughtBack {
    inChain: number;
    inSideChain: number;
    lost: number;
}

/**
 * Brings back a range of one shard that its chain's own event source gave up; nobody else's: what another consumer gave up can lie before messages that are still
 * to be appended. `messages` are what was found of it, in the order of their numbers. Safe to call again, also late.
 * @throws StorageError where it cannot be told whether all are in the lake
 */
export async function bringBack(
    messages: readonly ChainMessage[],
    { range, store, index, stream, shard, now }: BringBackOptions,
): Promise<BroughtBack> {
    const place = { store, index, stream, shard };
    const chain = new NotedChain({ ...place, now });
    // First as any batch: what lies behind the chain's end by then can never come into it any more, however slow another worker is.
    const { appended } = await chain.append(messages);
    const missing = await chain.missing(messages);
    const loss = await lossOf(range, place);
    const aside = await new SideChain(place).append([...missing, ...(loss ? [loss.message] : [])]);
    const isSaid = loss !== undefined && aside.includes(loss.message);
    return { inChain: appended, inSideChain: aside.length - (isSaid ? 1 : 0), lost: isSaid ? loss.records : 0 };
}
