/** Days are consolidated in few passes, and what lies about in their folders does no harm. */

import { beforeEach, describe, expect, test } from '@jest/globals';
import { consolidate, consolidateWhatCan, isConsolidated } from '#lake/commit/consolidate';
import { containedOf } from '#lake/commit/period-state';
import { summarize } from '#lake/commit/summarize';
import { OverflowError, StorageError } from '#lake/errors';
import { ledgerKey } from '#lake/layout';
import { sourceId } from '#lake/source-id';
import type { ObjectStore } from '#lake/store/object-store';
import { ofDay, pairDaysKey, readPairRows, writePairRows } from '#test/support/flow-tables';
import { memoryStore } from '#test/support/memory-store';
import { countUp, readFigures, type SmallFile, smallFile } from '#test/support/small-files';

const DAY = '2026-02-01';

let store: ObjectStore;
/** `get pair_days`, `put pair_days` and the like. */
let calls: string[];

beforeEach(() => {
    calls = [];
    const inner = memoryStore();
    function noted<T>(what: string, key: string, result: T): T {
        calls.push(`${what} ${key.split('/')[0]}`);
        return result;
    }
    store = {
        ...inner,
        head: (key) => noted('head', key, inner.head(key)),
        get: (key) => noted('get', key, inner.get(key)),
        put: (key, body, options) => noted('put', key, inner.put(key, body, options)),
    };
});

/** Durations that add up to the largest sum of all, 9223372036854775807. */
const HUGE = smallFile(
    [...Array<number>(922).fill(10 ** 16), 3_372_036_854_775_807].map((durationUs) => ({
        src: '10.0.0.1',
        dst: '10.0.0.2',
        date: '01/02/2026',
        durationUs,
        packets: 1,
    })),
);

function fileOf(packets: number): SmallFile {
    return smallFile([{ src: '10.0.0.1', dst: '10.0.0.2', date: '01/02/2026', durationUs: 1, packets }]);
}

async function take(name: string, { text }: SmallFile): Promise<void> {
    await store.put(`raw/${name}`, Buffer.from(text));
    await summarize(`raw/${name}`, { store, now: () => new Date(0) });
}

function figuresOfAll(files: readonly SmallFile[]): Map<string, string> {
    return countUp(files.map((file) => ({ file, site: 'main', options: {} })));
}

function count(call: string): number {
    return calls.filter((made) => made === call).length;
}

describe('a day', () => {
    test('takes a burst of files in one pass', async () => {
        const files = Array.from({ length: 30 }, (_, packets) => fileOf(packets));
        for (const [at, file] of files.entries()) {
            await take(`${at}.csv`, file);
        }
        calls = [];
        expect((await consolidate(ofDay(DAY), { store })).writes).toBe(1);
        expect([count('put pair_days'), count('get summaries')]).toEqual([1, 30]);
        expect(await readFigures(store)).toEqual(figuresOfAll(files));
    });

    test('takes one more file with one read and one write of its object, however many it holds', async () => {
        const files = Array.from({ length: 12 }, (_, packets) => fileOf(packets));
        for (const [at, file] of files.slice(1).entries()) {
            await take(`${at + 1}.csv`, file);
        }
        await consolidate(ofDay(DAY), { store });
        await take('0.csv', fileOf(0));
        calls = [];
        expect((await consolidate(ofDay(DAY), { store })).writes).toBe(1);
        expect([count('get pair_days'), count('put pair_days'), count('get summaries'), count('get ledger')]).toEqual([1, 1, 1, 1]);
        expect(await readFigures(store)).toEqual(figuresOfAll(files));
    });

    test('of which one file was corrected is written once, and never holds both of its versions', async () => {
        await take('a.csv', fileOf(1));
        await take('b.csv', fileOf(2));
        await consolidate(ofDay(DAY), { store });
        await take('a.csv', fileOf(5));
        expect(await consolidate(ofDay(DAY), { store })).toMatchObject({ writes: 1, sources: 2 });
        expect(await readFigures(store)).toEqual(figuresOfAll([fileOf(5), fileOf(2)]));
    });

    test('that is right already is read once and not written', async () => {
        await take('a.csv', fileOf(1));
        await consolidate(ofDay(DAY), { store });
        calls = [];
        expect((await consolidate(ofDay(DAY), { store })).writes).toBe(0);
        expect(calls).toEqual(['get pair_days']);
        expect(await isConsolidated(ofDay(DAY), { store })).toBe(true);
    });

    test('without any summary stays without an object, or has one with no rows', async () => {
        expect((await consolidate(ofDay(DAY), { store })).writes).toBe(0);
        expect(await store.head(pairDaysKey(DAY))).toBeUndefined();
        await take('a.csv', fileOf(1));
        await consolidate(ofDay(DAY), { store });
        for await (const { key } of store.list('summaries/')) {
            await store.delete(key);
        }
        expect(await isConsolidated(ofDay(DAY), { store })).toBe(false);
        expect((await consolidate(ofDay(DAY), { store })).writes).toBe(1);
        expect(await containedOf(ofDay(DAY), { store })).toEqual([]);
        expect(await readFigures(store)).toEqual(new Map());
    });

    test('of more sources than a footer may list takes one more as well', async () => {
        const files = Array.from({ length: 130 }, (_, packets) => fileOf(packets));
        for (const [at, file] of files.entries()) {
            await take(`${at}.csv`, file);
        }
        await consolidate(ofDay(DAY), { store });
        expect(await containedOf(ofDay(DAY), { store })).toHaveLength(130);
        await take('last.csv', fileOf(500));
        expect((await consolidate(ofDay(DAY), { store })).writes).toBe(1);
        expect(await containedOf(ofDay(DAY), { store })).toHaveLength(131);
        expect(await readFigures(store)).toEqual(figuresOfAll([...files, fileOf(500)]));
    });
});

