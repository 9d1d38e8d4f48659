/** Streams of a local AWS, as the chain reads and writes them. Only what needs a stream of somebody else's making: all else is in test/lake/cloud. */
import { CreateStreamCommand, DescribeStreamCommand } from '@aws-sdk/client-kinesis';
import { CreateEventSourceMappingCommand, DeleteEventSourceMappingCommand, UpdateEventSourceMappingCommand } from '@aws-sdk/client-lambda';
import { afterAll, expect, test } from '@jest/globals';
import { assertOneBatchAtATime, createLambdaClient } from '#lake/cloud/event-source';
import { openStreamWriter } from '#lake/cloud/kinesis-inbox';
import { createKinesisClient, readRange, streamIdOf } from '#lake/cloud/kinesis-stream';
import { UsageError } from '#lake/errors';

const client = createKinesisClient({ environment: process.env });
const lambda = createLambdaClient({ environment: process.env });
let streams = 0;

afterAll(() => {
    client.destroy();
    lambda.destroy();
});

/** A stream, once it takes records. */
async function makeStream(shards: number): Promise<{ name: string; arn: string }> {
    streams += 1;
    const name = `chain-${process.pid}-${streams}`;
    await client.send(new CreateStreamCommand({ StreamName: name, ShardCount: shards }));
    for (;;) {
        const { StreamDescription } = await client.send(new DescribeStreamCommand({ StreamName: name }));
        if (StreamDescription?.StreamStatus === 'ACTIVE') {
            return { name, arn: StreamDescription.StreamARN ?? '' };
        }
    }
}

test('many messages put at once are all there, each shard in the order of its keys, and ranges of them are read again', async () => {
    const { name: stream } = await makeStream(2);
    expect(await streamIdOf(client, stream)).toMatch(new RegExp(`^${stream}-\\d{10}$`));
    const writer = openStreamWriter({ client, stream });
    const payload = 'x'.repeat(1_000);
    const puts = Array.from({ length: 1_200 }, (_, n) => ({ key: `th-${n % 40}`, data: Buffer.from(JSON.stringify({ n, payload })) }));
    const sequences = await Promise.all(puts.map(({ key, data }) => writer.put(key, data)));
    expect(new Set(sequences).size).toBe(puts.length);
    const [first = '', last = ''] = [sequences[0], sequences.at(-1)];
    const read = await Promise.all(
        ['shardId-000000000000', 'shardId-000000000001'].map((shard) => readRange(client, { stream, shard, first, last })),
    );
    const records = read.flatMap((range) => range.records);
    expect(records).toHaveLength(puts.length);
    for (const key of new Set(puts.map((put) => put.key))) {
        const own = records.filter((record) => record.key === key).map(({ data }): number => JSON.parse(data.toString()).n);
        expect(own).toEqual(puts.flatMap((put, n) => (put.key === key ? [n] : [])));
    }
    const middle = read[0]?.records.slice(10, 20).map(({ sequence }) => sequence) ?? [];
    const range = { stream, shard: 'shardId-000000000000', first: middle[0] ?? '', last: middle.at(-1) ?? '' };
    expect(await readRange(client, range)).toMatchObject({ records: middle.map((sequence) => ({ sequence })), gone: undefined });
    expect((await readRange(client, { ...range, shard: 'shardId-000000000009' })).gone).toContain('any more');
});

test('a function that is given two batches of a shard at once is told from one that is given one', async () => {
    const { arn } = await makeStream(1);
    const FunctionName = 'flowlake-dev-summarize';
    // It is never called: what is asked is how Lambda tells of it.
    const made = await lambda.send(
        new CreateEventSourceMappingCommand({
            ...{ FunctionName, EventSourceArn: arn, StartingPosition: 'TRIM_HORIZON', ParallelizationFactor: 2, Enabled: false },
        }),
    );
    try {
        const asked = assertOneBatchAtATime(lambda, FunctionName);
        await expect(asked).rejects.toThrow(UsageError);
        await expect(asked).rejects.toThrow(`function ${FunctionName} gets 2 batches of a shard of stream`);
        await lambda.send(new UpdateEventSourceMappingCommand({ UUID: made.UUID, ParallelizationFactor: 1 }));
        await assertOneBatchAtATime(lambda, FunctionName);
    } finally {
        await lambda.send(new DeleteEventSourceMappingCommand({ UUID: made.UUID }));
    }
});
