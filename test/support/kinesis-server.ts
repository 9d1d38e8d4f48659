/**
 * A server with as much of Kinesis (JSON 1.1, as the SDK speaks it) as the lake asks for, over real HTTP: streams of shards in memory, whose records go when the
 * test says so. It refuses what Kinesis refuses, and what a test wants refused.
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

export interface HeldRecord {
    sequence: string;
    key: string;
    data: Buffer;
    arrivedMs: number;
}

export interface KinesisServer {
    /** Address of the server, for AWS_ENDPOINT_URL. */
    endpoint: string;
    /** Makes a stream. */
    makeStream(name: string, options?: { shards?: number; createdMs?: number }): void;
    /** The records of a shard, oldest first. */
    records(stream: string, shard?: number): readonly HeldRecord[];
    /** Takes away all records of the shard before this number, as if their time were over. */
    trim(stream: string, before: string): void;
    /** Decides the error code of each record that is put; undefined lets it in. */
    refuse(why: ((record: { key: string; at: number }) => string | undefined) | undefined): void;
    /** Answers so many requests with this status and error, before it does anything. */
    fail(requests: number, error: { status: number; type: string }): void;
    /** Each request that puts records, by their keys. */
    readonly requests: readonly (readonly string[])[];
    stop(): Promise<void>;
}

interface Shard {
    records: HeldRecord[];
}

interface Stream {
    createdMs: number;
    shards: Shard[];
}

type Input = Record<string, any>;

class Refusal extends Error {
    readonly type: string;

    constructor(type: string, message = type) {
        super(message);
        this.type = type;
    }
}

/** As Kinesis of 2025 says them: https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html */
const MAX_RECORDS = 500;
const MAX_RECORD_BYTES = 1024 * 1024;
const MAX_REQUEST_BYTES = 5 * 1024 * 1024;

/** Records of one read: few, so that reading goes on. */
const READ_RECORDS = 3;

/** The first sequence number of a stream. */
const FIRST_SEQUENCE = 49_600_000_000_000_000_000_000_000_000_000_000_000_000_000_000_000_000_001n;

