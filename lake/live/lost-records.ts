/** Says in the lake what is lost of a range that an event source gave up: records that the stream holds no more, and that stand in no chain. */
import { chainKey } from '#lake/layout';
import type { ObjectStore } from '#lake/store/object-store';
import { compareSequences } from '#lake/telemetry/chain-line';
import type { ChainShard } from './chain.ts';
import { messagesOf } from './chain-object.ts';
import type { ChainSpan, DatasetIndex } from './datasets.ts';
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

/**
 * Puts a message into the side chain that names the loss: it becomes a reject, which people see. Safe to call again, also when the stream holds even less.
 * @returns how many records are lost at most; 0 where none is, or where it was said before @throws StorageError
 */
export async function sayLoss(
    range: RangeReadAgain,
    { store, index, ...shard }: ChainShard & { store: ObjectStore; index: Pick<DatasetIndex, 'noteChain' | 'spans'> },
): Promise<number> {
    const { stream, shard: name, first, last, recordCount, condition, lastArrivedMs, found, gone } = range;
    if (found.length >= recordCount) {
        return 0;
    }
    const isOfRange = (sequence: string): boolean => compareSequences(sequence, first) >= 0 && compareSequences(sequence, last) <= 0;
    const known = new Set(found);
    const side = new SideChain({ store, index, ...shard });
    const aside = (await side.read()).filter(({ sequence, report }) => report === undefined && isOfRange(sequence));
    if (aside.some(({ sequence }) => !known.has(sequence))) {
        // The range was brought back before, when the stream still had it; what was lost then was said then.
        return 0;
    }
    const spans: ChainSpan[] = [];
    for await (const span of index.spans(shard, { first, last })) {
        spans.push(span);
        for await (const { sequence } of messagesOf(store, chainKey({ kind: 'telemetry', ...shard }, span.after))) {
            if (isOfRange(sequence)) {
                known.add(sequence);
            }
        }
    }
    const lost = Math.max(0, recordCount - known.size);
    if (lost === 0 || reachesFrom(first, spans, found[0] ?? last)) {
        return 0;
    }
    const why = gone ?? `shard ${name} of stream ${stream} gave ${found.length} records of ${recordCount}`;
    const said = await side.append([
        {
            ...{ sequence: first, arrivedMs: lastArrivedMs, way: 'kinesis', report: `lost ${first}-${last}`, payload: Buffer.alloc(0) },
            refused: `up to ${lost} records from ${first} to ${last} were given up (${condition}) and are lost: ${why}`,
        },
    ]);
    return said > 0 ? lost : 0;
}

/** True if objects that follow each other hold everything from one number on up to another one. */
function reachesFrom(first: string, spans: readonly ChainSpan[], to: string): boolean {
    const sorted = [...spans].sort((a, b) => compareSequences(a.first, b.first));
    let reached: string | undefined;
    for (const { first: begin, last, after } of sorted) {
        const goesOn = reached === undefined ? compareSequences(begin, first) <= 0 : compareSequences(after, reached) === 0;
        if (!goesOn) {
            return false;
        }
        reached = last;
        if (compareSequences(reached, to) >= 0) {
            return true;
        }
    }
    return false;
}
