/** The Lambdas note why a source or a day is not done, for whoever waits, and take the note away with success. */
import { beforeEach, expect, test } from '@jest/globals';
import { consolidate } from '#lake/commit/consolidate';
import { summarize } from '#lake/commit/summarize';
import { StorageError } from '#lake/errors';
import { pairDays } from '#lake/flows/tables';
import { mergedKey, TRIES_PREFIX } from '#lake/layout';
import { readLakeStatus } from '#lake/reports/lake-status';
import type { ObjectStore } from '#lake/store/object-store';
import { periodMessage } from '#lake/work/messages';
import { listTries, lookAtTries } from '#lake/work/tries';
import { consolidateBatch } from '#lambdas/consolidate/consolidate-batch';
import { summarizeBatch } from '#lambdas/summarize/summarize-batch';
import { ofDay } from '#test/support/flow-tables';
import { memoryQueue } from '#test/support/memory-queue';
import { memoryStore } from '#test/support/memory-store';
import { smallFile } from '#test/support/small-files';
import { s3Event, sqsRecord, testLog, testMetrics, testTime } from './surroundings.ts';

const KEY = 'raw/a.csv';
const DAY = ofDay('2026-02-01');
const OBJECT = mergedKey(pairDays, DAY.period);

let nowMs: number;
const now = () => new Date(nowMs);
let store: ObjectStore;
let log: ReturnType<typeof testLog>;

beforeEach(async () => {
    nowMs = Date.UTC(2026, 1, 2, 12);
    store = memoryStore({ now });
    log = testLog();
    await store.put(
        KEY,
        Buffer.from(smallFile([{ src: '10.0.0.1', dst: '10.0.0.2', date: '01/02/2026', durationUs: 1, packets: 1 }]).text),
    );
    nowMs += 1000;
});

const around = () => ({
    bucket: 'lake',
    store,
    maxTries: 12,
    consolidateQueue: memoryQueue({ isFifo: true }),
    summarizeQueue: memoryQueue(),
    time: testTime(),
    now,
    log,
    metrics: testMetrics(),
});

const consolidateIt = (receiveCount: number, overrides: Partial<ReturnType<typeof around>> = {}) =>
    consolidateBatch([sqsRecord({ body: periodMessage({ ...DAY, uploadedAt: now() }), receiveCount })], { ...around(), ...overrides });

const summarizeIt = (receiveCount: number, overrides: Partial<ReturnType<typeof around>> = {}) =>
    summarizeBatch([sqsRecord({ body: s3Event([KEY]), receiveCount })], { ...around(), ...overrides });

async function undoneNow() {
    return (await readLakeStatus(store, { now: now() })).undone;
}

test('a day whose object is damaged: each try is noted, and all of it is gone once the day is mended', async () => {
    await summarize(KEY, { store, now });
    await store.put(OBJECT, Buffer.from('rubbish'));
    nowMs += 1000;
    expect((await consolidateIt(1)).batchItemFailures).toHaveLength(1);
    expect(await lookAtTries(store, await undoneNow())).toEqual([
        expect.objectContaining({
            subject: 'pair_days 2026-02-01',
            queue: 'consolidate',
            tries: 1,
            max_tries: 12,
            error: expect.stringContaining('cannot be read as Parquet'),
            next_try_at: new Date(nowMs + 10_000).toISOString(),
            receipts: ['receipt of m1'],
        }),
    ]);
    nowMs += 900_000;
    await consolidateIt(4);
    expect(await lookAtTries(store, await undoneNow())).toMatchObject([{ tries: 4, next_try_at: new Date(nowMs + 900_000).toISOString() }]);
    await store.delete(OBJECT);
    expect(await consolidateIt(5)).toEqual({ batchItemFailures: [] });
    expect(await listTries(store)).toEqual([]);
    expect((await undoneNow()).periods).toEqual([]);
});

test('a worker that dies at its second try leaves behind that it began, and what had failed before', async () => {
    const broken: ObjectStore = {
        ...store,
        get: async (key) => (key === KEY ? Promise.reject(new StorageError('S3 is away')) : store.get(key)),
    };
    broken.open = () => {
        throw new StorageError('S3 is away');
    };
    await summarizeIt(1, { store: broken });
    expect(await listTries(store)).toMatchObject([{ subject: KEY, queue: 'summarize', tries: 1, error: 'S3 is away' }]);
    const killed: ObjectStore = {
        ...store,
        open: () => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) }),
    };
    void summarizeIt(2, { store: killed });
    while ((await listTries(store))[0]?.tries !== 2) {
        await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(await listTries(store)).toMatchObject([{ tries: 2, is_under_way: true, error: 'S3 is away', receipts: ['receipt of m1'] }]);
});

test('what needs more time than the function has is noted with the way out, and comes back after its visibility time-out', async () => {
    const time = testTime();
    const slow: ObjectStore = {
        ...store,
        head: async (key) => {
            if (key === KEY) {
                time.runOut();
            }
            return store.head(key);
        },
    };
    await summarizeIt(1, { store: slow, time });
    expect(await listTries(store)).toMatchObject([
        {
            error: expect.stringMatching(/^needs more time than the function has; .*reconcile --here/),
            next_try_at: new Date(nowMs + 1_800_000).toISOString(),
        },
    ]);
});

test('the last try is noted as one that no other follows', async () => {
    await summarize(KEY, { store, now });
    await store.put(OBJECT, Buffer.from('rubbish'));
    await consolidateIt(12);
    expect(await listTries(store)).toMatchObject([{ tries: 12, next_try_at: null }]);
});

test('where nothing can be noted, work goes on as before, and the log says so', async () => {
    const refuse = (key: string) => (key.startsWith(TRIES_PREFIX) ? Promise.reject(new StorageError('denied')) : undefined);
    const mute: ObjectStore = {
        ...store,
        head: (key) => refuse(key) ?? store.head(key),
        get: (key) => refuse(key) ?? store.get(key),
        put: (key, ...rest) => refuse(key) ?? store.put(key, ...rest),
    };
    expect(await summarizeIt(2, { store: mute })).toEqual({ batchItemFailures: [] });
    expect(log.lines.filter(({ level }) => level === 'warn').map(({ message }) => message)).toEqual([
        'could not note that it is tried again: flowlake status does not know',
        'could not note what came of it: flowlake status does not know',
    ]);
    await consolidate(DAY, { store });
    expect((await undoneNow()).sources).toEqual([]);
});
