/** What an upload does to the lake that is there: DESIGN's rules for `upload`, sentence by sentence. */
import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { readAllRecords } from '#lake/commit/reconcile';
import { retract } from '#lake/commit/retract';
import { summarize } from '#lake/commit/summarize';
import type { Inspection, ReadingOptions } from '#lake/kind';
import { kinds } from '#lake/kinds';
import { type LedgerRecord, toMetadata } from '#lake/ledger';
import { sourceId } from '#lake/source-id';
import { ABSENT, type ObjectStore } from '#lake/store/object-store';
import { type DecideOptions, decideUpload, knownByRecords, type UploadDecision } from '#lake/upload/decide';
import { memoryStore } from '#test/support/memory-store';
import { smallFile } from '#test/support/small-files';

const A = 'raw/site=berlin/a.csv';
const B = 'raw/b.csv';
const ONE = textOf(1);
const TWO = textOf(2);
const MDY: ReadingOptions = { dateOrder: 'mdy' };

let store: ObjectStore;
let hashed: string[];

beforeEach(() => {
    store = memoryStore();
    hashed = [];
});

function textOf(packets: number): string {
    return smallFile([{ src: '10.0.0.1', dst: '10.0.0.2', date: '01/02/2026', durationUs: 1, packets }]).text;
}

/** Puts a file and sees it into the ledger. */
async function take(key: string, text: string, options: ReadingOptions = {}): Promise<void> {
    await store.put(key, Buffer.from(text), { metadata: toMetadata(kinds[0], options) });
    await summarize(key, useCase());
}

function useCase() {
    return { store, now: () => new Date(0) };
}

function etagOf(text: string): string {
    return createHash('sha256').update(text).digest('hex');
}

async function decide(key: string, text: string, overrides: Partial<DecideOptions> & { unusable?: string } = {}): Promise<UploadDecision> {
    const file = {
        key,
        sizeBytes: Buffer.byteLength(text),
        hasBytesOf: async ({ etag }: { etag: string }) => {
            hashed.push(key);
            return etag === etagOf(text);
        },
        inspect: async (): Promise<Inspection> =>
            overrides.unusable === undefined ? { is: 'usable' } : { is: 'unusable', why: overrides.unusable },
        // What sources with the same rows come to stands in same-rows.test.ts.
        beginning: async () => [],
        readRows: () => Promise.reject(new Error('nothing has the first of its rows')),
    };
    const known = knownByRecords(await readAllRecords(store), store);
    return decideUpload(file, { store, readingOptions: {}, known, mayReplace: false, mayDuplicate: false, ...overrides });
}

function refused(reason: string): UploadDecision {
    return { action: 'refuse', reason: expect.stringContaining(reason) as unknown as string };
}

describe('a name that the lake does not have', () => {
    test('is put, on condition that nobody is faster', async () => {
        expect(await decide(A, ONE)).toEqual({ action: 'put', ifMatch: ABSENT, metadata: {}, isReplacing: false });
        expect(await decide(A, ONE, { readingOptions: { dateOrder: 'ymd', durationUnit: 's' } })).toMatchObject({
            metadata: { 'date-order': 'ymd', 'duration-unit': 's' },
        });
        expect(hashed).toEqual([]);
    });

    test('is refused where the lake has its bytes under another one, which is named, unless duplicates are allowed', async () => {
        await take(B, ONE);
        expect(await decide(A, ONE)).toEqual(refused(`the same bytes are in the lake as ${B}; to count them twice: --allow-duplicate`));
        expect(await decide(A, ONE, { mayReplace: true })).toEqual(refused('--allow-duplicate'));
        expect(await decide(A, ONE, { mayDuplicate: true })).toMatchObject({ action: 'put', isReplacing: false });
        await store.delete(B);
        expect(await decide(A, ONE)).toEqual(refused('--allow-duplicate'));
    });

    test('is put where the same bytes count nowhere: retracted, or no file of flows', async () => {
        await take(B, ONE);
        await retract(B, useCase());
        await take('raw/c.csv', 'no flows');
        expect(await decide(A, ONE)).toMatchObject({ action: 'put' });
        expect(await decide(A, 'no flows')).toMatchObject({ action: 'put' });
    });

    test('is refused where another file of the same upload has the same bytes', async () => {
        const twin = { source: B, sizeBytes: ONE.length, etag: etagOf(ONE), metadata: {} };
        const known = { recordOf: async () => undefined, ofSize: async () => [twin], rows: new Map() };
        expect(await decide(A, ONE, { known })).toEqual(refused(B));
    });

    test('is put where another kind of data has its bytes: each kind reads them into tables of its own', async () => {
        await store.put('raw/kind=moons/a.csv', Buffer.from(ONE));
        const twin = { source: 'raw/kind=moons/a.csv', sizeBytes: ONE.length, etag: etagOf(ONE), metadata: {} };
        const known = { recordOf: async () => undefined, ofSize: async () => [twin], rows: new Map() };
        expect(await decide(A, ONE, { known })).toMatchObject({ action: 'put' });
        const named = { ...known, ofSize: async () => [{ ...twin, source: 'raw/kind=flows/a.csv' }] };
        expect(await decide(A, ONE, { known: named })).toEqual(refused('raw/kind=flows/a.csv'));
    });

    test('is not hashed where no source has its size', async () => {
        await take(B, ONE);
        await decide(A, `${ONE}\n`);
        expect(hashed).toEqual([]);
    });
});

