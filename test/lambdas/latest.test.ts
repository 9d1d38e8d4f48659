/** Lambda latest: records of a shard end in latest state, whatever they hold; what is done is known, and a broken world is tried again. */

import { openDeviceLookup } from '#lake/cloud/device-lookup';
import type { KinesisEventRecord } from '#lake/cloud/kinesis-event';
import { encodeEnvelope } from '#lake/cloud/kinesis-record';
import { openCloudWatch } from '#lake/cloud/state-watch';
import { StorageError } from '#lake/errors';
import { deviceKey } from '#lake/layout';
import { latestBatch } from '#lambdas/latest/latest-batch';
import { openMemoryCloud } from '#test/support/cloud-state';
import { openTestProfiles, START_MS, TestClock, THERMOSTAT } from '#test/support/live-world';
import { memoryStore } from '#test/support/memory-store';

const ARN = 'arn:aws:kinesis:eu-central-1:123456789012:stream/devices/consumer/latest:1';

async function openWorld() {
    const clock = new TestClock();
    const faults: string[] = [];
    const store = memoryStore();
    const profiles = await openTestProfiles(store, { clock, faults, profiles: [THERMOSTAT] });
    for (const device of ['th-1', 'th-2']) {
        const assignment = { site: 'main', device, profile: 'thermostat', ip: null, valid_from: null, valid_to: null, place: null };
        await store.put(deviceKey(device), Buffer.from(`${JSON.stringify(assignment)}\n`));
    }
    const { dynamo, state } = openMemoryCloud({ now: clock.now });
    const watch = openCloudWatch({ client: dynamo, table: dynamo.table });
    const metrics = new Map<string, number[]>();
    let count = 0;
    const record = (device: string, payload: unknown, { data }: { data?: Buffer } = {}): KinesisEventRecord => {
        count += 1;
        const bytes =
            data ??
            encodeEnvelope({
                way: 'http',
                device,
                topic: undefined,
                arrivedMs: clock.now(),
                payload: Buffer.from(JSON.stringify(payload)),
            });
        return {
            eventID: `shardId-000000000000:${count}`,
            eventSourceARN: ARN,
            kinesis: {
                sequenceNumber: String(count),
                partitionKey: device,
                data: bytes.toString('base64'),
                approximateArrivalTimestamp: clock.now() / 1000,
            },
        };
    };
    const take = (records: readonly KinesisEventRecord[], signal = new AbortController().signal) =>
        latestBatch(records, {
            ...{ state, profiles, watch, signal, now: clock.now },
            clock: () => state.clock(),
            devices: openDeviceLookup({ store, now: clock.now }),
            sourceOf: () => 'telemetry',
            streamIdOf: async (stream) => `${stream}-1`,
            log: { info: () => undefined, warn: () => undefined, error: () => undefined },
            metrics: { addMetric: (name, _, value) => metrics.set(name, [...(metrics.get(name) ?? []), value]) },
        });
    return { clock, store, dynamo, state, watch, record, take, metrics, faults };
}

test('brings each message into its device, and notes how far the shard is', async () => {
    const { state, watch, record, take, metrics, clock } = await openWorld();
    const records = [
        record('th-1', { t: START_MS, temp: 21.3, n: 1 }),
        record('th-2', { t: START_MS, batt: 80, n: 1 }),
        record('th-1', { t: START_MS + 1, temp: 21.4, n: 2 }),
    ];
    clock.pass(40);
    expect(await take(records)).toEqual({ batchItemFailures: [] });
    const items = await state.read(['th-1', 'th-2']);
    expect(items.get('th-1')?.metrics).toMatchObject({ temperature: { value: '21.40', atMs: START_MS + 1 } });
    expect(items.get('th-1')).toMatchObject({ version: 1, stream: 'devices-1', sequence: '3' });
    expect(items.get('th-2')?.metrics).toMatchObject({ battery: { value: '80' } });
    expect((await watch.places())('devices-1', 'shardId-000000000000')).toBe('3');
    expect(metrics.get('LatestLagMs')).toEqual([40, 40, 40]);
    expect(metrics.get('Messages')).toEqual([3]);
});

