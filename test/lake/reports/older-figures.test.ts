/** Figures that are due to be read anew are known by what the days' objects say, and asking is cheap however large the lake is. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { consolidate } from '#lake/commit/consolidate';
import { summarize } from '#lake/commit/summarize';
import { flows } from '#lake/flows/kind';
import { pairDays } from '#lake/flows/tables';
import { readFactsAtEnd, writeRows } from '#lake/parquet';
import { findOlderFigures, sayDays } from '#lake/reports/older-figures';
import type { ObjectStore } from '#lake/store/object-store';
import { FLOWS_FORMAT, ofDay, PAIR_DAYS_OF_FORMAT_2, pairDaysKey, SUMMARIES_PREFIX } from '#test/support/flow-tables';
import { memoryStore } from '#test/support/memory-store';
import { pairRowsOfFlows } from '#test/support/pair-rows-of';
import { smallFile } from '#test/support/small-files';

const FLOW = { site: 'main', src: '10.0.0.1', dst: '10.0.0.2', durationUs: 1n, packets: 1n };

let now: Date;
let store: ObjectStore;
let asked: string[];

beforeEach(() => {
    now = new Date('2026-03-01T12:00:00Z');
    const inner = memoryStore({ now: () => now });
    asked = [];
    store = {
        ...inner,
        get: (key) => {
            asked.push(key);
            return inner.get(key);
        },
        readEnd: (key, options) => {
            asked.push(key);
            return inner.readEnd(key, options);
        },
    };
});

function dayAt(at: number): string {
    return new Date(Date.UTC(2026, 0, 1 + at)).toISOString().slice(0, 10);
}

async function putDay(day: string, format?: number): Promise<void> {
    now = new Date(now.getTime() + 1000);
    const rows = pairRowsOfFlows([FLOW]);
    await store.put(pairDaysKey(day), writeRows(pairDays, rows, format === undefined ? {} : { format }));
}

async function formatOfDay(day: string): Promise<number | undefined> {
    const { bytes } = (await store.get(pairDaysKey(day)))!;
    return readFactsAtEnd(bytes, { sizeBytes: bytes.length, table: pairDays })?.saidFormat;
}

describe('what a day says', () => {
    test('is the format of what it contains, the lowest where there are several', async () => {
        const file = (packets: number) => smallFile([{ src: '10.0.0.1', dst: '10.0.0.2', date: '01/02/2026', durationUs: 1, packets }]);
        const take = async (key: string, packets: number): Promise<void> => {
            await store.put(key, Buffer.from(file(packets).text));
            await summarize(key, { store, now: () => now });
        };
        await take('raw/a.csv', 1);
        await take('raw/b.csv', 2);
        await consolidate(ofDay('2026-02-01'), { store });
        expect(await formatOfDay('2026-02-01')).toBe(FLOWS_FORMAT);
        for await (const { key } of store.list(SUMMARIES_PREFIX)) {
            await store.put(key, writeRows(PAIR_DAYS_OF_FORMAT_2, pairRowsOfFlows([FLOW])));
            break;
        }
        await consolidate(ofDay('2026-02-01'), { store, anew: true });
        expect(await formatOfDay('2026-02-01')).toBeLessThan(FLOWS_FORMAT);
        await take('raw/c.csv', 3);
        await consolidate(ofDay('2026-02-01'), { store });
        expect(await formatOfDay('2026-02-01')).toBeLessThan(FLOWS_FORMAT);
        expect(await findOlderFigures(store)).toEqual({ days: ['2026-02-01'], isAll: true });
    });

    test('is judged by its columns where it says nothing: those were written before objects said it', async () => {
        await putDay('2026-02-01');
        await store.put(pairDaysKey('2026-02-02'), writeRows(PAIR_DAYS_OF_FORMAT_2, pairRowsOfFlows([FLOW])));
        await putDay('2026-02-03', flows.format);
        await putDay('2026-02-04', flows.format - 1);
        expect(await findOlderFigures(store)).toEqual({ days: ['2026-02-02', '2026-02-04'], isAll: true });
    });

    test('is nothing where it is damaged, which others tell', async () => {
        await store.put(pairDaysKey('2026-02-01'), Buffer.from('no Parquet'));
        expect(await findOlderFigures(store)).toEqual({ days: [], isAll: true });
    });
});

test('in a lake of many days those are asked that were written longest ago, a hundred at most, and no ledger record', async () => {
    for (let at = 0; at < 250; at += 1) {
        await putDay(dayAt(at), at < 20 ? flows.format - 1 : flows.format);
    }
    // Most of the old days were read anew since, so that they are younger than all others.
    for (let at = 0; at < 17; at += 1) {
        await putDay(dayAt(at), flows.format);
    }
    asked = [];
    const older = await findOlderFigures(store);
    expect(older).toEqual({ days: [dayAt(17), dayAt(18), dayAt(19)], isAll: false });
    expect(sayDays(older)).toBe('at least 3 days (2026-01-18 to 2026-01-20)');
    expect([asked.length, asked.every((key) => key.startsWith('pair_days/'))]).toEqual([100, true]);
});
