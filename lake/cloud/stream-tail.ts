/** What the streams hold that is in no chain yet, for those who account for messages. */
import { GetRecordsCommand, type KinesisClient } from '@aws-sdk/client-kinesis';
import { translated } from '#lake/aws/aws-errors';
import { StorageError } from '#lake/errors';
import { chainPrefix } from '#lake/layout';
import type { ChainMessage } from '#lake/telemetry/chain-line';
import type { DeviceLookup } from './device-lookup.ts';
import { type RecordSource, readRecord } from './kinesis-record.ts';
import { EMPTY_READS, recordOf, streamIdOf } from './kinesis-stream.ts';
import { iteratorAfter, shardsOf } from './stream-progress.ts';

export interface TailAsked {
    /** Sequence number of the last message that is in each chain, by the chain's prefix. */
    ends: ReadonlyMap<string, string>;
    /** Time since which messages arrived that count where a chain has no end here; UTC epoch milliseconds. */
    fromMs: number;
    /** Devices whose messages are wanted; of programs' records there may be others. */
    devices: ReadonlySet<string> | ReadonlyMap<string, unknown>;
}

export interface TailOptions {
    client: KinesisClient;
    streams: readonly { name: string; from: RecordSource }[];
    lookup: DeviceLookup;
    /** UTC epoch milliseconds. */
    now: () => number;
}

/** The messages behind the ends, shard after shard, as far as they had arrived when the shard's turn came. @throws StorageError where it cannot be told what is there */
export async function* readTail(asked: TailAsked, { client, streams, lookup, now }: TailOptions): AsyncGenerator<ChainMessage> {
    for (const { name, from } of streams) {
        const id = await streamIdOf(client, name);
        for (const shard of await shardsOf(client, name)) {
            const after = asked.ends.get(chainPrefix({ kind: 'telemetry', stream: id, shard }));
            for await (const record of recordsBehind({ client, stream: name, shard, after, fromMs: asked.fromMs, untilMs: now() })) {
                // Envelopes have the device as their key; an aggregated record of a program has any.
                if (from === 'programs' || asked.devices.has(record.key)) {
                    yield* await readRecord(record, { from, devices: lookup });
                }
            }
        }
    }
}

async function* recordsBehind({
    client,
    stream,
    shard,
    after,
    fromMs,
    untilMs,
}: {
    client: KinesisClient;
    stream: string;
    shard: string;
    after: string | undefined;
    fromMs: number;
    untilMs: number;
}) {
    const doing = { doing: `read shard ${shard} of stream ${stream}` };
    let iterator = await iteratorAfter(client, { stream, shard, after, fromMs }, doing);
    for (let empty = 0; iterator !== undefined; ) {
        const at: string = iterator;
        const {
            Records = [],
            NextShardIterator,
            MillisBehindLatest,
        } = await translated(() => client.send(new GetRecordsCommand({ ShardIterator: at })), doing);
        const records = Records.map(recordOf);
        yield* records;
        const isUpToNow = (records.at(-1)?.arrivedMs ?? 0) >= untilMs;
        if (isUpToNow || (records.length === 0 && (MillisBehindLatest ?? 0) === 0)) {
            return;
        }
        // A read may be empty where records are still to come.
        empty = records.length === 0 ? empty + 1 : 0;
        if (empty > EMPTY_READS) {
            throw new StorageError(`cannot ${doing.doing}: ${EMPTY_READS} reads in a row had no record, and yet there are more`);
        }
        iterator = NextShardIterator;
    }
}
