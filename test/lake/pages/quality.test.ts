/** Quality: what became of every source, its rejects with their lines, its versions; and what needs a person. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { consolidate } from '#lake/commit/consolidate';
import { summarize } from '#lake/commit/summarize';
import type { Lake } from '#lake/lake';
import { ledgerKey } from '#lake/layout';
import { openLake } from '#lake/open-lake';
import { attentionPage } from '#lake/pages/attention';
import { chainsPage } from '#lake/pages/chains';
import { doubtsPage } from '#lake/pages/doubts';
import { lagPage } from '#lake/pages/lag';
import type { Page } from '#lake/pages/page';
import { qualityPage } from '#lake/pages/quality';
import { rejectsPage } from '#lake/pages/rejects';
import { sourcePage } from '#lake/pages/source';
import { sourceId } from '#lake/source-id';
import { openDirectoryStore } from '#lake/store/directory';
import { newMessage } from '#test/support/chain-messages';
import { rejectsKey } from '#test/support/flow-tables';
import { openFixture, putRejects, putSource } from '#test/support/lake-fixture';
import { pageContext } from '#test/support/page-context';
import { newLake, serveLake } from '#test/support/served-lake';
import { smallFile } from '#test/support/small-files';
import { makeFolder } from '#test/support/temporary';

const NOW = new Date('2026-03-01T12:00:00Z');

const lakes = new Map<string, Lake>();
afterAll(() => Promise.all([...lakes.values()].map((lake) => lake.close())));

async function ask(page: Page, directory: string, parameters: Record<string, string> = {}): Promise<any> {
    const location = { kind: 'directory', name: directory, directory } as const;
    const lake = lakes.get(directory) ?? (await openLake(location, { environment: {}, signal: new AbortController().signal }));
    lakes.set(directory, lake);
    return page.answer(page.parameters.parse(parameters), pageContext(lake, { now: () => NOW }));
}

const namesIn = ({ rows }: { rows: { source: string }[] }) => rows.map(({ source }) => source);

/** Reads a file into the lake, as an upload does. */
async function take(directory: string, key: string, text: string): Promise<void> {
    const store = openDirectoryStore(directory);
    await store.put(key, Buffer.from(text));
    const { periods } = await summarize(key, { store, now: () => NOW });
    for (const period of periods) {
        await consolidate(period, { store });
    }
}

function textOf(dates: readonly string[], rejects = 0): string {
    return smallFile(
        dates.map((date) => ({ src: '10.0.0.1', dst: '10.0.0.2', date, durationUs: 1, packets: 1 })),
        { rejects },
    ).text;
}