describe('the same name and bytes', () => {
    test('are skipped', async () => {
        await take(A, ONE);
        expect(await decide(A, ONE)).toEqual({ action: 'skip' });
        expect(await decide(A, ONE, { mayReplace: true, mayDuplicate: true })).toEqual({ action: 'skip' });
    });

    test('are skipped before they are summarized, and when the raw file is gone', async () => {
        await store.put(A, Buffer.from(ONE));
        expect(await decide(A, ONE)).toEqual({ action: 'skip' });
        await summarize(A, useCase());
        await store.delete(A);
        expect(await decide(A, ONE)).toEqual({ action: 'skip' });
    });

    test('are skipped where the options say no more than what is known', async () => {
        await take(A, ONE, { dateOrder: 'mdy', durationUnit: 's' });
        for (const readingOptions of [{}, MDY, { durationUnit: 's' as const }]) {
            expect(await decide(A, ONE, { readingOptions })).toEqual({ action: 'skip' });
        }
    });

    test.each(['there', 'gone'])('are read anew with other options only by --replace, the raw file %s', async (raw) => {
        await take(A, ONE, { durationUnit: 's' });
        const etag = raw === 'gone' ? ABSENT : etagOf(ONE);
        if (raw === 'gone') {
            await store.delete(A);
        }
        expect(await decide(A, ONE, { readingOptions: MDY })).toEqual(refused('read with other options; to read it anew: --replace'));
        expect(await decide(A, ONE, { readingOptions: MDY, mayReplace: true })).toEqual({
            action: 'put',
            ifMatch: etag,
            metadata: { 'date-order': 'mdy' },
            isReplacing: true,
        });
        expect(await decide(A, ONE, { readingOptions: { durationUnit: 's' } })).toEqual({ action: 'skip' });
    });

    test('count twice elsewhere by permission, and stay skipped', async () => {
        await take(A, ONE);
        await take(B, ONE);
        expect(await decide(A, ONE)).toEqual({ action: 'skip' });
        expect(await decide(A, ONE, { readingOptions: MDY, mayReplace: true })).toMatchObject({ action: 'put', isReplacing: true });
    });
});

describe('the same name and other bytes', () => {
    test('are refused without --replace, before anything is hashed', async () => {
        await take(A, ONE);
        expect(await decide(A, `${TWO}\n`)).toEqual(refused('site=berlin/a.csv is in the lake with other bytes; a correction: --replace'));
        expect(hashed).toEqual([]);
        expect(await decide(A, TWO)).toEqual(refused('with other bytes'));
    });

    test('replace what is there with --replace, on condition that it is still there', async () => {
        await take(A, ONE, MDY);
        const decision = { action: 'put', metadata: { 'duration-unit': 's' }, isReplacing: true };
        const options = { mayReplace: true, readingOptions: { durationUnit: 's' as const } };
        expect(await decide(A, TWO, options)).toEqual({ ...decision, ifMatch: etagOf(ONE) });
        await store.delete(A);
        expect(await decide(A, TWO, options)).toEqual({ ...decision, ifMatch: ABSENT });
    });

    test('do not replace a good file where they are none', async () => {
        await take(A, ONE);
        const unusable = 'no usable header';
        expect(await decide(A, 'no flows', { mayReplace: true, unusable })).toEqual(
            refused(`${unusable}; the file that is in the lake stays`),
        );
    });

    test('are refused where another name has them, unless duplicates are allowed', async () => {
        await take(A, ONE);
        await take(B, TWO);
        expect(await decide(A, TWO, { mayReplace: true })).toEqual(refused(`${B}; to count them twice: --allow-duplicate`));
        expect(await decide(A, TWO, { mayReplace: true, mayDuplicate: true })).toMatchObject({ action: 'put', isReplacing: true });
    });

    test('are no duplicate of what the name had before', async () => {
        await take(A, ONE);
        await store.put(A, Buffer.from(TWO));
        expect(await decide(A, ONE, { mayReplace: true })).toMatchObject({ action: 'put', isReplacing: true });
    });
});

describe('a name that was retracted', () => {
    beforeEach(async () => {
        await take(A, ONE);
        await retract(A, useCase());
    });

    test.each([
        ['the same bytes', ONE],
        ['other bytes', TWO],
    ])('comes back with %s, as if it were new', async (_, text) => {
        expect(await decide(A, text)).toEqual({ action: 'put', ifMatch: etagOf(ONE), metadata: {}, isReplacing: false });
        await store.delete(A);
        expect(await decide(A, text)).toEqual({ action: 'put', ifMatch: ABSENT, metadata: {}, isReplacing: false });
    });

    test('does not come back with bytes that count under another name meanwhile, unless duplicates are allowed', async () => {
        await take(B, ONE);
        expect(await decide(A, ONE)).toEqual(refused(`the same bytes are in the lake as ${B}`));
        expect(await decide(A, ONE, { mayDuplicate: true })).toMatchObject({ action: 'put' });
        await take('raw/c.csv', TWO);
        expect(await decide(A, TWO)).toEqual(refused('the same bytes are in the lake as raw/c.csv'));
    });
});

describe('a record of the ledger', () => {
    test('is all that the decision needs of it', async () => {
        const record = { source: A, size_bytes: ONE.length, etag: etagOf(ONE), state: 'failed', options: {} } as LedgerRecord;
        const known = knownByRecords(new Map([[sourceId(A), record]]), store);
        expect(await decide(A, ONE, { known })).toEqual({ action: 'skip' });
        expect(await decide(A, TWO, { known })).toEqual(refused('with other bytes'));
    });
});
