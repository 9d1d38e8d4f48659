/** The Lambda that consolidates: one pass for many messages, days apart from each other, and what is counted. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { SQSRecord } from 'aws-lambda';
import { summarize } from '#lake/commit/summarize';
import { StorageError } from '#lake/errors';
import { dayPrefix } from '#lake/layout';
import type { Message } from '#lake/queue/message-queue';
import type { ObjectStore } from '#lake/store/object-store';
import { periodMessage } from '#lake/work/messages';
import { type ConsolidateBatchOptions, consolidateBatch } from '#lambdas/consolidate/consolidate-batch';
import { ofDay, pairDaysKey, SUMMARIES_PREFIX } from '#test/support/flow-tables';
import { memoryStore } from '#test/support/memory-store';
import { countUp, readFigures, type SmallFile, smallFile } from '#test/support/small-files';
import { sqsRecord, testLog, testMetrics, testTime } from './surroundings.ts';

const UPLOADED_AT = '2026-03-01T10:00:00.000Z';
const NOW = '2026-03-01T10:00:04.000Z';
const DAY = '2026-02-01';
const NEXT_DAY = '2026-02-02';
/** Name of the day in the log. */
const SUBJECT = `pair_days ${DAY}`;

let store: ObjectStore;
let log: ReturnType<typeof testLog>;
let metrics: ReturnType<typeof testMetrics>;
/** The messages whose return was asked for, and after how many seconds. */
let returning: Record<string, number>;
/** The messages that were sent. */
let sent: Message[];

beforeEach(() => {
    store = memoryStore();
    returning = {};
    sent = [];
});

/** Summarizes files of one flow each, the given dates; returns what they must come to. */
async function summarizeFiles(dates: readonly string[]): Promise<Map<string, string>> {
    const files: SmallFile[] = dates.map((date, at) => smallFile([{ src: '10.0.0.1', dst: '10.0.0.2', date, durationUs: at, packets: 1 }]));
    for (const [at, file] of files.entries()) {
        await store.put(`raw/${at}.csv`, Buffer.from(file.text));
        await summarize(`raw/${at}.csv`, { store, now: () => new Date(NOW) });
    }
    return countUp(files.map((file) => ({ file, site: 'main', options: {} })));
}

/** The ids of the messages that failed. */
async function work(records: readonly SQSRecord[], overrides: Partial<ConsolidateBatchOptions> = {}): Promise<string[]> {
    log = testLog();
    metrics = testMetrics();
    const { batchItemFailures } = await consolidateBatch(records, {
        bucket: 'lake',
        store,
        consolidateQueue: {
            send: async (messages) => void sent.push(...messages),
            changeVisibility: async (receipt, seconds) => {
                returning[receipt.replace('receipt of ', '')] = seconds;
            },
        },
        time: testTime(),
        now: () => new Date(NOW),
        log,
        metrics,
        ...overrides,
    });
    return batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
}

function news(id: string, day: string, { at = UPLOADED_AT } = {}): SQSRecord {
    return sqsRecord({ id, body: periodMessage({ ...ofDay(day), uploadedAt: new Date(at) }) });
}

