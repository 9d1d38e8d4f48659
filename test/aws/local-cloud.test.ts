/** What the local AWS was taught of streams: shown with a few raw calls each, so that the tests that stand on it stand on something. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { DeleteItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import {
    DescribeStreamSummaryCommand,
    GetRecordsCommand,
    GetShardIteratorCommand,
    ListShardsCommand,
    MergeShardsCommand,
    RegisterStreamConsumerCommand,
    SplitShardCommand,
    UpdateShardCountCommand,
} from '@aws-sdk/client-kinesis';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { makeFolder } from '#test/support/temporary';
import { type LocalCloud, openLocalCloud, waitUntil } from './support/local-cloud.ts';

let cloud: LocalCloud;

beforeAll(async () => {
    cloud = await openLocalCloud({ folder: await makeFolder() });
});

afterAll(async () => {
    await cloud.stop();
});

const textsOf = (from: number, until: number) => Array.from({ length: until - from }, (_, at) => `t${from + at}`);
const recordsOf = (texts: readonly string[], key = 'device') => texts.map((data) => ({ key, data }));

describe('a stream', () => {
    test('keeps what stands in a shard that a reshard closes, and tells its end and its children', async () => {
        const { name } = await cloud.makeStream();
        await cloud.put(name, recordsOf(textsOf(0, 3)));
        await cloud.kinesis.send(
            new SplitShardCommand({ StreamName: name, ShardToSplit: 'shardId-000000000000', NewStartingHashKey: String(2n ** 127n) }),
        );
        await cloud.put(name, recordsOf(textsOf(3, 5)));
        const { Shards = [] } = await cloud.kinesis.send(new ListShardsCommand({ StreamName: name }));
        expect(Shards.map(({ ShardId, ParentShardId }) => [ShardId?.slice(-1), ParentShardId?.slice(-1)])).toEqual([
            ['0', undefined],
            ['1', '0'],
            ['2', '0'],
        ]);
        expect(Shards.map(({ SequenceNumberRange }) => SequenceNumberRange?.EndingSequenceNumber !== undefined)).toEqual([
            true,
            false,
            false,
        ]);
        const { ShardIterator } = await cloud.kinesis.send(
            new GetShardIteratorCommand({ StreamName: name, ShardId: 'shardId-000000000000', ShardIteratorType: 'TRIM_HORIZON' }),
        );
        const read = await cloud.kinesis.send(new GetRecordsCommand({ ShardIterator }));
        expect(read.Records?.map(({ Data }) => Buffer.from(Data ?? []).toString())).toEqual(textsOf(0, 3));
        expect(read.NextShardIterator).toBeUndefined();
        expect(read.ChildShards?.map(({ ShardId }) => ShardId?.slice(-1))).toEqual(['1', '2']);
        const { StreamDescriptionSummary } = await cloud.kinesis.send(new DescribeStreamSummaryCommand({ StreamName: name }));
        expect(StreamDescriptionSummary?.OpenShardCount).toBe(2);
    });

    test('gives sequence numbers of 56 digits that grow for a key over a reshard', async () => {
        const { name } = await cloud.makeStream({ shards: 2 });
        const sequenceOf = async () => (await cloud.put(name, recordsOf(['x']))).Records?.[0]?.SequenceNumber ?? '';
        const sequences = [await sequenceOf(), await sequenceOf()];
        const [first, second] = ['shardId-000000000000', 'shardId-000000000001'];
        await cloud.kinesis.send(new MergeShardsCommand({ StreamName: name, ShardToMerge: first, AdjacentShardToMerge: second }));
        sequences.push(await sequenceOf(), await sequenceOf());
        expect(sequences.map(({ length }) => length)).toEqual([56, 56, 56, 56]);
        expect(sequences.map(BigInt)).toEqual(sequences.map(BigInt).sort((a, b) => (a < b ? -1 : 1)));
        await expect(
            cloud.kinesis.send(new MergeShardsCommand({ StreamName: name, ShardToMerge: first, AdjacentShardToMerge: second })),
        ).rejects.toThrow('already closed');
    });

    test('is doubled and halved; one on demand only as AWS does it itself', async () => {
        const { name } = await cloud.makeStream({ shards: 2 });
        const scale = (StreamName: string, TargetShardCount: number) =>
            cloud.kinesis.send(new UpdateShardCountCommand({ StreamName, TargetShardCount, ScalingType: 'UNIFORM_SCALING' }));
        await scale(name, 4);
        await scale(name, 2);
        await expect(scale(name, 5)).rejects.toThrow('doubled or halved');
        const summary = async (StreamName: string) =>
            (await cloud.kinesis.send(new DescribeStreamSummaryCommand({ StreamName }))).StreamDescriptionSummary?.OpenShardCount;
        expect(await summary(name)).toBe(2);
        const onDemand = await cloud.makeStream({ isOnDemand: true });
        expect(await summary(onDemand.name)).toBe(4);
        await expect(scale(onDemand.name, 8)).rejects.toThrow('ON_DEMAND');
        await cloud.act('scale-on-demand-stream', { StreamName: onDemand.name, TargetShardCount: 8 });
        expect(await summary(onDemand.name)).toBe(8);
    });

    test('refuses single records as throttled by a lever, and above what a shard takes', async () => {
        const { name } = await cloud.makeStream();
        await cloud.levers({ 'kinesis.throttle_every': 3 });
        const some = await cloud.put(name, recordsOf(textsOf(0, 9)));
        await cloud.levers({ 'kinesis.throttle_every': 0, 'kinesis.shard_limits': true });
        expect(some.FailedRecordCount).toBe(3);
        expect(some.Records?.filter(({ ErrorCode }) => ErrorCode === 'ProvisionedThroughputExceededException')).toHaveLength(3);
        const answers = await Promise.all(Array.from({ length: 6 }, () => cloud.put(name, recordsOf(textsOf(0, 500)))));
        await cloud.levers({ 'kinesis.shard_limits': false });
        expect(answers.reduce((sum, { FailedRecordCount = 0 }) => sum + FailedRecordCount, 0)).toBeGreaterThan(0);
        await expect(cloud.levers({ 'kinesis.nothing': 1 })).rejects.toThrow('There is no lever');
    });
});

describe('an event source on a stream', () => {
    test('hands on from the lowest failure that is reported, and gives up after the attempts', async () => {
        const { name, arn } = await cloud.makeStream();
        const queue = await cloud.makeQueue();
        const failing = await cloud.makeFunction(`
            return { batchItemFailures: records.filter(({ data }) => data === 't3').map(({ sequence }) => ({ itemIdentifier: sequence })) };
        `);
        const { Records = [] } = await cloud.put(name, recordsOf(textsOf(0, 6)));
        await cloud.map(failing.name, arn, {
            BatchSize: 10,
            FunctionResponseTypes: ['ReportBatchItemFailures'],
            MaximumRetryAttempts: 1,
            DestinationConfig: { OnFailure: { Destination: queue.arn } },
        });
        const [told = ''] = await cloud.receive(queue.url, 20);
        expect(failing.invocations().map(({ records }) => records.map(({ data }) => data))).toEqual([textsOf(0, 6), textsOf(3, 6)]);
        expect(JSON.parse(told)).toMatchObject({
            version: '1.0',
            requestContext: { condition: 'RetryAttemptsExhausted', approximateInvokeCount: 2 },
            KinesisBatchInfo: {
                shardId: 'shardId-000000000000',
                startSequenceNumber: Records[3]?.SequenceNumber,
                endSequenceNumber: Records[5]?.SequenceNumber,
                batchSize: 3,
                streamArn: arn,
            },
        });
        // The next batch is not held up.
        await cloud.put(name, recordsOf(['t6']));
        await waitUntil(() => failing.taken().includes('t6'), 'the next record');
    });

    test('bisects what throws, and gives up only what cannot be taken', async () => {
        const { name, arn } = await cloud.makeStream();
        const queue = await cloud.makeQueue();
        const throwing = await cloud.makeFunction(`if (texts.includes('t5')) { throw new Error('poison'); }`);
        const { Records = [] } = await cloud.put(name, recordsOf(textsOf(0, 8)));
        await cloud.map(throwing.name, arn, {
            BatchSize: 8,
            BisectBatchOnFunctionError: true,
            MaximumRetryAttempts: 1,
            DestinationConfig: { OnFailure: { Destination: queue.arn } },
        });
        const [told = ''] = await cloud.receive(queue.url, 20);
        const well = () =>
            throwing
                .invocations()
                .map(({ records }) => records.map(({ data }) => data))
                .filter((texts) => !texts.includes('t5'));
        await waitUntil(() => well().flat().includes('t7'), 'the last record');
        expect(JSON.parse(told).KinesisBatchInfo).toMatchObject({ batchSize: 1, startSequenceNumber: Records[5]?.SequenceNumber });
        const taken = throwing.invocations().map(({ records }) => records.map(({ data }) => data));
        expect(well().flat()).toEqual(textsOf(0, 8).filter((text) => text !== 't5'));
        expect(Math.max(...taken.slice(1).map(({ length }) => length))).toBe(4);
    });

    test('gives up what is older than the record age that it takes', async () => {
        const { name, arn } = await cloud.makeStream();
        const queue = await cloud.makeQueue();
        const throwing = await cloud.makeFunction(`throw new Error('always');`);
        await cloud.put(name, recordsOf(['t0']));
        await cloud.map(throwing.name, arn, {
            MaximumRecordAgeInSeconds: 3,
            DestinationConfig: { OnFailure: { Destination: queue.arn } },
        });
        const [told = ''] = await cloud.receive(queue.url, 20);
        expect(JSON.parse(told).requestContext.condition).toBe('RecordAgeExceeded');
        expect(throwing.invocations().length).toBeGreaterThan(1);
    });

    test('waits for its window, and splits no key over workers at once', async () => {
        const { name, arn } = await cloud.makeStream();
        const windowed = await cloud.makeFunction();
        await cloud.map(windowed.name, arn, { MaximumBatchingWindowInSeconds: 3, BatchSize: 1000 });
        await cloud.put(name, recordsOf(['t0']));
        await sleep(1500);
        expect(windowed.invocations()).toEqual([]);
        await cloud.put(name, recordsOf(['t1']));
        await waitUntil(() => windowed.invocations().length > 0, 'the window');
        expect(windowed.taken()).toEqual(['t0', 't1']);

        const lanes = await cloud.makeStream();
        const slow = await cloud.makeFunction('await sleep(400);');
        const keys = Array.from({ length: 8 }, (_, at) => `device-${at}`);
        await cloud.put(
            lanes.name,
            keys.flatMap((key) => recordsOf([`${key} a`, `${key} b`], key)),
        );
        await cloud.map(slow.name, lanes.arn, { ParallelizationFactor: 4, BatchSize: 4 });
        await waitUntil(() => slow.taken().length === 16, 'all lanes');
        const begun = slow.invocations().map(({ atMs }) => atMs);
        expect(begun.some((at, index) => begun.some((other, of) => of !== index && Math.abs(other - at) < 350))).toBe(true);
        for (const key of keys) {
            expect(slow.taken().filter((text) => text.startsWith(`${key} `))).toEqual([`${key} a`, `${key} b`]);
        }
    });

    test('reads parents to their end before children', async () => {
        const { name, arn } = await cloud.makeStream();
        await cloud.put(name, recordsOf(textsOf(0, 40)));
        await cloud.kinesis.send(
            new SplitShardCommand({ StreamName: name, ShardToSplit: 'shardId-000000000000', NewStartingHashKey: String(2n ** 127n) }),
        );
        await cloud.put(name, recordsOf(textsOf(40, 60)));
        await cloud.kinesis.send(
            new MergeShardsCommand({
                StreamName: name,
                ShardToMerge: 'shardId-000000000001',
                AdjacentShardToMerge: 'shardId-000000000002',
            }),
        );
        await cloud.put(name, recordsOf(textsOf(60, 80)));
        const reader = await cloud.makeFunction();
        await cloud.map(reader.name, arn, { BatchSize: 10 });
        await waitUntil(() => reader.taken().length >= 80, 'all records');
        expect(reader.taken()).toEqual(textsOf(0, 80));
    });

    test('begins at the latest record exactly, also in children that come later', async () => {
        const { name, arn } = await cloud.makeStream();
        await cloud.put(name, recordsOf(textsOf(0, 5)));
        const latest = await cloud.makeFunction();
        const horizon = await cloud.makeFunction();
        await cloud.map(latest.name, arn, { StartingPosition: 'LATEST' });
        await cloud.map(horizon.name, arn);
        await cloud.put(name, recordsOf(textsOf(5, 10)));
        await cloud.kinesis.send(
            new SplitShardCommand({ StreamName: name, ShardToSplit: 'shardId-000000000000', NewStartingHashKey: String(2n ** 127n) }),
        );
        await cloud.put(name, recordsOf(textsOf(10, 12)));
        await waitUntil(() => horizon.taken().length >= 12 && latest.taken().length >= 7, 'both readers');
        expect(horizon.taken()).toEqual(textsOf(0, 12));
        expect(latest.taken()).toEqual(textsOf(5, 12));
    });

    test('hands records to a fan-out consumer as they come, and to others once a second', async () => {
        const { name, arn } = await cloud.makeStream();
        const { Consumer } = await cloud.kinesis.send(new RegisterStreamConsumerCommand({ StreamARN: arn, ConsumerName: 'fast' }));
        const [fast, plain] = [await cloud.makeFunction(), await cloud.makeFunction()];
        await cloud.map(fast.name, String(Consumer?.ConsumerARN), { StartingPosition: 'LATEST' });
        await cloud.map(plain.name, arn, { StartingPosition: 'LATEST' });
        const texts = textsOf(0, 6);
        for (const text of texts) {
            await cloud.put(name, recordsOf([text]));
            await sleep(330);
        }
        await waitUntil(() => fast.taken().length === 6 && plain.taken().length === 6, 'both readers');
        expect(fast.invocations()).toHaveLength(6);
        expect(plain.invocations().length).toBeLessThan(6);
    });

    test('refuses what it was not taught, and a consumer that is not there', async () => {
        const { arn } = await cloud.makeStream();
        const { name } = await cloud.makeFunction();
        await expect(cloud.map(name, arn, { TumblingWindowInSeconds: 30 })).rejects.toThrow('TumblingWindowInSeconds');
        await expect(cloud.map(name, arn, { StartingPosition: 'AT_TIMESTAMP' })).rejects.toThrow('AT_TIMESTAMP');
        await expect(cloud.map(name, `${arn}/consumer/none:1`)).rejects.toThrow('is not there');
    });
});

test('a table’s stream goes on from the lowest failure that is reported', async () => {
    const { name, stream } = await cloud.makeTable();
    const queue = await cloud.makeQueue();
    const failing = await cloud.makeFunction(`
        return { batchItemFailures: records.filter(({ data }) => data === 't2').map(({ sequence }) => ({ itemIdentifier: sequence })) };
    `);
    for (const id of textsOf(0, 4)) {
        await cloud.dynamodb.send(new PutItemCommand({ TableName: name, Item: { id: { S: id } } }));
    }
    await cloud.dynamodb.send(new DeleteItemCommand({ TableName: name, Key: { id: { S: 't0' } } }));
    await cloud.map(failing.name, stream, {
        FunctionResponseTypes: ['ReportBatchItemFailures'],
        MaximumRetryAttempts: 1,
        DestinationConfig: { OnFailure: { Destination: queue.arn } },
    });
    const [told = ''] = await cloud.receive(queue.url, 20);
    expect(failing.invocations().map(({ records }) => records.map(({ data }) => data))).toEqual([
        ['t0', 't1', 't2', 't3', 't0'],
        ['t2', 't3', 't0'],
    ]);
    expect(JSON.parse(told).DDBStreamBatchInfo).toMatchObject({ batchSize: 3, streamArn: stream });
    const id = randomUUID();
    await cloud.dynamodb.send(new PutItemCommand({ TableName: name, Item: { id: { S: id } } }));
    await waitUntil(() => failing.taken().includes(id), 'the next item');
});
