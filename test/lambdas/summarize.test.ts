/** The Lambda that summarizes: what news comes to, what is reported as failed, and what is counted. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { SQSRecord } from 'aws-lambda';
import { summarize } from '#lake/commit/summarize';
import { StorageError } from '#lake/errors';
import { LEDGER_PREFIX } from '#lake/layout';
import { readLedger } from '#lake/ledger';
import type { MessageQueue } from '#lake/queue/message-queue';
import { sourceId } from '#lake/source-id';
import type { ObjectStore } from '#lake/store/object-store';
import { parsePeriodNews } from '#lake/work/messages';
import { type SummarizeBatchOptions, summarizeBatch } from '#lambdas/summarize/summarize-batch';
import { ofDay } from '#test/support/flow-tables';
import { memoryQueue } from '#test/support/memory-queue';
import { memoryStore } from '#test/support/memory-store';
import { smallFile } from '#test/support/small-files';
import { s3Event, sqsRecord, testLog, testMetrics, testTime } from './surroundings.ts';

const UPLOADED_AT = '2026-03-01T10:00:00.000Z';
const NOW = '2026-03-01T10:00:02.500Z';
const A = 'raw/a.csv';
const B = 'raw/b.csv';

let store: ObjectStore;
let consolidateQueue: MessageQueue;
let log: ReturnType<typeof testLog>;
let metrics: ReturnType<typeof testMetrics>;
/** The messages whose return was asked for, and after how many seconds. */
let returning: Record<string, number>;

beforeEach(() => {
    store = memoryStore();
    consolidateQueue = memoryQueue({ isFifo: true });
    returning = {};
});

function textOf(dates: readonly string[], rejects = 0): string {
    const flows = dates.map((date) => ({ src: '10.0.0.1', dst: '10.0.0.2', date, durationUs: 1, packets: 1 }));
    return smallFile(flows, { rejects }).text;
}

async function put(key: string, text = textOf(['01/02/2026'])): Promise<void> {
    await store.put(key, Buffer.from(text));
}

/** The ids of the messages that failed; log and metrics are those of this batch. */
async function work(records: readonly SQSRecord[], overrides: Partial<SummarizeBatchOptions> = {}): Promise<string[]> {
    log = testLog();
    metrics = testMetrics();
    const { batchItemFailures } = await summarizeBatch(records, {
        bucket: 'lake',
        store,
        summarizeQueue: {
            send: () => Promise.reject(new Error('no kind of these tests has inputs')),
            changeVisibility: async (receipt, seconds) => {
                returning[receipt.replace('receipt of ', '')] = seconds;
            },
        },
        consolidateQueue,
        time: testTime(),
        now: () => new Date(NOW),
        log,
        metrics,
        ...overrides,
    });
    return batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
}

function news(id: string, ...keys: string[]): SQSRecord {
    return sqsRecord({ id, body: s3Event(keys, { at: UPLOADED_AT }) });
}

async function stateOf(key: string): Promise<string | undefined> {
    return (await readLedger(store, sourceId(key))).record?.state;
}

async function daysSent(): Promise<unknown[]> {
    const messages = await consolidateQueue.receive();
    return messages.map(({ body, group }) => ({ ...parsePeriodNews(body), group }));
}

