/** Use case: what an upload of one local file means for the lake that is there. Whether the file is put is decided here. */
import type { Inspection, ReadingOptions } from '#lake/kind';
import { findKind, kindOf } from '#lake/kinds';
import { RAW_PREFIX } from '#lake/layout';
import { type LedgerRecord, toMetadata, toOptions } from '#lake/ledger';
import { sourceId } from '#lake/source-id';
import { ABSENT, type ObjectInfo, type ObjectStore } from '#lake/store/object-store';
import { areOfSameKind } from '#lake/twins';
import { type Beginning, findSameRows, type KnownRows, rowsOfRecord } from './known-rows.ts';
import { closeRows, type RowsRead } from './read-rows.ts';

export interface LocalFile {
    /** Raw key that it is to have. */
    key: string;
    sizeBytes: number;
    /** True if the object has these very bytes; asked only of objects of this size, because it may read the whole file. */
    hasBytesOf: (object: KnownBytes) => Promise<boolean>;
    /** What the file's beginning tells of it. */
    inspect: () => Promise<Inspection>;
    /** Hashes of the file's first rows; see `Kind.beginning`. */
    beginning: () => Promise<readonly string[]>;
    /** All rows of the file; asked only where another source has the first of them. */
    readRows: () => Promise<RowsRead>;
}

/** What is known of bytes that are in the lake, or were. */
export interface KnownBytes {
    source: string;
    sizeBytes: number;
    etag: string;
    metadata: Readonly<Record<string, string>>;
    /** True if the lake has not read them yet, so that it is not known whether anything of them counts. */
    isUnread?: boolean;
}

/** What the lake knows of its sources, as far as uploads ask. */
export interface KnownSources {
    /** The ledger record of a source. */
    recordOf(rawKey: string): Promise<LedgerRecord | undefined>;
    /** Every source of `sizeBytes` bytes that is in the figures, or is going to be. */
    ofSize(sizeBytes: number): Promise<readonly KnownBytes[]>;
    /** The rows of sources that are in the figures by the hash of their first one; none in a bucket, whose whole ledger no upload reads. */
    rows: ReadonlyMap<string, readonly KnownRows[]>;
}

export type UploadDecision =
    /** `note`: what must be known of it all the same. */
    | { action: 'put'; ifMatch: string; metadata: Record<string, string>; isReplacing: boolean; note?: string | undefined }
    /** The lake has these bytes under this name. */
    | { action: 'skip' }
    /** `beginsWith`: the source whose rows all stand at the file's beginning, where that is the reason. */
    | { action: 'refuse'; reason: string; beginsWith?: Beginning | undefined };

export interface DecideOptions {
    store: ObjectStore;
    readingOptions: ReadingOptions;
    known: KnownSources;
    mayReplace: boolean;
    mayDuplicate: boolean;
}

/**
 * What becomes of the file. Same name and bytes: skipped, but read anew where nothing of it counts and it is to be read otherwise. Same name, other bytes: refused unless it may replace. Other name, same bytes:
 * refused unless allowed. So are other bytes with the rows of another source of its kind and site, or with some of them in front.
 */
