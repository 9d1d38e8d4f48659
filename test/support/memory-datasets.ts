/** The index of chain objects in memory: for what notes and asks, and to be wrapped by what makes calls fail. */
import { type ChainFacts, chainOfKey, type Dataset, type DatasetIndex, doMeet, type ReadFacts } from '#lake/live/datasets';
import { compareSequences } from '#lake/telemetry/chain-line';

export function memoryDatasets(): DatasetIndex {
    const items = new Map<string, { chain?: ChainFacts; read?: ReadFacts; prunedAt?: string }>();
    const note = (key: string, fields: object): void => void items.set(key, { ...items.get(key), ...fields });
    const itemOf = (key: string): Dataset | undefined => {
        const [item, chain] = [items.get(key), chainOfKey(key)];
        return (
            item &&
            chain && {
                key,
                stream: chain.stream,
                shard: chain.shard,
                chain: item.chain,
                read: item.read,
                isPruned: item.prunedAt !== undefined,
            }
        );
    };
    return {
        async noteChain(key, chain) {
            note(key, { chain });
        },
        async noteRead(key, read) {
            if ((items.get(key)?.read?.commits ?? 0) <= read.commits) {
                note(key, { read });
            }
            return items.get(key)?.chain !== undefined;
        },
        async notePruned(key, prunedAt) {
            note(key, { prunedAt });
        },
        async get(key) {
            return itemOf(key);
        },
        async *spans(chain, within) {
            const spans = [...items].flatMap(([key, item]) => {
                const of = chainOfKey(key);
                const isOfChain = of?.stream === chain.stream && of.shard === chain.shard;
                return isOfChain && item.chain ? [{ after: of.predecessorEnd, first: item.chain.first, last: item.chain.last }] : [];
            });
            yield* spans.filter((span) => doMeet(span, within)).sort((a, b) => compareSequences(b.after, a.after));
        },
        async *list() {
            for (const key of items.keys()) {
                const item = itemOf(key);
                if (item) {
                    yield item;
                }
            }
        },
    };
}
