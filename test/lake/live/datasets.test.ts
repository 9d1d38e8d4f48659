/** The index of chain objects: what it says is what the objects and the ledger say, whoever dies on the way. */
import { describe, expect, test } from '@jest/globals';
import { consolidate } from '#lake/commit/consolidate';
import { prune } from '#lake/commit/prune';
import { summarize } from '#lake/commit/summarize';
import { readLedger } from '#lake/ledger';
import { ChainWriter } from '#lake/live/chain';
import { messagesOf, readChainFacts } from '#lake/live/chain-object';
import { chainFactsOf, type Dataset, type DatasetIndex, type DatasetQuestion } from '#lake/live/datasets';
import { answerDatasets, datasetsOf, gapsOf, keepIn, mendDatasets, noteReading } from '#lake/live/list-datasets';
import { sourceId } from '#lake/source-id';
import type { ObjectStore } from '#lake/store/object-store';
import { addThermometer, chainMessage } from '#test/support/chain-messages';
import { describeDatasetIndex } from '#test/support/dataset-index-contract';
import { memoryDatasets } from '#test/support/memory-datasets';
import { memoryStore } from '#test/support/memory-store';

describeDatasetIndex('in memory', async () => memoryDatasets());

const now = () => new Date('2026-01-10T00:00:00Z');

/** A chain of objects of two messages each, the first of device `th-1`, the second of `th-2`. */
async function chainOf(store: ObjectStore, objects: number): Promise<string[]> {
    const writer = new ChainWriter(store, { stream: 'devices-1', shard: 'shard-1', now });
    const keys: string[] = [];
    for (let n = 1; n <= 2 * objects; n += 2) {
        const payload = (id: string, at: number) =>
            Buffer.from(JSON.stringify({ id, at: Date.UTC(2026, 0, 5, 10) + at * 1000, n: at, celsius: 20 }));
        const { key } = await writer.append([
            chainMessage(n, { payload: payload('th-1', n) }),
            chainMessage(n + 1, { device: 'th-2', payload: payload('th-2', n + 1) }),
        ]);
        keys.push(key ?? '');
    }
    return keys;
}

async function read(store: ObjectStore, key: string, index?: DatasetIndex): Promise<void> {
    const { record, periods } = await summarize(key, { store, now });
    for (const of of periods) {
        await consolidate(of, { store });
    }
    if (index && record) {
        await noteReading(record, { store, index });
    }
}

async function collect<T>(all: AsyncIterable<T>): Promise<T[]> {
    const found: T[] = [];
    for await (const one of all) {
        found.push(one);
    }
    return found;
}

const ask = async (items: AsyncIterable<Dataset>, store: ObjectStore, question: DatasetQuestion = {}) => {
    const { datasets, uncertain } = await answerDatasets(items, { store, question });
    return { keys: datasets.map(({ key }) => key), uncertain };
};

test('a message whose text has a line separator of Unicode is one message', async () => {
    const store = memoryStore();
    const payload = Buffer.from('{"text":"a\u2028b\u2029c"}');
    const { key = '' } = await new ChainWriter(store, { stream: 's-1', shard: '1', now }).append([chainMessage(1, { payload })]);
    const messages = await collect(messagesOf(store, key));
    expect(messages).toHaveLength(1);
    expect(messages[0]?.payload).toEqual(payload);
    expect(await readChainFacts(store, key)).toMatchObject({ messages: 1 });
});

test('what cannot be read is no object without messages', async () => {
    const store = memoryStore();
    expect(await readChainFacts(store, 'raw/none')).toBeUndefined();
    await store.put('raw/bad', Buffer.from('not packed'));
    await expect(readChainFacts(store, 'raw/bad')).rejects.toThrow(/^raw\/bad is no chain object, or a damaged one/);
});