describe('what lies in the folders', () => {
    test('is passed over where it is no summary of a source', async () => {
        await take('a.csv', fileOf(1));
        const [summary = ''] = (await keysOf('summaries/')).filter((key) => key.endsWith('.parquet'));
        const { bytes } = (await store.get(summary)) ?? {};
        for (const name of ['_SUCCESS', '.hidden', 'copy of it.parquet', `${summary.split('/').at(-1)}.crc`]) {
            await store.put(`summaries/day=${DAY}/${name}`, bytes ?? new Uint8Array());
        }
        // A summary of a source that nobody knows.
        await store.put(`summaries/day=${DAY}/0123456789abcdef.1-0123456789abcdef.parquet`, bytes ?? new Uint8Array());
        expect((await consolidate(ofDay(DAY), { store })).writes).toBe(1);
        expect(await readFigures(store)).toEqual(figuresOfAll([fileOf(1)]));
    });

    test('is built anew where another tool has written the day', async () => {
        await take('a.csv', fileOf(1));
        await consolidate(ofDay(DAY), { store });
        const rows = await readPairRows((await store.get(pairDaysKey(DAY)))?.bytes ?? new Uint8Array());
        await store.put(pairDaysKey(DAY), writePairRows(rows));
        expect((await consolidate(ofDay(DAY), { store })).writes).toBe(1);
        expect(await readFigures(store)).toEqual(figuresOfAll([fileOf(1)]));
    });

    test('counts once where a ledger record was lost and the source is summarized again', async () => {
        await take('a.csv', fileOf(1));
        await take('a.csv', fileOf(2));
        await consolidate(ofDay(DAY), { store });
        await store.delete(ledgerKey(sourceId('raw/a.csv')));
        await take('a.csv', fileOf(2));
        await consolidate(ofDay(DAY), { store });
        expect(await readFigures(store)).toEqual(figuresOfAll([fileOf(2)]));
    });
});

test('two files that together pass the largest sum are one error that names the pair and the day, which stays as it was', async () => {
    const half = fileOf(1);
    await take('a.csv', half);
    await consolidate(ofDay(DAY), { store });
    await take('b.csv', HUGE);
    await expect(consolidate(ofDay(DAY), { store })).rejects.toThrow(OverflowError);
    await expect(consolidate(ofDay(DAY), { store })).rejects.toThrow(
        'flow_duration_us_sum of 10.0.0.1 to 10.0.0.2 at site main on 2026-02-01 would be',
    );
    expect(await readFigures(store)).toEqual(figuresOfAll([half]));
    expect(await isConsolidated(ofDay(DAY), { store })).toBe(false);
});