describe('the list of sources', () => {
    let directory: string;
    beforeAll(async () => {
        directory = await makeFolder();
        await take(directory, 'raw/site=berlin/a.csv', textOf(['14/02/2026', '15/02/2026'], 2));
        await take(directory, 'raw/site=osaka/b.csv', textOf(['14/02/2026']));
        await take(directory, 'raw/site=osaka/b-again.csv', textOf(['14/02/2026']));
        await take(directory, 'raw/broken.csv', 'no flows at all');
        await take(directory, 'raw/ambiguous.csv', textOf(['01/02/2026']));
        await openDirectoryStore(directory).put('raw/late.csv', Buffer.from('x'));
    });

    test('has the figures of table sources, and what is in no table yet', async () => {
        const { rows, states, total } = await ask(qualityPage, directory, { sort: 'source' });
        expect([total, namesIn({ rows })]).toEqual([
            6,
            [
                'raw/ambiguous.csv',
                'raw/broken.csv',
                'raw/late.csv',
                'raw/site=berlin/a.csv',
                'raw/site=osaka/b-again.csv',
                'raw/site=osaka/b.csv',
            ],
        ]);
        const engine = await lakes.get(directory)!.engine();
        const { batches } = await engine.query(
            'select source, site, state, cast(rows_read as varchar), cast(rows_kept as varchar), cast(rows_rejected as varchar), first_day, duration_unit, duration_unit_by from sources order by source',
        );
        const asked = [];
        for await (const batch of batches) {
            asked.push(...batch);
        }
        const read = rows.filter(({ state }: any) => state !== 'waiting');
        expect(
            read.map((row: any) => [
                row.source,
                row.site,
                row.state,
                row.rowsRead,
                row.rowsKept,
                row.rowsRejected,
                row.firstDay,
                row.durationUnit,
                row.durationUnitBy,
            ]),
        ).toEqual(asked);
        expect(rows[3]).toMatchObject({ rowsRead: '4', rowsKept: '2', rowsRejected: '2', kind: 'flows' });
        expect(rows[2]).toMatchObject({ state: 'waiting', rowsRead: null, sizeBytes: '1', readAtMs: null });
        expect(states.filter(({ sources }: any) => sources > 0).map(({ state, sources }: any) => [state, sources])).toEqual([
            ['failed', 1],
            ['waiting', 1],
            ['done', 4],
        ]);
    });

    test('says why a file could not be used, what is doubtful of another, and which hold the same', async () => {
        const failed = await ask(qualityPage, directory, { state: 'failed' });
        expect(failed.rows).toEqual([
            expect.objectContaining({
                source: 'raw/broken.csv',
                error: expect.stringMatching(/./),
                next: expect.stringContaining('--replace'),
                doubts: [],
            }),
        ]);
        const doubtful = await ask(qualityPage, directory, { look: 'doubts' });
        expect(doubtful.rows.find(({ source }: any) => source === 'raw/ambiguous.csv').doubts).toContainEqual({
            text: 'Nothing in this file tells day from month',
            remedy: expect.stringContaining('--date-order mdy'),
        });
        const twins = await ask(qualityPage, directory, { look: 'twins', sort: 'source' });
        expect(twins.rows.map(({ source, twins: of }: any) => [source, of])).toEqual([
            ['raw/site=osaka/b-again.csv', { how: 'same', others: 1 }],
            ['raw/site=osaka/b.csv', { how: 'same', others: 1 }],
        ]);
        expect(namesIn(await ask(qualityPage, directory, { look: 'rejects' }))).toEqual(['raw/site=berlin/a.csv']);
    });

    test('is narrowed by site, kind and words of the name, in any case', async () => {
        expect(namesIn(await ask(qualityPage, directory, { site: 'osaka', name: 'AGAIN' }))).toEqual(['raw/site=osaka/b-again.csv']);
        expect((await ask(qualityPage, directory, { kind: 'telemetry' })).total).toBe(0);
        const { states, sites, kinds } = await ask(qualityPage, directory, { site: 'osaka', state: 'failed' });
        expect(states.find(({ state }: any) => state === 'done')).toEqual({
            state: 'done',
            sources: 2,
            rowsRead: '2',
            rowsKept: '2',
            rowsRejected: '0',
            sizeBytes: expect.stringMatching(/^\d+$/),
        });
        expect([sites, kinds]).toEqual([['berlin', 'main', 'osaka'], ['flows']]);
    });

    test('what needs a person is what status tells, with doubts and rejects', async () => {
        const { problems } = await ask(attentionPage, directory);
        const { doubts, twins, rejects } = await ask(doubtsPage, directory);
        expect(problems.map(({ kind, count, subjects }: any) => [kind, count, subjects])).toEqual([
            ['failed', 1, ['raw/broken.csv']],
            ['waiting', 1, ['raw/late.csv']],
        ]);
        expect(problems[0]).toMatchObject({ noun: 'source', what: 'could not be used', next: expect.stringContaining('flowlake query') });
        expect(doubts).toContainEqual(
            expect.objectContaining({ text: 'Nothing in one file tells day from month', sources: ['raw/ambiguous.csv'] }),
        );
        expect(twins).toEqual([
            {
                sources: ['raw/site=osaka/b-again.csv', 'raw/site=osaka/b.csv'],
                count: 2,
                what: 'come to the same figures',
                next: 'if they hold the same twice, take one out: flowlake retract raw/site=osaka/b.csv',
            },
        ]);
        expect(rejects).toEqual({ sources: 1, rows: '2' });
    });

    test('a source has its versions, and its rejects their lines', async () => {
        const found = await ask(sourcePage, directory, { source: 'raw/site=berlin/a.csv' });
        expect(found).toMatchObject({ source: 'raw/site=berlin/a.csv', rowsRejected: '2', versionCount: 1, twins: null, twinSources: [] });
        expect(found.versions).toEqual([expect.objectContaining({ number: 1, state: 'live', committedMs: NOW.getTime(), rowsKept: '2' })]);
        const { rows, hasMore, areMissing } = await ask(rejectsPage, directory, { source: 'raw/site=berlin/a.csv' });
        expect([rows.length, hasMore, areMissing]).toEqual([2, false, false]);
        const engine = await lakes.get(directory)!.engine();
        const asked = [];
        for await (const batch of (await engine.query('select line_number, reason, line from rejects order by line_number')).batches) {
            asked.push(...batch);
        }
        expect(rows.map(({ lineNumber, reason, line }: any) => [BigInt(lineNumber), reason, line])).toEqual(asked);
        await expect(ask(sourcePage, directory, { source: 'raw/none.csv' })).rejects.toThrow(/No source raw\/none.csv/);
        await expect(ask(rejectsPage, directory, { source: 'raw/none.csv' })).rejects.toThrow(/No source raw\/none.csv/);
    });

    test('a source that is read anew is told anew', async () => {
        const own = await makeFolder();
        await take(own, 'raw/a.csv', textOf(['14/02/2026']));
        expect((await ask(qualityPage, own)).rows[0]).toMatchObject({ rowsKept: '1' });
        await take(own, 'raw/a.csv', textOf(['14/02/2026', '15/02/2026']));
        expect((await ask(qualityPage, own)).rows[0]).toMatchObject({ rowsKept: '2' });
        const { versions } = await ask(sourcePage, own, { source: 'raw/a.csv' });
        expect(versions.map(({ state }: any) => state)).toEqual(['live', 'superseded']);
    });
});

