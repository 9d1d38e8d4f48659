/** A small lake in memory of which every figure is known, and damage that is done to it on purpose. */

import { consolidate } from '#lake/commit/consolidate';
import { containedOf } from '#lake/commit/period-state';
import { summarize } from '#lake/commit/summarize';
import type { ReadingOptions } from '#lake/kind';
import { ledgerKey, siteOf } from '#lake/layout';
import { type LedgerRecord, readLedger } from '#lake/ledger';
import { sourceId } from '#lake/source-id';
import type { ObjectStore } from '#lake/store/object-store';
import { emptiedDayOfBefore } from '#test/support/emptied-day';
import { metadataOf, ofDay, pairDaysKey, readPairRows, rejectsKey, summaryKey, writePairRows } from '#test/support/flow-tables';
import { memoryStore } from '#test/support/memory-store';
import { countUp, type Figures, type SmallFile, smallFile } from '#test/support/small-files';

export const A = 'raw/a.csv';
export const B = 'raw/site=berlin/b.csv';
export const DAY_1 = '2026-02-01';
export const DAY_2 = '2026-02-02';
const NOW = new Date('2026-03-01T00:00:00Z');

export function fileOf(dates: readonly string[], durationUs: number, rejects = 0): SmallFile {
    const flows = dates.map((date, packets) => ({ src: '10.0.0.1', dst: '10.0.0.2', date, durationUs, packets }));
    return smallFile(flows, { rejects });
}

/** Files of the sources, by raw key; two of them meet on the second day. */
export const FILES: ReadonlyMap<string, SmallFile> = new Map([
    [A, fileOf(['01/02/2026', '01/02/2026', '02/02/2026'], 10, 2)],
    [B, fileOf(['02/02/2026', '02/02/2026'], 30)],
]);

/** What the figures are to be, counted apart from all code of the lake. */
export function figuresOfFiles(files: ReadonlyMap<string, SmallFile> = FILES): Figures {
    return countUp([...files].map(([key, file]) => ({ file, site: siteOf(key), options: {} as ReadingOptions })));
}

export async function makeLake(): Promise<ObjectStore> {
    const store = memoryStore({ now: () => NOW });
    for (const [key, file] of FILES) {
        await upload(store, key, file);
    }
    return store;
}

/** Puts a file, summarizes it and consolidates its days. */
export async function upload(store: ObjectStore, key: string, file: SmallFile): Promise<void> {
    await store.put(key, Buffer.from(file.text), { metadata: metadataOf({}) });
    await inFigures(store, key);
}

/** Summarizes what is there under the key and consolidates its days. */
async function inFigures(store: ObjectStore, key: string): Promise<void> {
    const { periods } = await summarize(key, { store, now: () => NOW });
    for (const of of periods) {
        await consolidate(of, { store });
    }
}

/** A copy of the objects in another store. */
export async function copyOf(store: ObjectStore): Promise<ObjectStore> {
    const copy = memoryStore({ now: () => NOW });
    for await (const { key } of store.list('')) {
        const object = await store.get(key);
        await copy.put(key, object!.bytes, { metadata: { ...object!.info.metadata } });
    }
    return copy;
}

async function recordOf(store: ObjectStore, key: string): Promise<LedgerRecord & { version: string }> {
    return (await readLedger(store, sourceId(key))).record as LedgerRecord & { version: string };
}

export async function summaryKeyOf(store: ObjectStore, key: string, day: string): Promise<string> {
    return summaryKey({ day, source: sourceId(key), version: (await recordOf(store, key)).version });
}

async function changeRows(store: ObjectStore, key: string, contains?: string[]): Promise<void> {
    const rows = await readPairRows((await store.get(key))!.bytes);
    rows.fwd_pkts_sum_sq[0]! += 1n;
    await store.put(key, writePairRows(rows, contains ? { contains } : {}));
}

/** Damage by its name; each can be mended from what is left. */
export const DAMAGE: Record<string, (store: ObjectStore) => Promise<void>> = {
    'a figure of a day': async (store) => changeRows(store, pairDaysKey(DAY_2), await containedOf(ofDay(DAY_2), { store })),
    'a day that is cut off': async (store) =>
        void (await store.put(pairDaysKey(DAY_2), (await store.get(pairDaysKey(DAY_2)))!.bytes.slice(0, 200))),
    'a day that is gone': async (store) => store.delete(pairDaysKey(DAY_1)),
    'a day without a list of contents': async (store) => {
        const rows = await readPairRows((await store.get(pairDaysKey(DAY_2)))!.bytes);
        await store.put(pairDaysKey(DAY_2), writePairRows(rows));
    },
    'an emptied day that readers in Rust refuse': async (store) => void (await store.put(pairDaysKey('2026-02-03'), emptiedDayOfBefore())),
    'a figure of a summary': async (store) => changeRows(store, await summaryKeyOf(store, A, DAY_1)),
    'a figure of a summary, in the day too': async (store) => {
        await changeRows(store, await summaryKeyOf(store, A, DAY_1));
        await changeRows(store, pairDaysKey(DAY_1), await containedOf(ofDay(DAY_1), { store }));
    },
    'a summary that is cut off': async (store) => {
        const key = await summaryKeyOf(store, A, DAY_2);
        await store.put(key, (await store.get(key))!.bytes.slice(0, 200));
    },
    'a summary that is gone': async (store) => store.delete(await summaryKeyOf(store, A, DAY_2)),
    'rejects that are gone': async (store) =>
        store.delete(rejectsKey({ source: sourceId(A), version: (await recordOf(store, A)).version })),
    'another count in the ledger': async (store) => {
        const record = await recordOf(store, A);
        await store.put(ledgerKey(sourceId(A)), Buffer.from(JSON.stringify({ ...record, rows_kept: record.rows_kept + 1 })));
    },
    'a file that the ledger calls unusable': async (store) => {
        const record = await recordOf(store, B);
        const failed = {
            ...record,
            state: 'failed',
            rows_read: 0,
            rows_kept: 0,
            first_day: null,
            last_day: null,
            versions: { [record.version]: [] },
        };
        await store.put(ledgerKey(sourceId(B)), Buffer.from(JSON.stringify(failed)));
    },
    'a leftover': async (store) => {
        const key = summaryKey({ day: DAY_1, source: sourceId(A), version: '0-0123456789abcdef' });
        await store.put(key, (await store.get(await summaryKeyOf(store, A, DAY_1)))!.bytes);
    },
};
