/** A day that is built anew, whatever its object is; and what would be done for a day, told beforehand. */

import { beforeEach, describe, expect, test } from '@jest/globals';
import { consolidate, isConsolidated, planPeriod } from '#lake/commit/consolidate';
import { containedOf } from '#lake/commit/period-state';
import { summarize } from '#lake/commit/summarize';
import { StorageError } from '#lake/errors';
import { ledgerKey } from '#lake/layout';
import { sourceId } from '#lake/source-id';
import type { ObjectStore } from '#lake/store/object-store';
import { emptiedDayOfBefore } from '#test/support/emptied-day';
import { ofDay, pairDaysKey, readPairRows, SUMMARIES_PREFIX, writePairRows } from '#test/support/flow-tables';
import { memoryStore } from '#test/support/memory-store';
import { countUp, readFigures, type SmallFile, smallFile } from '#test/support/small-files';
import { listsOfFooter } from '#test/support/thrift-lists';

const DAY = '2026-02-01';
const KEY = pairDaysKey(DAY);

let store: ObjectStore;
/** What is called before an object is put. */
let beforePut: (key: string) => Promise<void>;
let reads: string[];
let puts: string[];

beforeEach(() => {
    const inner = memoryStore();
    beforePut = async () => undefined;
    reads = [];
    puts = [];
    store = {
        ...inner,
        get: (key) => {
            reads.push(key);
            return inner.get(key);
        },
        readEnd: (key, options) => {
            reads.push(key);
            return inner.readEnd(key, options);
        },
        put: async (key, body, options) => {
            await beforePut(key);
            puts.push(key);
            return inner.put(key, body, options);
        },
    };
});

function fileOf(packets: number): SmallFile {
    return smallFile([{ src: '10.0.0.1', dst: `10.0.1.${packets}`, date: '01/02/2026', durationUs: 1, packets }]);
}

async function take(name: string, { text }: SmallFile): Promise<void> {
    await store.put(`raw/${name}`, Buffer.from(text));
    await summarize(`raw/${name}`, { store, now: () => new Date(0) });
}

/** Done once, before the next put of the day's object. */
function meanwhile(action: () => Promise<void>): void {
    let isDone = false;
    beforePut = async (key) => {
        if (key === KEY && !isDone) {
            isDone = true;
            await action();
        }
    };
}

const figuresOf = (...files: SmallFile[]) => countUp(files.map((file) => ({ file, site: 'main', options: {} })));

async function bytesOfDay(): Promise<Uint8Array<ArrayBuffer>> {
    return (await store.get(KEY))?.bytes ?? new Uint8Array();
}

/** Gives the day other figures, with the list of what it contains as it should be. */
async function falsify(): Promise<void> {
    const rows = await readPairRows(await bytesOfDay());
    rows.flows[0] = 77n;
    await store.put(KEY, writePairRows(rows, { contains: await containedOf(ofDay(DAY), { store }) }));
}

test('an emptied day of an older flowlake, which readers in Rust refuse, is written again by rebuild --anew', async () => {
    await store.put(KEY, emptiedDayOfBefore());
    expect(await planPeriod(ofDay(DAY), { store, anew: true })).toEqual({ action: 'build anew', sources: 0, missing: 0 });
    expect(await consolidate(ofDay(DAY), { store, anew: true })).toEqual({ writes: 1, sources: 0, rows: 0, derived: [] });
    expect(listsOfFooter(await bytesOfDay()).find(({ field }) => field === '4')).toEqual({ field: '4', size: 0, elementType: 12 });
});

