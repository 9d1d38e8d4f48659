/** SQL over a lake in a directory: DuckDB in memory, which reads the lake's files when it is asked. */
import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve, sep } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { UsageError } from '#lake/errors';
import { type MoreViews, openCatalog } from './duckdb-catalog.ts';
import { startQuery } from './duckdb-query.ts';
import type { QueryEngine } from './query-engine.ts';

/**
 * The engine for the lake in `directory`, which may be empty or missing: then every table is there without rows. Files that come or go
 * later are seen by the next query. What does not fit into memory goes below `tempDirectory` until `close`.
 * @throws UsageError where the path has a backslash in a name, which DuckDB cannot take literally.
 */
export async function openDuckDb({
    directory,
    tempDirectory = tmpdir(),
    moreViews,
}: {
    directory: string;
    tempDirectory?: string;
    moreViews?: MoreViews;
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
    const createNamed = await openCatalog(catalog, { directory: root, moreViews });
    const connections = new Set([catalog]);

    function disconnect(connection: DuckDBConnection): void {
        if (connections.delete(connection)) {
            connection.interrupt();
            connection.closeSync();
        }
    }

    return {
        async query(sql, { parameters = [], signal } = {}) {
            signal?.throwIfAborted();
            await createNamed(sql);
            signal?.throwIfAborted();
            const connection = await instance.connect();
            connections.add(connection);
            return startQuery(connection, { sql, parameters, signal, root, release: () => disconnect(connection) });
        },

        async close() {
            connections.forEach(disconnect);
            instance.closeSync();
            await rm(spillFolder, { recursive: true, force: true, maxRetries: 3 });
        },
    };
}
