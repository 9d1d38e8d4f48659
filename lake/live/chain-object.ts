/** Reads chain objects line by line, for those who account for messages rather than read their metrics. */
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { StorageError } from '#lake/errors';
import type { ByteStream, ObjectStore } from '#lake/store/object-store';
import { type ChainMessage, decodeLine } from '#lake/telemetry/chain-line';
import { linesOf } from '#lake/text-lines';
import { type ChainFacts, ChainFactsTaken } from './datasets.ts';

/** The messages of a chain object in their order; none where the object is gone, or lines that are none. */
export async function* messagesOf(store: Pick<ObjectStore, 'head' | 'open'>, key: string): AsyncGenerator<ChainMessage> {
    const head = await store.head(key);
    if (!head) {
        return;
    }
    const packed = Readable.from(copiesOf(store.open(key, { ifMatch: head.etag })));
    const unpacked = packed.pipe(createGunzip());
    packed.on('error', (error) => unpacked.destroy(error));
    try {
        for await (const text of linesOf(unpacked)) {
            const line = decodeLine(text);
            if (line.is === 'message') {
                yield line.message;
            }
        }
    } finally {
        packed.destroy();
        unpacked.destroy();
    }
}

/** What the object holds; undefined where it is gone. @throws StorageError where it cannot be read, or has no message */
export async function readChainFacts(store: Pick<ObjectStore, 'head' | 'open'>, key: string): Promise<ChainFacts | undefined> {
    const taken = new ChainFactsTaken();
    try {
        for await (const message of messagesOf(store, key)) {
            taken.take(message);
        }
    } catch (error) {
        if (!(error instanceof Error && 'code' in error && String(error.code).startsWith('Z_'))) {
            throw error;
        }
        throw new StorageError(`${key} is no chain object, or a damaged one: ${error.message}. Put back the object as it was written`, {
            cause: error,
        });
    }
    if (taken.messages > 0) {
        return taken.facts();
    }
    if (await store.head(key)) {
        throw new StorageError(`${key} is no chain object, or a damaged one: it has no message. Put back the object as it was written`);
    }
    return undefined;
}

/** True if the chain object has a message of the device; undefined where it is gone. */
export async function hasDevice(store: Pick<ObjectStore, 'head' | 'open'>, key: string, device: string): Promise<boolean | undefined> {
    let isThere = false;
    for await (const message of messagesOf(store, key)) {
        if (message.device === device) {
            return true;
        }
        isThere = true;
    }
    return isThere ? false : undefined;
}

/** The chunks to keep: a store may overwrite one as soon as the next is asked for, and a stream asks ahead. */
async function* copiesOf(chunks: ByteStream): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
        yield Buffer.from(chunk);
    }
}
