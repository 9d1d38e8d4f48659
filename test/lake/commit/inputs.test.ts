/** Sources that were read with inputs: each is current only as long as every input has the version that it was read with. */
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { finishUndone, workInTurn } from '#lake/commit/finish';
import { findPrunable } from '#lake/commit/prune';
import { findUndoneWork } from '#lake/commit/reconcile';
import { retract } from '#lake/commit/retract';
import { summarize } from '#lake/commit/summarize';
import { addInput } from '#lake/inputs';
import { rejectsKey } from '#lake/layout';
import { type LedgerRecord, readLedger } from '#lake/ledger';
import { readRows } from '#lake/parquet';
import { versionsOf } from '#lake/reports/source-history';
import { sourceId } from '#lake/source-id';
import type { ObjectStore } from '#lake/store/object-store';
import { verifyLake } from '#lake/verify/verify';
import { gauges } from '#test/kinds/gauges';
import { knowAlso } from '#test/support/know-also';
import { memoryStore } from '#test/support/memory-store';

const NOW = new Date('2026-03-02T00:00:00Z');
const now = (): Date => NOW;
const PREFIX = gauges.inputs?.prefix ?? '';
const HEADER = 'instant,gauge,level\n';
/** Lines of one hour, the second by a scale that the file names. */
const HARBOUR = 'raw/kind=gauges/harbour.gauge';
const HARBOUR_TEXT = `${HEADER}2026-01-05T13:05:00Z,pier,10\nscale lock\n2026-01-05T13:45:00Z,lock,20\n`;
/** A file that names no scale: how it is read is said where it is put. */
const ISLAND = 'raw/kind=gauges/island.gauge';
const ISLAND_TEXT = `${HEADER}2026-01-05T13:30:00Z,dry,100\n`;
const FLAT = 'raw/kind=gauges/flat.gauge';
const HOUR = 'gauges_hours/day=2026-01-05/13.parquet';

let store: ObjectStore;

beforeAll(() => knowAlso(gauges));

beforeEach(async () => {
    store = memoryStore();
    await addInput(store, PREFIX, 'lock', { zero_mm: 1000 });
    await addInput(store, PREFIX, 'dry', { zero_mm: 5000 });
    await store.put(HARBOUR, Buffer.from(HARBOUR_TEXT));
    await store.put(ISLAND, Buffer.from(ISLAND_TEXT), { metadata: { scale: 'dry' } });
    await store.put(FLAT, Buffer.from(`${HEADER}2026-01-05T13:50:00Z,flat,7\n`));
    await finish();
});

async function finish() {
    const done = await finishUndone(store, { now, workers: workInTurn(store, { now, signal: new AbortController().signal }) });
    expect(done.errors).toEqual([]);
    return done;
}

async function recordOf(key: string): Promise<LedgerRecord | undefined> {
    return (await readLedger(store, sourceId(key))).record;
}

/** Levels of the hour by gauge, as the merged object has them. */
async function levels(): Promise<Record<string, bigint>> {
    const rows = await readRows(gauges.merged, (await store.get(HOUR))!.bytes);
    return Object.fromEntries((rows.gauge as string[]).map((gauge, at) => [gauge, (rows.level_mm_sum as bigint[])[at]!]));
}

