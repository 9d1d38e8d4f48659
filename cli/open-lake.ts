/** From where the lake is to what a command works with. The adapters are imported when first used. */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Environment } from '#lake/aws/client-config';
import { StorageError, UsageError } from '#lake/errors';
import type { QueryEngine } from '#lake/query/query-engine';
import type { ObjectStore } from '#lake/store/object-store';
import type { Context, LakeLocation } from './command.ts';
import { Failure } from './command.ts';
import type { BucketLake, DirectoryLake, Lake } from './lake.ts';
import type { Output } from './output.ts';

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
const BUCKET_NAME = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/** @returns undefined where no lake is named. @throws UsageError for what is no bucket behind `s3://` */
export function parseLakeLocation(name: string | undefined): LakeLocation | undefined {
    if (name === undefined || name === '') {
        return undefined;
    }
    if (!name.startsWith('s3://')) {
        return { kind: 'directory', name, directory: resolve(name) };
    }
    const bucket = name.slice('s3://'.length).replace(/\/$/, '');
    if (!BUCKET_NAME.test(bucket)) {
        throw new UsageError(`${name} is no lake: give the bucket alone, s3://bucket (a lake is a whole bucket, not a folder of one)`);
    }
    return { kind: 's3', name, bucket };
}

/**
 * Opens the lake for `use` and closes it after. `mayBeNew` is for commands that write: the directory may be missing.
 * @throws UsageError where no lake is named. @throws Failure where there is no such lake.
 */
export async function useLake<T>(
    { lake, signal, environment, stderr }: Pick<Context, 'lake' | 'signal' | 'environment'> & { stderr?: Output },
    use: (lake: Lake) => Promise<T>,
    { mayBeNew = false }: { mayBeNew?: boolean } = {},
): Promise<T> {
    if (lake === undefined) {
        throw new UsageError('Which lake? Give it as --lake ./my-lake or s3://bucket, or name a default: export FLOWLAKE_LAKE=./my-lake');
    }
    const opened =
        lake.kind === 's3'
            ? await openBucket(lake.bucket, { signal, environment, stderr })
            : await openDirectory(lake, { signal, mayBeNew });
    try {
        return await use(opened);
    } finally {
        await opened.close();
    }
}

async function openBucket(
    bucket: string,
    options: { signal: AbortSignal; environment: Environment; stderr: Output | undefined },
): Promise<BucketLake> {
    const { openBucketLake } = await import('./open-bucket-lake.ts');
    return openBucketLake({ bucket, ...options });
}

async function openDirectory(
    lake: { name: string; directory: string },
    { signal, mayBeNew }: { signal: AbortSignal; mayBeNew: boolean },
): Promise<DirectoryLake> {
    const kind = await kindOf(lake.directory);
    if (kind === 'file') {
        throw new Failure(`${lake.name} is a file; a lake is a directory`);
    }
    if (kind === 'nothing' && !mayBeNew) {
        throw new Failure(`No lake at ${lake.name}: upload something first (flowlake --lake ${quoteForShell(lake.name)} upload <file>)`);
    }
    const { assertNoLinksIn, WORK_FOLDER } = await import('#lake/store/directory-links');
    await assertNoLinksIn(WORK_FOLDER, lake.directory);
    return openDirectoryLake(lake.directory, signal);
}

/** A word as a shell takes it for one. */
export function quoteForShell(word: string): string {
    if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(word)) {
        return word;
    }
    return /["$`\\!]/.test(word) ? `'${word.replaceAll("'", "'\\''")}'` : `"${word}"`;
}

function openDirectoryLake(directory: string, signal: AbortSignal): DirectoryLake {
    let store: Promise<ObjectStore> | undefined;
    let engine: Promise<QueryEngine> | undefined;
    const lake: DirectoryLake = {
        kind: 'directory',
        directory,
        store() {
            store ??= import('#lake/store/directory').then(({ openDirectoryStore }) => openDirectoryStore(directory));
            return store;
        },
        engine() {
            engine ??= import('#lake/query/duckdb').then(({ openDuckDb }) => openDuckDb({ directory }));
            return engine;
        },
        async ask(name, parameters = []) {
            const { readQuery } = await import('#lake/query/sql-files');
            return (await lake.engine()).query(readQuery(name), { parameters, signal });
        },
        async close() {
            await (await engine)?.close();
        },
    };
    return lake;
}

async function kindOf(path: string): Promise<'directory' | 'file' | 'nothing'> {
    try {
        return (await stat(path)).isDirectory() ? 'directory' : 'file';
    } catch (error) {
        if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) {
            return 'nothing';
        }
        throw new StorageError(`Cannot look into ${path}: ${error instanceof Error ? error.message : error}`, { cause: error });
    }
}