test('a hundred sources stand on pages, the newest first, and counts above 2^53 lose no digit', async () => {
    const { directory } = await openFixture([]);
    for (let at = 0; at < 101; at += 1) {
        const minute = String(at % 60).padStart(2, '0');
        await putSource(directory, {
            source: `raw/s-${String(at).padStart(3, '0')}.csv`,
            version: '1-a',
            options: {},
            rows_kept: 9_007_199_254_740_991,
            size_bytes: 5,
            summarized_at: `2026-01-07T0${Math.floor(at / 60)}:${minute}:00.000Z`,
        });
    }
    const first = await ask(qualityPage, directory);
    expect([first.total, first.pages, first.rows.length, first.rows[0].source]).toEqual([101, 3, 50, 'raw/s-100.csv']);
    expect(namesIn(await ask(qualityPage, directory, { sort: '-source' }))[0]).toBe('raw/s-100.csv');
    expect(namesIn(await ask(qualityPage, directory, { sort: 'kept' }))[0]).toBe('raw/s-000.csv');
    const last = await ask(qualityPage, directory, { page: '3' });
    expect(namesIn(last)).toEqual(['raw/s-000.csv']);
    expect(await ask(qualityPage, directory, { page: '9' })).toMatchObject({ page: 3, pages: 3 });
    expect(first.states.find(({ state }: any) => state === 'done').rowsKept).toBe(String(101n * 9_007_199_254_740_991n));
});

test('a ledger record that cannot be read hides no other one, and is told', async () => {
    const { directory } = await openFixture([]);
    const good = { size_bytes: 5 };
    await putSource(directory, { source: 'raw/a.csv', version: '1-a', options: {}, ...good });
    await putSource(directory, { source: 'raw/b.csv', version: '1-a', options: {}, ...good });
    const damaged = ledgerKey(sourceId('raw/b.csv'));
    await writeFile(join(directory, damaged), '{ no json');
    const { rows, unreadable, unreadableCount } = await ask(qualityPage, directory);
    expect(namesIn({ rows })).toEqual(['raw/a.csv']);
    expect([unreadableCount, unreadable]).toEqual([1, [{ key: damaged, why: expect.stringContaining('restore it from a backup') }]]);
    await expect(ask(sourcePage, directory, { source: 'raw/b.csv' })).rejects.toThrow(/cannot be read/);
});

