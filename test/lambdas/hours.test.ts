/** Periods by the hour in a deployment that holds them back: they wait in a queue of their own, and come to the same figures. */
import { beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { SQSRecord } from 'aws-lambda';
import { isConsolidated } from '#lake/commit/consolidate';
import { HOURS_DELAY_SECONDS } from '#lake/deployment';
import { StorageError } from '#lake/errors';
import { addInput } from '#lake/inputs';
import type { MessageQueue } from '#lake/queue/message-queue';
import type { ObjectStore } from '#lake/store/object-store';
import { consolidateBatch } from '#lambdas/consolidate/consolidate-batch';
import { summarizeBatch } from '#lambdas/summarize/summarize-batch';
import { gauges } from '#test/kinds/gauges';
import { knowAlso } from '#test/support/know-also';
import { memoryQueue } from '#test/support/memory-queue';
import { memoryStore } from '#test/support/memory-store';
import { deliver, s3Event, sqsRecord, testLog, testMetrics, testTime } from './surroundings.ts';

const KEYS = ['raw/kind=gauges/a.gauge', 'raw/kind=gauges/b.gauge'];
const HOUR = { table: gauges.merged.name, period: '2026-01-05T10' };

let nowMs: number;
let store: ObjectStore;
let queues: Record<'summarizeQueue' | 'consolidateQueue' | 'hoursQueue', MessageQueue>;

const now = (): Date => new Date(nowMs);

beforeAll(() => knowAlso(gauges));

beforeEach(async () => {
    nowMs = Date.parse('2026-03-02T00:00:00Z');
    store = memoryStore({ now });
    queues = {
        summarizeQueue: memoryQueue({ name: 'summarize', now }),
        consolidateQueue: memoryQueue({ name: 'consolidate.fifo', isFifo: true, now }),
        hoursQueue: memoryQueue({ name: 'hours.fifo', isFifo: true, delaySeconds: HOURS_DELAY_SECONDS, now }),
    };
    await addInput(store, gauges.inputs?.prefix ?? '', 'lock', { zero_mm: 1 });
    for (const [at, key] of KEYS.entries()) {
        await store.put(key, Buffer.from(`instant,gauge,level\nscale lock\n2026-01-05T10:0${at}:00Z,pier,10\n`));
    }
    await summarizeBatch([sqsRecord({ body: s3Event(KEYS) })], options());
});

function options(inStore = store) {
    return { bucket: 'lake', store: inStore, ...queues, time: testTime(), now, log: testLog(), metrics: testMetrics() };
}

/** What Lambda does with the messages of the hours queue: each record says where it comes from. */
function deliverHours(inStore = store): Promise<string[]> {
    const ofHours = (record: SQSRecord): SQSRecord => ({ ...record, eventSourceARN: 'arn:aws:sqs:us-east-1:000000000000:hours.fifo' });
    return deliver(queues.hoursQueue, (records) => consolidateBatch(records.map(ofHours), options(inStore)));
}

test('two sources of one hour are one message, which is held back for six minutes and then merges both', async () => {
    expect(await queues.hoursQueue.depth()).toEqual({ waiting: 1, inFlight: 0 });
    expect(await queues.consolidateQueue.depth()).toEqual({ waiting: 0, inFlight: 0 });
    expect(await deliverHours()).toEqual([]);
    expect(await isConsolidated(HOUR, { store })).toBe(false);
    nowMs += HOURS_DELAY_SECONDS * 1000;
    expect(await deliverHours()).toEqual([]);
    expect(await isConsolidated(HOUR, { store })).toBe(true);
    expect(await queues.hoursQueue.depth()).toEqual({ waiting: 0, inFlight: 0 });
});

test('an hour that fails comes back to the queue that it came from, after ten seconds', async () => {
    nowMs += HOURS_DELAY_SECONDS * 1000;
    const broken = { ...store, put: () => Promise.reject(new StorageError('S3 does not answer')) };
    expect(await deliverHours(broken)).toHaveLength(1);
    nowMs += 9_000;
    expect(await deliverHours()).toEqual([]);
    expect(await isConsolidated(HOUR, { store })).toBe(false);
    nowMs += 1_000;
    await deliverHours();
    expect(await isConsolidated(HOUR, { store })).toBe(true);
});
