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
    records: ReadonlyMap<string, Pick<LedgerRecord, 'source' | 'size_bytes' | 'etag' | 'state'> & { options?: ReadingOptions }>;
    mayReplace: boolean;
    mayDuplicate: boolean;
}

/** Same name and bytes: skipped. Same name, other bytes: refused unless it may replace. Other name, same bytes: refused unless allowed. */
export async function decideUpload(file: LocalFile, options: DecideOptions): Promise<UploadDecision> {
    const { store, readingOptions, records, mayReplace } = options;
    const name = file.key.slice(RAW_PREFIX.length);
    const raw = await store.head(file.key);
    const record = records.get(sourceId(file.key));
    const there = record?.state === 'retracted' ? undefined : (raw ?? (record && { etag: record.etag, sizeBytes: record.size_bytes }));
    const put = { action: 'put', ifMatch: raw?.etag ?? ABSENT, metadata: toMetadata(readingOptions) } as const;
    if (!there) {
        return (await refuseTwin(file, options)) ?? { ...put, isReplacing: false };
    }
    if (there.sizeBytes === file.sizeBytes && there.etag === (await file.etag())) {
        if (isSubset(readingOptions, raw ? toOptions(raw.metadata) : (record?.options ?? {}))) {
            return { action: 'skip' };
        }
        return mayReplace
            ? { ...put, isReplacing: true }
            : { action: 'refuse', reason: `${name} is in the lake, read with other options; to read it anew: --replace` };
    }
    if (!mayReplace) {
        return { action: 'refuse', reason: `${name} is in the lake with other bytes; a correction: --replace, another file: --as NAME` };
    }
    const unusable = await file.whyUnusable();
    if (unusable !== undefined) {
        return { action: 'refuse', reason: `${unusable}; the file that is in the lake stays` };
    }
    return (await refuseTwin(file, options)) ?? { ...put, isReplacing: true };
}

/** The refusal where another source that is in the figures has the same bytes, and they may not count twice. */
async function refuseTwin(file: LocalFile, { records, mayDuplicate }: DecideOptions): Promise<UploadDecision | undefined> {
    for (const { source, size_bytes, state, etag } of mayDuplicate ? [] : records.values()) {
        if (source !== file.key && size_bytes === file.sizeBytes && state === 'done' && etag === (await file.etag())) {
            return { action: 'refuse', reason: `the same bytes are in the lake as ${source}; to count them twice: --allow-duplicate` };
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
