/** The rows of a source that were rejected, as they stand in the lake, without an engine. */
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { kindOf } from '#lake/kinds';
import { rejectsKey } from '#lake/layout';
import type { LedgerRecord } from '#lake/ledger';
import { sourceId } from '#lake/source-id';
import type { ByteStream, ObjectStore } from '#lake/store/object-store';
import { linesOf } from '#lake/text-lines';

/** A reject, by the columns of its kind's table. */
export type RejectedRow = Readonly<Record<string, unknown>>;

/** The first reject of the version that counts; undefined where there is none. Reads no further than to it. */
export async function findFirstReject(
    source: Pick<LedgerRecord, 'source' | 'version'>,
    { reason, store }: { reason: string; store: ObjectStore },
): Promise<RejectedRow | undefined> {
    for await (const row of rejectsOf(source, { store })) {
        if (row.reason === reason) {
            return row;
        }
    }
    return undefined;
}

/** The rejects of the version that counts, in the order of the file; none where there are none. Reads on as they are taken. */
export async function* rejectsOf(
    { source, version }: Pick<LedgerRecord, 'source' | 'version'>,
    { store }: { store: ObjectStore },
): AsyncGenerator<RejectedRow> {
    const key = rejectsKey(kindOf(source).rejects, { source: sourceId(source), version: version ?? '' });
    const object = version === null ? undefined : await store.head(key);
    if (!object) {
        return;
    }
    const packed = Readable.from(copiesOf(store.open(key, { ifMatch: object.etag })));
    const lines = packed.pipe(createGunzip());
    packed.on('error', (error) => lines.destroy(error));
    try {
        for await (const line of linesOf(lines)) {
            yield JSON.parse(line);
        }
    } finally {
        packed.destroy();
        lines.destroy();
    }
}

/** The chunks to keep: a store may overwrite one as soon as the next is asked for, and a stream asks ahead. */
async function* copiesOf(chunks: ByteStream): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
        yield Buffer.from(chunk);
    }
}
