/** Objects of a chain under the commit rules: none is freed whose name could be taken again, and none in whose place other bytes stand is read. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { consolidate } from '#lake/commit/consolidate';
import { derive } from '#lake/commit/derive';
import { builtOn } from '#lake/commit/finish';
import { findPrunable, prune } from '#lake/commit/prune';
import { findUndoneWork, findUnread } from '#lake/commit/reconcile';
import { retract } from '#lake/commit/retract';
import { summarize } from '#lake/commit/summarize';
import { noteForwarded } from '#lake/forwarded';
import { chainKey, sideShardOf } from '#lake/layout';
import { commitLedger, type LedgerRecord, readLedger } from '#lake/ledger';
import { ChainWriter } from '#lake/live/chain';
import { SideChain } from '#lake/live/side-chain';
import { sourceId } from '#lake/source-id';
import type { ObjectStore } from '#lake/store/object-store';
import { verifyLake } from '#lake/verify/verify';
import { addThermometer, chainMessage } from '#test/support/chain-messages';
import { memoryDatasets } from '#test/support/memory-datasets';
import { memoryStore } from '#test/support/memory-store';
import { readingsOf } from '#test/support/readings-of';

const MINUTE_MS = 60_000;
const YOUNG_MS = (24 * 60 + 10) * MINUTE_MS;
const BEFORE = '2026-02-01';

let clock: { now: Date };
let store: ObjectStore;

beforeEach(async () => {
    clock = { now: new Date('2026-01-05T12:00:00Z') };
    store = memoryStore({ now: () => clock.now });
    await addThermometer(store);
});

/** Appends messages, one object each, reads it and merges what it touches. */
async function appendAndWork(numbers: readonly number[], shard = '0'): Promise<string[]> {
    const writer = new ChainWriter(store, { stream: 's', shard, now: () => clock.now });
    const keys: string[] = [];
    for (const n of numbers) {
        const { key = '' } = await writer.append([chainMessage(n)]);
        keys.push(key);
        await work(key);
    }
    return keys;
}

async function work(key: string): Promise<void> {
    const { periods } = await summarize(key, { store, now: () => clock.now });
    for (const of of periods) {
        await consolidate(of, { store });
    }
    for (const { table, period } of builtOn(periods)) {
        await derive({ table, period }, { store });
    }
}

async function recordOf(key: string): Promise<LedgerRecord> {
    const { record } = await readLedger(store, sourceId(key));
    if (!record) {
        throw new Error(`${key} has no record`);
    }
    return record;
}

async function findings(): Promise<Record<string, string>> {
    const found: Record<string, string> = {};
    for await (const finding of findPrunable(store, { before: BEFORE, now: clock.now })) {
        found[finding.key] = finding.canGo ? 'goes' : finding.reason;
    }
    return found;
}

const IS_LAST = 'it is the last object of its chain, and the next one will be named after its end';
const IS_YOUNG = 'it is younger than 24 hours and 10 minutes: a slow writer may still take its name';

describe('prune', () => {
    test('keeps the last object of each chain, whatever lies beside it, and every one that a writer may still know', async () => {
        const [first = '', second = '', last = ''] = await appendAndWork([1, 2, 3]);
        const [alone = ''] = await appendAndWork([7], '1');
        await store.put('raw/kind=telemetry/stream=s/shard=0/zzz.jsonl', Buffer.from('{}'));
        const other = 'raw/kind=telemetry/stream=s/shard=0/zzz.jsonl';
        clock.now = new Date(clock.now.getTime() + YOUNG_MS);
        expect(await findings()).toMatchObject({ [first]: IS_YOUNG, [second]: IS_YOUNG, [last]: IS_LAST, [alone]: IS_LAST });
        clock.now = new Date(clock.now.getTime() + 1);
        expect(await findings()).toMatchObject({ [first]: 'goes', [second]: 'goes', [last]: IS_LAST, [alone]: IS_LAST });
        for await (const { key, canGo } of prune(store, { before: BEFORE, now: clock.now })) {
            expect([key, canGo]).toEqual([key, key === first || key === second]);
        }
        expect(await Promise.all([first, second, last, alone, other].map(async (key) => (await store.head(key)) !== undefined))).toEqual([
            false,
            false,
            true,
            true,
            true,
        ]);
        // Whoever appends next begins where the chain ended.
        const [next = ''] = await appendAndWork([4]);
        expect(next > last).toBe(true);
        expect(await readingsOf(store)).toEqual([1, 2, 3, 4, 7]);
    });

    test('keeps all of a side chain, where its numbers are looked up; it is read as any chain is, a loss as a reject', async () => {
        const side = new SideChain({ store, index: memoryDatasets(), stream: 's', shard: '0' });
        const lost = { refused: 'up to 3 records are lost', report: 'lost 1-3', payload: Buffer.alloc(0) };
        await side.append([chainMessage(8), chainMessage(9)]);
        await side.append([chainMessage(5), chainMessage(9), chainMessage(1, lost)]);
        const keys = ['0', '1'].map((number) => chainKey({ kind: 'telemetry', stream: 's', shard: sideShardOf('0') }, number));
        for (const key of keys) {
            await work(key);
        }
        expect(await readingsOf(store)).toEqual([5, 8, 9]);
        expect((await recordOf(keys[1] ?? '')).rows_rejected).toBe(1);
        clock.now = new Date(clock.now.getTime() + 2 * YOUNG_MS);
        const isAside = 'it is of a side chain, where what was given up is looked up when it comes again';
        expect(await findings()).toEqual(Object.fromEntries(keys.map((key) => [key, isAside])));
    });

    test('keeps what is not handed on to another lake yet', async () => {
        const [first = '', second = ''] = await appendAndWork([1, 2, 3]);
        clock.now = new Date(clock.now.getTime() + 2 * YOUNG_MS);
        const prefix = 'raw/kind=telemetry/stream=s/shard=0/';
        await noteForwarded(store, 's', { prefix, to: 's3://other', end: '0' });
        const awaited = 'it is not handed on to s3://other yet; serve --forward does that';
        expect(await findings()).toMatchObject({ [first]: awaited, [second]: awaited });
        await noteForwarded(store, 's', { prefix, to: 's3://other', end: '1' });
        expect(await findings()).toMatchObject({ [first]: 'goes', [second]: awaited });
        await store.put('forwarded/s.json', Buffer.from('rubbish'));
        await expect(findings()).rejects.toThrow('forwarded/s.json does not say how far a chain was handed on');
    });

    test('keeps an object that is not in the figures, and one that is not the one that was read', async () => {
        const [first = '', second = ''] = await appendAndWork([1, 2, 3]);
        await store.put(second, Buffer.from('something else'));
        clock.now = new Date(clock.now.getTime() + 2 * YOUNG_MS);
        await store.delete(`ledger/${sourceId(first)}.json`);
        expect(await findings()).toMatchObject({
            [first]: 'it is not in the figures yet; run flowlake reconcile first',
            [second]: 'it is not the object of its chain that was read; see flowlake verify',
        });
    });
});

