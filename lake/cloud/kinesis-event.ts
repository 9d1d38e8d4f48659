/** What Lambda hands to a function that follows a stream: records of one shard, in their order. */
import { UsageError } from '#lake/errors';
import { type StreamRecord, streamNameOf } from './kinesis-stream.ts';

/** A record as Lambda hands it over: https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html */
export interface KinesisEventRecord {
    /** `<shard>:<sequence number>` */
    eventID: string;
    /** ARN of the stream, or of its consumer with enhanced fan-out. */
    eventSourceARN: string;
    kinesis: { sequenceNumber: string; partitionKey: string; data: string; approximateArrivalTimestamp: number };
}

export interface ShardBatch {
    /** Name of the stream. */
    stream: string;
    shard: string;
    records: StreamRecord[];
}

/** The batch of an event. @throws UsageError for an event that is not of one shard of a stream: the function is wired to something else */
export function batchOf(records: readonly KinesisEventRecord[]): ShardBatch {
    const places = new Set(records.map(({ eventSourceARN, eventID }) => `${streamNameOf(eventSourceARN) ?? ''} ${eventID.split(':')[0]}`));
    const [place = '', ...others] = places;
    const [stream, shard] = place.split(' ');
    if (!stream || !shard || others.length > 0) {
        throw new UsageError('the event is not of one shard of a Kinesis stream: deploy the function with npx cdk deploy, which wires it');
    }
    return {
        stream,
        shard,
        records: records.map(({ kinesis: { sequenceNumber, partitionKey, data, approximateArrivalTimestamp } }) => ({
            sequence: sequenceNumber,
            key: partitionKey,
            data: Buffer.from(data, 'base64'),
            // Seconds with three decimals, which a float holds a little above or below.
            arrivedMs: Math.round(approximateArrivalTimestamp * 1000),
        })),
    };
}
