/** Tells what is lost of a range that an event source gave up: records that the stream holds no more, and that stand in no chain. */
import { chainKey } from '#lake/layout';
import type { ObjectStore } from '#lake/store/object-store';
import type { ChainMessage } from '#lake/telemetry/chain-line';
import type { ChainShard } from './chain.ts';
import { messagesOf } from './chain-object.ts';
import { isWithin, spansWithin } from './chain-spans.ts';
import type { DatasetIndex } from './datasets.ts';
import { SideChain } from './side-chain.ts';

/** A range that was read again, once what was found of it is in the lake. */
export interface RangeReadAgain {
    stream: string;
    shard: string;
    first: string;
    last: string;
    /** Records that it had when it was given up. */
    recordCount: number;
    condition: string;
    lastArrivedMs: number;
    /** Sequence numbers of those that the stream still had. */
    found: readonly string[];
    /** Why the others are gone. */
    gone: string | undefined;
}

/** A loss: how many records, at most where objects of the chain were pruned, and the message that says so. It becomes a reject, which people see. */
export interface Loss {
    records: number;
    message: ChainMessage;
}

/**
 * The loss of a range, once what was found of it was appended to the chain; undefined where nothing is lost, or where that was said before. It is put into the
 * side chain in one object with what else of the range goes there: so who finds some of the range there knows that its loss is said. @throws StorageError
 */
export async function lossOf(
    range: RangeReadAgain,
    { store, index, ...shard }: ChainShard & { store: ObjectStore; index: Pick<DatasetIndex, 'noteChain' | 'spans'> },
): Promise<Loss | undefined> {
    const { stream, shard: name, first, last, recordCount, condition, lastArrivedMs, found, gone } = range;
    if (found.length >= recordCount) {
        return undefined;
    }
    const known = new Set(found);
    const side = new SideChain({ store, index, ...shard });
    const aside = (await side.read()).filter(({ sequence, report }) => report === undefined && isWithin(sequence, range));
    if (aside.some(({ sequence }) => !known.has(sequence))) {
        // The range was brought back before, when the stream still had it; what was lost then was said then.
        return undefined;
    }
    const spans = await spansWithin(range, { store, index, ...shard });
    for (const { after } of spans) {
        for await (const { sequence } of messagesOf(store, chainKey({ kind: 'telemetry', ...shard }, after))) {
            if (isWithin(sequence, range)) {
                known.add(sequence);
            }
        }
    }
    const lost = Math.max(0, recordCount - known.size);
    const to = found[0] ?? last;
    // Of objects that were pruned nobody knows how many of its records stand in them, but for one that has them all.
    if (lost === 0 || spans.some((span) => isWithin(first, span) && isWithin(to, span))) {
        return undefined;
    }
    const why = gone ?? `shard ${name} of stream ${stream} gave ${found.length} records of ${recordCount}`;
    const refused = `up to ${lost} records from ${first} to ${last} were given up (${condition}), and are lost unless they stand in what was pruned: ${why}`;
    return {
        records: lost,
        message: {
            ...{ sequence: first, arrivedMs: lastArrivedMs, way: 'kinesis', refused, report: `lost ${first}-${last}` },
            payload: Buffer.alloc(0),
        },
    };
}
