/** Latest state on a server that speaks DynamoDB: the histories end there as in memory, the API keeps its contract, and lists are in their order. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
    type AttributeValue,
    CreateTableCommand,
    DeleteTableCommand,
    DescribeTableCommand,
    paginateScan,
    ScanCommand,
} from '@aws-sdk/client-dynamodb';
import { CreateStreamCommand, DescribeStreamSummaryCommand, PutRecordCommand, SplitShardCommand } from '@aws-sdk/client-kinesis';
import { expect, test } from '@jest/globals';
import { createKinesisClient } from '#lake/cloud/kinesis-stream';
import { createDynamoClient, openCloudState } from '#lake/cloud/state-store';
import { STATE_TABLE } from '#lake/cloud/state-table';
import { openCloudWatch } from '#lake/cloud/state-watch';
import { watermarkOf } from '#lake/cloud/stream-progress';
import { newItem } from '#lake/live/latest';
import type { LiveEpisode, StateChange } from '#lake/live/state-store';
import { playCloudSeed, type TableServer } from '#test/live-histories/play-cloud';

const client = createDynamoClient({ environment: process.env });

async function withTable<T>(use: (table: string) => Promise<T>): Promise<T> {
    const table = `state-${process.pid}-${Math.random().toString(36).slice(2)}`;
    const { partitionKey, sortKey, indexes } = STATE_TABLE;
    const keys = [partitionKey, sortKey, ...Object.values(indexes).flatMap((index) => [index.partitionKey, index.sortKey])];
    const schemaOf = (hash: { name: string }, range: { name: string }) => [
        { AttributeName: hash.name, KeyType: 'HASH' as const },
        { AttributeName: range.name, KeyType: 'RANGE' as const },
    ];
    await client.send(
        new CreateTableCommand({
            TableName: table,
            BillingMode: 'PAY_PER_REQUEST',
            AttributeDefinitions: [...new Map(keys.map((key) => [key.name, key])).values()].map(({ name, type }) => ({
                AttributeName: name,
                AttributeType: type,
            })),
            KeySchema: schemaOf(partitionKey, sortKey),
            GlobalSecondaryIndexes: Object.entries(indexes).map(([name, { projected, ...index }]) => ({
                IndexName: name,
                KeySchema: schemaOf(index.partitionKey, index.sortKey),
                Projection:
                    projected.length === 0
                        ? { ProjectionType: 'KEYS_ONLY' as const }
                        : { ProjectionType: 'INCLUDE' as const, NonKeyAttributes: [...projected] },
            })),
        }),
    );
    try {
        while ((await client.send(new DescribeTableCommand({ TableName: table }))).Table?.TableStatus !== 'ACTIVE') {
            await sleep(50);
        }
        return await use(table);
    } finally {
        await client.send(new DeleteTableCommand({ TableName: table }));
    }
}

/** Each waits for the server some hundred times. */
const HISTORIES = 5;

const NOW_MS = 1_767_607_200_000;

const alertOf = (device: string, beganMs: number): LiveEpisode => ({
    ...{ id: `${device}~hot~${beganMs}`, site: 'main', device, profile: 'p', rule: 'hot', kind: 'alert', severity: 'warning' },
    ...{ began_ms: beganMs, ended_ms: null, worst: '31.500', readings: 1, raised_ms: NOW_MS, why: 'too warm' },
});

const changeOf = (device: string, version: number, alerts: LiveEpisode[] = []): StateChange => ({
    item: { ...newItem(device, 's'), site: 'main', profile: 'p', version, sequence: String(version), open: alerts },
    alerts,
    events: alerts.map((alert) => ({ kind: 'raised', alert })),
});

