/** What a worker of the release before sees and does: it reads files otherwise, and writes records of the format before. */

import { LEDGER_PREFIX, RAW_PREFIX } from '#lake/layout';
import type { LedgerRecord } from '#lake/ledger';
import type { ObjectInfo, ObjectStore } from '#lake/store/object-store';
import { FLOWS_FORMAT } from '#test/support/flow-tables';
import { type SmallFile, smallFile } from '#test/support/small-files';

/** Its contents have other names, as another number of the format gives them. */
const OLD = ' as the release before reads it';

/** The file as that release reads it: without its last row. */
export function asReadBefore(file: SmallFile): SmallFile {
    if (!file.isUsable || file.flows.length + file.rejects === 0) {
        return file;
    }
    return file.rejects > 0
        ? smallFile(file.flows, { rejects: file.rejects - 1 })
        : smallFile(file.flows.slice(0, -1), { rejects: file.rejects });
}

/** `stops`: whether it stops at a record of this release, as every release does at one of a newer format. */
export function asOlderRelease(store: ObjectStore, { stops }: { stops: boolean }): ObjectStore {
    const seen = (info: ObjectInfo): ObjectInfo => (info.key.startsWith(RAW_PREFIX) ? { ...info, etag: info.etag + OLD } : info);
    return {
        ...store,
        async head(key) {
            const info = await store.head(key);
            return info && seen(info);
        },
        async get(key) {
            const object = await store.get(key);
            if (!object || !key.startsWith(LEDGER_PREFIX)) {
                return object;
            }
            const record: LedgerRecord = JSON.parse(Buffer.from(object.bytes).toString());
            const isNewer = (record.summary_format ?? 0) >= FLOWS_FORMAT;
            const summary_format = isNewer && stops ? FLOWS_FORMAT + 1 : FLOWS_FORMAT;
            return { ...object, bytes: bytesOf({ ...record, etag: isNewer ? record.etag : record.etag + OLD, summary_format }) };
        },
        async *open(key, { ifMatch }) {
            const pieces: Uint8Array[] = [];
            for await (const piece of store.open(key, { ifMatch: ifMatch.replace(OLD, '') })) {
                pieces.push(Buffer.from(piece));
            }
            const lines = Buffer.concat(pieces).toString().split('\n');
            // The header stays, and the text of a file that is none of flows.
            yield Buffer.from(lines.length > 2 ? `${lines.slice(0, -2).join('\n')}\n` : lines.join('\n'));
        },
        async put(key, body, options) {
            if (!key.startsWith(LEDGER_PREFIX) || !(body instanceof Uint8Array)) {
                return store.put(key, body, options);
            }
            const record: LedgerRecord = JSON.parse(Buffer.from(body).toString());
            return store.put(key, bytesOf({ ...record, etag: record.etag.replace(OLD, ''), summary_format: FLOWS_FORMAT - 1 }), options);
        },
    };
}

function bytesOf(record: LedgerRecord): Uint8Array<ArrayBuffer> {
    return new Uint8Array(Buffer.from(JSON.stringify(record)));
}
