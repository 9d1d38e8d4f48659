/** What is undone in a lake is finished in one order, whoever does the work. */
import { describe, expect, test } from '@jest/globals';
import { finishUndone, type Workers, workInTurn, workOff } from '#lake/commit/finish';
import { findUndoneWork } from '#lake/commit/reconcile';
import { ledgerKey } from '#lake/layout';
import { sourceId } from '#lake/source-id';
import type { ObjectStore } from '#lake/store/object-store';
import { A, B, DAY_1, DAY_2, FILES, figuresOfFiles, makeLake, summaryKeyOf } from '#test/support/damaged-lake';
import { ofDay, pairDaysKey, summaryKey } from '#test/support/flow-tables';
import { memoryStore } from '#test/support/memory-store';
import { readFigures } from '#test/support/small-files';

const NOW = new Date('2026-03-02T00:00:00Z');
const now = (): Date => NOW;

function inTurn(store: ObjectStore, signal = new AbortController().signal): Workers {
    return workInTurn(store, { now, signal });
}

describe('finishing what is undone', () => {
    test('brings files that lie under raw/ into the figures, and says what was done', async () => {
        const store = memoryStore({ now });
        for (const [key, { text }] of FILES) {
            await store.put(key, Buffer.from(text));
        }
        const done = await finishUndone(store, { workers: inTurn(store), now });
        expect(done).toEqual({ sources: [A, B], deadObjects: [], periods: [ofDay(DAY_1), ofDay(DAY_2)], derived: [], errors: [] });
        expect(await readFigures(store)).toEqual(figuresOfFiles());
        expect(await findUndoneWork(store, { now: NOW })).toEqual({ sources: [], deadObjects: [], periods: [], derived: [] });
    });

    test('deletes dead objects before it merges: a day that contains one is built without it', async () => {
        const store = await makeLake();
        // The ledger has moved on while the old version's summary stayed, and the day had taken it in.
        const dead = summaryKey({ day: DAY_1, source: sourceId(B), version: '0-0123456789abcdef' });
        await store.put(dead, (await store.get(await summaryKeyOf(store, A, DAY_1)))!.bytes);
        const order: string[] = [];
        const seen: ObjectStore = {
            ...store,
            delete: async (key, options) => {
                order.push(`delete ${key}`);
                return store.delete(key, options);
            },
        };
        const workers: Workers = {
            summarize: async () => ({ periods: [ofDay(DAY_1)], errors: [] }),
            consolidate: async (periods) => {
                order.push(...periods.map(({ period }) => `merge ${period}`));
                return [];
            },
            derive: async () => [],
        };
        const asked: string[] = [];
        const done = await workOff(seen, {
            workers,
            now,
            sources: [{ key: A }],
            periodsAfter: async (touched) => {
                asked.push(...order);
                return touched;
            },
        });
        expect(done.deadObjects).toEqual([dead]);
        expect(asked).toEqual([`delete ${dead}`]);
        expect(order).toEqual([`delete ${dead}`, `merge ${DAY_1}`]);
    });

    test('goes on after a failure, and tells of it', async () => {
        const store = await makeLake();
        await store.put(pairDaysKey(DAY_1), Buffer.from('rubbish'));
        await store.put('raw/new.csv', Buffer.from(FILES.get(B)!.text));
        const done = await finishUndone(store, { workers: inTurn(store), now });
        expect(done.errors.map(({ message }) => message)).toEqual([
            expect.stringContaining(`${pairDaysKey(DAY_1)} cannot be read as Parquet`),
        ]);
        expect(done.sources).toEqual(['raw/new.csv']);
        const workers = inTurn(store);
        const errors = await workers.consolidate([ofDay(DAY_1), ofDay(DAY_2)]);
        expect(errors.map(({ message }) => message)).toEqual([expect.stringContaining(`${pairDaysKey(DAY_1)} cannot be read as Parquet`)]);
        const read = await workers.summarize([{ key: 'raw/kind=of-tomorrow/x' }, { key: 'raw/new.csv' }]);
        expect(read.errors.map(({ message }) => message)).toEqual([expect.stringContaining('install a version that knows it')]);
        expect(read.periods).toEqual([ofDay(DAY_2)]);
        expect(await store.head(ledgerKey(sourceId('raw/new.csv')))).toBeDefined();
    });

    test('stops at an abort with its reason, and not with what it came to', async () => {
        const store = memoryStore({ now });
        for (const [key, { text }] of FILES) {
            await store.put(key, Buffer.from(text));
        }
        const controller = new AbortController();
        controller.abort(new Error('enough'));
        await expect(finishUndone(store, { workers: inTurn(store, controller.signal), now })).rejects.toThrow('enough');
    });
});
