/** News of an input in a deployed lake: every source that was read with another version of it is read again, and what was pruned tells its periods. */
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { consolidate } from '#lake/commit/consolidate';
import { findUndoneWork } from '#lake/commit/reconcile';
import { retract } from '#lake/commit/retract';
import { summarize } from '#lake/commit/summarize';
import { StorageError } from '#lake/errors';
import { addInput } from '#lake/inputs';
import { readLedger } from '#lake/ledger';
import type { MessageQueue } from '#lake/queue/message-queue';
import { sourceId } from '#lake/source-id';
import type { ObjectStore } from '#lake/store/object-store';
import { parsePeriodNews, parseSourceNews } from '#lake/work/messages';
import { summarizeBatch } from '#lambdas/summarize/summarize-batch';
import { gauges } from '#test/kinds/gauges';
import { knowAlso } from '#test/support/know-also';
import { memoryQueue } from '#test/support/memory-queue';
import { memoryStore } from '#test/support/memory-store';
import { deliver, s3Event, sqsRecord, testLog, testMetrics, testTime } from './surroundings.ts';

const NOW = new Date('2026-03-02T00:00:00Z');
const now = (): Date => NOW;
const PREFIX = gauges.inputs?.prefix ?? '';
const [A, B, C, FLAT] = ['a', 'b', 'c', 'flat'].map((name) => `raw/kind=gauges/${name}.gauge`) as [string, string, string, string];

let store: ObjectStore;
let summarizeQueue: MessageQueue;
let consolidateQueue: MessageQueue;

beforeAll(() => knowAlso(gauges));

beforeEach(async () => {
    store = memoryStore();
    summarizeQueue = memoryQueue();
    consolidateQueue = memoryQueue({ isFifo: true });
    await addInput(store, PREFIX, 'lock', { zero_mm: 1 });
    for (const [at, key] of [C, B, A, FLAT].entries()) {
        const scale = key === FLAT ? '' : 'scale lock\n';
        await store.put(key, Buffer.from(`instant,gauge,level\n${scale}2026-01-05T1${at}:05:00Z,pier,10\n`));
        const { periods } = await summarize(key, { store, now });
        await consolidate(periods[0]!, { store });
    }
});

function batch(keys: readonly string[], overrides: { summarizeQueue?: Pick<MessageQueue, 'send' | 'changeVisibility'> } = {}) {
    return summarizeBatch([sqsRecord({ body: s3Event(keys) })], workOptions(overrides));
}

function workOptions(overrides: { summarizeQueue?: Pick<MessageQueue, 'send' | 'changeVisibility'> } = {}) {
    return {
        bucket: 'lake',
        store,
        summarizeQueue,
        consolidateQueue,
        time: testTime(),
        now,
        log: testLog(),
        metrics: testMetrics(),
        ...overrides,
    };
}

async function sourcesSent(): Promise<string[]> {
    return (await summarizeQueue.receive()).flatMap(({ body }) => parseSourceNews(body).map(({ key }) => key));
}

async function periodsSent(): Promise<string[]> {
    return (await consolidateQueue.receive()).map(({ body }) => parsePeriodNews(body).period).sort();
}

async function inputsOf(key: string) {
    return (await readLedger(store, sourceId(key))).record?.inputs;
}

describe('news of a pointer', () => {
    test('comes to a message for each source that names another version, in the order of keys', async () => {
        await addInput(store, PREFIX, 'lock', { zero_mm: 2 });
        expect(await batch([`${PREFIX}lock.json`])).toEqual({ batchItemFailures: [] });
        expect(await sourcesSent()).toEqual([A, B, C]);
    });

    test('comes to nothing where every source has the version that holds, or for a version and not its pointer', async () => {
        expect(await batch([`${PREFIX}lock.json`, `${PREFIX}lock/1.json`, `${PREFIX}other.json`])).toEqual({ batchItemFailures: [] });
        expect(await sourcesSent()).toEqual([]);
    });

    test('leads through the queue to figures by the version that holds; of what was pruned the periods are told', async () => {
        await addInput(store, PREFIX, 'lock', { zero_mm: 2 });
        await store.delete(B);
        await retract(C, { store, now });
        await batch([`${PREFIX}lock.json`]);
        await deliver(summarizeQueue, (records) => summarizeBatch(records, workOptions()));
        expect([await inputsOf(A), await inputsOf(B), await inputsOf(C)]).toEqual([{ lock: 2 }, { lock: 1 }, { lock: 1 }]);
        expect(await periodsSent()).toEqual(['2026-01-05T11', '2026-01-05T12']);
        expect((await findUndoneWork(store, { now: NOW })).sources).toEqual([]);
    });

    test('comes back where its sources could not be told', async () => {
        await addInput(store, PREFIX, 'lock', { zero_mm: 2 });
        const broken = {
            send: () => Promise.reject(new StorageError('SQS does not answer')),
            changeVisibility: async () => undefined,
        };
        expect(await batch([`${PREFIX}lock.json`], { summarizeQueue: broken })).toEqual({ batchItemFailures: [{ itemIdentifier: 'm1' }] });
    });
});
