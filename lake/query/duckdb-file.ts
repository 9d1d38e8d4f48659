/** A DuckDB database for other programs: the lake's tables and views, which read the lake's files when they are asked. It holds no rows. */
import { resolve, sep } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { UsageError } from '#lake/errors';
import { MACROS, relationsOf } from './duckdb-relations.ts';

/**
 * Writes the database of the lake in `directory` to a path where nothing is yet. It names the lake's files by their full paths.
 * @returns the names in it: of all tables and views, and of those tables which have no file yet and stay without rows in it.
 * @throws UsageError where the lake's path has a backslash in a name, which DuckDB cannot take literally
 */
export async function writeDuckDbFile(
    path: string,
    { directory, moreViews }: { directory: string; moreViews: readonly { name: string; sql: string }[] },
): Promise<{ names: string[]; empty: string[] }> {
    const root = resolve(directory).replaceAll(sep, '/');
    if (root.includes('\\')) {
        throw new UsageError(`The lake's path has a backslash in it, which DuckDB cannot read: rename ${root}`);
    }
    const instance = await DuckDBInstance.create(path, { autoinstall_known_extensions: 'false', autoload_known_extensions: 'false' });
    try {
        const connection = await instance.connect();
        for (const [signature, body] of Object.entries(MACROS)) {
            await connection.run(`create macro ${signature} as ${body}`);
        }
        const empty: string[] = [];
        const relations = relationsOf(root);
        for (const relation of relations) {
            const hasFiles = await relation.hasFiles();
            await connection.run(relation.createSql({ hasFiles }));
            if (!hasFiles) {
                empty.push(relation.name);
            }
        }
        for (const { name, sql } of moreViews) {
            await connection.run(`create view ${name} as ${sql}`);
        }
        await connection.run('checkpoint');
        connection.closeSync();
        return { names: [...relations, ...moreViews].map(({ name }) => name), empty };
    } finally {
        instance.closeSync();
    }
}
