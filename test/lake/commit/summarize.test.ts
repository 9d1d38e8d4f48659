/** One source into its committed summaries: what is written when it cannot be used, is cut off, or has nothing new. */

import { beforeEach, describe, expect, test } from '@jest/globals';
import { findDeadObjects, readAllRecords } from '#lake/commit/reconcile';
import { retract } from '#lake/commit/retract';
import { type SummarizeOptions, summarize } from '#lake/commit/summarize';
import { ConflictError } from '#lake/errors';
import type { ReadingOptions } from '#lake/kind';
import { LEDGER_PREFIX } from '#lake/layout';
import { type LedgerRecord, readLedger } from '#lake/ledger';
import { sourceId } from '#lake/source-id';
import type { ObjectStore } from '#lake/store/object-store';
import { findWrongAccounts } from '#test/support/accounts';
import { daysOf, metadataOf, rejectsKey, summaryKey } from '#test/support/flow-tables';
import { memoryStore } from '#test/support/memory-store';
import { smallFile } from '#test/support/small-files';

const A = 'raw/a.csv';

let store: ObjectStore;
/** What the last call said, and how many calls have committed. */
let told: string[];
let commits: number;

beforeEach(() => {
    store = memoryStore();
    told = [];
    commits = 0;
});

function textOf(dates: readonly string[], rejects = 0): string {
    const flows = dates.map((date) => ({ src: '10.0.0.1', dst: '10.0.0.2', date, durationUs: 1, packets: 1 }));
    return smallFile(flows, { rejects }).text;
}

async function put(text: string, options: ReadingOptions = {}): Promise<void> {
    await store.put(A, Buffer.from(text), { metadata: metadataOf(options) });
}

async function work(overrides: Partial<SummarizeOptions> = {}): Promise<LedgerRecord | undefined> {
    const { record, periods, hasCommitted } = await summarize(A, { store, now: () => new Date(0), ...overrides });
    told = daysOf(periods);
    commits += hasCommitted ? 1 : 0;
    return record;
}

async function keysOf(...prefixes: string[]): Promise<string[]> {
    const keys: string[] = [];
    for (const prefix of prefixes) {
        for await (const { key } of store.list(prefix)) {
            keys.push(key);
        }
    }
    return keys;
}

describe('metadata that are misspelt', () => {
    test.each([{ 'date-order': 'MDY' }, { date_order: 'mdy' }])('%j fail the source, and put right they bring it in', async (metadata) => {
        const text = textOf(['03/04/2026 10:00:00']);
        await store.put(A, Buffer.from(text), { metadata });
        expect(await work()).toMatchObject({ state: 'failed', rows_read: 0, error: expect.stringContaining('date-order') });
        expect(told).toEqual([]);
        await put(text, { dateOrder: 'mdy' });
        expect(await work()).toMatchObject({ state: 'done', rows_kept: 1, error: null });
        expect(told).toEqual(['2026-03-04']);
    });

    test('take out what was read before nobody looked at them', async () => {
        const text = textOf(['03/04/2026 10:00:00', '2026-03-05 10:00:00']);
        await put(text);
        await work();
        await store.put(A, Buffer.from(text), { metadata: { 'duration-unit': 'seconds' } });
        expect(await work()).toMatchObject({ state: 'failed', error: expect.stringContaining('allowed are s, ms, us, ns') });
        expect(await work()).toMatchObject({ state: 'failed' });
    });
});

