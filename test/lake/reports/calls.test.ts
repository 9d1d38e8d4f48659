/** How many calls to S3 a command makes, by how many sources the lake has; docs/performance.md has the table for people. */
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { findRecord } from '#cli/find-record';
import { consolidate } from '#lake/commit/consolidate';
import { listPeriods } from '#lake/commit/periods';
import { findUndoneWork } from '#lake/commit/reconcile';
import { retract } from '#lake/commit/retract';
import { summarize } from '#lake/commit/summarize';
import { ledgerKey } from '#lake/layout';
import { readLakeStatus } from '#lake/reports/lake-status';
import { sourceId } from '#lake/source-id';
import { verifyLake } from '#lake/verify/verify';
import { type CountingStore, countingStore } from '#test/support/counting-store';
import { memoryStore } from '#test/support/memory-store';
import { smallFile } from '#test/support/small-files';

const NOW = new Date('2026-03-01T00:00:00Z');
const now = () => NOW;
const DAYS = 10;
const DAY = '2026-02-03';
const KEY = 'raw/00003.csv';

/** A lake of small files of one day each, evenly over ten days, all in the figures. */
async function lakeOf(sources: number): Promise<CountingStore> {
    const store = countingStore(memoryStore());
    for (let at = 0; at < sources; at += 1) {
        const date = `${String(1 + (at % DAYS)).padStart(2, '0')}/02/2026`;
        const file = smallFile([{ src: '10.0.0.1', dst: '10.0.0.2', date, durationUs: 1, packets: at + 1 }]);
        const key = `raw/${String(at).padStart(5, '0')}.csv`;
        await store.put(key, Buffer.from(file.text));
        await summarize(key, { store, now });
    }
    for (const of of await listPeriods(store)) {
        await consolidate(of, { store });
    }
    return store;
}

interface Counted {
    /** The row of the table. */
    command: string;
    run: (store: CountingStore) => Promise<unknown>;
    /** Calls that get or ask for facts, of a lake of so many sources. */
    gets: (sources: number) => number;
}

const perDay = (sources: number): number => sources / DAYS;

const COUNTED: readonly Counted[] = [
    {
        command: '`status`',
        run: (store) => readLakeStatus(store, { now: NOW }),
        // Each record, the facts of each raw object, the end of each day's object.
        gets: (sources) => 2 * sources + DAYS,
    },
    {
        command: '`reconcile` with nothing to do',
        run: (store) => findUndoneWork(store, { now: NOW }),
        gets: (sources) => 2 * sources + DAYS,
    },
    {
        command: '`verify --from <day> --to <day>`',
        run: (store) => verifyLake({ store, from: DAY, to: DAY, now: NOW }),
        // Each record once; of the day's sources the raw object, with its facts before, and the summary; the day's object.
        gets: (sources) => sources + 3 * perDay(sources) + 1,
    },
    { command: '`history`, `retract`: finding a source by its whole key', run: (store) => findRecord(KEY, store), gets: () => 1 },
    { command: '`retract <key>` itself, before its day is merged', run: (store) => retract(KEY, { store, now }), gets: () => 5 },
];

const sizes = [20, 100];

test.each(sizes)('a command makes as many calls as its formula says of %i sources', async (sources) => {
    const store = await lakeOf(sources);
    for (const { command, run, gets } of COUNTED) {
        store.reset();
        await run(store);
        expect([command, store.calls.get]).toEqual([command, gets(sources)]);
    }
});

test('to verify a day reads every object once, but for the facts of the raw ones', async () => {
    const store = await lakeOf(20);
    store.reset();
    await verifyLake({ store, from: DAY, to: DAY, now: NOW });
    const repeated = [...store.reads].filter(([, reads]) => reads > 1);
    expect(repeated).toEqual([
        ['raw/00002.csv', 2],
        ['raw/00012.csv', 2],
    ]);
});

test('a record that changes while a lake is verified is noticed, though the others are not read again', async () => {
    const store = await lakeOf(20);
    const key = ledgerKey(sourceId(KEY));
    const record = JSON.parse(Buffer.from((await store.get(key))!.bytes).toString());
    let changes = 0;
    const changing: CountingStore = {
        ...store,
        get: async (wanted) => {
            if (wanted.startsWith('pair_days/') && changes === 0) {
                changes += 1;
                await store.put(key, Buffer.from(JSON.stringify({ ...record, state: 'retracted', version: null })));
            }
            return store.get(wanted);
        },
    };
    const { notes } = await verifyLake({ store: changing, from: DAY, to: DAY, now: NOW });
    expect([changes, notes.map(({ kind }) => kind)]).toEqual([1, expect.arrayContaining(['changed_meanwhile'])]);
    // A commit that says nothing new changes the etag alone.
    await store.put(key, Buffer.from(JSON.stringify(record)));
    changes = 0;
    const same: CountingStore = {
        ...changing,
        get: async (wanted) => {
            if (wanted.startsWith('pair_days/') && changes === 0) {
                changes += 1;
                await store.put(key, Buffer.from(JSON.stringify({ ...record, commits: record.commits + 1 })));
            }
            return store.get(wanted);
        },
    };
    const quiet = await verifyLake({ store: same, from: DAY, to: DAY, now: NOW });
    expect([changes, quiet.notes.map(({ kind }) => kind)]).toEqual([1, []]);
});

test('a source that is named by its whole key is found though another record is damaged', async () => {
    const store = await lakeOf(20);
    await store.put(ledgerKey(sourceId('raw/00004.csv')), Buffer.from('rubbish'));
    expect(await findRecord(KEY, store)).toMatchObject({ source: KEY });
    await expect(findRecord('00003.csv', store)).rejects.toThrow(/is no ledger record/);
});

test('docs/performance.md has the table, at 100 and at 10,000 sources', () => {
    const page = readFileSync(new URL('../../../docs/performance.md', import.meta.url), 'utf8');
    for (const { command, gets } of COUNTED) {
        const [at100, at10000] = [100, 10_000].map((sources) => gets(sources).toLocaleString('en'));
        expect(page).toContain(`| ${command} | ${at100} | ${at10000} |`);
    }
});