describe('rejects', () => {
    const source = 'raw/a.csv';
    const lines = Array.from({ length: 120 }, (_, at) => ({
        line_number: at + 2,
        reason: at % 2 === 0 ? 'nan' : 'negative',
        line: `<b>${at}</b>`,
    }));

    async function makeRejects(): Promise<string> {
        const { directory } = await openFixture([]);
        await putSource(directory, {
            source,
            version: '1-a',
            options: {},
            rows_rejected: 120,
            rejected: 'nan 60, negative 60',
            size_bytes: 5,
        });
        await putRejects(directory, { source, version: '1-a' }, lines);
        return directory;
    }

    test('stand on pages, and those of one reason alone', async () => {
        const directory = await makeRejects();
        const second = await ask(rejectsPage, directory, { source, page: '2' });
        expect([second.rows.length, second.rows[0].lineNumber, second.hasMore]).toEqual([50, '52', true]);
        expect((await ask(rejectsPage, directory, { source, page: '3' })).hasMore).toBe(false);
        const negative = await ask(rejectsPage, directory, { source, reason: 'negative', page: '2' });
        expect([negative.rows.length, negative.rows[0], negative.hasMore]).toEqual([
            10,
            { lineNumber: '103', metric: null, reason: 'negative', why: null, line: '<b>101</b>' },
            false,
        ]);
    });

    test('that are gone are told from none, and from those that cannot be read', async () => {
        const directory = await makeRejects();
        const path = join(directory, rejectsKey({ source: sourceId(source), version: '1-a' }));
        await writeFile(path, 'no gzip');
        await expect(ask(rejectsPage, directory, { source })).rejects.toThrow(/rejects of raw\/a\.csv cannot be read.*verify --repair/);
        await rm(path);
        expect(await ask(rejectsPage, directory, { source })).toMatchObject({ rows: [], areMissing: true });
        await putSource(directory, { source: 'raw/good.csv', version: '1-a', options: {}, rows_rejected: 0, size_bytes: 5 });
        expect(await ask(rejectsPage, directory, { source: 'raw/good.csv' })).toMatchObject({ rows: [], areMissing: false });
    });
});

test('a chain tells how far it reaches and how much of it is in the tables', async () => {
    const directory = await newLake();
    expect(await ask(chainsPage, directory)).toEqual({ chains: [] });
    const { inbox, sealer } = await serveLake(directory);
    await Promise.all([1, 2, 3].map((n) => inbox.append(newMessage(n))));
    await sealer.sealNow();
    const { chains } = await ask(chainsPage, directory);
    expect(chains).toEqual([
        expect.objectContaining({
            objects: 1,
            read: 1,
            waiting: 0,
            failed: 0,
            pruned: 0,
            messagesKept: '3',
            messagesRejected: '0',
            readings: '3',
        }),
    ]);
    expect(chains[0].end).toEqual({ sequence: '3', arrivedMs: newMessage(3).arrivedMs });
});

test('what waits in the inbox of a lake that nobody serves is told, and a lake that was never served has no stage that waits', async () => {
    const { directory: plain } = await openFixture([]);
    expect(await ask(lagPage, plain)).toEqual({ is: 'never served', stages: [] });
    const directory = await newLake();
    const { inbox, sealer, close } = await serveLake(directory);
    await sealer.sealNow();
    await inbox.append(newMessage(1));
    await inbox.close();
    expect(await ask(lagPage, directory)).toEqual({
        is: 'not served',
        stages: [{ what: 'inbox', behindMs: null, waiting: 1, why: expect.stringContaining('flowlake serve') }],
    });
    await close();
});
