/** What stands in the way of a recompute, and where it works: every store, with nothing left behind. */
import { mkdir, open, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { StorageError } from '#lake/errors';
import { ledgerKey } from '#lake/layout';
import { sourceId } from '#lake/source-id';
import type { ObjectStore } from '#lake/store/object-store';
import { verifyLake } from '#lake/verify/verify';
import { pairDaysKey } from '#test/support/flow-tables';
import { collect, startFlowlake } from '#test/support/flowlake';
import { memoryStore } from '#test/support/memory-store';
import { makeFolder } from '#test/support/temporary';
import { csvOf, type Source, sourceOf } from './handmade-lake.ts';
import { A, B, berlin, byName, DAY_1, DAY_2, differencesOf, FIRST, first, lakeOf, rowsOf, SECOND, second } from './small-sources.ts';

const REFUSAL = 'the disk reports an input/output error';

/** The store, but for one call for one key that the world does not let through. */
function refusing(store: ObjectStore, refused: { head?: string; open?: string; get?: string }): ObjectStore {
    const check = (call: keyof typeof refused, key: string): void => {
        if (refused[call] === key) {
            throw new StorageError(`cannot read ${key}: ${REFUSAL}`);
        }
    };
    return {
        ...store,
        async head(key) {
            check('head', key);
            return store.head(key);
        },
        async get(key) {
            check('get', key);
            return store.get(key);
        },
        async readEnd(key, options) {
            check('get', key);
            return store.readEnd(key, options);
        },
        async *open(key, options) {
            yield* store.open(key, options);
            check('open', key);
        },
    };
}

describe('what cannot be recomputed is said', () => {
    test('a raw file that is gone: its summaries are taken, and must add up to the ledger', async () => {
        const lake = await lakeOf([first, second]);
        await rm(lake.path(first.key));
        const expected = {
            sources: { recomputed: 1, fromSummaries: 1 },
            compared: [{ rows: 3 }],
            notes: [{ kind: 'raw_gone', key: first.key }],
        };
        expect(await verifyLake({ store: lake.store })).toMatchObject({ verdict: 'incomplete', ...expected });
        expect(await verifyLake({ store: lake.store, allowPruned: true })).toMatchObject({ verdict: 'equal', ...expected });
        await lake.writeRecord(first, { rows_kept: 5, rows_read: 5 });
        expect(await differencesOf(lake)).toEqual([
            { kind: 'source', source: first.key, figure: 'flows of its summaries', in_lake: 4n, recomputed: 5n },
        ]);
    });

    test('a folder in the place of a raw file is no file: it is gone', async () => {
        const lake = await lakeOf([first, second]);
        await rm(lake.path(first.key));
        await mkdir(lake.path(first.key));
        expect((await verifyLake({ store: lake.store })).notes).toMatchObject([{ kind: 'raw_gone', key: first.key }]);
    });

    test('a raw file that was changed since, and one that nobody read: reconcile', async () => {
        const lake = await lakeOf([first]);
        await writeFile(lake.path(first.key), csvOf(SECOND));
        await writeFile(lake.path('raw/new.csv'), csvOf(SECOND));
        expect(await verifyLake({ store: lake.store })).toMatchObject({
            verdict: 'incomplete',
            notes: [
                { kind: 'not_summarized', key: 'raw/new.csv', text: expect.stringContaining('reconcile') },
                { kind: 'raw_changed', key: first.key, text: expect.stringContaining('reconcile') },
            ],
        });
    });

    test('a file that could not be used and was changed since waits for reconcile; one that can be used after all is a difference', async () => {
        const lake = await lakeOf([first]);
        const failed: Source = { ...second, raw: 'no,such,header\n', flows: [] };
        await writeFile(lake.path(second.key), failed.raw);
        await lake.writeRecord(failed, { state: 'failed', dialect: null, duration_unit: null, rows_read: 0, rows_kept: 0 });
        expect(await verifyLake({ store: lake.store })).toMatchObject({ verdict: 'equal', notes: [], mends: { readAnew: new Map() } });
        await writeFile(lake.path(second.key), csvOf(SECOND));
        expect(await verifyLake({ store: lake.store })).toMatchObject({
            verdict: 'incomplete',
            notes: [{ kind: 'raw_changed', key: second.key, text: expect.stringContaining('reconcile') }],
        });
        await lake.writeRecord({ ...failed, raw: csvOf(SECOND) }, { state: 'failed', dialect: null, duration_unit: null });
        expect(await verifyLake({ store: lake.store })).toMatchObject({
            verdict: 'different',
            differences: [{ kind: 'source', source: second.key, figure: 'state', in_lake: 'failed', recomputed: 'done' }],
        });
    });

    test('what is there and cannot be read is not taken for missing', async () => {
        const lake = await lakeOf([first, second]);
        const { verdict, notes } = await verifyLake({
            store: refusing(lake.store, { head: first.key, open: second.key, get: pairDaysKey(DAY_2) }),
        });
        expect(verdict).toBe('incomplete');
        expect(notes.map(({ kind, key }) => [kind, key])).toEqual([
            ['could_not_read', first.key],
            ['could_not_read', second.key],
            ['could_not_read', pairDaysKey(DAY_2)],
        ]);
        expect(notes[0]?.text).toContain(REFUSAL);
    });

    test('a summary, rejects or a record that the store does not hand out are none that are missing', async () => {
        const withRejects: Source = { ...first, raw: `${first.raw}id,host,${B},${DAY_1},1,1,x\n`, rejects: [['not_an_ip_address', 'a']] };
        const lake = await lakeOf([withRejects, second]);
        for (const key of [
            lake.summaryKey(first, DAY_2),
            lake.rejectsKey(withRejects),
            ledgerKey(sourceId(second.key)),
            pairDaysKey(DAY_1),
        ]) {
            const { verdict, differences, notes } = await verifyLake({ store: refusing(lake.store, { get: key }) });
            expect([verdict, differences]).toEqual(['incomplete', []]);
            expect(notes).toContainEqual(expect.objectContaining({ kind: 'could_not_read', text: expect.stringContaining(REFUSAL) }));
        }
    });

    test('bytes that changed though the file looks as before are found, packed or not', async () => {
        for (const pack of [(text: string) => Buffer.from(text), gzipSync]) {
            const raw = pack(first.raw as string);
            const lake = await lakeOf([{ ...first, raw }]);
            const then = new Date('2024-06-01');
            await utimes(lake.path(first.key), then, then);
            expect(await verifyLake({ store: lake.store })).toMatchObject({ verdict: 'equal', notes: [] });
            const file = await open(lake.path(first.key), 'r+');
            // In a plain file the label of the last row, which no figure is made of.
            await file.write(Buffer.from([raw.at(-2)! ^ 1]), 0, 1, raw.length - 2);
            await file.close();
            await utimes(lake.path(first.key), then, then);
            const { verdict, differences, mends } = await verifyLake({ store: lake.store });
            expect(verdict).toBe('different');
            expect(differences).toEqual([
                expect.objectContaining({
                    kind: 'damaged',
                    source: first.key,
                    figure: expect.stringMatching(/^bytes of the raw file: /),
                    in_lake: first.key,
                    recomputed: expect.stringMatching(/^[0-9a-f]{64}$/),
                }),
            ]);
            // It must never be read anew: what it holds now nobody ever uploaded.
            expect(mends).toMatchObject({ readAnew: new Map(), beyondMending: new Set([first.key]) });
        }
    });

    test('a raw file that is replaced while it is read', async () => {
        const lake = await lakeOf([first, second]);
        const store: ObjectStore = {
            ...lake.store,
            async *open(key, options) {
                if (key === first.key) {
                    await lake.store.put(key, Buffer.from(csvOf(SECOND)));
                }
                yield* lake.store.open(key, options);
            },
        };
        expect(await verifyLake({ store })).toMatchObject({
            verdict: 'incomplete',
            sources: { recomputed: 1, fromSummaries: 1 },
            notes: [{ kind: 'changed_meanwhile', key: first.key }],
        });
    });

    test('days of a source of which nothing can be read are not compared', async () => {
        const late = sourceOf('raw/late.csv', [[A, B, DAY_2, 1, 1]]);
        const lake = await lakeOf([second, late]);
        await rm(lake.path(second.key));
        const summary = lake.summaryKey(second, DAY_1);
        expect(await verifyLake({ store: refusing(lake.store, { get: summary }) })).toMatchObject({
            verdict: 'incomplete',
            compared: [{ periods: 1 }],
            notes: [{ kind: 'raw_gone' }, { kind: 'could_not_read', key: second.key }],
        });
        await writeFile(lake.path(summary), 'no Parquet');
        const damaged = await verifyLake({ store: lake.store });
        expect(rowsOf(damaged.differences)).toMatchObject([{ kind: 'damaged', source: second.key, day: DAY_1, in_lake: summary }]);
        expect(damaged).toMatchObject({
            compared: [{ periods: 1 }],
            notes: [{ kind: 'raw_gone' }, { kind: 'lost', key: second.key }],
            mends: { beyondMending: new Set([second.key]), lost: byName(DAY_1), buildAnew: new Map() },
        });
        const key = ledgerKey(sourceId(late.key));
        await writeFile(lake.path(key), '{"source": "raw/');
        expect(await verifyLake({ store: lake.store })).toMatchObject({
            compared: [{ periods: 0 }],
            differences: expect.arrayContaining([expect.objectContaining({ kind: 'damaged', in_lake: key })]),
            notes: expect.arrayContaining([expect.objectContaining({ kind: 'could_not_read', key })]),
        });
    });
});

test('a lake in any other store is verified the same way', async () => {
    const lake = await lakeOf([first, second, berlin]);
    const store = memoryStore({ pieceBytes: 11 });
    for await (const { key } of lake.store.list('')) {
        await store.put(key, (await lake.store.get(key))!.bytes);
    }
    const equal = await verifyLake({ store: lake.store });
    expect(equal.verdict).toBe('equal');
    expect(await verifyLake({ store })).toEqual(equal);
    await store.put('raw/site=berlin/', new Uint8Array());
    await store.delete(pairDaysKey(DAY_2));
    expect(rowsOf((await verifyLake({ store })).differences)).toEqual([
        { kind: 'day', day: DAY_2, figure: 'pairs', in_lake: null, recomputed: 1n },
    ]);
});

test('nothing is left in the folder for temporary files, after Ctrl-C too', async () => {
    const lake = await lakeOf([
        { ...first, raw: csvOf(FIRST).replace(/\n(?=id)/, `\n${`id,${A},${B},${DAY_1},1,1,x\n`.repeat(1_500_000)}`) },
    ]);
    const folder = await makeFolder();
    const start = () => startFlowlake(['--lake', lake.directory, 'verify'], { folder, environment: { TMPDIR: folder } });
    const verifying = start();
    const done = collect(verifying);
    while (verifying.exitCode === null && (await readdir(folder)).length === 0) {
        await sleep(5);
    }
    verifying.kill('SIGINT');
    expect(await done).toMatchObject({ exitCode: 130 });
    expect(await readdir(folder)).toEqual([]);
    await writeFile(lake.path(first.key), first.raw);
    await lake.writeRecord(first);
    expect(await collect(start())).toMatchObject({ exitCode: 0 });
    expect(await readdir(folder)).toEqual([]);
});