describe('news of an upload', () => {
    test('comes to its summaries, and to a message for each of its days that says when the upload came', async () => {
        await put(A, textOf(['02/02/2026', '01/02/2026', '02/02/2026'], 1));
        expect(await work([news('m1', A)])).toEqual([]);
        expect(await stateOf(A)).toBe('done');
        expect(await daysSent()).toEqual([
            { ...ofDay('2026-02-01'), uploadedAt: new Date(UPLOADED_AT), group: 'pair_days/2026-02-01' },
            { ...ofDay('2026-02-02'), uploadedAt: new Date(UPLOADED_AT), group: 'pair_days/2026-02-02' },
        ]);
        expect(metrics.values).toEqual({
            SourcesSummarized: [1],
            SourcesFailed: [0],
            RowsKept: [3],
            RowsRejected: [1],
            BytesRead: [textOf(['02/02/2026', '01/02/2026', '02/02/2026'], 1).length],
            SummarizeLagMs: [2500],
            Conflicts: [0],
        });
        expect(log.lines).toEqual([
            {
                level: 'info',
                message: 'summarized',
                fields: expect.objectContaining({ source: A, rowsKept: 3, rowsRejected: 1, periods: 2, lagMs: 2500 }),
            },
        ]);
    });

    test.each([
        ['raw/site=berlin/a+b%2Bc.csv', 'raw/site=berlin/a b+c.csv'],
        ['raw/%C3%BCber/100%25.csv', 'raw/über/100%.csv'],
    ])('is understood with the key %s', async (asWritten, key) => {
        await put(key);
        expect(await work([news('m1', asWritten)])).toEqual([]);
        expect(await stateOf(key)).toBe('done');
    });

    test('may be of several objects in one message', async () => {
        await put(A);
        await put(B);
        expect(await work([news('m1', A, B)])).toEqual([]);
        expect([await stateOf(A), await stateOf(B)]).toEqual(['done', 'done']);
    });

    test.each([
        ['the first message of a new notification', '{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"lake"}'],
        ['an object that is no raw file', s3Event(['exports/report.csv', 'ledger/0.json'])],
        ['a folder that a browser made', s3Event(['raw/site=berlin/'])],
        ['an object that is gone', s3Event(['raw/gone.csv'])],
    ])('that is of %s is done with nothing', async (_, body) => {
        expect(await work([sqsRecord({ body })])).toEqual([]);
        expect(metrics.values).toMatchObject({ SourcesSummarized: [0], SourcesFailed: [0], RowsKept: [0], BytesRead: [0] });
        expect(await consolidateQueue.depth()).toEqual({ waiting: 0, inFlight: 0 });
    });

    test('of an object that was deleted after it was summarized keeps its figures', async () => {
        await put(A);
        await work([news('m1', A)]);
        await store.delete(A);
        expect(await work([news('m2', A)])).toEqual([]);
        expect(await stateOf(A)).toBe('done');
    });

    test('of a file that nobody can use is done, counted and warned of, and the log quotes nothing of the file', async () => {
        await put(A, 'password,hunter2\n1,2\n');
        expect(await work([news('m1', A)])).toEqual([]);
        expect(await stateOf(A)).toBe('failed');
        expect(metrics.values).toMatchObject({ SourcesSummarized: [0], SourcesFailed: [1], RowsKept: [0] });
        expect(log.lines).toMatchObject([{ level: 'warn', message: expect.stringContaining('flowlake status'), fields: { source: A } }]);
        expect(JSON.stringify(log.lines)).not.toContain('hunter2');
    });
});

describe('news of a file that lies beside flows by right', () => {
    test('is done, and is no failure: the record says what it is, and the file is read once', async () => {
        await put(A, '#separator \\x09\n#path\tdns\n#fields\tts\tquery\n1714730400.1\texample.com\n');
        expect(await work([news('m1', A)])).toEqual([]);
        expect(await stateOf(A)).toBe('skipped');
        expect(metrics.values).toMatchObject({ SourcesSummarized: [0], SourcesFailed: [0], RowsKept: [0] });
        expect(log.lines).toMatchObject([{ level: 'info', message: 'skipped: no file of its kind, by right', fields: { source: A } }]);
        let opened = 0;
        const counting: ObjectStore = {
            ...store,
            open: (...asked) => {
                opened += 1;
                return store.open(...asked);
            },
        };
        await work([news('m2', A)], { store: counting });
        expect(opened).toBe(0);
    });
});

