/** From where the lake is to what a command works with. The adapters are imported when first used. */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { StorageError, UsageError } from '#lake/errors';
import type { QueryEngine, QueryResult, Value } from '#lake/query/query-engine';
import type { QueryName } from '#lake/query/sql-files';
import type { ObjectStore } from '#lake/store/object-store';
import type { LakeLocation } from './command.ts';
import { Failure } from './command.ts';

/** The lake's adapters, each opened when first asked for and then the same. */
export interface Lake {
    directory: string;
    store(): Promise<ObjectStore>;
    engine(): Promise<QueryEngine>;
    /** Runs a file of sql/queries, its `?` filled in order. */
    ask(name: QueryName, parameters?: readonly Value[]): Promise<QueryResult>;
    close(): Promise<void>;
}

/** @returns undefined where no lake is named. */
export function parseLakeLocation(name: string | undefined): LakeLocation | undefined {
    if (name === undefined || name === '') {
        return undefined;
    }
    return name.startsWith('s3://')
        ? { kind: 's3', name, bucket: name.slice('s3://'.length) }
        : { kind: 'directory', name, directory: resolve(name) };
}

/**
 * Opens the lake for `use` and closes it after. `mayBeNew` is for commands that write: the directory may be missing.
 * @throws UsageError where no lake is named, or one of a kind that this version has not. @throws Failure where there is no such lake.
 */
export async function useLake<T>(
    { lake, signal }: { lake: LakeLocation | undefined; signal: AbortSignal },
    use: (lake: Lake) => Promise<T>,
    { mayBeNew = false }: { mayBeNew?: boolean } = {},
): Promise<T> {
    if (lake === undefined) {
        throw new UsageError('Which lake? Give it as --lake ./my-lake, or name a default: export FLOWLAKE_LAKE=./my-lake');
    }
    if (lake.kind === 's3') {
        throw new UsageError(`${lake.name}: lakes on S3 are not there yet in this version; give a directory (--lake ./my-lake)`);
    }
    const kind = await kindOf(lake.directory);
    if (kind === 'file') {
        throw new Failure(`${lake.name} is a file; a lake is a directory`);
    }
    if (kind === 'nothing' && !mayBeNew) {
        throw new Failure(`No lake at ${lake.name}: upload something first (flowlake --lake ${quoteForShell(lake.name)} upload <file>)`);
    }
    const opened = openDirectoryLake(lake.directory, signal);
    try {
        return await use(opened);
    } finally {
        await opened.close();
    }
}

/** A word as a shell takes it for one. */
export function quoteForShell(word: string): string {
    if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(word)) {
        return word;
    }
    return /["$`\\!]/.test(word) ? `'${word.replaceAll("'", "'\\''")}'` : `"${word}"`;
}

function openDirectoryLake(directory: string, signal: AbortSignal): Lake {
    let store: Promise<ObjectStore> | undefined;
    let engine: Promise<QueryEngine> | undefined;
    const lake: Lake = {
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