describe('a day that is built anew', () => {
    test('is written once though its object says that it is right, and has its figures back', async () => {
        await take('a.csv', fileOf(1));
        await take('b.csv', fileOf(2));
        await consolidate(ofDay(DAY), { store });
        await falsify();
        expect(await consolidate(ofDay(DAY), { store })).toEqual({ writes: 0, sources: 2, rows: undefined, derived: [] });
        expect(await readFigures(store)).not.toEqual(figuresOf(fileOf(1), fileOf(2)));
        puts = [];
        expect(await consolidate(ofDay(DAY), { store, anew: true })).toEqual({ writes: 1, sources: 2, rows: 2, derived: [] });
        expect(puts).toEqual([KEY]);
        expect(await readFigures(store)).toEqual(figuresOf(fileOf(1), fileOf(2)));
        expect(await isConsolidated(ofDay(DAY), { store })).toBe(true);
    });

    test.each([
        ['nothing', Buffer.alloc(0)],
        ['no Parquet', Buffer.from('not a Parquet file at all')],
        ['a footer that is none', Buffer.from('PAR1\0\0\0\0\0\0\0\u0004\0\0\0PAR1')],
        ['its first half', undefined],
    ])(
        'needs no readable object: of one that is %s no byte is read, and without --anew it is named with what mends it',
        async (_, damaged) => {
            await take('a.csv', fileOf(1));
            await consolidate(ofDay(DAY), { store });
            const whole = await bytesOfDay();
            await store.put(KEY, damaged ?? whole.subarray(0, whole.length / 2));
            for (const asked of [consolidate, isConsolidated, planPeriod]) {
                const answer = asked(ofDay(DAY), { store });
                await expect(answer).rejects.toThrow(StorageError);
                await expect(answer).rejects.toThrow(
                    /^pair_days\/day=2026-02-01\/part-00.parquet cannot be read.*flowlake rebuild --from 2026-02-01 --to 2026-02-01 --anew/s,
                );
            }
            expect(await planPeriod(ofDay(DAY), { store, anew: true })).toEqual({ action: 'build anew', sources: 1, missing: 1 });
            reads = [];
            await consolidate(ofDay(DAY), { store, anew: true });
            expect(reads).not.toContain(KEY);
            expect(await readFigures(store)).toEqual(figuresOf(fileOf(1)));
        },
    );

    test('is written on condition of what was there: it stays to be built anew until that write is won', async () => {
        await take('a.csv', fileOf(1));
        await consolidate(ofDay(DAY), { store });
        meanwhile(async () => {
            await take('b.csv', fileOf(2));
            await consolidate(ofDay(DAY), { store });
            await falsify();
        });
        expect(await consolidate(ofDay(DAY), { store, anew: true })).toEqual({ writes: 1, sources: 2, rows: 2, derived: [] });
        expect(await readFigures(store)).toEqual(figuresOf(fileOf(1), fileOf(2)));
    });

    test('is looked at again: a source that came while it was written is in it', async () => {
        await take('a.csv', fileOf(1));
        await consolidate(ofDay(DAY), { store });
        meanwhile(() => take('b.csv', fileOf(2)));
        expect(await consolidate(ofDay(DAY), { store, anew: true })).toEqual({ writes: 2, sources: 2, rows: 2, derived: [] });
        expect(await readFigures(store)).toEqual(figuresOf(fileOf(1), fileOf(2)));
    });

    test('counts no summary that the ledger does not name, although its object contains it', async () => {
        await take('a.csv', fileOf(1));
        await take('b.csv', fileOf(2));
        await consolidate(ofDay(DAY), { store });
        await store.delete(ledgerKey(sourceId('raw/b.csv')));
        await consolidate(ofDay(DAY), { store, anew: true });
        expect(await readFigures(store)).toEqual(figuresOf(fileOf(1)));
    });

    test('gets an object without rows where nothing is left of it, and none where it had none', async () => {
        expect(await consolidate(ofDay(DAY), { store, anew: true })).toEqual({ writes: 0, sources: 0, rows: undefined, derived: [] });
        expect(await store.head(KEY)).toBeUndefined();
        await store.put(KEY, Buffer.from('damaged'));
        expect(await consolidate(ofDay(DAY), { store, anew: true })).toEqual({ writes: 1, sources: 0, rows: 0, derived: [] });
        expect(await readFigures(store)).toEqual(new Map());
    });
});

test('a summary that is damaged is named, with the record that says of which file it is', async () => {
    await take('a.csv', fileOf(1));
    for await (const { key } of store.list(SUMMARIES_PREFIX)) {
        await store.put(key, Buffer.from('damaged'));
    }
    await expect(consolidate(ofDay(DAY), { store })).rejects.toThrow(
        new RegExp(
            `^raw/a.csv is left out of .*: summaries/day=.*cannot be read.*flowlake verify --repair .*${ledgerKey(sourceId('raw/a.csv'))}`,
        ),
    );
});

describe('what would be done for a day', () => {
    test('is what is done then, and telling it writes nothing', async () => {
        await take('a.csv', fileOf(1));
        await take('b.csv', fileOf(2));
        puts = [];
        expect(await planPeriod(ofDay(DAY), { store })).toEqual({ action: 'build anew', sources: 2, missing: 2 });
        await consolidate(ofDay(DAY), { store });
        expect(await planPeriod(ofDay(DAY), { store })).toEqual({ action: 'nothing', sources: 2, missing: 0 });
        await take('c.csv', fileOf(3));
        puts = [];
        expect(await planPeriod(ofDay(DAY), { store })).toEqual({ action: 'merge', sources: 3, missing: 1 });
        expect(puts).toEqual([]);
        await consolidate(ofDay(DAY), { store });
        await take('c.csv', fileOf(4));
        expect(await planPeriod(ofDay(DAY), { store })).toEqual({ action: 'build anew', sources: 3, missing: 3 });
    });
});
