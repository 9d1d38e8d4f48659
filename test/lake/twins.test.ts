/** Sources that hold the same rows under two names, told by their records alone; in a directory and in a bucket. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { retract } from '#lake/commit/retract';
import { summarize } from '#lake/commit/summarize';
import { gatherSources } from '#lake/doctor/source-facts';
import { judgeSources } from '#lake/doctor/source-findings';
import { readFewRecords } from '#lake/ledger';
import { readLakeStatus } from '#lake/reports/lake-status';
import type { ObjectStore } from '#lake/store/object-store';
import { findTwins, type Twins } from '#lake/twins';
import { flowCsv } from '#test/support/flow-csv';
import { memoryStore } from '#test/support/memory-store';

let store: ObjectStore;

beforeEach(() => {
    store = memoryStore({});
});

const options = () => ({ store, now: () => new Date(0) });

async function take(key: string, text: string): Promise<void> {
    await store.put(key, Buffer.from(text));
    await summarize(key, options());
}

async function twins(): Promise<Twins[]> {
    return findTwins((await readFewRecords(store)) ?? []);
}

const FLOWS = Array.from({ length: 70 }, (_, at) => ({ src: `10.0.0.${at}`, duration: at }));

describe('twins', () => {
    test('are sources of one site that come to the same figures, in whatever order their rows are', async () => {
        await take('raw/a.csv', flowCsv(FLOWS));
        await take('raw/b.csv', flowCsv(FLOWS.toReversed()));
        await take('raw/c.csv', flowCsv(FLOWS).replaceAll('\n', '\r\n'));
        await take('raw/site=berlin/a.csv', flowCsv(FLOWS));
        await take('raw/d.csv', flowCsv([...FLOWS.slice(1), { src: '10.0.0.0', duration: 1 }]));
        expect(await twins()).toEqual([{ how: 'same', sources: ['raw/a.csv', 'raw/b.csv', 'raw/c.csv'] }]);
    });

    test('are sources of one site of which one begins as the other does', async () => {
        await take('raw/a.csv', flowCsv(FLOWS.slice(0, 3)));
        await take('raw/b.csv', flowCsv(FLOWS));
        await take('raw/c.csv', flowCsv([...FLOWS, {}]));
        await take('raw/d.csv', flowCsv(FLOWS.toReversed().slice(1)));
        expect(await twins()).toEqual([{ how: 'begin alike', sources: ['raw/a.csv', 'raw/b.csv', 'raw/c.csv'] }]);
    });

    test('are none any more once one is taken out, and sources that hold nothing are none', async () => {
        await take('raw/a.csv', flowCsv(FLOWS));
        await take('raw/b.csv', flowCsv(FLOWS));
        await retract('raw/b.csv', options());
        await take('raw/c.csv', flowCsv([]));
        await take('raw/d.csv', flowCsv([]));
        await take('raw/e.csv', 'no flows');
        await take('raw/f.csv', 'no flows');
        expect(await twins()).toEqual([]);
    });

    test('are said by status and doctor, with how to take one out; empty sources need a person', async () => {
        await take('raw/a.csv', flowCsv(FLOWS));
        await take('raw/b.csv', flowCsv(FLOWS));
        await take('raw/c.csv', flowCsv([{ duration: 'nan' }]));
        const status = await readLakeStatus(store, { now: new Date(0) });
        expect(status.twins).toEqual([{ how: 'same', sources: ['raw/a.csv', 'raw/b.csv'] }]);
        expect(status.problems).toContainEqual({ kind: 'empty', subjects: ['raw/c.csv'] });
        expect(status.states).toContainEqual(expect.objectContaining({ state: 'empty', sources: 1, rowsRead: 1, rowsRejected: 1 }));
        expect(judgeSources(await gatherSources(store))).toMatchObject([
            { result: 'problem', found: 'nothing of raw/c.csv counts' },
            {
                result: 'warning',
                found: 'raw/a.csv, raw/b.csv come to the same figures',
                todo: expect.stringContaining('flowlake retract raw/b.csv'),
            },
        ]);
    });
});

test('a record without marks, as of before, has no twin', async () => {
    await take('raw/a.csv', flowCsv(FLOWS));
    await take('raw/b.csv', flowCsv(FLOWS));
    const records = ((await readFewRecords(store)) ?? []).map(({ fingerprint, beginning, ...record }) => record);
    expect(findTwins(records as Parameters<typeof findTwins>[0])).toEqual([]);
});
