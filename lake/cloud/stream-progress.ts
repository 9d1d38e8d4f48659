/**
 * How far latest state is, shard by shard: whether a record waits behind the last one that the consumer has noted. It asks Kinesis itself, so that a shard in which
 * nothing happens is level, and one whose consumer stands still is not.
 */
import {
    GetRecordsCommand,
    GetShardIteratorCommand,
    type GetShardIteratorCommandInput,
    type KinesisClient,
    ListShardsCommand,
} from '@aws-sdk/client-kinesis';
import pMap from 'p-map';
import { awsCodeOf, translated } from '#lake/aws/aws-errors';
import { StorageError } from '#lake/errors';

/** Shards that are looked at at once. */
const SHARDS_AT_ONCE = 8;

/** Reads in a row without a record, after which what Kinesis says of its lag is believed. */
const EMPTY_READS = 10;

/** Sequence number of the last record of the shard that is in latest state, by the stream's id; undefined where none is. */
export type PlaceOf = (streamId: string, shard: string) => string | undefined;

export interface StreamProgressOptions {
    client: KinesisClient;
    /** The streams: their names, and what tells one from another of its name that was deleted. */
    streams: readonly { name: string; id: string }[];
    /** UTC epoch milliseconds. */
    now: () => number;
}

/** The arrival before which everything is in latest state, UTC epoch milliseconds: now, where nothing waits. @throws StorageError where it cannot be told */
export async function watermarkOf(placeOf: PlaceOf, { client, streams, now }: StreamProgressOptions): Promise<number> {
    const nowMs = now();
    const shards = await Promise.all(
        streams.map(async ({ name, id }) =>
            (await shardsOf(client, name)).map((shard): Place => ({ stream: name, shard, after: placeOf(id, shard), nowMs })),
        ),
    );
    const waiting = await pMap(shards.flat(), (place) => firstWaiting(client, place), { concurrency: SHARDS_AT_ONCE });
    return Math.min(nowMs, ...waiting.filter((ms) => ms !== undefined));
}

/** Shards of the stream, also those that were split or merged: their records are read to the end. */
export async function shardsOf(client: KinesisClient, stream: string): Promise<string[]> {
    return translated(
        async () => {
            const ids: string[] = [];
            let next: string | undefined;
            do {
                // The name of the stream and a token exclude each other.
                const asked = next === undefined ? { StreamName: stream } : { NextToken: next };
                const { Shards = [], NextToken } = await client.send(new ListShardsCommand(asked));
                ids.push(...Shards.flatMap(({ ShardId }) => ShardId ?? []));
                next = NextToken;
            } while (next !== undefined);
            return ids;
        },
        { doing: `list the shards of stream ${stream}` },
    );
}

interface Place {
    stream: string;
    shard: string;
    after: string | undefined;
    nowMs: number;
}

/** Arrival of the first record behind the place; undefined where there is none. */
async function firstWaiting(client: KinesisClient, { stream, shard, after, nowMs }: Place): Promise<number | undefined> {
    const doing = { doing: `look at shard ${shard} of stream ${stream}` };
    let iterator = await iteratorAfter(client, { stream, shard, after }, doing);
    for (let reads = 0; iterator !== undefined; reads += 1) {
        const at: string = iterator;
        const answer = await translated(() => client.send(new GetRecordsCommand({ ShardIterator: at, Limit: 1 })), doing);
        const behindMs = answer.MillisBehindLatest ?? 0;
        const [first] = answer.Records ?? [];
        if (first) {
            return first.ApproximateArrivalTimestamp?.getTime() ?? nowMs - behindMs;
        }
        if (behindMs === 0) {
            return undefined;
        }
        // A read may be empty where records are still to come.
        if (reads >= EMPTY_READS) {
            return nowMs - behindMs;
        }
        iterator = answer.NextShardIterator;
    }
    // A shard that was split or merged, and read to its end.
    return undefined;
}

/** An iterator behind the record of that number; where there is none, from the time on, and from the oldest record without one. */
export async function iteratorAfter(
    client: KinesisClient,
    { stream, shard, after, fromMs }: Omit<Place, 'nowMs'> & { fromMs?: number },
    doing: { doing: string },
): Promise<string | undefined> {
    const iteratorOf = async (from: Pick<GetShardIteratorCommandInput, 'ShardIteratorType' | 'StartingSequenceNumber' | 'Timestamp'>) =>
        (await translated(() => client.send(new GetShardIteratorCommand({ StreamName: stream, ShardId: shard, ...from })), doing))
            .ShardIterator;
    if (after !== undefined) {
        try {
            return await iteratorOf({ ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', StartingSequenceNumber: after });
        } catch (error) {
            // The stream was made anew, or does not hold the record any more: what it holds is behind it.
            if (!(error instanceof StorageError) || awsCodeOf(error.cause) !== 'InvalidArgumentException') {
                throw error;
            }
        }
    }
    return fromMs === undefined
        ? iteratorOf({ ShardIteratorType: 'TRIM_HORIZON' })
        : iteratorOf({ ShardIteratorType: 'AT_TIMESTAMP', Timestamp: new Date(fromMs) });
}
