/** Puts files into a deployed lake and waits until its workers have brought them into the figures. */
import pMap from 'p-map';
import { ConflictError } from '#lake/errors';
import { hasS3Etag, readLocalFile } from '#lake/here/local-file';
import type { BucketLake } from '#lake/lake';
import { RAW_PREFIX } from '#lake/layout';
import { readFewRecords, readLedger } from '#lake/ledger';
import { sourceId } from '#lake/source-id';
import type { ObjectStore } from '#lake/store/object-store';
import { awaitFigures } from './await-figures.ts';
import { bytesOfObject, type KnownBytes, type KnownSources } from './decide.ts';
import { type DecideAllOptions, type Decided, decideAll, decideOne, SHA256 } from './decide-all.ts';
import { journalOf } from './journal.ts';
import { noteTwins } from './note-twins.ts';
import type { UploadFile, UploadOptions } from './request.ts';
import { resultOf, type UploadResult } from './result.ts';

/** Files that are put at once. A large file goes in four parts at once by itself; small ones would wait for each other's answers. */
const FILES_AT_ONCE = 4;

/** How often a name may be lost to another upload before this one gives up. */
const MAX_CONFLICTS = 3;

/**
 * Brings the files into the bucket. @returns what came of each file. @throws where the lake could not be written; what was stored stays,
 * and the same upload does the rest.
 */
export async function uploadToBucket(
    lake: Pick<BucketLake, 'bucket' | 'store' | 'queue' | 'hasTelemetry'>,
    files: readonly UploadFile[],
    options: UploadOptions,
): Promise<UploadResult[]> {
    const { signal, events, wait } = options;
    const store = await lake.store();
    const deciding = decidingInBucket(options, store);
    const decided = await decideAll(files, deciding);
    events?.onBegin?.(decided.reduce((sum, { file, decision }) => sum + (decision.action === 'put' ? file.sizeBytes : 0), 0));
    const put = await putAll(decided, { store, bucket: lake.bucket, deciding, options });
    const stored = put.filter(({ decision, error }) => decision.action === 'put' && error === undefined).length;
    const failure = put.find(({ error }) => error !== undefined);
    if (failure || signal.aborted) {
        await events?.onBrokenOff?.({ taken: stored, of: files.length, isAnyLeft: true });
        throw failure?.error ?? signal.reason;
    }
    await events?.onTaken?.(stored);
    const taken = put.filter(({ decision }) => decision.action !== 'refuse').map(({ file }) => file.key);
    const records = wait ? await awaitFigures(taken, { lake, ...options, events }) : undefined;
    const results = put.map(({ file, decision }): UploadResult => {
        if (decision.action === 'refuse') {
            return { file, result: 'refused', note: decision.reason };
        }
        return records || decision.action === 'skip' ? resultOf(file, decision, records?.get(file.key)) : { file, result: 'stored' };
    });
    if (!records || options.allowDuplicate) {
        return results;
    }
    const known = await readFewRecords(store);
    await (known ? undefined : events?.onNotCompared?.());
    return known ? noteTwins(results, known) : results;
}

/** What came of a file; `error` is set where it could not be put. */
type Outcome = Decided & { error?: unknown };

interface PutAllOptions {
    store: ObjectStore;
    bucket: string;
    deciding: DecideAllOptions;
    options: UploadOptions;
}

/** Puts what is to be put; an error belongs to its file and does not stop the others. */
function putAll(decided: readonly Decided[], where: PutAllOptions): Promise<Outcome[]> {
    const putOne = async (entry: Decided): Promise<Outcome> => {
        try {
            where.options.signal.throwIfAborted();
            return await putDecided(entry, where);
        } catch (error) {
            return { ...entry, error };
        }
    };
    return pMap(decided, putOne, { concurrency: FILES_AT_ONCE });
}

async function putDecided(entry: Decided, where: PutAllOptions): Promise<Outcome> {
    let { decision } = entry;
    for (let conflicts = 0; decision.action === 'put'; conflicts += 1) {
        try {
            await putFile(entry, { ...where, ...decision });
            return { ...entry, decision };
        } catch (error) {
            if (!(error instanceof ConflictError) || conflicts >= MAX_CONFLICTS) {
                throw error;
            }
            // Another upload of this name was faster, or the answer to ours was lost: what is there now decides.
            decision = await decideOne(entry.file, { ...where.deciding, sha256: entry.sha256 });
        }
    }
    return { ...entry, decision };
}

async function putFile(
    { file, sha256 }: Decided,
    { store, bucket, options, ifMatch, metadata }: PutAllOptions & { ifMatch: string; metadata: Record<string, string> },
): Promise<void> {
    const { signal, environment, events } = options;
    const { key, path, sizeBytes } = file;
    const whole = { ...metadata, [SHA256]: await sha256() };
    await store.put(key, readLocalFile(path, { signal }), {
        ifMatch,
        metadata: whole,
        sizeBytes,
        resume: journalOf({ bucket, key, metadata: whole, sizeBytes }, environment),
        onBytes: events?.onBytes,
    });
}

/** How files are decided on; of the lake's sources only those are asked for that may be the same. */
export function decidingInBucket(options: UploadOptions, store: ObjectStore): DecideAllOptions {
    return { ...options, store, known: knownOfBucket(store), mayCompareRows: false, hasBytesOf };

    /** True if the file has the object's bytes. Uploads of this program say the SHA-256; others have the etag alone. */
    async function hasBytesOf(
        file: UploadFile,
        { etag, sizeBytes, metadata }: KnownBytes,
        sha256: () => Promise<string>,
    ): Promise<boolean> {
        const known = metadata[SHA256];
        return known === undefined ? hasS3Etag(file.path, { etag, sizeBytes, signal: options.signal }) : known === (await sha256());
    }
}

/** Asks for the records of the files at hand alone, and for twins among the raw objects: a lake may have a million sources. */
function knownOfBucket(store: ObjectStore): KnownSources {
    let keysOfSize: Promise<Map<number, string[]>> | undefined;
    const readRecord = async (key: string) => (await readLedger(store, sourceId(key))).record;
    return {
        recordOf: readRecord,
        rows: new Map(),
        async ofSize(sizeBytes) {
            keysOfSize ??= listSizes(store);
            const twins: KnownBytes[] = [];
            for (const key of (await keysOfSize).get(sizeBytes) ?? []) {
                const [raw, record] = await Promise.all([store.head(key), readRecord(key)]);
                if (raw && (record === undefined || record.state === 'done')) {
                    twins.push({ ...bytesOfObject(raw), isUnread: record === undefined });
                }
            }
            return twins;
        },
    };
}

async function listSizes(store: ObjectStore): Promise<Map<number, string[]>> {
    const keys = new Map<number, string[]>();
    for await (const { key, sizeBytes } of store.list(RAW_PREFIX)) {
        keys.set(sizeBytes, [...(keys.get(sizeBytes) ?? []), key]);
    }
    return keys;
}
