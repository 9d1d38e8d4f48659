/** The streams of Kinesis that messages come into: a client, the name that a stream's chains have, and records read again by their numbers. */
import {
    DescribeStreamSummaryCommand,
    GetRecordsCommand,
    GetShardIteratorCommand,
    type GetShardIteratorInput,
    KinesisClient,
    type _Record as KinesisRecord,
} from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { awsCodeOf, translated } from '#lake/aws/aws-errors';
import { type ClientOptions, clientConfig } from '#lake/aws/client-config';
import { StorageError } from '#lake/errors';
import { compareSequences } from '#lake/telemetry/chain-line';

/** A client of Kinesis; credentials come from where the SDK looks for them. */
export function createKinesisClient(options: ClientOptions): KinesisClient {
    const { requestHandler, ...config } = clientConfig(options, 'KINESIS');
    // The SDK speaks HTTP/2 to Kinesis by itself, and some servers end such a session in the middle of a large PutRecords.
    return new KinesisClient({ ...config, requestHandler: new NodeHttpHandler(requestHandler) });
}

/**
 * The name of the stream in the keys of its chains: `<name>-<creation time, epoch seconds>`. A stream that is deleted and made again begins with new numbers,
 * and so has other chains. @throws StorageError where it cannot be told
 */
export async function streamIdOf(client: KinesisClient, name: string): Promise<string> {
    const { StreamDescriptionSummary: summary } = await translated(
        () => client.send(new DescribeStreamSummaryCommand({ StreamName: name })),
        { doing: `look at stream ${name}` },
    );
    const created = summary?.StreamCreationTimestamp;
    if (!created) {
        throw new StorageError(`Kinesis does not say when stream ${name} was made; run flowlake doctor`);
    }
    return `${name}-${Math.floor(created.getTime() / 1000)}`;
}

/** The name of the stream in an ARN of it, or of one of its consumers; undefined where there is none. */
export function streamNameOf(arn: string): string | undefined {
    return /^arn:[^:]+:kinesis:[^:]+:[^:]+:stream\/([^/]+)(?:\/consumer\/.+)?$/.exec(arn)?.[1];
}

/** A record of a stream, whoever has read it. */
export interface StreamRecord {
    sequence: string;
    /** Partition key. */
    key: string;
    data: Buffer;
    /** Time when Kinesis took it, UTC epoch milliseconds. */
    arrivedMs: number;
}

/** A span of one shard's numbers, both ends in it. */
export interface ShardRange {
    stream: string;
    shard: string;
    first: string;
    last: string;
}

/** What Kinesis still holds of a range. */
export interface RangeRead {
    records: StreamRecord[];
    /** Why the beginning of the range, or all of it, is not there any more; undefined where Kinesis has given what it has. */
    gone: string | undefined;
}

/** Reads in a row without a record, after which something is wrong: a shard with gaps of hours has some. */
export const EMPTY_READS = 200;

/** Reads the range again. @throws StorageError where it cannot be told what Kinesis holds */
export async function readRange(client: KinesisClient, { stream, shard, first, last }: ShardRange): Promise<RangeRead> {
    const doing = { doing: `read shard ${shard} of stream ${stream} again` };
    const begin = { StreamName: stream, ShardId: shard };
    const iteratorOf = async (from: Pick<GetShardIteratorInput, 'ShardIteratorType' | 'StartingSequenceNumber'>) =>
        (await translated(() => client.send(new GetShardIteratorCommand({ ...begin, ...from })), doing)).ShardIterator;
    let iterator: string | undefined;
    try {
        iterator = await iteratorOf({ ShardIteratorType: 'AT_SEQUENCE_NUMBER', StartingSequenceNumber: first });
    } catch (error) {
        const code = error instanceof StorageError ? awsCodeOf(error.cause) : undefined;
        if (code === 'ResourceNotFoundException') {
            return { records: [], gone: `Kinesis has no stream ${stream} with a shard ${shard} any more` };
        }
        if (code !== 'InvalidArgumentException') {
            throw error;
        }
        // It holds no such record: later ones of the range may still be there.
        iterator = await iteratorOf({ ShardIteratorType: 'TRIM_HORIZON' });
    }
    const records: StreamRecord[] = [];
    for (let empty = 0; iterator !== undefined; ) {
        const at: string = iterator;
        const answer = await translated(() => client.send(new GetRecordsCommand({ ShardIterator: at })), doing);
        const { Records = [], NextShardIterator, MillisBehindLatest } = answer;
        const read = Records.map(recordOf);
        records.push(...read.filter(({ sequence }) => isWithin(sequence, { first, last })));
        const end = read.at(-1)?.sequence;
        // A read may be empty where records are still to come: only the end of the stream is one.
        if ((end !== undefined && compareSequences(end, last) >= 0) || (read.length === 0 && (MillisBehindLatest ?? 0) === 0)) {
            break;
        }
        empty = read.length === 0 ? empty + 1 : 0;
        if (empty > EMPTY_READS) {
            throw new StorageError(`cannot ${doing.doing}: ${EMPTY_READS} reads in a row had no record, and yet there are more`);
        }
        iterator = NextShardIterator;
    }
    const found = records[0]?.sequence;
    const isWhole = found !== undefined && compareSequences(found, first) === 0;
    return { records, gone: isWhole ? undefined : `shard ${shard} of stream ${stream} holds no record ${first} any more` };
}

/** A record as GetRecords gives it. */
export function recordOf({ SequenceNumber, PartitionKey, Data, ApproximateArrivalTimestamp }: KinesisRecord): StreamRecord {
    if (SequenceNumber === undefined || PartitionKey === undefined || Data === undefined || ApproximateArrivalTimestamp === undefined) {
        throw new StorageError('Kinesis gave a record without number, key, data or arrival: try again');
    }
    return { sequence: SequenceNumber, key: PartitionKey, data: Buffer.from(Data), arrivedMs: ApproximateArrivalTimestamp.getTime() };
}

function isWithin(sequence: string, { first, last }: Pick<ShardRange, 'first' | 'last'>): boolean {
    return compareSequences(sequence, first) >= 0 && compareSequences(sequence, last) <= 0;
}
