/** SQL over a lake in a directory: DuckDB in memory, which reads the lake's files when it is asked. */
import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve, sep } from 'node:path';
import type { DuckDBConnection, DuckDBResult } from '@duckdb/node-api';
import { SqlError, StorageError, UsageError } from '#lake/errors';
import { openCatalog } from './duckdb-catalog.ts';
import { prepareReading } from './duckdb-statement.ts';
import { bindParameters, toRows } from './duckdb-values.ts';
import type { QueryEngine, Value } from './query-engine.ts';

/** DuckDB forgets an interruption that comes just before it begins to work, so it is told again. */
const INTERRUPT_EVERY_MS = 20;

/**
 * The engine for the lake in `directory`, which may be empty or missing: then every table is there without rows. Files that come or go
 * later are seen by the next query. What does not fit into memory goes below `tempDirectory` until `close`.
 * @throws UsageError where the path has a backslash in a name, which DuckDB cannot take literally.
 */
export async function openDuckDb({
    directory,
    tempDirectory = tmpdir(),
}: {
    directory: string;
    tempDirectory?: string;
}): Promise<QueryEngine> {
    const root = resolve(directory).replaceAll(sep, '/');
    if (root.includes('\\')) {
        throw new UsageError(`The lake's path has a backslash in it, which DuckDB cannot read: rename ${root}`);
    }
    const spillFolder = join(tempDirectory, `flowlake-${randomUUID()}`);
    const { DuckDBInstance } = await import('@duckdb/node-api');
    const instance = await DuckDBInstance.create(':memory:', {
        temp_directory: spillFolder,
        autoinstall_known_extensions: 'false',
        autoload_known_extensions: 'false',
        // The system caches files already, and a file that was replaced must be read anew.
        enable_external_file_cache: 'false',
    });
    const catalog = await instance.connect();
    const connections = new Set([catalog]);
    const createNamed = await openCatalog(catalog, root);

    return {
        async query(sql, { parameters = [], signal } = {}) {
            signal?.throwIfAborted();
            const connection = await instance.connect();
            connections.add(connection);
            const stopListening = interruptOn(signal, connection);
            const running: Running = {
                root,
                signal,
                release() {
                    stopListening();
                    if (connections.delete(connection)) {
                        disconnect(connection);
                    }
                },
            };
            try {
                await createNamed(sql);
                const statement = await prepareReading(connection, sql);
                bindParameters(statement, parameters);
                signal?.throwIfAborted();
                const result = await statement.stream();
                const types = result.columnTypes();
                const columns = types.map((type, at) => ({ name: result.columnName(at), type: type.toString().toLowerCase() }));
                return { columns, batches: batchesOf(result, running) };
            } catch (error) {
                running.release();
                throw translate(error, running);
            }
        },

        async close() {
            for (const connection of connections) {
                disconnect(connection);
            }
            connections.clear();
            instance.closeSync();
            await rm(spillFolder, { recursive: true, force: true });
        },
    };
}

interface Running {
    root: string;
    signal: AbortSignal | undefined;
    /** Frees the query's connection; safe to call twice. */
    release(): void;
}

async function* batchesOf(result: DuckDBResult, running: Running): AsyncGenerator<Value[][]> {
    const types = result.columnTypes();
    try {
        for (;;) {
            running.signal?.throwIfAborted();
            const chunk = await result.fetchChunk();
            if (chunk === null || chunk.rowCount === 0) {
                return;
            }
            yield toRows(chunk.getRows(), types);
        }
    } catch (error) {
        throw translate(error, running);
    } finally {
        running.release();
    }
}

/** @returns a function that ends it */
function interruptOn(signal: AbortSignal | undefined, connection: DuckDBConnection): () => void {
    let timer: NodeJS.Timeout | undefined;
    const interrupt = (): void => {
        connection.interrupt();
        timer = setInterval(() => connection.interrupt(), INTERRUPT_EVERY_MS);
    };
    signal?.addEventListener('abort', interrupt, { once: true });
    return () => {
        signal?.removeEventListener('abort', interrupt);
        clearInterval(timer);
    };
}

/** Also while a query runs. */
function disconnect(connection: DuckDBConnection): void {
    connection.interrupt();
    connection.closeSync();
}

function translate(error: unknown, { root, signal }: Running): unknown {
    if (signal?.aborted) {
        return signal.reason;
    }
    // DuckDB's own errors are plain ones; any other has been translated, or is a fault of this program.
    if (!(error instanceof Error) || error.name !== 'Error') {
        return error;
    }
    const message = error.message
        .replace(/^Failed to extract statements: /, '')
        .replaceAll(/\n{2,}/g, '\n')
        .trim();
    const [summary = ''] = message.split('\n');
    if (summary.startsWith('Permission Error')) {
        return new SqlError(`${summary}: SQL can read the lake's own tables and nothing else`, { cause: error });
    }
    if (/^(IO|Out of Memory) Error/.test(summary) || summary.includes(root)) {
        return new StorageError(message, { cause: error });
    }
    return new SqlError(message === 'Error in native callback' ? 'There is no statement in it' : message, { cause: error });
}
