/** Use cases on the index of chain objects: what is asked of it where its items alone do not tell, and making it right from the objects and the ledger. */
import { pMapIterable } from 'p-map';
import type { ChainKeeper } from '#lake/commit/prune';
import { type LedgerRecord, listLedger, readLedger } from '#lake/ledger';
import { sourceId } from '#lake/source-id';
import { CALLS_AT_ONCE, type ObjectStore } from '#lake/store/object-store';
import { compareSequences } from '#lake/telemetry/chain-line';
import { hasDevice, readChainFacts } from './chain-object.ts';
import { CHAINS } from './chain-origins.ts';
import {
    type ChainSpan,
    chainOfKey,
    type Dataset,
    type DatasetIndex,
    type DatasetQuestion,
    isAskedFor,
    type ReadFacts,
    readFactsOf,
} from './datasets.ts';

/** An answer that is whole but for what is said in `uncertain`. */
export interface DatasetAnswer {
    /** The items by first arrival, then by key; items without a known arrival come first. */
    datasets: Dataset[];
    /** Keys of pruned objects that may be asked for: what would tell is not known any more. */
    uncertain: string[];
}

/** Picks the items that are asked for; an object is looked into where its item does not tell. */
export async function answerDatasets(
    items: AsyncIterable<Dataset>,
    { store, question }: { store: Pick<ObjectStore, 'head' | 'open'>; question: DatasetQuestion },
): Promise<DatasetAnswer> {
    const answer: DatasetAnswer = { datasets: [], uncertain: [] };
    const judge = async (item: Dataset): Promise<{ dataset: Dataset; isIn: boolean | undefined }> => {
        const byItem = isAskedFor(item, question);
        if (byItem !== undefined) {
            return { dataset: item, isIn: byItem };
        }
        // An item without facts: its writer died before it noted them.
        const chain = item.chain ?? (await readChainFacts(store, item.key));
        const dataset = { ...item, chain };
        const byFacts = chain && isAskedFor(dataset, question);
        const isIn = byFacts ?? (chain && question.device !== undefined ? await hasDevice(store, item.key, question.device) : undefined);
        return { dataset, isIn };
    };
    for await (const { dataset, isIn } of pMapIterable(items, judge, { concurrency: CALLS_AT_ONCE })) {
        if (isIn === undefined) {
            answer.uncertain.push(dataset.key);
        } else if (isIn) {
            answer.datasets.push(dataset);
        }
    }
    answer.datasets.sort(
        (a, b) => (a.chain?.firstArrivedMs ?? 0) - (b.chain?.firstArrivedMs ?? 0) || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0),
    );
    answer.uncertain.sort();
    return answer;
}

/** Every chain object of the store as an item, from the objects and the ledger: pruned ones too, without what they held. */
export async function* datasetsOf(store: ObjectStore): AsyncGenerator<Dataset> {
    const there = new Set<string>();
    for await (const { key } of store.list(CHAINS)) {
        const item = await itemOf(store, key);
        if (item) {
            there.add(key);
            yield item;
        }
    }
    for await (const record of listLedger(store)) {
        const chain = there.has(record.source) ? undefined : chainOfKey(record.source);
        if (chain) {
            const { stream, shard } = chain;
            yield { key: record.source, stream, shard, chain: undefined, read: readFactsOf(record), isPruned: true };
        }
    }
}

/** The item of an object; undefined for what is no chain object, or is gone by now. */
async function itemOf(store: ObjectStore, key: string): Promise<Dataset | undefined> {
    const chain = chainOfKey(key);
    const facts = chain && (await readChainFacts(store, key));
    if (!chain || !facts) {
        return undefined;
    }
    const { record } = await readLedger(store, sourceId(key));
    return { key, stream: chain.stream, shard: chain.shard, chain: facts, read: record && readFactsOf(record), isPruned: false };
}

/** What was made right in the index. */
export interface Mended {
    key: string;
    what: 'what it holds' | 'what came of it' | 'that it is pruned';
}

/** Notes what is there and not noted, or noted otherwise. Safe to call at any time, while others note. */
export async function* mendDatasets(store: ObjectStore, index: DatasetIndex, { now }: { now: () => Date }): AsyncGenerator<Mended> {
    const listed = new Set<string>();
    const look = async ({ key }: { key: string }): Promise<Mended[]> => {
        if (!chainOfKey(key)) {
            return [];
        }
        listed.add(key);
        const { record } = await readLedger(store, sourceId(key));
        return mend(key, { store, index, read: record && readFactsOf(record) });
    };
    for await (const mended of pMapIterable(store.list(CHAINS), look, { concurrency: CALLS_AT_ONCE })) {
        yield* mended;
    }
    for await (const record of listLedger(store)) {
        const key = record.source;
        if (!listed.has(key) && chainOfKey(key) && !(await store.head(key))) {
            yield* await mend(key, { store, index, read: readFactsOf(record) });
            if ((await index.get(key))?.isPruned !== true) {
                await index.notePruned(key, now().toISOString());
                yield { key, what: 'that it is pruned' };
            }
        }
    }
}

async function mend(
    key: string,
    { store, index, read }: { store: ObjectStore; index: DatasetIndex; read: ReadFacts | undefined },
): Promise<Mended[]> {
    const mended: Mended[] = [];
    const item = await index.get(key);
    if (!item?.chain && (await noteChainOf(key, { store, index }))) {
        mended.push({ key, what: 'what it holds' });
    }
    if (read && (item?.read === undefined || item.read.commits < read.commits)) {
        await index.noteRead(key, read);
        mended.push({ key, what: 'what came of it' });
    }
    return mended;
}

/** Notes what the object holds, as it stands in the store. @returns false where it is gone */
async function noteChainOf(
    key: string,
    { store, index }: { store: Pick<ObjectStore, 'head' | 'open'>; index: DatasetIndex },
): Promise<boolean> {
    const facts = await readChainFacts(store, key);
    if (facts) {
        await index.noteChain(key, facts);
    }
    return facts !== undefined;
}

/** Keeps in the index what objects held that are pruned. */
export function keepIn(index: DatasetIndex, { store, now }: { store: Pick<ObjectStore, 'head' | 'open'>; now: () => Date }): ChainKeeper {
    return {
        async keep(key) {
            if (!(await index.get(key))?.chain) {
                await noteChainOf(key, { store, index });
            }
        },
        tellFreed: (key) => index.notePruned(key, now().toISOString()),
    };
}

/** Notes what the lake has made of an object, by its ledger record, and what the object holds where its writer did not live to note it. */
export async function noteReading(
    record: LedgerRecord,
    { store, index }: { store: Pick<ObjectStore, 'head' | 'open'>; index: DatasetIndex },
): Promise<void> {
    if (!(await index.noteRead(record.source, readFactsOf(record)))) {
        await noteChainOf(record.source, { store, index });
    }
}

/**
 * Finds objects that the index lacks between the first and the last of these spans of one chain: each object is named by where the one before ended.
 * @returns the ends behind which one is missing, ascending
 */
export function gapsOf(spans: readonly ChainSpan[]): string[] {
    const sorted = [...spans].sort((a, b) => compareSequences(a.after, b.after));
    return sorted.slice(1).flatMap(({ after }, at) => {
        const last = sorted[at]?.last ?? after;
        return last === after ? [] : [last];
    });
}