describe('a reading with inputs', () => {
    test('names each that it asked for in its ledger record, and none where it asked for none', async () => {
        expect((await recordOf(HARBOUR))?.inputs).toEqual({ lock: 1 });
        expect((await recordOf(ISLAND))?.inputs).toEqual({ dry: 1 });
        expect((await recordOf(FLAT))?.inputs).toEqual({});
        expect(await levels()).toEqual({ pier: 10n, lock: 1020n, dry: 5100n, flat: 7n });
        expect((await findUndoneWork(store, { now: NOW })).sources).toEqual([]);
    });

    test('is done again once an input has another version: those sources, and no other', async () => {
        await addInput(store, PREFIX, 'lock', { zero_mm: 2000 });
        expect((await findUndoneWork(store, { now: NOW })).sources).toEqual([HARBOUR]);
        expect((await finish()).sources).toEqual([HARBOUR]);
        expect((await recordOf(HARBOUR))?.inputs).toEqual({ lock: 2 });
        expect(await levels()).toEqual({ pier: 10n, lock: 2020n, dry: 5100n, flat: 7n });
        expect((await findUndoneWork(store, { now: NOW })).sources).toEqual([]);
    });

    test('that found no such input names it with version 0, and is done again once there is one', async () => {
        const key = 'raw/kind=gauges/new.gauge';
        await store.put(key, Buffer.from(`${HEADER}scale new\n2026-01-05T13:45:00Z,new,3\n`));
        await finish();
        expect(await recordOf(key)).toMatchObject({ inputs: { new: 0 }, state: 'empty', rows_rejected: 1 });
        expect((await findUndoneWork(store, { now: NOW })).sources).toEqual([]);
        await addInput(store, PREFIX, 'new', { zero_mm: 0 });
        expect((await finish()).sources).toEqual([key]);
        expect(await recordOf(key)).toMatchObject({ inputs: { new: 1 }, state: 'done', rows_rejected: 0 });
        expect((await levels()).new).toBe(3n);
        expect(
            await store.get(rejectsKey(gauges.rejects, { source: sourceId(key), version: (await recordOf(key))?.version ?? '' })),
        ).toBeUndefined();
    });

    test('reads an input anew in every pass: one that is corrected while a source is read is not missed', async () => {
        // One correction comes while the source is read, after the reader has asked, and one with the commit.
        const corrections = [3000, 4000];
        const correct = async (): Promise<void> => {
            const zero_mm = corrections.shift();
            await (zero_mm && addInput(store, PREFIX, 'lock', { zero_mm }));
        };
        const corrected: ObjectStore = {
            ...store,
            async put(key, ...rest) {
                const put = await store.put(key, ...rest);
                await correct();
                return put;
            },
        };
        await addInput(store, PREFIX, 'lock', { zero_mm: 2000 });
        const { record, periods } = await summarize(HARBOUR, { store: corrected, now });
        expect(record?.inputs).toEqual({ lock: 4 });
        expect(periods).toEqual([{ table: 'gauges_hours', period: '2026-01-05T13' }]);
    });

    test('is remembered by the history, with the versions of each commit', async () => {
        await addInput(store, PREFIX, 'lock', { zero_mm: 2000 });
        await finish();
        const versions = versionsOf((await recordOf(HARBOUR))!);
        expect(versions.map(({ commit }) => commit?.inputs)).toEqual([{ lock: 1 }, { lock: 2 }]);
        expect(new Set(versions.map(({ content }) => content)).size).toBe(2);
    });
});

describe('a source whose input was corrected', () => {
    beforeEach(async () => {
        await addInput(store, PREFIX, 'lock', { zero_mm: 2000 });
    });

    test('stays out where it was retracted', async () => {
        await retract(HARBOUR, { store, now });
        await addInput(store, PREFIX, 'lock', { zero_mm: 3000 });
        expect((await findUndoneWork(store, { now: NOW })).sources).toEqual([]);
    });

    test('is not pruned before it was read again', async () => {
        const found = [];
        for await (const finding of findPrunable(store, { before: '2026-02-01', now: new Date() })) {
            found.push(finding.canGo ? finding.key : `${finding.key}: ${finding.reason}`);
        }
        expect(found).toEqual([FLAT, `${HARBOUR}: it is not in the figures yet; run flowlake reconcile first`, ISLAND]);
    });

    test('is verified with the versions that it was read with, and the note says that others hold', async () => {
        const { verdict, differenceCount, notes } = await verifyLake({ store, now: NOW });
        expect({ verdict, differenceCount, notes }).toEqual({
            verdict: 'incomplete',
            differenceCount: 0,
            notes: [
                {
                    kind: 'input_changed',
                    key: HARBOUR,
                    text: `${HARBOUR} was read with version 1 of scale lock, and version 2 holds now: run flowlake reconcile`,
                },
            ],
        });
        await finish();
        expect(await verifyLake({ store, now: NOW })).toMatchObject({ verdict: 'equal', sources: { recomputed: 3 } });
    });

    test('stays as it was read where its raw object is gone', async () => {
        await store.delete(HARBOUR);
        expect((await finish()).sources).toEqual([]);
        expect((await recordOf(HARBOUR))?.inputs).toEqual({ lock: 1 });
        expect((await levels()).lock).toBe(1020n);
        expect(await verifyLake({ store, now: NOW, allowPruned: true })).toMatchObject({ verdict: 'equal' });
    });
});

test('each pointer is read once by a look at the whole lake, however many sources name it', async () => {
    for (const name of ['a', 'b', 'c']) {
        await store.put(`raw/kind=gauges/${name}.gauge`, Buffer.from(`${HEADER}scale lock\n2026-01-05T13:45:00Z,${name},3\n`));
    }
    await finish();
    const read: string[] = [];
    const counting: ObjectStore = {
        ...store,
        get: (key) => {
            read.push(key);
            return store.get(key);
        },
    };
    await findUndoneWork(counting, { now: NOW });
    const ofSources = read.filter((key) => key.startsWith(PREFIX) && key !== `${PREFIX}limit.json`);
    expect(ofSources.sort()).toEqual([`${PREFIX}dry.json`, `${PREFIX}lock.json`]);
});