describe('other bytes in the place of an object of a chain', () => {
    async function replace(key: string): Promise<Uint8Array> {
        const was = (await store.get(key))?.bytes ?? new Uint8Array();
        const strange = memoryStore();
        const { key: name = '' } = await new ChainWriter(strange, { stream: 's', shard: '0', now: () => clock.now }).append([
            chainMessage(99),
        ]);
        const { bytes, info } = (await strange.get(name)) ?? { bytes: new Uint8Array(), info: undefined };
        await store.put(key, bytes, { metadata: { ...info?.metadata } });
        return was;
    }

    test('are never read: no reading goes, none comes, and nothing is left to do', async () => {
        const [first = ''] = await appendAndWork([1, 2]);
        expect(await summarize(first, { store, now: () => clock.now })).toMatchObject({ isStrange: false });
        const was = await replace(first);
        await work(first);
        expect(await summarize(first, { store, now: () => clock.now })).toMatchObject({ isStrange: true });
        expect(await readingsOf(store)).toEqual([1, 2]);
        const records = new Map([[sourceId(first), await recordOf(first)]]);
        expect(await findUnread(store, records)).not.toContain(first);
        expect((await findUndoneWork(store, { now: clock.now })).sources).toEqual([]);
        // Nor where it is to be read once more, for a summary that was damaged.
        const { version } = await recordOf(first);
        await summarize(first, { store, now: () => clock.now, anew: version ?? '' });
        expect(await readingsOf(store)).toEqual([1, 2]);
        // Nor where the source was retracted: that the object was put again undoes it only where it is the same one.
        await retract(first, { store, now: () => clock.now });
        await replace(first);
        await work(first);
        expect(await readingsOf(store)).toEqual([2]);
        await store.put(first, was);
        await work(first);
        expect(await readingsOf(store)).toEqual([1, 2]);
    });

    test('are told by verify, and mended by the bytes that belong there', async () => {
        const [first = ''] = await appendAndWork([1, 2]);
        const sound = await verifyLake({ store, now: clock.now });
        expect(sound).toMatchObject({ verdict: 'equal', sources: { recomputed: 2, fromSummaries: 0 } });
        const was = await replace(first);
        const { verdict, differences, notes, mends } = await verifyLake({ store, now: clock.now });
        expect({ verdict, differences, notes }).toMatchObject({
            verdict: 'different',
            differences: [{ kind: 'damaged', source: first, figure: expect.stringContaining('an object of a chain is never replaced') }],
            notes: [],
        });
        expect([[...mends.beyondMending], [...mends.readAnew]]).toEqual([[first], []]);
        await store.put(first, was);
        expect(await verifyLake({ store, now: clock.now })).toMatchObject({ verdict: 'equal', differences: [] });
    });

    test('are read where those before could not be used: they are the ones that were put back', async () => {
        const writer = new ChainWriter(store, { stream: 's', shard: '0', now: () => clock.now });
        const { key = '' } = await writer.append([chainMessage(1)]);
        const { bytes } = (await store.get(key)) ?? { bytes: Buffer.of() };
        await store.put(key, Buffer.from('no gzip'));
        await work(key);
        expect((await recordOf(key)).state).toBe('failed');
        await store.put(key, bytes);
        expect(await verifyLake({ store, now: clock.now })).toMatchObject({ notes: [{ kind: 'raw_changed' }] });
        await work(key);
        expect(await readingsOf(store)).toEqual([1]);
    });

    test('are read in a lake that moved to another home, where nothing tells whether they are others', async () => {
        const [first = ''] = await appendAndWork([1]);
        const { etag } = await readLedger(store, sourceId(first));
        const moved = { ...(await recordOf(first)), etag: '0123456789abcdef0123456789abcdef' };
        await commitLedger(store, { source: sourceId(first), record: moved, etag });
        await work(first);
        expect((await recordOf(first)).etag).toBe((await store.head(first))?.etag);
        expect(await readingsOf(store)).toEqual([1]);
    });
});
