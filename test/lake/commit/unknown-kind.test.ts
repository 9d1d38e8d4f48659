/** Raw files of a kind that this program does not know hold up nobody, and are never passed over in silence. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { finishUndone, workInTurn } from '#lake/commit/finish';
import { findPrunable } from '#lake/commit/prune';
import { findUndoneWork, findUnknown } from '#lake/commit/reconcile';
import { retract } from '#lake/commit/retract';
import { summarize } from '#lake/commit/summarize';
import { ledgerKey } from '#lake/layout';
import { readLedger } from '#lake/ledger';
import { readLakeStatus } from '#lake/reports/lake-status';
import { versionsOf } from '#lake/reports/source-history';
import { sourceId } from '#lake/source-id';
import type { ObjectStore } from '#lake/store/object-store';
import { verifyLake } from '#lake/verify/verify';
import { A, B, FILES, figuresOfFiles, makeLake } from '#test/support/damaged-lake';
import { readFigures } from '#test/support/small-files';

const MOON = 'raw/kind=moons/full.csv';
const NOW = new Date('2026-03-02T00:00:00Z');
const now = (): Date => NOW;

let store: ObjectStore;

beforeEach(async () => {
    store = await makeLake();
});

async function finish() {
    return finishUndone(store, { now, workers: workInTurn(store, { now, signal: new AbortController().signal }) });
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
    const list: T[] = [];
    for await (const item of items) {
        list.push(item);
    }
    return list;
}

describe('a raw file of a kind that is not known', () => {
    test('is told of by status, and is no work for those who do not know it', async () => {
        await store.put(MOON, Buffer.from('x'));
        await store.put('raw/new.csv', Buffer.from(FILES.get(B)!.text));
        expect((await findUndoneWork(store, { now: NOW })).sources).toEqual(['raw/new.csv']);
        expect(await finish()).toMatchObject({ sources: ['raw/new.csv'], errors: [] });
        const { problems } = await readLakeStatus(store, { now: NOW });
        expect(problems).toEqual([{ kind: 'unknown', subjects: [MOON] }]);
    });

    test('is an error for whoever asks for it by name, and stays in a prune', async () => {
        await store.put(MOON, Buffer.from('x'));
        for (const work of [summarize(MOON, { store, now })]) {
            await expect(work).rejects.toThrow(
                `${MOON} is of kind moons, and this flowlake knows flows, telemetry: install a version that knows it`,
            );
        }
        expect(await collect(findPrunable(store, { before: '2027-01-01', now: new Date() }))).toContainEqual(
            expect.objectContaining({ key: MOON, canGo: false, reason: 'it is of a kind that this flowlake does not know' }),
        );
        expect((await verifyLake({ store, now: NOW })).notes).toEqual([
            expect.objectContaining({ kind: 'could_not_read', key: MOON, text: expect.stringContaining('it is of kind moons') }),
        ]);
    });

    test('with a record that a newer program wrote keeps both untouched, whatever is done with the others', async () => {
        const record = {
            source: MOON,
            site: 'main',
            state: 'done',
            version: '1-0123456789abcdef',
            commits: 1,
            versions: {},
            phase: 'full',
            options: {},
        };
        await store.put(MOON, Buffer.from('x'));
        await store.put(ledgerKey(sourceId(MOON)), Buffer.from(JSON.stringify(record)));
        await expect(retract(MOON, { store, now })).rejects.toThrow('is of kind moons');
        await finish();
        await retract(A, { store, now });
        await finish();
        expect((await readLedger(store, sourceId(MOON))).record).toEqual(record);
        expect(await findUnknown(store)).toEqual([MOON]);
        expect(await readFigures(store)).toEqual(figuresOfFiles(new Map([[B, FILES.get(B)!]])));
    });
});

describe('a file of flows that a program read which knew no kinds, under a folder that happens to be kind=...', () => {
    const OLD = 'raw/kind=old/a.csv';

    beforeEach(async () => {
        // As that program left it: the record is the one of the same bytes under another name.
        const { record } = await readLedger(store, sourceId(A));
        const version = record!.version!;
        await store.put(OLD, Buffer.from(FILES.get(A)!.text));
        for await (const { key } of store.list('summaries/')) {
            if (key.includes(sourceId(A))) {
                await store.put(key.replace(sourceId(A), sourceId(OLD)), (await store.get(key))!.bytes);
            }
        }
        const rejects = `${sourceId(A)}.${version}.jsonl.gz`;
        await store.put(`rejects/${rejects.replace(sourceId(A), sourceId(OLD))}`, (await store.get(`rejects/${rejects}`))!.bytes);
        await store.put(ledgerKey(sourceId(OLD)), Buffer.from(JSON.stringify({ ...record, source: OLD })));
        await finish();
    });

    test('stays in the figures, and is not read anew', async () => {
        const both = new Map([...FILES, [OLD, FILES.get(A)!]]);
        expect(await readFigures(store)).toEqual(figuresOfFiles(both));
        expect(await findUndoneWork(store, { now: NOW })).toEqual({ sources: [], deadObjects: [], periods: [], derived: [] });
        expect((await readLakeStatus(store, { now: NOW })).problems).toEqual([]);
        const { record } = await readLedger(store, sourceId(OLD));
        expect(record?.commits).toBe(1);
        expect(versionsOf(record!)).toEqual([expect.objectContaining({ state: 'live', content: expect.stringMatching(/^[0-9a-f]{16}$/) })]);
    });

    test('can be taken out, and freed', async () => {
        expect(await collect(findPrunable(store, { before: '2027-01-01', now: new Date() }))).toContainEqual(
            expect.objectContaining({ key: OLD, canGo: true }),
        );
        expect(await retract(OLD, { store, now })).toMatchObject({ record: { state: 'retracted', pairs: 0 } });
        await finish();
        expect(await readFigures(store)).toEqual(figuresOfFiles());
    });
});
