/** What is noted of tries that failed is told while it is true, and of nothing else. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { sayAllTries, sayTries } from '#cli/say-tries';
import { StorageError } from '#lake/errors';
import { triesKey } from '#lake/layout';
import { sourceId } from '#lake/source-id';
import type { ObjectStore } from '#lake/store/object-store';
import { freeNow } from '#lake/work/redrive';
import { listTries, lookAtTries, openTryNotes, readTries, type TryNotes } from '#lake/work/tries';
import { ofDay } from '#test/support/flow-tables';
import { memoryQueue } from '#test/support/memory-queue';
import { memoryStore } from '#test/support/memory-store';

const KEY = 'raw/a.csv';
const DAY = ofDay('2026-01-05');

let nowMs: number;
const now = () => new Date(nowMs);
let store: ObjectStore;
let notes: TryNotes;

beforeEach(() => {
    nowMs = Date.UTC(2026, 0, 5, 12);
    store = memoryStore({ now });
    notes = openTryNotes(store, { queue: 'summarize', maxTries: 3, now });
});

const failed = (tries: number, error = 'S3 is away') => notes.failed(KEY, { tries, receipts: [`r${tries}`], error, afterSeconds: 60 });

const undone = { sources: [KEY], periods: [] };

test('a try that failed is noted with its error and the next try, and the note goes with success', async () => {
    await store.put(KEY, Buffer.from('x'));
    nowMs += 1000;
    await failed(1);
    expect(await lookAtTries(store, undone)).toEqual([
        {
            subject: KEY,
            queue: 'summarize',
            tries: 1,
            max_tries: 3,
            at: '2026-01-05T12:00:01.000Z',
            is_under_way: false,
            dead_at: null,
            error: 'S3 is away',
            next_try_at: '2026-01-05T12:01:01.000Z',
            receipts: ['r1'],
        },
    ]);
    await notes.succeeded(KEY);
    expect(await listTries(store)).toEqual([]);
    expect(await readTries(store, KEY)).toBeUndefined();
});

test('success without a note deletes nothing: a bucket that keeps versions would remember it', async () => {
    const calls: string[] = [];
    const watched: ObjectStore = {
        ...store,
        head(key) {
            calls.push(`head ${key}`);
            return store.head(key);
        },
        delete: async (key) => void calls.push(`delete ${key}`),
    };
    await openTryNotes(watched, { queue: 'summarize', maxTries: 3, now }).succeeded(KEY);
    expect(calls).toEqual([`head ${triesKey(sourceId(KEY))}`]);
});

test('a note that its worker could not take away is not believed: what is done is not named, nor what was put or written since', async () => {
    await store.put(KEY, Buffer.from('x'));
    nowMs += 1000;
    await failed(1);
    expect(await lookAtTries(store, { sources: [], periods: [DAY] })).toEqual([]);
    expect(await lookAtTries(store, { sources: ['raw/b.csv'], periods: [] })).toEqual([]);
    nowMs += 1000;
    await store.put(KEY, Buffer.from('y'));
    expect(await lookAtTries(store, undone)).toEqual([]);
    await failed(2);
    expect(await lookAtTries(store, undone)).toMatchObject([{ tries: 2 }]);
    await store.put(`ledger/${sourceId(KEY)}.json`, Buffer.from('{}'));
    expect(await lookAtTries(store, undone)).toMatchObject([{ tries: 2 }]);
    nowMs += 1000;
    await store.put(`ledger/${sourceId(KEY)}.json`, Buffer.from('{ }'));
    expect(await lookAtTries(store, undone)).toEqual([]);
});

test('a period is told of until its object is written', async () => {
    await notes.failed('pair_days 2026-01-05', { tries: 1, receipts: [], error: 'damaged', afterSeconds: 10 });
    const ofPeriod = { sources: [], periods: [DAY] };
    expect(await lookAtTries(store, ofPeriod)).toMatchObject([{ subject: 'pair_days 2026-01-05', error: 'damaged' }]);
    nowMs += 1;
    await store.put('pair_days/day=2026-01-05/part-00.parquet', Buffer.from('x'));
    expect(await lookAtTries(store, ofPeriod)).toEqual([]);
});

test('what is no note is none, and what cannot be read is said to be so', async () => {
    await store.put(triesKey(sourceId(KEY)), Buffer.from('rubbish'));
    expect(await lookAtTries(store, undone)).toEqual([]);
    const denied: ObjectStore = {
        ...store,
        async *list() {
            yield* [];
            throw new StorageError('access denied');
        },
    };
    const found = await lookAtTries(denied, undone);
    expect(sayAllTries(found, { now: now() })).toEqual(['Why something waits cannot be read: access denied']);
});

describe('is said as', () => {
    const said = async (): Promise<string> => sayTries((await readTries(store, KEY))!, { now: now() });

    test('how often, the last error, and when the next try comes', async () => {
        await failed(2);
        expect(await said()).toBe(
            'raw/a.csv: tried 2 of 3 times, last error: S3 is away, next try at 2026-01-05 12:01:00 UTC (in 1 min 0 s)',
        );
        nowMs += 90_000;
        expect(await said()).toContain('next try due since 2026-01-05 12:01:00 UTC');
    });

    test('given up, once it was tried as often as the deployment tries', async () => {
        await failed(3);
        expect(await said()).toBe(
            'raw/a.csv: tried 3 of 3 times, last error: S3 is away, given up at 2026-01-05 12:00:00 UTC: flowlake dead-letters list',
        );
    });

    test('a try that is under way, with the error of the one before; and one whose worker died', async () => {
        await failed(1);
        await notes.began(KEY, { tries: 2, receipts: ['r2'], wholeMs: 300_000 });
        expect(await said()).toBe('raw/a.csv: tried 2 of 3 times, last error: S3 is away, tried once more since 2026-01-05 12:00:00 UTC');
        nowMs += 301_000;
        expect(await said()).toMatch(/the last one since 2026-01-05 12:00:00 UTC gave no answer, next try at 2026-01-05 12:30:00 UTC/);
    });

    test('a worker that never gave an answer', async () => {
        await notes.began(KEY, { tries: 2, receipts: ['r2'], wholeMs: 300_000 });
        expect(await said()).toContain('no worker gave an answer (out of memory, or killed)');
    });

    test('five of them and how many more, and what has them tried at once', async () => {
        for (let at = 0; at < 7; at += 1) {
            await notes.failed(`raw/${at}.csv`, { tries: 1, receipts: [], error: 'x', afterSeconds: 60 });
        }
        const lines = sayAllTries(await listTries(store), { now: now() });
        expect(lines).toHaveLength(7);
        expect(lines.slice(5)).toEqual(['and 2 more that failed', expect.stringMatching(/flowlake redrive --now$/)]);
    });
});

test('what waits for its next try is handed out at once; what is worked on, given up or back already is left', async () => {
    const queue = memoryQueue({ isFifo: true, now, visibilitySeconds: 1800 });
    await queue.send(['1', '2', '3'].map((body) => ({ body, group: body })));
    const [one, two, three] = await queue.receive();
    await notes.failed('one', { tries: 1, receipts: [one!.receipt], error: 'x', afterSeconds: 900 });
    await notes.began('two', { tries: 2, receipts: [two!.receipt], wholeMs: 300_000 });
    await notes.failed('three', { tries: 3, receipts: [three!.receipt], error: 'x', afterSeconds: 900 });
    expect(await freeNow(await listTries(store), { queue, now: now() })).toBe(1);
    expect((await queue.receive()).map(({ body }) => body)).toEqual(['1']);
    // The worker of the second is dead by now, and the receipt of the first one no longer holds.
    nowMs += 301_000;
    expect(await freeNow(await listTries(store), { queue, now: now() })).toBe(2);
    expect((await queue.receive()).map(({ body }) => body)).toEqual(['2']);
});
