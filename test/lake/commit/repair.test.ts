/** Repair brings back what was damaged, under the commit rules, and leaves alone what only a backup can bring back. */

import { workInTurn } from '#lake/commit/finish';
import { findPending, isEmptyPlan, planRepair, repairLake } from '#lake/commit/repair';
import { isOfContent, numberOfVersion, readLedger } from '#lake/ledger';
import { sourceId } from '#lake/source-id';
import type { ObjectStore } from '#lake/store/object-store';
import { verifyLake } from '#lake/verify/verify';
import { findWrongAccounts } from '#test/support/accounts';
import { A, B, copyOf, DAMAGE, DAY_1, DAY_2, FILES, figuresOfFiles, fileOf, makeLake, summaryKeyOf } from '#test/support/damaged-lake';
import { daysOf, ofDay, pairDaysKey } from '#test/support/flow-tables';
import { readFigures } from '#test/support/small-files';

const NOW = new Date('2026-03-01T01:00:00Z');

/** This process does the work, on the store. */
function optionsOn(store: ObjectStore) {
    const now = (): Date => NOW;
    return { now, workers: workInTurn(store, { now, signal: new AbortController().signal }) };
}

async function planFor(store: ObjectStore) {
    const pending = await findPending(store);
    const result = await verifyLake({ store, pending, now: NOW });
    return { result, plan: await planRepair(store, { result, pending, now: NOW }) };
}

test('a lake as it should be needs none', async () => {
    const { result, plan } = await planFor(await makeLake());
    expect([result.verdict, isEmptyPlan(plan)]).toEqual(['equal', true]);
});

test.each([
    ['read', { toRead: ['raw/a.csv'] }],
    ['delete', { toDelete: ['summaries/day=2026-02-01/x.parquet'] }],
    ['read anew', { toReadAnew: new Map([['raw/a.csv', '1-0123456789abcdef']]) }],
    ['build', { toBuild: [ofDay('2026-02-01')] }],
])('a plan that has something to %s is not an empty one', async (_, part) => {
    const { plan } = await planFor(await makeLake());
    expect(isEmptyPlan({ ...plan, ...part })).toBe(false);
});

describe('after a repair everything is equal, for', () => {
    test.each(Object.entries(DAMAGE))('%s', async (_, damage) => {
        const store = await makeLake();
        await damage(store);
        const { result, plan } = await planFor(store);
        expect(result.verdict).toBe('different');
        const raw = await rawOf(store);
        expect((await repairLake(store, plan, optionsOn(store))).errors).toEqual([]);
        expect(await readFigures(store)).toEqual(figuresOfFiles());
        expect(await findWrongAccounts(store)).toBeUndefined();
        expect(await rawOf(store)).toEqual(raw);
        expect((await planFor(store)).result).toMatchObject({ verdict: 'equal', differences: [] });
    });
});

async function rawOf(store: ObjectStore): Promise<unknown[]> {
    return Promise.all([A, B].map((key) => store.head(key)));
}

test('what is read once more comes under a new number and of the same content, and the old version stays dead', async () => {
    const store = await makeLake();
    const before = (await readLedger(store, sourceId(A))).record!;
    const old = await summaryKeyOf(store, A, DAY_1);
    await DAMAGE['a figure of a summary']!(store);
    await repairLake(store, (await planFor(store)).plan, optionsOn(store));
    const after = (await readLedger(store, sourceId(A))).record!;
    expect(numberOfVersion(after.version!)).toBeGreaterThan(before.commits);
    expect(isOfContent(after, before)).toBe(true);
    expect(await store.head(old)).toBeUndefined();
});

test('a plan that is done twice, or by two at once, does no harm', async () => {
    const store = await makeLake();
    await DAMAGE['a figure of a summary, in the day too']!(store);
    const { plan } = await planFor(store);
    await Promise.all([repairLake(store, plan, optionsOn(store)), repairLake(store, plan, optionsOn(store))]);
    await repairLake(store, plan, optionsOn(store));
    expect(await readFigures(store)).toEqual(figuresOfFiles());
    expect(await findWrongAccounts(store)).toBeUndefined();
});

test('what reconcile would read is shown beforehand as it will be, and read', async () => {
    const store = await makeLake();
    const corrected = fileOf(['02/02/2026'], 77);
    await store.put(A, Buffer.from(corrected.text));
    await store.put('raw/new.csv', Buffer.from(fileOf(['01/02/2026'], 5).text));
    const { result, plan } = await planFor(store);
    expect(plan.toRead).toEqual([A, 'raw/new.csv']);
    expect(result.notes).toEqual([]);
    expect(result.differences.find(({ kind, figure, period }) => kind === 'row' && figure === 'flows' && period === DAY_1)).toMatchObject({
        in_lake: 2n,
        recomputed: 1n,
    });
    await repairLake(store, plan, optionsOn(store));
    expect(await readFigures(store)).toEqual(
        figuresOfFiles(new Map([...FILES, [A, corrected], ['raw/new.csv', fileOf(['01/02/2026'], 5)]])),
    );
});

describe('what only a backup can bring back', () => {
    test('a summary of a file whose raw object is gone: the day keeps the last trace of it', async () => {
        const store = await makeLake();
        await store.delete(A);
        await store.delete(await summaryKeyOf(store, A, DAY_2));
        // It has something that would be mended otherwise.
        await DAMAGE['a day without a list of contents']!(store);
        const day = await store.get(pairDaysKey(DAY_2));
        const { plan } = await planFor(store);
        expect(plan).toMatchObject({ beyondMending: [A], lost: [ofDay(DAY_2)], toBuild: [] });
        await repairLake(store, plan, optionsOn(store));
        expect((await store.get(pairDaysKey(DAY_2)))?.bytes).toEqual(day?.bytes);
        expect(await readFigures(store)).toEqual(figuresOfFiles());
    });

    test('such a day is left alone also where another of its files is read once more', async () => {
        const store = await makeLake();
        await store.delete(A);
        await store.delete(await summaryKeyOf(store, A, DAY_2));
        await store.delete(await summaryKeyOf(store, B, DAY_2));
        const day = await store.get(pairDaysKey(DAY_2));
        const { plan } = await planFor(store);
        expect([[...plan.toReadAnew.keys()], daysOf(plan.lost)]).toEqual([[B], [DAY_2]]);
        await repairLake(store, plan, optionsOn(store));
        expect((await store.get(pairDaysKey(DAY_2)))?.bytes).toEqual(day?.bytes);
        expect(await store.head(await summaryKeyOf(store, B, DAY_2))).toBeDefined();
    });

    test('a ledger record that cannot be read is named, and nothing is done', async () => {
        const store = await makeLake();
        await store.put(`ledger/${sourceId(A)}.json`, Buffer.from('{'));
        await expect(findPending(store)).rejects.toThrow(`ledger/${sourceId(A)}.json is no ledger record: restore it from a backup`);
    });
});

test('a copy of a lake is as good as the lake', async () => {
    expect(await readFigures(await copyOf(await makeLake()))).toEqual(figuresOfFiles());
});
