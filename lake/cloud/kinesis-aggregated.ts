/**
 * Records that the Kinesis Producer Library has aggregated: many messages in one, which all have its sequence number. The format is told at
 * https://github.com/awslabs/amazon-kinesis-producer/blob/master/aggregation-format.md
 */
import { createHash } from 'node:crypto';
import { Reader } from 'protobufjs/minimal.js';

const MAGIC = Buffer.from([0xf3, 0x89, 0x9a, 0xc2]);
const DIGEST_BYTES = 16;

/** Field numbers with their wire types, as protobuf writes them in front of a value. */
const PARTITION_KEY = 0x0a;
const RECORD = 0x1a;
const RECORD_KEY_INDEX = 0x08;
const RECORD_DATA = 0x1a;

/** A message of an aggregated record, with the partition key that its program gave it. */
export interface AggregatedMessage {
    key: string;
    data: Buffer;
}

/** The messages of an aggregated record in their order; undefined for bytes that are none, which stand for themselves. */
export function splitAggregated(bytes: Buffer): AggregatedMessage[] | undefined {
    const isMarked = bytes.length > MAGIC.length + DIGEST_BYTES && bytes.subarray(0, MAGIC.length).equals(MAGIC);
    if (!isMarked) {
        return undefined;
    }
    const body = bytes.subarray(MAGIC.length, -DIGEST_BYTES);
    if (!createHash('md5').update(body).digest().equals(bytes.subarray(-DIGEST_BYTES))) {
        return undefined;
    }
    try {
        return readBody(body);
    } catch {
        // The digest fits, and yet it is no such record: it stands for itself, and its profile finds nothing to read in it.
        return undefined;
    }
}

function readBody(body: Buffer): AggregatedMessage[] {
    const reader = Reader.create(body);
    const keys: string[] = [];
    const records: { index: number; data: Buffer }[] = [];
    while (reader.pos < reader.len) {
        const tag = reader.uint32();
        if (tag === PARTITION_KEY) {
            keys.push(reader.string());
        } else if (tag === RECORD) {
            records.push(readEntry(Buffer.from(reader.bytes())));
        } else {
            reader.skipType(tag & 7);
        }
    }
    return records.map(({ index, data }) => {
        const key = keys[index];
        if (key === undefined) {
            throw new RangeError(`an aggregated record names key ${index} of ${keys.length}`);
        }
        return { key, data };
    });
}

function readEntry(bytes: Buffer): { index: number; data: Buffer } {
    const reader = Reader.create(bytes);
    let index: number | undefined;
    let data: Buffer | undefined;
    while (reader.pos < reader.len) {
        const tag = reader.uint32();
        if (tag === RECORD_KEY_INDEX) {
            index = reader.uint32();
        } else if (tag === RECORD_DATA) {
            data = Buffer.from(reader.bytes());
        } else {
            reader.skipType(tag & 7);
        }
    }
    if (index === undefined || data === undefined) {
        throw new RangeError('an aggregated record has an entry without key or data');
    }
    return { index, data };
}