test('takes no record twice, in whatever parts they come again', async () => {
    const { dynamo, state, record, take } = await openWorld();
    const records = [1, 2, 3, 4].map((n) => record('th-1', { t: START_MS + n, temp: n % 2 === 0 ? 20 : 31, n }));
    await take(records);
    const [before, told] = [await state.read(['th-1']), dynamo.records.length];
    await take(records.slice(2));
    await take(records);
    expect(await state.read(['th-1'])).toEqual(before);
    expect(dynamo.records.slice(told)).toEqual([]);
});

test('what is no message holds up nobody, and is counted', async () => {
    const { state, record, take, metrics } = await openWorld();
    const records = [
        record('th-1', {}, { data: Buffer.from([0, 255, 1]) }),
        record('nobody', { t: START_MS, temp: 1 }),
        record('th-1', { t: START_MS, temp: 20 }),
        record('th-2', 'no object'),
    ];
    expect(await take(records)).toEqual({ batchItemFailures: [] });
    const items = await state.read(['th-1', 'th-2']);
    expect(items.get('th-1')?.metrics).toMatchObject({ temperature: { value: '20.00' } });
    expect(items.get('th-2')).toMatchObject({ rejected: 1, metrics: {} });
    expect([metrics.get('Messages'), metrics.get('Rejected'), metrics.get('Unassigned')]).toEqual([[4], [2], [1]]);
    expect(metrics.get('PutAside')).toEqual([1]);
});

test('gives back what the time does not reach for', async () => {
    const { record, take } = await openWorld();
    const over = new AbortController();
    over.abort();
    expect(await take([record('th-1', { temp: 1 }), record('th-1', { temp: 2 })], over.signal)).toEqual({
        batchItemFailures: [{ itemIdentifier: '1' }],
    });
});

test('fails where the table cannot be reached, and goes on behind it', async () => {
    const { dynamo, state, record, take } = await openWorld();
    const records = [record('th-1', { t: START_MS, temp: 31 }), record('th-2', { t: START_MS, temp: 31 })];
    dynamo.fate = (when, operation) => {
        if (when === 'before' && operation === 'TransactWriteItems') {
            throw Object.assign(new Error('no access'), { name: 'AccessDeniedException', $metadata: { httpStatusCode: 400 } });
        }
    };
    await expect(take(records)).rejects.toThrow(StorageError);
    dynamo.fate = () => undefined;
    await take(records);
    expect((await state.alerts({ limit: 9, after: undefined })).answer.items.map(({ device }) => device).sort()).toEqual(['th-1', 'th-2']);
});

test('tells that a silent device is there again', async () => {
    const { dynamo, watch, record, take, clock } = await openWorld();
    const lookedMs = clock.now();
    await watch.noteLook({ nowMs: lookedMs, watermarkMs: lookedMs, watchedSinceMs: lookedMs, isPipelineLate: false });
    await take([record('th-1', { t: clock.now(), temp: 20, n: 1 })]);
    clock.pass(20_000);
    await take([record('th-1', { t: clock.now(), temp: 20, n: 2 })]);
    clock.pass(250_000);
    await take([record('th-1', { t: clock.now(), temp: 20, n: 3 })]);
    const told = dynamo.records.map(({ dynamodb }) => dynamodb.NewImage).filter((image) => image?.is?.S === 'device');
    expect(told.map((image) => image?.told_state?.S)).toEqual(['online', undefined, 'online']);
});

test('a device that comes by two streams is taken once from each', async () => {
    const { dynamo, state, record, take } = await openWorld();
    const [first, second] = [record('th-1', { t: START_MS, temp: 1, n: 1 }), record('th-1', { t: START_MS + 1, temp: 2, n: 2 })];
    const other = {
        ...record('th-1', { t: START_MS + 2, temp: 3, n: 3 }),
        eventSourceARN: ARN.replace('stream/devices', 'stream/programs'),
    };
    await take([first, second]);
    await take([other]);
    const told = dynamo.records.length;
    await take([first, second]);
    expect(dynamo.records).toHaveLength(told);
    expect((await state.read(['th-1'])).get('th-1')).toMatchObject({ late: 0, places: { 'devices-1': '2' } });
});
