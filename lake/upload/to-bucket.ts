/** Puts gathered files into a deployed lake, waits until its workers have brought them into the figures, and tells how each came out. */
import pMap from 'p-map';
import type { Context } from '#cli/command';
import { openProgress, type Progress } from '#cli/draw/progress';
import { sayCount } from '#cli/draw/quantity';
import type { UploadFile } from '#cli/gather-files';
import type { BucketLake } from '#cli/lake';
import { exitCodeOf, report, resultOf, type UploadResult } from '#cli/upload-report';
import type { Environment } from '#lake/aws/client-config';
import { ConflictError } from '#lake/errors';
import { hasS3Etag, readLocalFile } from '#lake/here/local-file';
import { RAW_PREFIX, sourceId } from '#lake/layout';
import { readLedger } from '#lake/ledger';
import type { ObjectStore } from '#lake/store/object-store';
import { awaitFigures } from './await-figures.ts';
import { bytesOfObject, type KnownBytes, type KnownSources } from './decide.ts';
import { type DecideAllOptions, type Decided, decideAll, decideOne, SHA256 } from './decide-all.ts';
import { journalOf } from './journal.ts';

export interface UploadToBucketOptions extends Pick<DecideAllOptions, 'replace' | 'allowDuplicate' | 'dateOrder' | 'durationUnit'> {
    lake: BucketLake;
    /** Whether to wait until the files are in the figures. */
    wait: boolean;
    context: Pick<Context, 'stdout' | 'stderr' | 'signal' | 'output' | 'now' | 'environment'>;
}

/** A large file goes in four parts at once by itself; small ones would wait for each other's answers. */
const FILES_AT_ONCE = 4;

/** How often a name may be lost to another upload before this one gives up. */
const MAX_CONFLICTS = 3;

/** @returns the exit code: 1 where a file was refused or could not be used. @throws where the lake could not be written. */
export async function uploadToBucket(files: readonly UploadFile[], options: UploadToBucketOptions): Promise<number> {
    const { lake, context, wait } = options;
    const store = await lake.store();
    const deciding = decideOptions(options, store);
    const decided = await decideAll(files, deciding);
    const totalBytes = decided.reduce((sum, { file, decision }) => sum + (decision.action === 'put' ? file.sizeBytes : 0), 0);
    const progress = openProgress({ stderr: context.stderr, now: context.now, doing: 'Uploading', totalBytes });
    const put = await putAll(decided, { ...options, store, progress, deciding });
    const stored = put.filter(({ decision }) => decision.action === 'put').length;
    const [error] = put.flatMap(({ error }) => error ?? []);
    if (error || context.signal.aborted) {
        await progress.stop();
        await context.stderr.write(
            `${stored} of ${sayCount(files.length, 'file')} stored; run the same command again for the rest, it goes on where it was\n`,
        );
        throw error ?? context.signal.reason;
    }
    await (stored > 0 ? progress.finish(`Stored ${sayCount(stored, 'file')}`) : progress.stop());
    const taken = put.filter(({ decision }) => decision.action !== 'refuse');
    const records = wait
        ? await awaitFigures(
              taken.map(({ file }) => file.key),
              { lake, context },
          )
        : undefined;
    const results = put.map(({ file, decision }): UploadResult => {
        if (decision.action === 'refuse') {
            return { file, result: 'refused', note: decision.reason };
        }
        return records || decision.action === 'skip' ? resultOf(file, decision, records?.get(file.key)) : { file, result: 'stored' };
    });
    await report(results, context);
    return exitCodeOf(results);
}

type Outcome = Decided & { error?: unknown };

interface PutAllOptions extends UploadToBucketOptions {
    store: ObjectStore;
    progress: Progress;
    deciding: DecideAllOptions;
}

/** Puts what is to be put; an error belongs to its file and does not stop the others. */
function putAll(decided: readonly Decided[], options: PutAllOptions): Promise<Outcome[]> {
    const putOne = async (entry: Decided): Promise<Outcome> => {
        try {
            options.context.signal.throwIfAborted();
            return await putDecided(entry, options);
        } catch (error) {
            return { ...entry, error };
        }
    };
    return pMap(decided, putOne, { concurrency: FILES_AT_ONCE });
}

async function putDecided(entry: Decided, options: PutAllOptions): Promise<Outcome> {
    let { decision } = entry;
    for (let conflicts = 0; decision.action === 'put'; conflicts += 1) {
        try {
            await putFile(entry, { ...options, ...decision });
            return { ...entry, decision };
        } catch (error) {
            if (!(error instanceof ConflictError) || conflicts >= MAX_CONFLICTS) {
                throw error;
            }
            // Another upload of this name was faster, or the answer to ours was lost: what is there now decides.
            decision = await decideOne(entry.file, { ...options.deciding, sha256: entry.sha256 });
        }
    }
    return { ...entry, decision };
}

async function putFile(
    { file, sha256 }: Decided,
    { store, lake, context, progress, ifMatch, metadata }: PutAllOptions & { ifMatch: string; metadata: Record<string, string> },
): Promise<void> {
    const { signal, environment }: { signal: AbortSignal; environment: Environment } = context;
    const { key, path, sizeBytes } = file;
    const whole = { ...metadata, [SHA256]: await sha256() };
    await store.put(key, readLocalFile(path, { signal }), {
        ifMatch,
        metadata: whole,
        sizeBytes,
        resume: journalOf({ bucket: lake.bucket, key, metadata: whole, sizeBytes }, environment),
        onBytes: (bytes) => progress.advance(bytes),
    });
}

function decideOptions({ context, ...options }: UploadToBucketOptions, store: ObjectStore): DecideAllOptions {
    return { ...options, store, known: knownOfBucket(store), hasBytesOf, signal: context.signal };

    /** Uploads of this program say the SHA-256; of others there is the etag. */
    async function hasBytesOf(
        file: UploadFile,
        { etag, sizeBytes, metadata }: KnownBytes,
        sha256: () => Promise<string>,
    ): Promise<boolean> {
        const known = metadata[SHA256];
        return known === undefined ? hasS3Etag(file.path, { etag, sizeBytes, signal: context.signal }) : known === (await sha256());
    }
}

/** Asks for the records of the files at hand alone, and for twins among the raw objects: a lake may have a million sources. */
function knownOfBucket(store: ObjectStore): KnownSources {
    let keysOfSize: Promise<Map<number, string[]>> | undefined;
    const readRecord = async (key: string) => (await readLedger(store, sourceId(key))).record;
    return {
        recordOf: readRecord,
        async ofSize(sizeBytes) {
            keysOfSize ??= listSizes(store);
            const twins: KnownBytes[] = [];
            for (const key of (await keysOfSize).get(sizeBytes) ?? []) {
                const [raw, record] = await Promise.all([store.head(key), readRecord(key)]);
                if (raw && (record === undefined || record.state === 'done')) {
                    twins.push(bytesOfObject(raw));
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