describe('a lake', () => {
    test('is told the same by its index and by its objects', async () => {
        const store = memoryStore();
        const index = memoryDatasets();
        await addThermometer(store);
        const [one = '', two = '', three = ''] = await chainOf(store, 3);
        await index.noteChain(one, chainFactsOf(await collect(messagesOf(store, one))));
        await read(store, one, index);
        // The writer of the second object died before its note; its reader saw to it.
        await read(store, two, index);
        await index.noteChain(three, chainFactsOf(await collect(messagesOf(store, three))));
        const byObjects = await answerDatasets(datasetsOf(store), { store, question: {} });
        expect(await answerDatasets(index.list({}), { store, question: {} })).toEqual(byObjects);
        expect(byObjects.datasets.map(({ chain, read: facts }) => [chain?.messages, facts?.readings])).toEqual([
            [2, 2],
            [2, 2],
            [2, undefined],
        ]);
    });

    test('has its index made right from the objects and the ledger', async () => {
        const store = memoryStore();
        const index = memoryDatasets();
        await addThermometer(store);
        const [one = '', two = '', three = ''] = await chainOf(store, 3);
        await read(store, one);
        await read(store, two, index);
        const { record } = await readLedger(store, sourceId(one));
        expect(await collect(mendDatasets(store, index, { now }))).toEqual([
            { key: one, what: 'what it holds' },
            { key: one, what: 'what came of it' },
            { key: three, what: 'what it holds' },
        ]);
        expect((await index.get(one))?.read?.commits).toBe(record?.commits);
        expect(await collect(mendDatasets(store, index, { now }))).toEqual([]);
    });

    test('tells by device and profile, and looks into objects that hold more devices than are named', async () => {
        const store = memoryStore();
        const index = memoryDatasets();
        const [one = '', two = ''] = await chainOf(store, 2);
        for (const key of [one, two]) {
            const facts = chainFactsOf(await collect(messagesOf(store, key)));
            await index.noteChain(key, key === two ? { ...facts, devices: undefined } : facts);
        }
        expect(await ask(index.list({}), store, { device: 'th-2' })).toEqual({ keys: [one, two], uncertain: [] });
        expect(await ask(index.list({}), store, { device: 'th-3' })).toEqual({ keys: [], uncertain: [] });
        expect(await ask(index.list({}), store, { profile: 'thermometer', state: 'in chain' })).toEqual({
            keys: [one, two],
            uncertain: [],
        });
        expect(await ask(index.list({}), store, { profile: 'till' })).toEqual({ keys: [], uncertain: [] });
        await store.delete(two);
        expect(await ask(index.list({}), store, { device: 'th-3' })).toEqual({ keys: [], uncertain: [two] });
    });

    test('keeps what an object held before its bytes go, though nobody had noted it', async () => {
        const store = memoryStore();
        const index = memoryDatasets();
        await addThermometer(store);
        const [one = '', two = ''] = await chainOf(store, 2);
        await read(store, one);
        await read(store, two);
        const later = new Date(Date.now() + 10 * 86_400_000);
        const keeper = keepIn(index, { store, now: () => later });
        const facts = await readChainFacts(store, one);
        const isFailing = { ...index, noteChain: async () => Promise.reject(new Error('throttled')) };
        await expect(
            collect(prune(store, { before: '2026-02-01', now: later, keeper: keepIn(isFailing, { store, now: () => later }) })),
        ).rejects.toThrow('throttled');
        expect(await store.head(one)).toBeDefined();
        const findings = await collect(prune(store, { before: '2026-02-01', now: later, keeper }));
        expect(findings.map(({ key, canGo }) => [key, canGo])).toEqual([
            [one, true],
            [two, false],
        ]);
        expect(await index.get(one)).toMatchObject({ chain: facts, isPruned: true });
        expect(await collect(index.spans({ stream: 'devices-1', shard: 'shard-1' }, { first: '1', last: '9' }))).toContainEqual({
            after: '0',
            first: '1',
            last: '2',
        });
        // In a directory nobody keeps it, and the answer says so by what it leaves out.
        expect(await collect(datasetsOf(store))).toMatchObject([
            { key: two, isPruned: false },
            { key: one, isPruned: true, chain: undefined, read: { readings: 2 } },
        ]);
        expect(await ask(datasetsOf(store), store, { device: 'th-1' })).toEqual({ keys: [two], uncertain: [one] });
    });

    test('has its pruned objects noted as such where the command that freed them was killed', async () => {
        const store = memoryStore();
        const index = memoryDatasets();
        await addThermometer(store);
        const [one = '', two = ''] = await chainOf(store, 2);
        await read(store, one, index);
        await read(store, two, index);
        await store.delete(one);
        expect(await collect(mendDatasets(store, index, { now }))).toEqual([{ key: one, what: 'that it is pruned' }]);
        expect(await index.get(one)).toMatchObject({ isPruned: true, chain: { messages: 2 } });
        expect(await collect(mendDatasets(store, index, { now }))).toEqual([]);
    });
});

test('an object that is missing between two of a chain is seen by their names', () => {
    const spans = [
        { after: '0', first: '1', last: '9' },
        { after: '9', first: '10', last: '12' },
        { after: '40', first: '41', last: '50' },
    ];
    expect(gapsOf(spans)).toEqual(['12']);
    expect(gapsOf(spans.slice(0, 2).reverse())).toEqual([]);
    expect(gapsOf([])).toEqual([]);
});