test('a device is written on condition of its version, with its alerts and events or not at all', () =>
    withTable(async (table) => {
        const open = () => openCloudState({ client, table, now: () => NOW_MS });
        const [one, other] = [open(), open()];
        const first = changeOf('a', 1, [alertOf('a', NOW_MS)]);
        const written = await Promise.all([one, other].map((state) => state.write({ changes: [first], nowMs: NOW_MS })));
        expect(written.sort()).toEqual([false, true]);
        const racers = Array.from({ length: 20 }, (_, n) => ({
            changes: [changeOf('a', 2, [alertOf('a', NOW_MS + n + 1)])],
            nowMs: NOW_MS,
        }));
        const raced = await Promise.all(racers.map((batch, n) => (n % 2 === 0 ? one : other).write(batch)));
        expect(raced.filter(Boolean)).toHaveLength(1);
        const { Items = [] } = await client.send(new ScanCommand({ TableName: table }));
        expect(Items.map(({ is }) => is?.S).sort()).toEqual(['alert', 'alert', 'device', 'events', 'events']);
        expect((await one.read(['a', 'none'])).get('a')).toMatchObject({ version: 2, sequence: '2' });
    }));

test('lists are in their order, page after page', () =>
    withTable(async (table) => {
        const state = openCloudState({ client, table, now: () => NOW_MS });
        const devices = ['Z', 'a', 'a-b', 'a.b', 'a:b', 'b', ...Array.from({ length: 120 }, (_, n) => `n${n}`)];
        await state.write({ changes: devices.map((device, n) => changeOf(device, 1, [alertOf(device, NOW_MS + (n % 7))])), nowMs: NOW_MS });
        const ids: string[] = [];
        for (let more = true; more; ) {
            const { items, hasMore } = (await state.devices({ after: ids.at(-1), limit: 50 })).answer;
            ids.push(...items.map(({ item }) => item.device));
            more = hasMore;
        }
        expect(ids).toEqual([...devices].sort());
        expect((await state.devices({ after: undefined, prefix: 'a', limit: 9 })).answer.items.map(({ item }) => item.device)).toEqual([
            'a',
            'a-b',
            'a.b',
            'a:b',
        ]);
        expect((await state.devices({ after: undefined, site: 'none', limit: 9 })).answer.items).toEqual([]);
        const alerts: LiveEpisode[] = [];
        for (let more = true; more; ) {
            const last = alerts.at(-1);
            const after = last && { beganMs: last.began_ms, id: last.id };
            const { items, hasMore } = (await state.alerts({ after, state: 'open', limit: 50 })).answer;
            alerts.push(...items);
            more = hasMore;
        }
        const sorted = [...alerts].sort((a, b) => b.began_ms - a.began_ms || Buffer.compare(Buffer.from(b.id), Buffer.from(a.id)));
        expect(alerts).toEqual(sorted);
        expect(alerts).toHaveLength(devices.length);
        expect(alerts[0]).toMatchObject({ worst: '31.500' });
        const [id = ''] = alerts.map((alert) => alert.id);
        expect(await state.acknowledge({ id, by: 'anna', note: 'seen' })).toMatchObject({ is: 'acknowledged' });
        expect(await state.acknowledge({ id, by: 'ben', note: '' })).toMatchObject({
            is: 'taken',
            alert: { acknowledged: { by: 'anna' } },
        });
        expect((await state.alerts({ after: undefined, state: 'acknowledged', limit: 9 })).answer.items.map((alert) => alert.id)).toEqual([
            id,
        ]);
        expect((await state.fleet()).answer).toMatchObject({ devices: { unknown: devices.length }, unacknowledged: devices.length - 1 });
    }));