export async function startKinesisServer({ now = Date.now }: { now?: () => number } = {}): Promise<KinesisServer> {
    const streams = new Map<string, Stream>();
    const requests: string[][] = [];
    let why: ((record: { key: string; at: number }) => string | undefined) | undefined;
    let failing = { requests: 0, error: { status: 500, type: 'InternalFailure' } };
    let next = FIRST_SEQUENCE;

    function find(name: unknown): Stream {
        const stream = streams.get(String(name));
        if (!stream) {
            throw new Refusal('ResourceNotFoundException', `Stream ${name} under account 000000000000 not found.`);
        }
        return stream;
    }

    function findShard(name: unknown, id: unknown): Shard {
        const shard = find(name).shards[Number(String(id).replace('shardId-', ''))];
        if (!shard) {
            throw new Refusal('ResourceNotFoundException', `Shard ${id} in stream ${name} not found.`);
        }
        return shard;
    }

    function put({ StreamName, Records }: Input): Input {
        const { shards } = find(StreamName);
        const sizes: number[] = Records.map(
            ({ Data, PartitionKey }: Input) => Buffer.from(Data, 'base64').length + Buffer.byteLength(PartitionKey),
        );
        const total = sizes.reduce((all, size) => all + size, 0);
        if (
            Records.length === 0 ||
            Records.length > MAX_RECORDS ||
            sizes.some((size) => size > MAX_RECORD_BYTES) ||
            total > MAX_REQUEST_BYTES
        ) {
            throw new Refusal('ValidationException', 'too many records, or too large ones');
        }
        requests.push(Records.map(({ PartitionKey }: Input) => PartitionKey));
        const answers = Records.map(({ Data, PartitionKey: key }: Input, at: number): Input => {
            const refusal = why?.({ key, at });
            if (refusal !== undefined) {
                return { ErrorCode: refusal, ErrorMessage: `Rate exceeded for shard in stream ${StreamName}` };
            }
            const at128 = BigInt(`0x${createHash('md5').update(key).digest('hex')}`);
            const place = Number((at128 * BigInt(shards.length)) >> 128n);
            const sequence = String(next++);
            shards[place]?.records.push({ sequence, key, data: Buffer.from(Data, 'base64'), arrivedMs: now() });
            return { SequenceNumber: sequence, ShardId: `shardId-${String(place).padStart(12, '0')}` };
        });
        return { FailedRecordCount: answers.filter(({ ErrorCode }: Input) => ErrorCode !== undefined).length, Records: answers };
    }

    function iteratorOf({ StreamName, ShardId, ShardIteratorType, StartingSequenceNumber, Timestamp }: Input): Input {
        const { records } = findShard(StreamName, ShardId);
        const horizon = records[0]?.sequence ?? '0';
        if (StartingSequenceNumber !== undefined && BigInt(StartingSequenceNumber) < BigInt(horizon)) {
            throw new Refusal('InvalidArgumentException', `StartingSequenceNumber ${StartingSequenceNumber} is invalid`);
        }
        const from: Record<string, () => string> = {
            AT_SEQUENCE_NUMBER: () => StartingSequenceNumber,
            AFTER_SEQUENCE_NUMBER: () => String(BigInt(StartingSequenceNumber) + 1n),
            AT_TIMESTAMP: () => records.find(({ arrivedMs }) => arrivedMs >= Timestamp * 1000)?.sequence ?? String(next),
            TRIM_HORIZON: () => horizon,
        };
        return { ShardIterator: JSON.stringify([StreamName, ShardId, from[ShardIteratorType]?.(), 0]) };
    }

    /** A page for each shard. */
    function listShards({ StreamName, NextToken }: Input): Input {
        if (StreamName !== undefined && NextToken !== undefined) {
            throw new Refusal('InvalidArgumentException', 'NextToken and StreamName cannot be given together');
        }
        const [name, at] = NextToken === undefined ? [StreamName, 0] : JSON.parse(NextToken);
        const isMore = at + 1 < find(name).shards.length;
        return {
            Shards: [{ ShardId: `shardId-${String(at).padStart(12, '0')}` }],
            ...(isMore && { NextToken: JSON.stringify([name, at + 1]) }),
        };
    }

    function read({ ShardIterator }: Input): Input {
        const [stream, shard, from, reads] = JSON.parse(ShardIterator);
        const behind = findShard(stream, shard).records.filter(({ sequence }) => BigInt(sequence) >= BigInt(from));
        // Kinesis gives nothing now and then where there is more.
        const page = reads === 1 ? [] : behind.slice(0, READ_RECORDS);
        const end = page.at(-1)?.sequence;
        return {
            Records: page.map(({ sequence, key, data, arrivedMs }) => ({
                ...{ SequenceNumber: sequence, PartitionKey: key, Data: data.toString('base64') },
                ApproximateArrivalTimestamp: arrivedMs / 1000,
            })),
            NextShardIterator: JSON.stringify([stream, shard, end === undefined ? from : String(BigInt(end) + 1n), reads + 1]),
            MillisBehindLatest: behind.length > page.length ? 1_000 : 0,
        };
    }

    function answer(action: string, input: Input): Input {
        switch (action) {
            case 'PutRecords':
                return put(input);
            case 'DescribeStreamSummary':
                return {
                    StreamDescriptionSummary: {
                        StreamName: input.StreamName,
                        StreamCreationTimestamp: find(input.StreamName).createdMs / 1000,
                    },
                };
            case 'ListShards':
                return listShards(input);
            case 'GetShardIterator':
                return iteratorOf(input);
            case 'GetRecords':
                return read(input);
            default:
                throw new Refusal('UnknownOperationException', action);
        }
    }

    async function serve(request: IncomingMessage): Promise<{ status: number; body: Input }> {
        const input = (await json(request)) as Input;
        if (failing.requests > 0) {
            failing.requests -= 1;
            return { status: failing.error.status, body: { __type: failing.error.type, message: 'as the test wants it' } };
        }
        try {
            return { status: 200, body: answer(String(request.headers['x-amz-target']).split('.')[1] ?? '', input) };
        } catch (error) {
            if (error instanceof Refusal) {
                return { status: 400, body: { __type: error.type, message: error.message } };
            }
            throw error;
        }
    }

    const server = createServer((request, response) => {
        serve(request).then(
            ({ status, body }) => response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body)),
            (error: Error) => response.destroy(error),
        );
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    return {
        endpoint: `http://127.0.0.1:${port}`,
        requests,
        makeStream(name, { shards = 1, createdMs = Date.UTC(2026, 0, 1) } = {}) {
            streams.set(name, { createdMs, shards: Array.from({ length: shards }, () => ({ records: [] })) });
        },
        records: (stream, shard = 0) => find(stream).shards[shard]?.records ?? [],
        trim(stream, before) {
            for (const shard of find(stream).shards) {
                shard.records = shard.records.filter(({ sequence }) => BigInt(sequence) >= BigInt(before));
            }
        },
        refuse(asked) {
            why = asked;
        },
        fail(count, error) {
            failing = { requests: count, error };
        },
        async stop() {
            server.closeAllConnections();
            await new Promise((resolve) => server.close(resolve));
        },
    };
}
