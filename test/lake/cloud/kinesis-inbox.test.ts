/** What is put into a stream: answered once Kinesis has it, tried again where it has not, in the order of each key, and never for ever. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { openKinesisInbox, openStreamWriter, type StreamWriterOptions } from '#lake/cloud/kinesis-inbox';
import { createKinesisClient, readRange, streamIdOf, streamNameOf } from '#lake/cloud/kinesis-stream';
import { StorageError, UsageError } from '#lake/errors';
import { type KinesisServer, startKinesisServer } from '#test/support/kinesis-server';

const NOW_MS = 1_767_607_200_123;
const SHARD = 'shardId-000000000000';

let server: KinesisServer;
let client: ReturnType<typeof createKinesisClient>;
let stream: string;
let streams = 0;

beforeAll(async () => {
    server = await startKinesisServer({ now: () => NOW_MS });
    process.env.AWS_ACCESS_KEY_ID = 'test';
    process.env.AWS_SECRET_ACCESS_KEY = 'test';
    client = createKinesisClient({ environment: { AWS_ENDPOINT_URL: server.endpoint }, region: 'eu-central-1' });
});

afterAll(async () => {
    client.destroy();
    await server.stop();
});

beforeEach(() => {
    stream = `telemetry-${++streams}`;
    server.makeStream(stream);
    server.refuse(undefined);
});

/** A writer that does not wait between two tries. */
const openWriter = (options: Partial<StreamWriterOptions> = {}) => openStreamWriter({ client, stream, random: () => 0, ...options });

const bytes = (n: number): Buffer => Buffer.from(`{"n":${n}}`);
const numbers = (key?: string): number[] =>
    server
        .records(stream)
        .flatMap((record) => (key === undefined || record.key === key ? [JSON.parse(record.data.toString()).n as number] : []));

describe('records', () => {
    test('that are put at once go in one request, and are answered with their numbers', async () => {
        const writer = openWriter();
        const before = server.requests.length;
        const sequences = await Promise.all([1, 2, 3].map((n) => writer.put('th-1', bytes(n))));
        expect(server.requests.slice(before)).toEqual([['th-1', 'th-1', 'th-1']]);
        expect(server.records(stream).map(({ sequence }) => sequence)).toEqual(sequences);
        expect(numbers()).toEqual([1, 2, 3]);
    });

    test('go in requests of 500, and of 5 MiB', async () => {
        const writer = openWriter();
        const before = server.requests.length;
        await Promise.all(Array.from({ length: 1_100 }, (_, n) => writer.put(`th-${n}`, bytes(n))));
        expect(server.requests.slice(before).map(({ length }) => length)).toEqual([500, 500, 100]);
        await Promise.all(Array.from({ length: 12 }, (_, n) => writer.put(`th-${n}`, Buffer.alloc(1_000_000))));
        expect(server.requests.slice(before + 3).map(({ length }) => length)).toEqual([5, 5, 2]);
    });

    test('that Kinesis does not take are tried again, each key in its order, and hold up no other key', async () => {
        const writer = openWriter();
        // Of th-1 the first 5 tries fail, whatever goes with them.
        let failures = 5;
        server.refuse(({ key }) => (key === 'th-1' && failures-- > 0 ? 'ProvisionedThroughputExceededException' : undefined));
        const first = writer.put('th-1', bytes(1));
        await writer.put('th-2', bytes(2));
        const rest = [3, 4].map((n) => writer.put(n === 3 ? 'th-1' : 'th-3', bytes(n)));
        await Promise.all([first, ...rest]);
        expect(numbers('th-1')).toEqual([1, 3]);
        expect(numbers().sort()).toEqual([1, 2, 3, 4]);
    });

    test('of a request that fails as a whole are tried again', async () => {
        // The SDK itself tries six times.
        server.fail(8, { status: 500, type: 'InternalFailure' });
        await openWriter({ timeLimitMs: 60_000 }).put('th-1', bytes(1));
        expect(numbers()).toEqual([1]);
    }, 60_000);

    test('that are not taken in time are an error that says why', async () => {
        server.refuse(() => 'ProvisionedThroughputExceededException');
        const said: string[] = [];
        const put = openWriter({ timeLimitMs: 50, onTrouble: (why) => said.push(why) }).put('th-1', bytes(1));
        await expect(put).rejects.toThrow(StorageError);
        await expect(put).rejects.toThrow(
            `stream ${stream} did not take the message within 0.05 s: Rate exceeded for shard in stream ${stream} (ProvisionedThroughputExceededException)`,
        );
        expect(new Set(said)).toEqual(new Set([`Rate exceeded for shard in stream ${stream} (ProvisionedThroughputExceededException)`]));
    });

    test('for a stream that is not there are an error at once, and the next ones are tried', async () => {
        const writer = openWriter({ stream: 'gone' });
        await expect(writer.put('th-1', bytes(1))).rejects.toThrow(StorageError);
        server.makeStream('gone');
        await writer.put('th-1', bytes(2));
        expect(server.records('gone')).toHaveLength(1);
    });

    test('that are too large for any stream are refused, and hold up nothing', async () => {
        const writer = openWriter();
        await expect(writer.put('th-1', Buffer.alloc(1024 * 1024))).rejects.toThrow(UsageError);
        await writer.put('th-1', bytes(1));
        expect(numbers()).toEqual([1]);
    });
});