test('what the watch notes is there for the API, and places of shards only grow', () =>
    withTable(async (table) => {
        const watch = openCloudWatch({ client, table });
        const place = (sequence: string) => watch.notePlace({ stream: 's', shard: 'shard-1', sequence, arrivedMs: NOW_MS });
        await place('9');
        await place('10');
        await place('2');
        expect((await watch.places())('s', 'shard-1')).toBe('10');
        expect((await watch.places())('s', 'shard-2')).toBeUndefined();
        await watch.noteLook({ nowMs: NOW_MS, watermarkMs: NOW_MS - 1, watchedSinceMs: NOW_MS - 2, isPipelineLate: true });
        const late = { kind: 'pipeline_late', since_ms: NOW_MS - 1, why: 'a test' } as const;
        expect([await watch.notePipeline(late, NOW_MS), await watch.notePipeline(late, NOW_MS + 1)]).toEqual([true, false]);
        expect(await openCloudState({ client, table, now: () => NOW_MS }).clock()).toMatchObject({
            isPipelineLate: true,
            watermarkMs: NOW_MS - 1,
        });
    }));

test('whether latest state is level with the streams is asked of Kinesis, shard by shard, over a split', async () => {
    const kinesis = createKinesisClient({ environment: process.env });
    const name = `level-${process.pid}`;
    await kinesis.send(new CreateStreamCommand({ StreamName: name, ShardCount: 1 }));
    const isActive = async () => {
        while (
            (await kinesis.send(new DescribeStreamSummaryCommand({ StreamName: name }))).StreamDescriptionSummary?.StreamStatus !== 'ACTIVE'
        ) {
            await sleep(50);
        }
    };
    await isActive();
    const put = async () => {
        const { SequenceNumber = '', ShardId = '' } = await kinesis.send(
            new PutRecordCommand({ StreamName: name, PartitionKey: 'd1', Data: Buffer.from('{}') }),
        );
        return { sequence: SequenceNumber, shard: ShardId };
    };
    const places = new Map<string, string>();
    const nowMs = Date.now() + 60_000;
    const watermark = () =>
        watermarkOf((id, shard) => places.get(`${id} ${shard}`), { client: kinesis, streams: [{ name, id: 'level-1' }], now: () => nowMs });
    const note = ({ shard, sequence }: { shard: string; sequence: string }) => places.set(`level-1 ${shard}`, sequence);
    // Nothing is there, so nothing waits.
    expect(await watermark()).toBe(nowMs);
    const beganMs = Date.now();
    const [first, second] = [await put(), await put()];
    expect(await watermark()).toBeLessThanOrEqual(Date.now());
    expect(await watermark()).toBeGreaterThan(beganMs - 2_000);
    note(first);
    expect(await watermark()).toBeLessThan(nowMs);
    note(second);
    expect(await watermark()).toBe(nowMs);
    await kinesis.send(new SplitShardCommand({ StreamName: name, ShardToSplit: first.shard, NewStartingHashKey: (2n ** 127n).toString() }));
    await isActive();
    expect(await watermark()).toBe(nowMs);
    const third = await put();
    expect(third.shard).not.toBe(first.shard);
    expect(await watermark()).toBeLessThan(nowMs);
    note(third);
    expect(await watermark()).toBe(nowMs);
    // A place of another stream of that name: what this one holds is behind it.
    note({ ...third, sequence: '12345' });
    expect(await watermark()).toBeLessThan(nowMs);
});

test('random histories end as a plain recompute says', async () => {
    for (let seed = 1; seed <= HISTORIES; seed += 1) {
        const found = await withTable((table) => playCloudSeed(seed, { server: serverOf(table) }));
        expect([seed, found]).toEqual([seed, undefined]);
    }
});

/** The table of the server. Events are read out of their records: their places are in the order of a device's versions. */
function serverOf(table: string): TableServer {
    const items = async () => {
        const found: Record<string, AttributeValue>[] = [];
        for await (const { Items = [] } of paginateScan({ client }, { TableName: table, ConsistentRead: true })) {
            found.push(...Items);
        }
        return found;
    };
    return {
        ...{ client, table, items },
        changes: async () =>
            (await items())
                .filter(({ is }) => is?.S === 'events')
                .sort((a, b) => `${a.part?.S} ${a.place?.S}`.localeCompare(`${b.part?.S} ${b.place?.S}`, 'en'))
                .map((NewImage) => ({ eventName: 'INSERT', dynamodb: { NewImage } })),
    };
}
