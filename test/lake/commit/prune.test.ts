/** Pruning frees raw bytes and changes no figure: whatever is not surely in the figures stays. */

import { beforeEach, describe, expect, test } from '@jest/globals';
import { consolidate } from '#lake/commit/consolidate';
import { findPrunable, prune } from '#lake/commit/prune';
import { retract } from '#lake/commit/retract';
import { summarize } from '#lake/commit/summarize';
import type { ReadingOptions } from '#lake/kind';
import { readLedger } from '#lake/ledger';
import { sourceId } from '#lake/source-id';
import type { ObjectStore } from '#lake/store/object-store';
import { metadataOf, pairDaysKey, summaryKey } from '#test/support/flow-tables';
import { memoryStore } from '#test/support/memory-store';
import { readFigures, type SmallFile, smallFile, unusableFile } from '#test/support/small-files';

const A = 'raw/a.csv';
const BEFORE = '2026-02-03';
const NOW = new Date('2026-03-01T00:00:00Z');

let store: ObjectStore;

beforeEach(() => {
    store = memoryStore();
});

function fileOf(...dates: string[]): SmallFile {
    return smallFile(dates.map((date) => ({ src: '10.0.0.1', dst: '10.0.0.2', date, durationUs: 1, packets: 1 })));
}

async function put(key: string, file: SmallFile, options: ReadingOptions = {}): Promise<void> {
    await store.put(key, Buffer.from(file.text), { metadata: metadataOf(options) });
}

async function work(key: string): Promise<void> {
    const { periods } = await summarize(key, { store, now: () => new Date(0) });
    for (const of of periods) {
        await consolidate(of, { store });
    }
}

/** Raw keys and what is found of each: `goes`, or why it stays. */
async function findings(before = BEFORE): Promise<Record<string, string>> {
    const found: Record<string, string> = {};
    for await (const finding of findPrunable(store, { before, now: NOW })) {
        expect(finding.raw).toEqual(await store.head(finding.key));
        found[finding.key] = finding.canGo ? 'goes' : finding.reason;
    }
    return found;
}

const NOT_YET = expect.stringContaining('not in the figures yet; run flowlake reconcile first');

describe('a raw object', () => {
    test('may go when all its flows are of earlier days and in the figures', async () => {
        await put(A, fileOf('01/02/2026', '02/02/2026'));
        await work(A);
        expect(await findings()).toEqual({ [A]: 'goes' });
        expect(await findings('2026-02-02')).toEqual({});
        expect(await findings('2026-02-01')).toEqual({});
    });

    test('stays before it is summarized, and where its bytes or options have changed since', async () => {
        await put(A, fileOf('01/02/2026'));
        expect(await findings()).toEqual({ [A]: NOT_YET });
        await work(A);
        await put(A, fileOf('02/02/2026'));
        expect(await findings()).toEqual({ [A]: NOT_YET });
        await put(A, fileOf('01/02/2026'), { dateOrder: 'mdy' });
        expect(await findings()).toEqual({ [A]: NOT_YET });
        await work(A);
        expect(await findings()).toEqual({ [A]: 'goes' });
    });

    test('stays while one of its days is not consolidated', async () => {
        await put(A, fileOf('01/02/2026', '02/02/2026'));
        await work(A);
        await store.delete(pairDaysKey('2026-02-02'));
        expect(await findings()).toEqual({ [A]: 'its flows of 2026-02-02 are not in the figures yet; run flowlake reconcile first' });
    });

    test('stays while a day contains the version that it supersedes', async () => {
        await put(A, fileOf('01/02/2026'));
        await work(A);
        await put(A, fileOf('01/02/2026', '01/02/2026'));
        await summarize(A, { store, now: () => new Date(0) });
        expect(await findings()).toEqual({ [A]: NOT_YET });
    });

    test('stays when a summary of it is gone, without which the next consolidation would drop its flows', async () => {
        await put(A, fileOf('01/02/2026'));
        await work(A);
        const version = (await readLedger(store, sourceId(A))).record?.version ?? '';
        await store.delete(summaryKey({ day: '2026-02-01', source: sourceId(A), version }));
        expect(await findings()).toEqual({ [A]: NOT_YET });
    });

    test('stays when it is all that is left of its rows: unreadable, all rejected, or retracted', async () => {
        await put('raw/failed.csv', unusableFile('no flows'));
        await put('raw/rejected.csv', smallFile([], { rejects: 2 }));
        await put('raw/retracted.csv', fileOf('01/02/2026'));
        for (const key of ['raw/failed.csv', 'raw/rejected.csv', 'raw/retracted.csv']) {
            await work(key);
        }
        await retract('raw/retracted.csv', { store, now: () => new Date(0) });
        expect(await findings()).toEqual({
            'raw/failed.csv': 'it could not be read, so nothing of it is in the figures',
            'raw/rejected.csv': 'nothing of it is in the figures',
            'raw/retracted.csv': 'nothing of it is in the figures',
        });
    });

    test('that goes takes no figure with it, whatever happens to its day', async () => {
        await put(A, fileOf('01/02/2026'));
        await put('raw/b.csv', fileOf('01/02/2026'));
        await work(A);
        await work('raw/b.csv');
        const figures = await readFigures(store);
        for await (const { canGo } of prune(store, { before: BEFORE, now: NOW })) {
            expect(canGo).toBe(true);
        }
        expect(await store.head(A)).toBeUndefined();
        await store.delete(pairDaysKey('2026-02-01'));
        await work(A);
        await work('raw/b.csv');
        expect(await readFigures(store)).toEqual(figures);
    });

    test('stays where the same bytes are uploaded again, with other options, between the look at it and its end', async () => {
        await put(A, fileOf('01/02/2026'));
        await work(A);
        const racing: ObjectStore = {
            ...store,
            async delete(key, options) {
                await put(A, fileOf('01/02/2026'), { dateOrder: 'mdy' });
                await store.delete(key, options);
            },
        };
        for await (const finding of prune(racing, { before: BEFORE, now: NOW })) {
            expect(finding).toMatchObject({ key: A, canGo: false, reason: 'it was uploaded again just now' });
        }
        await work(A);
        expect([...(await readFigures(store)).keys()]).toEqual(['2026-01-02 main 10.0.0.1 10.0.0.2']);
    });
});
