/** Use case: what an upload of one local file means for the lake that is there. Whether the file is put is decided here. */
import type { Inspection, ReadingOptions } from '#lake/kind';
import { kindOf, kinds } from '#lake/kinds';
import { kindNameOf, RAW_PREFIX } from '#lake/layout';
import { type LedgerRecord, toMetadata, toOptions } from '#lake/ledger';
import { sourceId } from '#lake/source-id';
import { ABSENT, type ObjectInfo, type ObjectStore } from '#lake/store/object-store';

export interface LocalFile {
    /** Raw key that it is to have. */
    key: string;
    sizeBytes: number;
    /** True if the object has these very bytes; asked only of objects of this size, because it may read the whole file. */
    hasBytesOf: (object: KnownBytes) => Promise<boolean>;
    /** What the file's beginning tells of it. */
    inspect: () => Promise<Inspection>;
}

/** What is known of bytes that are in the lake, or were. */
export interface KnownBytes {
    source: string;
    sizeBytes: number;
    etag: string;
    metadata: Readonly<Record<string, string>>;
}

/** What the lake knows of its sources, as far as uploads ask. */
export interface KnownSources {
    /** The ledger record of a source. */
    recordOf(rawKey: string): Promise<LedgerRecord | undefined>;
    /** Every source of `sizeBytes` bytes that is in the figures, or is going to be. */
    ofSize(sizeBytes: number): Promise<readonly KnownBytes[]>;
}

export type UploadDecision =
    | { action: 'put'; ifMatch: string; metadata: Record<string, string>; isReplacing: boolean }
    /** The lake has these bytes under this name. */
    | { action: 'skip' }
    | { action: 'refuse'; reason: string };

export interface DecideOptions {
    store: ObjectStore;
    readingOptions: ReadingOptions;
    known: KnownSources;
    mayReplace: boolean;
    mayDuplicate: boolean;
}

/**
 * What becomes of the file. Same name and bytes: skipped. Same name, other bytes: refused unless it may replace. Other name, same bytes:
 * refused unless allowed.
 */
export async function decideUpload(file: LocalFile, options: DecideOptions): Promise<UploadDecision> {
    const { store, readingOptions, known, mayReplace } = options;
    const name = file.key.slice(RAW_PREFIX.length);
    const raw = await store.head(file.key);
    const record = await known.recordOf(file.key);
    const there = record?.state === 'retracted' ? undefined : raw ? bytesOfObject(raw) : record && bytesOfRecord(record);
    const put = { action: 'put', ifMatch: raw?.etag ?? ABSENT, metadata: toMetadata(kindOf(file.key), readingOptions) } as const;
    if (!there) {
        return (await refuseTwin(file, options)) ?? { ...put, isReplacing: false };
    }
    if (there.sizeBytes === file.sizeBytes && (await file.hasBytesOf(there))) {
        if (isSubset(readingOptions, raw ? toOptions(kindOf(file.key), raw) : (record?.options ?? {}))) {
            return { action: 'skip' };
        }
        return mayReplace
            ? { ...put, isReplacing: true }
            : { action: 'refuse', reason: `${name} is in the lake, read with other options; to read it anew: --replace` };
    }
    if (!mayReplace) {
        return { action: 'refuse', reason: `${name} is in the lake with other bytes; a correction: --replace, another file: --as NAME` };
    }
    const found = await file.inspect();
    if (found.is !== 'usable') {
        return { action: 'refuse', reason: `${found.is === 'other' ? found.what : found.why}; the file that is in the lake stays` };
    }
    return (await refuseTwin(file, options)) ?? { ...put, isReplacing: true };
}

/** The refusal where another source of the kind that is in the figures has the same bytes, and they may not count twice. */
async function refuseTwin(file: LocalFile, { known, mayDuplicate }: DecideOptions): Promise<UploadDecision | undefined> {
    for (const twin of mayDuplicate ? [] : await known.ofSize(file.sizeBytes)) {
        if (twin.source !== file.key && isOfSameKind(twin.source, file.key) && (await file.hasBytesOf(twin))) {
            const reason = `the same bytes are in the lake as ${twin.source}; to count them twice: --allow-duplicate`;
            return { action: 'refuse', reason };
        }
    }
    return undefined;
}

/** True if both raw keys name one kind, even one that this program does not know. */
function isOfSameKind(oneKey: string, otherKey: string): boolean {
    const [one, other] = [oneKey, otherKey].map((key) => kindNameOf(key) ?? kinds[0].name);
    return one === other;
}

/** The bytes of a raw object, as `LocalFile.hasBytesOf` takes them. */
export function bytesOfObject({ key, sizeBytes, etag, metadata }: ObjectInfo): KnownBytes {
    return { source: key, sizeBytes, etag, metadata };
}

/** The bytes that a source had whose raw object is gone. */
function bytesOfRecord({ source, size_bytes, etag }: LedgerRecord): KnownBytes {
    return { source, sizeBytes: size_bytes, etag, metadata: {} };
}

/** What the ledger says, where all of it has been read: records by source id. */
export function knownByRecords(records: ReadonlyMap<string, LedgerRecord>): KnownSources {
    // Built once: a folder of ten thousand files asks ten thousand times, of ten thousand records.
    const bySize = new Map<number, KnownBytes[]>();
    for (const record of records.values()) {
        if (record.state === 'done') {
            const ofSize = bySize.get(record.size_bytes) ?? [];
            ofSize.push(bytesOfRecord(record));
            bySize.set(record.size_bytes, ofSize);
        }
    }
    return {
        recordOf: async (rawKey) => records.get(sourceId(rawKey)),
        ofSize: async (sizeBytes) => bySize.get(sizeBytes) ?? [],
    };
}

function isSubset(asked: ReadingOptions, known: ReadingOptions): boolean {
    return Object.entries(asked).every(([name, value]) => known[name] === value);
}