describe('a source', () => {
    test('of which nobody has heard is nothing', async () => {
        expect(await work()).toBeUndefined();
        expect([told, await keysOf('')]).toEqual([[], []]);
    });

    test('tells each of its days, once and after its writes', async () => {
        await put(textOf(['02/02/2026', '01/02/2026', '02/02/2026']));
        await work();
        expect(told).toEqual(['2026-02-01', '2026-02-02']);
        const found = await Promise.all(told.map(async (day) => (await keysOf(`summaries/day=${day}/`, 'ledger/')).length));
        expect(found).toEqual([2, 2]);
    });

    test('is not read again where nothing is new, and tells its days again', async () => {
        await put(textOf(['01/02/2026'], 1));
        const first = await work();
        let bytes = 0;
        const onBytes = (count: number): void => {
            bytes += count;
        };
        const wasThere = await keysOf('');
        expect(await work({ onBytes })).toEqual({ ...first, commits: 2 });
        expect([bytes, told, await keysOf('')]).toEqual([0, ['2026-02-01'], wasThere]);
    });

    test('is read anew with other options, and its former days are told with the new ones', async () => {
        await put(textOf(['01/02/2026']));
        await work();
        await put(textOf(['01/02/2026']), { dateOrder: 'mdy' });
        expect(await work()).toMatchObject({ first_day: '2026-01-02', commits: 2, options: { dateOrder: 'mdy' }, date_order: 'mdy' });
        expect(told).toEqual(['2026-01-02', '2026-02-01']);
        expect(await keysOf('summaries/')).toEqual([expect.stringMatching(/^summaries\/day=2026-01-02\/\S+\.2-\S+$/)]);
    });

    test('says how many bytes it reads', async () => {
        await put(textOf(['01/02/2026']));
        let bytes = 0;
        const onBytes = (count: number): void => {
            bytes += count;
        };
        await work({ onBytes });
        expect(bytes).toBe(textOf(['01/02/2026']).length);
    });

    test('has no part in a site that its name only mentions', async () => {
        await store.put('raw/sub/site=berlin/a.csv', Buffer.from(textOf(['01/02/2026'])));
        const { record } = await summarize('raw/sub/site=berlin/a.csv', { store, now: () => new Date(0) });
        expect(record?.site).toBe('main');
    });
});

describe('a file that cannot be used', () => {
    test('is known as failed, and its former figures go', async () => {
        await put(textOf(['01/02/2026'], 2));
        await work();
        await put('no flows');
        expect(await work()).toMatchObject({
            state: 'failed',
            rows_read: 0,
            rows_kept: 0,
            rows_rejected: 0,
            error: expect.stringContaining('header'),
        });
        expect([told, await keysOf('summaries/', 'rejects/')]).toEqual([['2026-02-01'], []]);
        expect(await findWrongAccounts(store)).toBeUndefined();
    });

    test('is not read again until it changes', async () => {
        await put('no flows');
        const first = await work();
        expect(await work()).toEqual({ ...first, commits: 2 });
        await put(textOf(['01/02/2026']));
        expect(await work()).toMatchObject({ state: 'done', error: null, commits: 3 });
    });

    test('because a sum of it is too large has no rejects either', async () => {
        const row = (value: string): string => `10.0.0.1,10.0.0.2,13/02/2026 12:00:00,${value},1\n`;
        await put(`${textOf([], 1)}${row('10000000000000000').repeat(922)}${row('3372036854775807')}${row('1')}`);
        expect(await work()).toMatchObject({
            state: 'failed',
            rows_rejected: 0,
            error: expect.stringContaining('flow_duration_us_sum of'),
        });
        expect(await findWrongAccounts(store)).toBeUndefined();
    });
});