test('a message goes into the stream as an envelope, with its device as the key', async () => {
    const inbox = openKinesisInbox({ client, stream });
    await inbox.append({ arrivedMs: 5, way: 'http', device: 'th-1', topic: 't/th-1', payload: Buffer.from([0xff]), profile: 'thermostat' });
    expect(server.records(stream).map(({ key, data }) => [key, JSON.parse(data.toString())])).toEqual([
        ['th-1', { way: 'http', device: 'th-1', topic: 't/th-1', at: 5, data: '/w==' }],
    ]);
    await expect(inbox.append({ arrivedMs: 5, way: 'http', payload: Buffer.of() })).rejects.toThrow('of no device');
});

describe('a stream', () => {
    test('has chains that are named after it and the second in which it was made', async () => {
        server.makeStream(stream, { createdMs: 1_767_000_000_999 });
        expect(await streamIdOf(client, stream)).toBe(`${stream}-1767000000`);
        await expect(streamIdOf(client, 'nowhere')).rejects.toThrow('cannot look at stream nowhere: Stream nowhere under account');
    });

    test.each([
        ['arn:aws:kinesis:eu-central-1:1:stream/a', 'a'],
        ['arn:aws:kinesis:eu-central-1:1:stream/a/consumer/latest:176', 'a'],
        ['arn:aws-cn:kinesis:cn-north-1:1:stream/a-b_c.d', 'a-b_c.d'],
        ['arn:aws:sqs:eu-central-1:1:a', undefined],
        ['', undefined],
    ])('is named by %s: %s', (arn, name) => {
        expect(streamNameOf(arn)).toBe(name);
    });
});

describe('a range that is read again', () => {
    async function fill(count: number): Promise<string[]> {
        const writer = openWriter();
        return Promise.all(Array.from({ length: count }, (_, n) => writer.put('th-1', bytes(n))));
    }

    const read = (first = '', last = '', shard = SHARD) => readRange(client, { stream, shard, first, last });

    test('is what lies in it, with both ends, whatever pages Kinesis gives', async () => {
        const sequences = await fill(12);
        const { records, gone } = await read(sequences[2], sequences[9]);
        expect(records.map(({ sequence }) => sequence)).toEqual(sequences.slice(2, 10));
        expect(records[0]).toEqual({ sequence: sequences[2], key: 'th-1', data: bytes(2), arrivedMs: NOW_MS });
        expect(gone).toBeUndefined();
        expect((await read(sequences[11], sequences[11])).records).toHaveLength(1);
    });

    test('tells of which the beginning is gone, and gives the rest', async () => {
        const sequences = await fill(12);
        server.trim(stream, sequences[5] ?? '');
        const { records, gone } = await read(sequences[2], sequences[9]);
        expect(records.map(({ sequence }) => sequence)).toEqual(sequences.slice(5, 10));
        expect(gone).toBe(`shard ${SHARD} of stream ${stream} holds no record ${sequences[2]} any more`);
        expect(await read('1', '2')).toEqual({ records: [], gone: expect.stringContaining('holds no record 1 any more') });
    });

    test('is gone with its stream or shard; what cannot be read is not gone', async () => {
        const [first = ''] = await fill(1);
        expect(await read(first, first, 'shardId-000000000007')).toEqual({
            records: [],
            gone: `Kinesis has no stream ${stream} with a shard shardId-000000000007 any more`,
        });
        server.fail(1, { status: 400, type: 'AccessDeniedException' });
        await expect(read(first, first)).rejects.toThrow('your AWS identity may not do that');
    });
});
