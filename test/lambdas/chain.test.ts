/** Lambda `chain`: whatever a batch holds is in the chain and in the index once it is answered, and nothing that a record says can stop it. */
import { gunzipSync } from 'node:zlib';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { openDeviceLookup } from '#lake/cloud/device-lookup';
import { allowPrograms } from '#lake/credentials';
import { registerDevice } from '#lake/devices';
import { StorageError, UsageError } from '#lake/errors';
import { chainKey } from '#lake/layout';
import type { DatasetIndex } from '#lake/live/datasets';
import type { ObjectStore } from '#lake/store/object-store';
import { type ChainMessage, decodeLine } from '#lake/telemetry/chain-line';
import { type ChainAppenderOptions, openChainAppender } from '#lambdas/chain/append-batch';
import { aggregatedRecord } from '#test/support/aggregated-record';
import { memoryDatasets } from '#test/support/memory-datasets';
import { memoryStore } from '#test/support/memory-store';
import { kinesisRecord, type TestTime, testLog, testMetrics, testTime } from './surroundings.ts';

const NOW_MS = Date.UTC(2026, 0, 5, 10);
const ARRIVED_MS = NOW_MS - 61_234;
const SHARD = 'shardId-000000000000';
const PLACE = { kind: 'telemetry', stream: 'programs-1767000000', shard: SHARD };

let store: ObjectStore;
let index: DatasetIndex;
let time: TestTime;
let log: ReturnType<typeof testLog>;
let metrics: ReturnType<typeof testMetrics>;

beforeEach(async () => {
    store = memoryStore();
    index = memoryDatasets();
    time = testTime();
    log = testLog();
    metrics = testMetrics();
    await registerDevice(store, { device: 'th-1', profile: 'thermostat' }, { today: '2026-01-05' });
    await allowPrograms(store, 'th-1', { now: new Date(0) });
});

function openAppender(options: Partial<ChainAppenderOptions> = {}) {
    const appender = openChainAppender({
        ...{ store, index },
        devices: openDeviceLookup({ store: options.store ?? store, now: () => NOW_MS }),
        sourceOf: (stream) => (stream === 'programs' ? 'programs' : 'telemetry'),
        streamIdOf: async (stream) => `${stream}-1767000000`,
        assertOneBatchAtATime: async () => undefined,
        now: () => new Date(NOW_MS),
        ...options,
    });
    return (records: ReturnType<typeof kinesisRecord>[]) => appender.append(records, { time, log, metrics });
}

const recordsOf = (...numbers: number[]) =>
    numbers.map((n) => kinesisRecord({ stream: 'programs', sequence: `${n}`, data: `{"n":${n}}`, arrivedMs: ARRIVED_MS }));

async function messagesAt(key: string): Promise<ChainMessage[]> {
    const lines = gunzipSync((await store.get(key))?.bytes ?? Buffer.of())
        .toString()
        .trimEnd()
        .split('\n');
    return lines.map(decodeLine).flatMap((line) => (line.is === 'message' ? [line.message] : []));
}