describe('the ledger record', () => {
    /** What is written of it, `n` for a live version of that number; `before` comes before each write. */
    function watched(before: () => Promise<unknown> = async () => undefined): { store: ObjectStore; written: string[] } {
        const written: string[] = [];
        return {
            written,
            store: {
                ...store,
                async put(key, body, options) {
                    if (!key.startsWith(LEDGER_PREFIX)) {
                        return store.put(key, body, options);
                    }
                    await before();
                    const info = await store.put(key, body, options);
                    const { commits, version }: LedgerRecord = JSON.parse(Buffer.from(body as Uint8Array).toString());
                    written.push(`commit ${commits}, live ${version?.split('-')[0]}`);
                    return info;
                },
            },
        };
    }

    test('is written once by the call that reads the source, and once by each that finds nothing to read', async () => {
        await put(textOf(['01/02/2026']));
        const seen = watched();
        await work({ store: seen.store });
        expect([seen.written, commits]).toEqual([['commit 1, live 1'], 1]);
        await work({ store: seen.store });
        await work({ store: seen.store });
        expect([seen.written, commits]).toEqual([['commit 1, live 1', 'commit 2, live 1', 'commit 3, live 1'], 1]);
        expect((await readLedger(store, sourceId(A))).record?.history).toHaveLength(1);
    });

    test('is as it was committed, where nobody but its worker had it in hand', async () => {
        await put(textOf(['01/02/2026']));
        expect(await work()).toEqual((await readLedger(store, sourceId(A))).record);
        expect(await work()).toEqual((await readLedger(store, sourceId(A))).record);
    });

    test('lets nobody commit older bytes once a message of the newest ones is done', async () => {
        await put(textOf(['01/02/2026']));
        await work();
        await put(textOf(['02/02/2026']));
        let isFirst = true;
        // The bytes come back, and their worker finds nothing to do.
        const slow = watched(async () => {
            if (isFirst) {
                isFirst = false;
                await put(textOf(['01/02/2026']));
                await work();
            }
        });
        expect(await work({ store: slow.store })).toMatchObject({ first_day: '2026-02-01' });
        // It lost, found nothing to read then, and used one number up itself.
        expect(slow.written).toEqual(['commit 3, live 1']);
    });

    test('is written by two calls side by side until each has used its number up', async () => {
        await put(textOf(['01/02/2026']));
        await work();
        let others = 2;
        const overtaken = watched(async () => {
            if (others > 0) {
                others -= 1;
                await work();
            }
        });
        await work({ store: overtaken.store });
        expect(overtaken.written).toEqual(['commit 4, live 1']);
    });

    test('is not written for a raw object that is gone', async () => {
        await put(textOf(['01/02/2026']));
        const first = await work();
        await store.delete(A);
        const seen = watched();
        expect([await work({ store: seen.store }), seen.written, told]).toEqual([first, [], ['2026-02-01']]);
    });

    test('is written once by a retraction, and keeps it through late messages', async () => {
        await put(textOf(['01/02/2026']));
        await work();
        const seen = watched();
        await retract(A, { store: seen.store, now: () => new Date(0) });
        expect(seen.written).toEqual(['commit 2, live undefined']);
        expect(await work()).toMatchObject({ state: 'retracted', version: null, commits: 3 });
        expect(await keysOf('summaries/')).toEqual([]);
    });

    test('is of the bytes that it names, whatever stood under the name between a look at them and their reading', async () => {
        await put(textOf(['01/02/2026']));
        let isFirst = true;
        // Others come right after the first look, and the first ones again before the commit.
        const changing = watched(() => put(textOf(['01/02/2026'])));
        const record = await work({
            store: {
                ...changing.store,
                async head(key) {
                    const info = await store.head(key);
                    if (isFirst) {
                        isFirst = false;
                        await put(textOf(['02/02/2026']));
                    }
                    return info;
                },
            },
        });
        expect(record).toMatchObject({ first_day: '2026-02-01', etag: (await store.head(A))?.etag });
        expect(await keysOf('summaries/')).toEqual([expect.stringMatching(/^summaries\/day=2026-02-01\//)]);
    });

    test('is of the bytes that came while it was committed, in the same call', async () => {
        await put(textOf(['01/02/2026']));
        let isFirst = true;
        const changing = watched(async () => {
            if (isFirst) {
                isFirst = false;
                await put(textOf(['02/02/2026']));
            }
        });
        expect(await work({ store: changing.store })).toMatchObject({ first_day: '2026-02-02' });
        expect(changing.written).toEqual(['commit 1, live 1', 'commit 2, live 2']);
    });
});

describe('work that is cut off', () => {
    test('by an abort commits nothing', async () => {
        await put(textOf(['01/02/2026'], 1));
        await expect(work({ signal: AbortSignal.abort() })).rejects.toThrow('abort');
        expect((await readLedger(store, sourceId(A))).record).toBeUndefined();
        expect([told, await keysOf('summaries/')]).toEqual([[], []]);
    });

    test('by a store that cannot write its rejects is the store’s error, however many there are', async () => {
        for (const rejects of [1, 200_000]) {
            await put(textOf(['01/02/2026'], rejects));
            const broken: ObjectStore = {
                ...store,
                put: (key, body, options) =>
                    key.startsWith('rejects/') ? Promise.reject(new Error('no room')) : store.put(key, body, options),
            };
            await expect(work({ store: broken })).rejects.toThrow('no room');
            expect((await readLedger(store, sourceId(A))).record).toBeUndefined();
        }
    });

    test('by a store that cannot write takes away what it wrote', async () => {
        await put(textOf(['01/02/2026', '02/02/2026'], 1));
        const broken: ObjectStore = {
            ...store,
            put: (key, body, options) => (key.includes('02-02') ? Promise.reject(new Error('no room')) : store.put(key, body, options)),
        };
        await expect(work({ store: broken })).rejects.toThrow('no room');
        expect(await keysOf('summaries/', 'rejects/')).toEqual([]);
    });

    test('before it knows whether its commit came about leaves what it wrote, and no later try writes the same keys', async () => {
        await put(textOf(['01/02/2026', '02/02/2026'], 1));
        const ledgerFails: ObjectStore = {
            ...store,
            put: (key, body, options) => (key.startsWith('ledger/') ? Promise.reject(new Error('cut off')) : store.put(key, body, options)),
        };
        await expect(work({ store: ledgerFails })).rejects.toThrow('cut off');
        const left = await keysOf('summaries/', 'rejects/');
        expect(left).toHaveLength(3);
        await work();
        const all = await keysOf('summaries/', 'rejects/');
        expect(all).toEqual(expect.arrayContaining(left));
        expect(all).toHaveLength(6);
        expect(await findDeadObjects(store, { records: await readAllRecords(store), now: new Date(0) })).toEqual(
            expect.arrayContaining(left),
        );
    });

    test.each([false, true])(
        'by a store whose errors are final takes away what it wrote, unless the commit came about: %s',
        async (comesAbout) => {
            await put(textOf(['01/02/2026'], 1));
            const ledgerFails: ObjectStore = {
                ...store,
                isSettledByError: true,
                async put(key, body, options) {
                    const info = key.startsWith('ledger/') && !comesAbout ? undefined : await store.put(key, body, options);
                    if (!info || key.startsWith('ledger/')) {
                        throw new Error('no room');
                    }
                    return info;
                },
            };
            await expect(work({ store: ledgerFails })).rejects.toThrow('no room');
            const { record } = await readLedger(store, sourceId(A));
            expect(await keysOf('summaries/', 'rejects/')).toEqual(comesAbout ? keysOfVersion(record?.version) : []);
        },
    );

    test('by another worker takes away what it wrote, but not where only the answer of its commit was lost', async () => {
        await put(textOf(['01/02/2026'], 1));
        let commits = 0;
        const answerIsLost: ObjectStore = {
            ...store,
            async put(key, body, options) {
                const info = await store.put(key, body, options);
                commits += key.startsWith('ledger/') ? 1 : 0;
                if (commits === 1 && key.startsWith('ledger/')) {
                    throw new ConflictError('the second try came too late');
                }
                return info;
            },
        };
        const record = await work({ store: answerIsLost });
        expect(await keysOf('summaries/', 'rejects/')).toEqual(keysOfVersion(record?.version));
        await put(textOf(['02/02/2026'], 1));
        let isBeaten = false;
        const beaten: ObjectStore = {
            ...store,
            async put(key, body, options) {
                if (key.startsWith('ledger/') && !isBeaten) {
                    isBeaten = true;
                    await work();
                }
                return store.put(key, body, options);
            },
        };
        const last = await work({ store: beaten });
        expect(await keysOf('summaries/', 'rejects/')).toEqual(keysOfVersion(last?.version, '2026-02-02'));
    });

    function keysOfVersion(version: string | null | undefined, day = '2026-02-01'): string[] {
        const source = sourceId(A);
        return [summaryKey({ day, source, version: version ?? '' }), rejectsKey({ source, version: version ?? '' })];
    }
});

test('a file of both date orders has the rejects of its second reading only', async () => {
    const rows = ['13/02/2026', '02/13/2026', '14/02/2026', '01/02/2026'].map((date) => `10.0.0.1,10.0.0.2,${date} 12:00:00,1,1`);
    await put(`${textOf([])}${rows.join('\n')}\n`);
    const record = await work();
    expect(record).toMatchObject({ state: 'done', rows_read: 4, rows_kept: 3, rows_rejected: 1 });
    expect(await store.head(rejectsKey({ source: sourceId(A), version: record?.version ?? '' }))).toBeDefined();
    expect(await findWrongAccounts(store)).toBeUndefined();
});
