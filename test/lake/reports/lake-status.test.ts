/** The status of a lake: what it holds, what waits, and what needs a person. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { consolidate } from '#lake/commit/consolidate';
import { finishUndone, workInTurn } from '#lake/commit/finish';
import { retract } from '#lake/commit/retract';
import { type Summarized, summarize } from '#lake/commit/summarize';
import { ledgerKey } from '#lake/layout';
import { readLedger } from '#lake/ledger';
import { readLakeStatus } from '#lake/reports/lake-status';
import { sourceId } from '#lake/source-id';
import type { ObjectStore } from '#lake/store/object-store';
import { FLOWS_FORMAT, pairDaysKey } from '#test/support/flow-tables';
import { memoryStore } from '#test/support/memory-store';
import { smallFile } from '#test/support/small-files';

const HOUR_MS = 3_600_000;

let now: Date;
let store: ObjectStore;

beforeEach(() => {
    now = new Date('2026-03-01T12:00:00Z');
    store = memoryStore({ now: () => now });
});

function textOf(dates: readonly string[], rejects = 0): string {
    const flows = dates.map((date) => ({ src: '10.0.0.1', dst: '10.0.0.2', date, durationUs: 1, packets: 1 }));
    return smallFile(flows, { rejects }).text;
}

async function take(key: string, text: string): Promise<void> {
    await store.put(key, Buffer.from(text));
    await consolidateAll(await summarize(key, options()));
}

async function consolidateAll({ periods }: Summarized): Promise<void> {
    for (const of of periods) {
        await consolidate(of, { store });
    }
}

function options() {
    return { store, now: () => now };
}

async function snapshot(): Promise<Map<string, string>> {
    const objects = new Map<string, string>();
    for await (const { key } of store.list('')) {
        objects.set(key, (await store.head(key))?.generation ?? '');
    }
    return objects;
}

test('an empty lake holds nothing and needs nobody', async () => {
    expect(await readLakeStatus(store, { now })).toEqual({
        states: [],
        days: { count: 0, first: undefined, last: undefined },
        problems: [],
        twins: [],
        undone: { sources: [], periods: [] },
    });
});

test('sources are counted by state, with their rows, bytes and days', async () => {
    const [a, b] = [textOf(['02/02/2026', '03/02/2026'], 2), textOf(['01/02/2026'])];
    await take('raw/a.csv', a);
    await take('raw/site=berlin/b.csv', b);
    await take('raw/failed.csv', 'no flows');
    await take('raw/retracted.csv', textOf(['09/02/2026']));
    await consolidateAll(await retract('raw/retracted.csv', options()));
    const { states, days, problems } = await readLakeStatus(store, { now });
    const none = { rowsRead: 0, rowsKept: 0, rowsRejected: 0, firstDay: null, lastDay: null };
    expect(states).toEqual([
        {
            state: 'done',
            sources: 2,
            rowsRead: 5,
            rowsKept: 3,
            rowsRejected: 2,
            sizeBytes: a.length + b.length,
            firstDay: '2026-02-01',
            lastDay: '2026-02-03',
        },
        { state: 'failed', sources: 1, ...none, sizeBytes: 8 },
        { state: 'retracted', sources: 1, ...none, sizeBytes: textOf(['09/02/2026']).length },
    ]);
    // The retracted day has an object still, with no rows in it.
    expect(days).toEqual({ count: 3, first: '2026-02-01', last: '2026-02-03' });
    expect(problems).toEqual([{ kind: 'failed', subjects: ['raw/failed.csv'] }]);
});

describe('what waits', () => {
    test('is what is not in the figures as it is now, and how long the first of it has waited', async () => {
        await take('raw/changed.csv', textOf(['01/02/2026']));
        await store.put('raw/changed.csv', Buffer.from(textOf(['02/02/2026'])));
        now = new Date(now.getTime() + 2 * HOUR_MS);
        await store.put('raw/new.csv', Buffer.from(textOf(['02/02/2026'])));
        now = new Date(now.getTime() + HOUR_MS);
        const { states, problems } = await readLakeStatus(store, { now });
        expect(states).toMatchObject([{ state: 'waiting', sources: 2, rowsRead: 0, sizeBytes: 2 * textOf(['01/02/2026']).length }]);
        expect(problems).toEqual([{ kind: 'waiting', subjects: ['raw/changed.csv', 'raw/new.csv'], waitingMs: 3 * HOUR_MS }]);
    });

    test('may have failed before: then it is no failure any more', async () => {
        await take('raw/a.csv', 'no flows');
        await store.put('raw/a.csv', Buffer.from(textOf(['02/02/2026'])));
        expect((await readLakeStatus(store, { now })).problems).toMatchObject([{ kind: 'waiting', subjects: ['raw/a.csv'] }]);
    });

    test('is not what stands in the figures as an older version read it: that is told apart', async () => {
        await take('raw/old.csv', textOf(['01/02/2026']));
        const key = ledgerKey(sourceId('raw/old.csv'));
        const { record } = await readLedger(store, sourceId('raw/old.csv'));
        await store.put(key, Buffer.from(JSON.stringify({ ...record, summary_format: FLOWS_FORMAT - 1 })));
        now = new Date(now.getTime() + HOUR_MS);
        await store.put('raw/new.csv', Buffer.from(textOf(['02/02/2026'])));
        now = new Date(now.getTime() + HOUR_MS);
        expect((await readLakeStatus(store, { now })).problems).toEqual([
            { kind: 'waiting', subjects: ['raw/new.csv'], waitingMs: HOUR_MS },
            { kind: 'older', subjects: ['raw/old.csv'] },
        ]);
    });

    test('has no number of what a record of a kind that is not known leaves out', async () => {
        const record = { source: 'raw/kind=moons/a.csv', commits: 1, versions: {}, state: 'done' };
        await store.put(ledgerKey(sourceId(record.source)), Buffer.from(JSON.stringify(record)));
        await take('raw/a.csv', textOf(['01/02/2026']));
        expect((await readLakeStatus(store, { now })).states).toMatchObject([{ state: 'done', sources: 1, rowsRead: 1 }]);
    });

    test('is no source whose raw object is gone, or was retracted', async () => {
        await take('raw/gone.csv', textOf(['01/02/2026']));
        await store.delete('raw/gone.csv');
        await take('raw/retracted.csv', textOf(['01/02/2026']));
        await consolidateAll(await retract('raw/retracted.csv', options()));
        expect((await readLakeStatus(store, { now })).problems).toEqual([]);
    });

    test('are days whose pair days are not what counts', async () => {
        await take('raw/a.csv', textOf(['01/02/2026', '02/02/2026', '03/02/2026']));
        await store.delete(pairDaysKey('2026-02-02'));
        await store.put('raw/b.csv', Buffer.from(textOf(['03/02/2026'])));
        await summarize('raw/b.csv', options());
        expect((await readLakeStatus(store, { now })).problems).toEqual([
            { kind: 'unconsolidated', subjects: ['2026-02-02', '2026-02-03'] },
        ]);
    });
});

test('a look changes nothing', async () => {
    await take('raw/a.csv', textOf(['01/02/2026']));
    await store.put('raw/b.csv', Buffer.from(textOf(['01/02/2026'])));
    const before = await snapshot();
    await readLakeStatus(store, { now });
    expect(await snapshot()).toEqual(before);
});

describe('what lies beside data and is none', () => {
    const BESIDE = ['raw/site=x/folder/', 'raw/.DS_Store', 'raw/out/_SUCCESS', 'raw/README.txt'];

    test('waits for nobody, and makes no record', async () => {
        await take('raw/a.csv', textOf(['05/01/2026 10:00:00']));
        for (const key of BESIDE) {
            await store.put(key, Buffer.from(''));
            expect(await summarize(key, options())).toMatchObject({ record: undefined, periods: [], hasCommitted: false });
        }
        expect(await readLakeStatus(store, { now })).toMatchObject({ states: [{ state: 'done', sources: 1 }], problems: [] });
    });

    test('is no failure where an earlier program tried to read it', async () => {
        await store.put('raw/README.txt', Buffer.from('read me'));
        await store.put('raw/beside.txt', Buffer.from('read me'));
        await summarize('raw/beside.txt', options());
        const record = JSON.parse(Buffer.from((await store.get(ledgerKey(sourceId('raw/beside.txt'))))!.bytes).toString());
        const { etag } = (await store.head('raw/README.txt'))!;
        await store.put(ledgerKey(sourceId('raw/README.txt')), Buffer.from(JSON.stringify({ ...record, source: 'raw/README.txt', etag })));
        const { states, problems } = await readLakeStatus(store, { now });
        expect(states).toMatchObject([
            { state: 'failed', sources: 1 },
            { state: 'skipped', sources: 1 },
        ]);
        expect(problems).toEqual([{ kind: 'failed', subjects: ['raw/beside.txt'] }]);
    });
});

describe('a damaged object of a day', () => {
    test('is said with its remedy, and hides nothing else', async () => {
        await take('raw/a.csv', textOf(['05/01/2026 10:00:00']));
        await take('raw/b.csv', textOf(['06/01/2026 10:00:00']));
        await store.put('raw/c.csv', Buffer.from(textOf(['07/01/2026 10:00:00'])));
        await store.put(pairDaysKey('2026-01-05'), Buffer.from('rubbish'));
        const { states, days, problems } = await readLakeStatus(store, { now });
        expect(states).toMatchObject([
            { state: 'done', sources: 2 },
            { state: 'waiting', sources: 1 },
        ]);
        expect(days).toEqual({ count: 2, first: '2026-01-05', last: '2026-01-06' });
        expect(problems).toEqual([
            { kind: 'waiting', subjects: ['raw/c.csv'], waitingMs: 0 },
            {
                kind: 'unreadable',
                subjects: ['2026-01-05'],
                why: expect.stringContaining('flowlake rebuild --from 2026-01-05 --to 2026-01-05 --anew'),
            },
        ]);
    });

    test('holds up no other one in reconcile', async () => {
        await take('raw/a.csv', textOf(['05/01/2026 10:00:00']));
        await store.put(pairDaysKey('2026-01-05'), Buffer.from('rubbish'));
        await store.put('raw/b.csv', Buffer.from(textOf(['06/01/2026 10:00:00'])));
        const workers = workInTurn(store, { now: () => now, signal: new AbortController().signal });
        const { errors } = await finishUndone(store, { workers, now: () => now });
        expect(errors.map(({ message }) => message)).toEqual([expect.stringContaining('2026-01-05')]);
        const { problems, days } = await readLakeStatus(store, { now });
        expect([problems.map(({ kind }) => kind), days.count]).toEqual([['unreadable'], 2]);
    });
});

test('a day that is left with nothing is none of the figures', async () => {
    await take('raw/a.csv', textOf(['05/01/2026 10:00:00', '06/01/2026 10:00:00']));
    await take('raw/b.csv', textOf(['06/01/2026 11:00:00']));
    await retract('raw/a.csv', options());
    await consolidateAll(await summarize('raw/a.csv', options()));
    expect((await readLakeStatus(store, { now })).days).toEqual({ count: 1, first: '2026-01-06', last: '2026-01-06' });
});