describe('news that comes twice', () => {
    test('in one batch is worked on once', async () => {
        await put(A);
        let reads = 0;
        const counting: ObjectStore = {
            ...store,
            head: (key) => {
                reads += key === A ? 1 : 0;
                return store.head(key);
            },
        };
        await work([news('m0', A)], { store: counting });
        const once = reads;
        await put(A, textOf(['03/02/2026']));
        reads = 0;
        expect(await work([news('m1', A), news('m2', A), news('m3', A, A)], { store: counting })).toEqual([]);
        expect([reads, metrics.values.RowsKept]).toEqual([once, [1]]);
    });

    test('later adds no rows, no bytes and no lag, and tells the days again', async () => {
        await put(A);
        await work([news('m1', A)]);
        await daysSent();
        consolidateQueue = memoryQueue({ isFifo: true });
        expect(await work([news('m1', A)])).toEqual([]);
        expect(metrics.values).toMatchObject({ SourcesSummarized: [0], RowsKept: [0], BytesRead: [0] });
        expect(metrics.values).not.toHaveProperty('SummarizeLagMs');
        expect(await daysSent()).toMatchObject([{ table: 'pair_days', period: '2026-02-01' }]);
    });

    test('to two workers at once is counted by the one that committed, and the conflict by the other', async () => {
        await put(A);
        let isFirst = true;
        const overtaken: ObjectStore = {
            ...store,
            async put(key, body, options) {
                if (isFirst && key.startsWith(LEDGER_PREFIX)) {
                    isFirst = false;
                    await summarize(A, { store, now: () => new Date(NOW) });
                }
                return store.put(key, body, options);
            },
        };
        expect(await work([news('m1', A)], { store: overtaken })).toEqual([]);
        expect(metrics.values).toMatchObject({ SourcesSummarized: [0], RowsKept: [0], Conflicts: [1] });
        expect(await daysSent()).toMatchObject([{ table: 'pair_days', period: '2026-02-01' }]);
    });
});

describe('a message that fails', () => {
    test.each([
        ['no JSON', 'secret: hunter2'],
        ['no event', '{"hello":"hunter2"}'],
        ['an event without a key', '{"Records":[{"s3":{"bucket":{"name":"lake"}}}]}'],
        ['news of another bucket', s3Event([A], { bucket: 'elsewhere' })],
    ])('because it is %s leaves the rest of its batch alone', async (_, body) => {
        await put(A);
        expect(await work([sqsRecord({ id: 'bad', body }), news('good', A)])).toEqual(['bad']);
        expect(await stateOf(A)).toBe('done');
        expect(log.lines.filter(({ level }) => level === 'error')).toMatchObject([{ fields: { messageId: 'bad' } }]);
        expect(JSON.stringify(log.lines)).not.toContain('hunter2');
    });

    test('because nobody can understand it does not wait to become a dead letter', async () => {
        expect(await work([sqsRecord({ id: 'bad', body: 'no JSON' })])).toEqual(['bad']);
        expect(returning).toEqual({ bad: 0 });
        expect(metrics.values.FailedTries).toBeUndefined();
    });

    test('because the store does not answer fails alone, and the log says why', async () => {
        await put(A);
        await put(B);
        const broken = new StorageError('cannot read', { cause: new Error('socket hang up') });
        const failing: ObjectStore = { ...store, head: (key) => (key === A ? Promise.reject(broken) : store.head(key)) };
        expect(await work([news('m1', A), news('m2', B), news('m3', B, A)], { store: failing })).toEqual(['m1', 'm3']);
        expect(await stateOf(B)).toBe('done');
        expect(log.lines).toContainEqual({ level: 'error', message: expect.any(String), fields: { subject: A, error: broken } });
        expect(returning).toEqual({ m1: 10, m3: 10 });
        expect(metrics.values.FailedTries).toEqual([1]);
    });

    test.each([
        [1, 10],
        [2, 60],
        [3, 300],
        [4, 900],
        [5, 900],
        [11, 900],
    ])('so that it was handed out %i times is tried again after %i seconds', async (receiveCount, seconds) => {
        await put(A);
        const failing: ObjectStore = { ...store, head: () => Promise.reject(new StorageError('cannot read')) };
        expect(await work([sqsRecord({ id: 'm1', body: s3Event([A]), receiveCount })], { store: failing })).toEqual(['m1']);
        expect(returning).toEqual({ m1: seconds });
        expect(metrics.values.FailedTries).toEqual([receiveCount]);
    });

    test('is not done before its days stand in the queue', async () => {
        await put(A);
        const full = new StorageError('the queue does not take it');
        expect(await work([news('m1', A)], { consolidateQueue: { send: () => Promise.reject(full) } })).toEqual(['m1']);
        expect(await stateOf(A)).toBe('done');
        expect(await work([news('m1', A)])).toEqual([]);
        expect(await daysSent()).toMatchObject([{ table: 'pair_days', period: '2026-02-01' }]);
    });
});

