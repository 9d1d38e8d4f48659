/** Use case: what an upload of one local file means for the lake that is there. Whether the file is put is decided here. */
import { RAW_PREFIX, sourceId } from '#lake/layout';
import type { LedgerRecord, ReadingOptions } from '#lake/ledger';
import { toMetadata, toOptions } from '#lake/ledger';
import { ABSENT, type ObjectStore } from '#lake/store/object-store';

export interface LocalFile {
    /** Raw key that it is to have. */
    key: string;
    sizeBytes: number;
    /** The etag that the lake's store would give these bytes. */
    etag: () => Promise<string>;
    /** Why the file is no usable file of flows, or undefined where its header is found. */
    whyUnusable: () => Promise<string | undefined>;
}

export type UploadDecision =
    | { action: 'put'; ifMatch: string; metadata: Record<string, string>; isReplacing: boolean }
    /** The lake has these bytes under this name. */
    | { action: 'skip' }
    | { action: 'refuse'; reason: string };

export interface DecideOptions {
    store: ObjectStore;
    readingOptions: ReadingOptions;
    /** All ledger records by source id, and of files that this command has put so far. */
    records: ReadonlyMap<string, Pick<LedgerRecord, 'source' | 'size_bytes' | 'etag' | 'state'>>;
    mayReplace: boolean;
    mayDuplicate: boolean;
}

/** Same name and bytes: skipped. Same name, other bytes: refused unless it may replace. Other name, same bytes: refused unless allowed. */
export async function decideUpload(file: LocalFile, options: DecideOptions): Promise<UploadDecision> {
    const { store, readingOptions, records, mayReplace } = options;
    const name = file.key.slice(RAW_PREFIX.length);
    const raw = await store.head(file.key);
    const record = records.get(sourceId(file.key));
    const there = raw ?? (record && record.state !== 'retracted' ? { etag: record.etag, sizeBytes: record.size_bytes } : undefined);
    const metadata = toMetadata(readingOptions);
    if (!there) {
        const twin = options.mayDuplicate ? undefined : await findTwin(file, records);
        return twin === undefined
            ? { action: 'put', ifMatch: ABSENT, metadata, isReplacing: false }
            : { action: 'refuse', reason: `the same bytes are in the lake as ${twin}; to count them twice: --allow-duplicate` };
    }
    const ifMatch = raw?.etag ?? ABSENT;
    if (there.sizeBytes === file.sizeBytes && there.etag === (await file.etag())) {
        if (record?.state === 'retracted') {
            return { action: 'put', ifMatch, metadata, isReplacing: false };
        }
        const known = raw ? toOptions(raw.metadata) : {};
        if (raw === undefined || isSubset(readingOptions, known)) {
            return { action: 'skip' };
        }
        return mayReplace
            ? { action: 'put', ifMatch, metadata, isReplacing: true }
            : { action: 'refuse', reason: `${name} is in the lake, read with other options; to read it anew: --replace` };
    }
    if (record?.state === 'retracted') {
        return { action: 'put', ifMatch, metadata, isReplacing: false };
    }
    if (!mayReplace) {
        return { action: 'refuse', reason: `${name} is in the lake with other bytes; a correction: --replace, another file: --as NAME` };
    }
    const unusable = await file.whyUnusable();
    return unusable === undefined
        ? { action: 'put', ifMatch, metadata, isReplacing: true }
        : { action: 'refuse', reason: `${unusable}; the file that is in the lake stays` };
}

/** A source that is in the figures and has the same bytes. */
async function findTwin(file: LocalFile, records: DecideOptions['records']): Promise<string | undefined> {
    for (const record of records.values()) {
        if (record.size_bytes === file.sizeBytes && record.state === 'done' && record.etag === (await file.etag())) {
            return record.source;
        }
    }
    return undefined;
}

function isSubset(asked: ReadingOptions, known: ReadingOptions): boolean {
    return (
        (asked.dateOrder === undefined || asked.dateOrder === known.dateOrder) &&
        (asked.durationUnit === undefined || asked.durationUnit === known.durationUnit)
    );
}