describe('a contribution that cannot be merged', () => {
    const GOOD = Array.from({ length: 20 }, (_, packets) => fileOf(packets));

    async function takeAll(files: readonly SmallFile[]): Promise<void> {
        for (const [at, file] of files.entries()) {
            await take(`${at}.csv`, file);
        }
    }

    async function damage(name: string): Promise<void> {
        const id = sourceId(`raw/${name}`);
        const [key = ''] = (await keysOf(`summaries/day=${DAY}/`)).filter((one) => one.includes(id));
        await store.put(key, Buffer.from('rubbish'));
    }

    test.each([['a day that is new'], ['a day that has files']])('holds up no other: %s', async (which) => {
        await takeAll(which === 'a day that is new' ? [] : GOOD.slice(0, 10));
        await consolidate(ofDay(DAY), { store });
        await takeAll(GOOD);
        await take('bad.csv', fileOf(7));
        await damage('bad.csv');
        const { leftOut, ...outcome } = await consolidateWhatCan(ofDay(DAY), { store });
        expect(outcome).toMatchObject({ writes: 1, sources: 20 });
        expect(leftOut).toBeInstanceOf(StorageError);
        expect(leftOut?.message).toMatch(
            /^raw\/bad\.csv is left out of 2026-02-01: summaries\/.* cannot be read as Parquet .*verify --repair/,
        );
        expect(await readFigures(store)).toEqual(figuresOfAll(GOOD));
        expect(await isConsolidated(ofDay(DAY), { store })).toBe(false);
        // The next file comes in as well, and the day is whole once the bad one is repaired.
        await take('next.csv', fileOf(50));
        await expect(consolidate(ofDay(DAY), { store })).rejects.toThrow('raw/bad.csv is left out');
        expect(await readFigures(store)).toEqual(figuresOfAll([...GOOD, fileOf(50)]));
        await store.delete(ledgerKey(sourceId('raw/bad.csv')));
        await take('bad.csv', fileOf(7));
        await consolidate(ofDay(DAY), { store });
        expect(await readFigures(store)).toEqual(figuresOfAll([...GOOD, fileOf(50), fileOf(7)]));
    });

    test('is found among many with few merges, and several are told as one error', async () => {
        await takeAll(GOOD);
        await damage('3.csv');
        await damage('11.csv');
        calls = [];
        await expect(consolidate(ofDay(DAY), { store })).rejects.toThrow(/\.csv is left out of 2026-02-01, and 1 more: /);
        expect(await readFigures(store)).toEqual(figuresOfAll(GOOD.filter((_, at) => at !== 3 && at !== 11)));
        expect(count('put pair_days')).toBe(1);
        expect(count('get summaries')).toBeLessThan(20 * 4);
    });

    test('is one with which a sum would leave its column, beside files of any pairs', async () => {
        const other = smallFile([{ src: '10.0.0.8', dst: '10.0.0.9', date: '01/02/2026', durationUs: 5, packets: 5 }]);
        await take('a.csv', fileOf(1));
        await consolidate(ofDay(DAY), { store });
        await take('huge.csv', HUGE);
        await take('b.csv', other);
        await take('c.csv', fileOf(3));
        await expect(consolidate(ofDay(DAY), { store })).rejects.toThrow(
            /^raw\/huge\.csv is left out of 2026-02-01: flow_duration_us_sum of 10\.0\.0\.1 to 10\.0\.0\.2 .*flowlake retract raw\/huge\.csv takes it out/,
        );
        expect(await readFigures(store)).toEqual(figuresOfAll([fileOf(1), other, fileOf(3)]));
    });

    test('is none where the store cannot be asked, or where the day itself is damaged: nothing is left out then', async () => {
        await takeAll(GOOD.slice(0, 3));
        const inner = store;
        store = {
            ...inner,
            async get(key) {
                if (key.includes(sourceId('raw/1.csv')) && key.startsWith('summaries/')) {
                    throw new StorageError('the store cannot be reached');
                }
                return inner.get(key);
            },
        };
        await expect(consolidateWhatCan(ofDay(DAY), { store })).rejects.toThrow(/^the store cannot be reached$/);
        expect(await inner.head(pairDaysKey(DAY))).toBeUndefined();
        await consolidate(ofDay(DAY), { store: inner });
        await inner.put(pairDaysKey(DAY), Buffer.from('rubbish'));
        await expect(consolidateWhatCan(ofDay(DAY), { store: inner })).rejects.toThrow(/pair_days.*cannot be read as Parquet.*rebuild/);
    });
});

async function keysOf(prefix: string): Promise<string[]> {
    const keys: string[] = [];
    for await (const { key } of store.list(prefix)) {
        keys.push(key);
    }
    return keys;
}