describe('when the time is over', () => {
    /** Opening the raw object of `key` is the last thing that this store does in time. */
    function slow(key: string, then: () => void): ObjectStore {
        return {
            ...store,
            open(opened, options) {
                if (opened === key) {
                    then();
                }
                return store.open(opened, options);
            },
        };
    }

    beforeEach(async () => {
        await put(A);
        await put(B);
    });

    test('a source that had it to itself waits for its visibility time-out, and the log says how it gets through', async () => {
        const time = testTime();
        expect(await work([news('m1', A)], { time, store: slow(A, time.runOut) })).toEqual(['m1']);
        expect(returning).toEqual({});
        expect(log.lines).toMatchObject([
            { level: 'error', message: expect.stringContaining('flowlake --lake s3://lake reconcile --here'), fields: { subject: A } },
        ]);
        expect([await stateOf(A), metrics.values.SourcesSummarized]).toEqual([undefined, [0]]);
    });

    test('the others of its batch come back at once', async () => {
        const time = testTime();
        expect(await work([news('m1', A), news('m2', B), news('m3', 'raw/c.csv')], { time, store: slow(A, time.runOut) })).toEqual([
            'm1',
            'm2',
            'm3',
        ]);
        expect(returning).toEqual({ m2: 0, m3: 0 });
    });

    test('a source that others kept waiting comes back at once', async () => {
        const time = testTime();
        const waits = slow(A, () => time.pass(200_000));
        expect(await work([news('m1', A), news('m2', B)], { time, store: { ...waits, open: openBoth } })).toEqual(['m2']);
        expect(returning).toEqual({ m2: 0 });
        expect(log.lines.map(({ level }) => level)).toEqual(['info', 'info']);

        function openBoth(key: string, options: { ifMatch: string }) {
            return (key === B ? slow(B, time.runOut) : waits).open(key, options);
        }
    });

    test('what was done in time stays done', async () => {
        const time = testTime();
        expect(await work([news('m1', A), news('m2', B)], { time, store: slow(B, time.runOut) })).toEqual(['m2']);
        expect([await stateOf(A), await stateOf(B)]).toEqual(['done', undefined]);
    });

    test('a message of which one source was too large and another only waited waits for its visibility time-out', async () => {
        const time = testTime();
        expect(await work([news('m1', A, B)], { time, store: slow(A, time.runOut) })).toEqual(['m1']);
        expect(returning).toEqual({});
    });

    test('nothing is begun', async () => {
        const time = testTime();
        time.runOut();
        expect(await work([news('m1', A), news('m2', B)], { time })).toEqual(['m1', 'm2']);
        expect(returning).toEqual({ m1: 0, m2: 0 });
        expect(metrics.values.FailedTries).toBeUndefined();
        expect([await stateOf(A), await stateOf(B)]).toEqual([undefined, undefined]);
    });

    test('a message fails all the same where SQS does not let it come back sooner, and the log says when it does', async () => {
        const time = testTime();
        time.runOut();
        const error = new StorageError('SQS does not answer');
        const broken = { changeVisibility: () => Promise.reject(error), send: () => Promise.reject(error) };
        expect(await work([news('m1', A)], { time, summarizeQueue: broken })).toEqual(['m1']);
        expect(log.lines.at(-1)).toEqual({
            level: 'warn',
            message: expect.stringContaining('after its visibility time-out'),
            fields: { messageId: 'm1', error },
        });
    });

    test('who was handed out most often was the first to be begun', async () => {
        const time = testTime();
        const often = { ...sqsRecord({ id: 'm2', body: s3Event([B]), receiveCount: 3 }) };
        expect(await work([news('m1', A), often], { time, store: slow(B, () => time.pass(1)) })).toEqual([]);
        expect(log.lines.map(({ fields }) => fields.source)).toEqual([B, A]);
    });
});
