/** What the objects of a chain hold, in numbers: those that were pruned by the index, those that nobody has noted yet by themselves. */
import { ConflictError } from '#lake/errors';
import { chainPlaceOf } from '#lake/layout';
import type { ObjectStore } from '#lake/store/object-store';
import { compareSequences } from '#lake/telemetry/chain-line';
import { type ChainShard, listChain } from './chain.ts';
import { readChainFacts } from './chain-object.ts';
import type { ChainFacts, ChainSpan, DatasetIndex, SequenceSpan } from './datasets.ts';

export interface SpansOptions extends ChainShard {
    store: Pick<ObjectStore, 'list' | 'head' | 'open'>;
    index: Pick<DatasetIndex, 'spans'>;
}

/**
 * The span of each object of the chain that meets the given one, pruned ones too; in no order. Looks for objects first and asks the index then: an object is noted
 * before it is pruned, so what goes in between is in the index. @throws StorageError
 */
export async function spansWithin(within: SequenceSpan, { store, index, ...shard }: SpansOptions): Promise<ChainSpan[]> {
    const keys = await keysWithin(within, { store, ...shard });
    const spans = await readSpans(within, { index, ...shard });
    const noted = new Set(spans.map(({ after }) => after));
    for (const key of keys) {
        const after = chainPlaceOf(key)?.predecessorEnd;
        if (after === undefined || noted.has(after)) {
            continue;
        }
        // Whoever has put it may be dead, and whoever reads it not be there yet.
        const facts = await readFacts(store, key);
        if (!facts) {
            return spansWithin(within, { store, index, ...shard });
        }
        spans.push({ first: facts.first, last: facts.last, after });
    }
    return spans;
}

async function readSpans(within: SequenceSpan, { index, ...shard }: Omit<SpansOptions, 'store'>): Promise<ChainSpan[]> {
    const spans: ChainSpan[] = [];
    for await (const span of index.spans(shard, within)) {
        spans.push(span);
    }
    return spans;
}

/** What the object holds; undefined where it is gone by now. */
async function readFacts(store: SpansOptions['store'], key: string): Promise<ChainFacts | undefined> {
    try {
        return await readChainFacts(store, key);
    } catch (error) {
        if (error instanceof ConflictError) {
            return undefined;
        }
        throw error;
    }
}

/** True if one of the spans has the number: every message of the shard between its ends stands in its object. */
export function isWithinAny(sequence: string, spans: readonly SequenceSpan[]): boolean {
    return spans.some((span) => isWithin(sequence, span));
}

export function isWithin(sequence: string, { first, last }: SequenceSpan): boolean {
    return compareSequences(sequence, first) >= 0 && compareSequences(sequence, last) <= 0;
}

/** Keys of objects that may hold some of the span: each ends where the next one is named, or before. */
async function keysWithin({ first, last }: SequenceSpan, { store, ...shard }: Omit<SpansOptions, 'index'>): Promise<string[]> {
    const keys = await listChain(store, { ...shard, behind: '0' });
    const nameAt = (at: number): string | undefined => chainPlaceOf(keys[at] ?? '')?.predecessorEnd;
    return keys.filter((_, at) => {
        const [begin, next] = [nameAt(at), nameAt(at + 1)];
        return begin !== undefined && compareSequences(begin, last) < 0 && (next === undefined || compareSequences(next, first) >= 0);
    });
}