describe('a batch', () => {
    test('is an object of the chain and an item of the index, with what was in it, and how late it was', async () => {
        const append = openAppender();
        const aggregated = aggregatedRecord([
            { key: 'th-1', data: '{"n":3}' },
            { key: 'th-2', data: '{"n":4}' },
        ]);
        const last = kinesisRecord({ stream: 'programs', sequence: '5', key: 'a', data: aggregated, arrivedMs: ARRIVED_MS + 1 });
        expect(await append([...recordsOf(1, 2), last])).toEqual({ batchItemFailures: [] });
        const key = chainKey(PLACE, '0');
        expect(
            (await messagesAt(key)).map(({ sequence, device, arrivedMs, refused }) => [sequence, device, arrivedMs, refused !== undefined]),
        ).toEqual([
            ['1', 'th-1', ARRIVED_MS, false],
            ['2', 'th-1', ARRIVED_MS, false],
            ['5', 'th-1', ARRIVED_MS + 1, false],
            ['5', undefined, ARRIVED_MS + 1, true],
        ]);
        expect((await index.get(key))?.chain).toEqual({
            ...{ first: '1', last: '5', firstArrivedMs: ARRIVED_MS, lastArrivedMs: ARRIVED_MS + 1, messages: 4, refused: 1 },
            ...{ deviceCount: 1, devices: ['th-1'], profiles: { thermostat: 3 } },
        });
        expect(metrics.values).toMatchObject({
            MessagesAppended: [4],
            MessagesAside: [1],
            ObjectsAppended: [1],
            Conflicts: [0],
            ChainLagMs: [61_234],
        });
    });

    test('that comes again adds nothing; one that goes on behind it adds the rest', async () => {
        await openAppender()(recordsOf(1, 2));
        const append = openAppender();
        await append(recordsOf(1, 2));
        await append(recordsOf(2, 3));
        expect((await messagesAt(chainKey(PLACE, '2'))).map(({ sequence }) => sequence)).toEqual(['3']);
        expect(metrics.values).toMatchObject({ MessagesAppended: [2, 0, 1], ObjectsAppended: [1, 0, 1] });
    });

    test('keeps a thousand messages of a device that are put aside in an hour, and the number of the others in the same object', async () => {
        const append = openAppender();
        const foreign = (from: number, count: number) =>
            Array.from({ length: count }, (_, at) =>
                kinesisRecord({ stream: 'programs', sequence: `${from + at}`, data: Buffer.alloc(131_073), arrivedMs: ARRIVED_MS }),
            );
        await append([...foreign(1, 900), ...recordsOf(901)]);
        // The same once more, in other pieces, counts once.
        await append([...foreign(1, 900), ...recordsOf(901)]);
        await append([...foreign(902, 150), ...recordsOf(1052)]);
        const second = await messagesAt(chainKey(PLACE, '901'));
        expect(second).toHaveLength(102);
        expect(second.at(-2)).toMatchObject({
            sequence: '1051',
            refused: '50 more messages of the hour from 2026-01-05T09:00Z on were put aside, and not kept',
        });
        await append(foreign(1053, 7));
        expect((await messagesAt(chainKey(PLACE, '1052'))).map(({ refused }) => refused)).toEqual([
            '7 more messages of the hour from 2026-01-05T09:00Z on were put aside, and not kept',
        ]);
        expect(metrics.values.MessagesDropped).toEqual([0, 0, 50, 7]);
    });

    test('of which the time reaches for a part alone appends that, and has the others come again', async () => {
        let reads = 0;
        const devices = openDeviceLookup({ store, now: () => NOW_MS });
        const slow: typeof devices = {
            ...devices,
            find: async (...rest) => {
                reads += 1;
                if (reads === 700) {
                    time.runOut();
                }
                return devices.find(...rest);
            },
        };
        const all = recordsOf(...Array.from({ length: 1_700 }, (_, at) => at + 1));
        expect(await openAppender({ devices: slow })(all)).toEqual({ batchItemFailures: [{ itemIdentifier: '1001' }] });
        expect(await messagesAt(chainKey(PLACE, '0'))).toHaveLength(1_000);
        expect(metrics.values.RecordsReturned).toEqual([700]);
    });
});

describe('a broken world', () => {
    test('is no answer: nothing is appended of a batch whose devices cannot be looked up', async () => {
        const broken = { ...store, get: () => Promise.reject(new StorageError('S3 does not answer')) };
        await expect(openAppender({ store: broken })(recordsOf(1))).rejects.toThrow('S3 does not answer');
        for await (const { key } of store.list('raw/')) {
            throw new Error(`${key} was written`);
        }
    });

    test('in the middle of a batch has the first record that could not be read come again', async () => {
        const isBroken = (key: string): boolean => key.includes('th-broken');
        const broken: ObjectStore = {
            ...store,
            get: (key) => (isBroken(key) ? Promise.reject(new StorageError('S3 does not answer')) : store.get(key)),
        };
        const all = recordsOf(...Array.from({ length: 501 }, (_, at) => at + 1));
        const last = kinesisRecord({ stream: 'programs', sequence: '502', key: 'th-broken' });
        expect(await openAppender({ store: broken })([...all, last])).toEqual({ batchItemFailures: [{ itemIdentifier: '501' }] });
        expect(await messagesAt(chainKey(PLACE, '0'))).toHaveLength(500);
    });

    test('is an event of two shards, of no stream, or of one that is none of the lake’s', async () => {
        const append = openAppender({
            sourceOf: (stream) => {
                throw new UsageError(`the event is of stream ${stream}`);
            },
        });
        await expect(append([kinesisRecord({ shard: 'a' }), kinesisRecord({ shard: 'b' })])).rejects.toThrow('not of one shard');
        await expect(append([{ ...kinesisRecord(), eventSourceARN: 'arn:aws:sqs:eu-central-1:0:q' }])).rejects.toThrow('not of one shard');
        await expect(append([kinesisRecord({ stream: 'other' })])).rejects.toThrow('the event is of stream other');
    });
});

describe('a function that gets several batches of a shard at once', () => {
    test('works on none', async () => {
        const append = openAppender({
            assertOneBatchAtATime: () => Promise.reject(new UsageError('the function gets 2 batches of a shard')),
        });
        await expect(append(recordsOf(1))).rejects.toThrow('gets 2 batches of a shard');
        await expect(append(recordsOf(1))).rejects.toThrow('gets 2 batches of a shard');
    });

    test('is asked about once, and again where it could not be told', async () => {
        const answers = [Promise.reject(new StorageError('Lambda does not answer')), Promise.resolve()];
        let asked = 0;
        const append = openAppender({ assertOneBatchAtATime: () => answers[asked++] ?? Promise.reject(new UsageError('asked too often')) });
        await append(recordsOf(1));
        await append(recordsOf(2));
        await append(recordsOf(3));
        expect(asked).toBe(2);
        expect(log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
    });
});