export async function decideUpload(file: LocalFile, options: DecideOptions): Promise<UploadDecision> {
    const { store, readingOptions, known, mayReplace } = options;
    const name = file.key.slice(RAW_PREFIX.length);
    const raw = await store.head(file.key);
    const record = await known.recordOf(file.key);
    const there = record?.state === 'retracted' ? undefined : raw ? bytesOfObject(raw) : record && bytesOfRecord(record);
    const put = { action: 'put', ifMatch: raw?.etag ?? ABSENT, metadata: toMetadata(kindOf(file.key), readingOptions) } as const;
    if (!there) {
        return (await refuseTwin(file, options)) ?? withRows({ ...put, isReplacing: false }, file, options);
    }
    if (there.sizeBytes === file.sizeBytes && (await file.hasBytesOf(there))) {
        const knownOptions = raw ? toOptions(kindOf(file.key), raw) : (record?.options ?? {});
        // Of such a source nothing counts: how it was to be read may have been the very fault, and what is said now holds.
        const isOfNoUse = record?.state === 'failed' || record?.state === 'empty';
        const isSaidOtherwise = !isSubset(readingOptions, knownOptions) || !isSubset(knownOptions, readingOptions);
        if (isOfNoUse && isSaidOtherwise) {
            return { ...put, isReplacing: false };
        }
        if (isSubset(readingOptions, knownOptions)) {
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
    return (await refuseTwin(file, options)) ?? withRows({ ...put, isReplacing: true }, file, options);
}

/**
 * The refusal where another source of the kind that is in the figures has the same bytes, and they may not count twice. Bytes of which nothing counts
 * are no twin: each file that holds them is taken in, and says every time why it is of no use.
 */
async function refuseTwin(file: LocalFile, { known, mayDuplicate }: DecideOptions): Promise<UploadDecision | undefined> {
    for (const twin of mayDuplicate ? [] : await known.ofSize(file.sizeBytes)) {
        if (twin.source !== file.key && areOfSameKind(twin.source, file.key) && (await file.hasBytesOf(twin))) {
            if (twin.isUnread && !(await keepsAny(file))) {
                continue;
            }
            const reason = `the same bytes are in the lake as ${twin.source}; to count them twice: --allow-duplicate`;
            return { action: 'refuse', reason };
        }
    }
    return undefined;
}

async function keepsAny(file: LocalFile): Promise<boolean> {
    const found = await file.readRows();
    closeRows(found);
    return found.outcome.ok && found.outcome.rowsRead > found.outcome.rowsRejected;
}

/** The decision to put, or not to, now that it is known whose rows the file has. */
async function withRows(
    put: UploadDecision & { action: 'put' },
    file: LocalFile,
    { known, mayDuplicate }: DecideOptions,
): Promise<UploadDecision> {
    if (mayDuplicate || known.rows.size === 0) {
        return put;
    }
    const beginning = await file.beginning();
    const rows = known.rows.get(beginning[0] ?? '') ?? [];
    const same = await findSameRows({ key: file.key, beginning, read: file.readRows }, rows);
    if (same?.isTwin) {
        return { action: 'refuse', reason: same.reason, beginsWith: same.beginsWith };
    }
    return { ...put, note: same?.note };
}

/** The bytes of a raw object, as `LocalFile.hasBytesOf` takes them. */
export function bytesOfObject({ key, sizeBytes, etag, metadata }: ObjectInfo): KnownBytes {
    return { source: key, sizeBytes, etag, metadata };
}

/** The bytes that a source had whose raw object is gone. */
function bytesOfRecord({ source, size_bytes, etag }: LedgerRecord): KnownBytes {
    return { source, sizeBytes: size_bytes, etag, metadata: {} };
}

/** What the ledger of a lake says, where all of it has been read: records by source id. */
export function knownByRecords(records: ReadonlyMap<string, LedgerRecord>, store: ObjectStore): KnownSources {
    // Built once: a folder of ten thousand files asks ten thousand times, of ten thousand records.
    const bySize = new Map<number, KnownBytes[]>();
    const rows = new Map<string, KnownRows[]>();
    for (const record of records.values()) {
        if (record.state === 'done') {
            const ofSize = bySize.get(record.size_bytes) ?? [];
            ofSize.push(bytesOfRecord(record));
            bySize.set(record.size_bytes, ofSize);
            if (findKind(record.source)) {
                addRows(rows, rowsOfRecord(record, store));
            }
        }
    }
    return {
        recordOf: async (rawKey) => records.get(sourceId(rawKey)),
        ofSize: async (sizeBytes) => bySize.get(sizeBytes) ?? [],
        rows,
    };
}

/** Adds rows to those that are found by their first one. */
export function addRows(rows: Map<string, KnownRows[]>, added: KnownRows): void {
    const [first] = added.beginning;
    if (first !== undefined) {
        const others = rows.get(first) ?? [];
        others.push(added);
        rows.set(first, others);
    }
}

/** Takes away the rows of a source. */
export function removeRows(rows: Map<string, KnownRows[]>, source: string): void {
    for (const [first, known] of rows) {
        if (known.some((one) => one.source === source)) {
            rows.set(
                first,
                known.filter((one) => one.source !== source),
            );
        }
    }
}

function isSubset(asked: ReadingOptions, known: ReadingOptions): boolean {
    return Object.entries(asked).every(([name, value]) => known[name] === value);
}