describe('a day', () => {
    test('is brought up to its summaries', async () => {
        const truth = await summarizeFiles(['01/02/2026']);
        expect(await work([news('m1', DAY)])).toEqual([]);
        expect(await readFigures(store)).toEqual(truth);
        expect(metrics.values).toEqual({ PeriodsConsolidated: [1], Passes: [1], Conflicts: [0], FiguresLagMs: [4000] });
        expect(log.lines).toMatchObject([
            { level: 'info', message: 'consolidated', fields: { table: 'pair_days', period: DAY, passes: 1, lagMs: 4000 } },
        ]);
    });

    test('that a worker of an earlier version told of is brought up to its summaries, at once with news of today', async () => {
        const truth = await summarizeFiles(['01/02/2026']);
        const old = sqsRecord({ id: 'm1', body: JSON.stringify({ day: DAY, uploaded_at: UPLOADED_AT }) });
        expect(await work([old, news('m2', DAY)])).toEqual([]);
        expect(await readFigures(store)).toEqual(truth);
        expect(metrics.values).toEqual({ PeriodsConsolidated: [1], Passes: [1], Conflicts: [0], FiguresLagMs: [4000, 4000] });
    });

    test('is written once, however many messages of a batch tell of it', async () => {
        const truth = await summarizeFiles(['01/02/2026', '01/02/2026', '01/02/2026', '02/02/2026']);
        const later = { at: '2026-03-01T10:00:03.000Z' };
        expect(await work([news('m1', DAY), news('m2', NEXT_DAY), news('m3', DAY, later), news('m4', DAY, later)])).toEqual([]);
        expect(await readFigures(store)).toEqual(truth);
        expect(metrics.values).toMatchObject({ PeriodsConsolidated: [2], Passes: [2], FiguresLagMs: [4000, 1000, 1000, 4000] });
    });

    test('that is right already is not written, and has no lag', async () => {
        await summarizeFiles(['01/02/2026']);
        await work([news('m1', DAY)]);
        const before = await store.head(pairDaysKey(DAY));
        expect(await work([news('m2', DAY), news('m3', DAY)])).toEqual([]);
        expect(await store.head(pairDaysKey(DAY))).toEqual(before);
        expect(metrics.values).toEqual({ PeriodsConsolidated: [0], Passes: [0], Conflicts: [0] });
    });

    test('on which another worker was faster is right all the same, and the conflict is counted', async () => {
        const truth = await summarizeFiles(['01/02/2026', '01/02/2026']);
        let isFirst = true;
        const overtaken: ObjectStore = {
            ...store,
            async put(key, body, options) {
                if (isFirst && key === pairDaysKey(DAY)) {
                    isFirst = false;
                    await store.put(key, Buffer.from(''));
                }
                return store.put(key, body, options);
            },
            async get(key) {
                // The faster worker's object is gone again: this worker starts anew.
                if (!isFirst && key === pairDaysKey(DAY) && (await store.head(key))?.sizeBytes === 0) {
                    await store.delete(key);
                }
                return store.get(key);
            },
        };
        expect(await work([news('m1', DAY)], { store: overtaken })).toEqual([]);
        expect(await readFigures(store)).toEqual(truth);
        expect(metrics.values).toMatchObject({ Conflicts: [1], Passes: [1] });
    });

    test('whose object cannot be written fails, and that is no conflict', async () => {
        await summarizeFiles(['01/02/2026']);
        const full: ObjectStore = { ...store, put: () => Promise.reject(new StorageError('cannot write')) };
        expect(await work([news('m1', DAY)], { store: full })).toEqual(['m1']);
        expect(metrics.values.Conflicts).toEqual([0]);
    });

    test('that fails fails with all of its messages, and the other days go on', async () => {
        await summarizeFiles(['01/02/2026', '02/02/2026']);
        const broken = new StorageError('cannot list');
        const failing: ObjectStore = {
            ...store,
            async *list(prefix) {
                if (prefix === dayPrefix(SUMMARIES_PREFIX, DAY)) {
                    throw broken;
                }
                yield* store.list(prefix);
            },
        };
        expect(await work([news('m1', DAY), news('m2', NEXT_DAY), news('m3', DAY)], { store: failing })).toEqual(['m1', 'm3']);
        expect([...(await readFigures(store)).keys()]).toEqual([expect.stringContaining(NEXT_DAY)]);
        expect(log.lines).toContainEqual({ level: 'error', message: expect.any(String), fields: { subject: SUBJECT, error: broken } });
        expect(returning).toEqual({ m1: 10, m3: 10 });
    });

    test.each([
        'no JSON',
        '{"day":"yesterday"}',
        '{"day":"2026-02-01"}',
        '{"table":"device_days","period":"2026-02-01","uploaded_at":"2026-03-01T10:00:00.000Z"}',
    ])('is not touched by the message %s', async (body) => {
        await summarizeFiles(['01/02/2026']);
        expect(await work([sqsRecord({ id: 'bad', body }), news('good', DAY)])).toEqual(['bad']);
        expect((await readFigures(store)).size).toBe(1);
    });
});

describe('when the time is over', () => {
    /** Listing the summaries of `day` is the last thing that this store does in time. */
    function slow(day: string, then: () => void): ObjectStore {
        return {
            ...store,
            async *list(prefix) {
                yield* store.list(prefix);
                if (prefix === dayPrefix(SUMMARIES_PREFIX, day)) {
                    then();
                }
            },
        };
    }

    beforeEach(async () => {
        await summarizeFiles(['01/02/2026', '02/02/2026']);
    });

    test('a day that had it to itself waits for its visibility time-out, and the log says how it gets through', async () => {
        const time = testTime();
        expect(await work([news('m1', DAY), news('m2', NEXT_DAY)], { time, store: slow(DAY, time.runOut) })).toEqual(['m1', 'm2']);
        expect(returning).toEqual({ m2: 0 });
        expect((await readFigures(store)).size).toBe(0);
        expect(log.lines[0]).toMatchObject({
            level: 'error',
            message: expect.stringContaining(`flowlake --lake s3://lake rebuild --from ${DAY} --to ${DAY}`),
            fields: { subject: SUBJECT },
        });
    });

    test('a day that fails by itself at that moment is told as what it is, and is tried again after ten seconds', async () => {
        const time = testTime();
        const failing: ObjectStore = {
            ...store,
            async *list(prefix) {
                yield* store.list(prefix);
                time.runOut();
                throw new StorageError(`cannot list ${prefix}`);
            },
        };
        expect(await work([news('m1', DAY)], { store: failing, time })).toEqual(['m1']);
        expect(returning).toEqual({ m1: 10 });
        expect(log.lines).toMatchObject([{ level: 'error', message: expect.stringMatching(/^failed: /), fields: { subject: SUBJECT } }]);
        expect(metrics.values.Conflicts).toEqual([0]);
    });

    test('a day that others kept waiting comes back at once, with all of its messages', async () => {
        const time = testTime();
        const waits = slow(DAY, () => time.pass(200_000));
        const both: ObjectStore = { ...store, list: (prefix) => (prefix.includes(DAY) ? waits : slow(NEXT_DAY, time.runOut)).list(prefix) };
        const records = [news('m1', DAY), news('m2', NEXT_DAY), news('m3', NEXT_DAY)];
        expect(await work(records, { time, store: both })).toEqual(['m2', 'm3']);
        expect(returning).toEqual({ m2: 0, m3: 0 });
        expect((await readFigures(store)).size).toBe(1);
    });
});
