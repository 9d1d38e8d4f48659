/** Records as the Kinesis Producer Library aggregates them: written here by the format's page alone, for tests of what reads them. */
import { createHash } from 'node:crypto';
import { Writer } from 'protobufjs/minimal.js';

export interface AggregatedEntry {
    key: string;
    data: string | Buffer;
}

/** The bytes of an aggregated record; `spoil` changes the protobuf message before its digest is made. */
export function aggregatedRecord(entries: readonly AggregatedEntry[], { spoil }: { spoil?: (body: Buffer) => Buffer } = {}): Buffer {
    const keys = [...new Set(entries.map(({ key }) => key))];
    const writer = Writer.create();
    for (const key of keys) {
        writer.uint32(10).string(key);
    }
    // An explicit hash key, and tags of a record: none of them says anything of a message.
    writer.uint32(18).string('170141183460469231731687303715884105728');
    for (const { key, data } of entries) {
        writer.uint32(26).fork();
        writer.uint32(8).uint64(keys.indexOf(key)).uint32(16).uint64(0).uint32(26).bytes(Buffer.from(data));
        writer.uint32(34).fork().uint32(10).string('tag').ldelim();
        writer.ldelim();
    }
    const body = Buffer.from(writer.finish());
    const written = spoil?.(body) ?? body;
    return Buffer.concat([Buffer.from('f3899ac2', 'hex'), written, createHash('md5').update(written).digest()]);
}
