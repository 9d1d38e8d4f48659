/** What SQL finds in DuckDB: the lake's relations, each created when it is first named, and nothing outside of the lake. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { escapePattern, fileFaultIn, foldersOf, literal, MACROS, missingColumnIn, type Relation, relationsOf } from './duckdb-relations.ts';
import { relationsReadBy } from './sql-files.ts';

/** Views beside those of the package, of which the words of a statement may name some. */
export type MoreViews = (words: ReadonlySet<string>) => Promise<readonly { name: string; sql: string }[]>;

/**
 * Shuts DuckDB in and @returns a function that creates the relations which a statement names, where they are not there yet or have got
 * their first file or lost their last one since. To create them all would take longer than most answers. The function throws StorageError where
 * a table's files lack a column or cannot be read.
 */
export async function openCatalog(
    connection: DuckDBConnection,
    { directory, moreViews = async () => [] }: { directory: string; moreViews?: MoreViews | undefined },
): Promise<(sql: string) => Promise<void>> {
    for (const statement of [
        ...Object.entries(MACROS).map(([signature, body]) => `create macro ${signature} as ${body}`),
        "set TimeZone = 'UTC'",
        // Both spellings, because a pattern is looked up as it is written.
        `set allowed_directories = [${foldersOf(directory)
            .flatMap((folder) => [folder, escapePattern(folder)])
            .map(literal)
            .join(', ')}]`,
        'set enable_external_access = false',
        'set lock_configuration = true',
    ]) {
        await connection.run(statement);
    }
    const relations = relationsOf(directory);
    const created = new Map<string, boolean>();
    let last = Promise.resolve();

    async function create(wanted: readonly Relation[]): Promise<void> {
        for (const relation of wanted) {
            const hasFiles = await relation.hasFiles();
            if (created.get(relation.name) !== hasFiles) {
                await connection.run(relation.createSql({ hasFiles })).catch((cause: Error) => {
                    const missing = missingColumnIn(cause.message, { cause, where: relation.name });
                    throw missing ?? fileFaultIn(cause.message, { cause, root: directory }) ?? cause;
                });
                created.set(relation.name, hasFiles);
            }
        }
    }

    return (sql) => {
        const words = new Set(sql.toLowerCase().match(/\w+/g));
        const named = relations.filter(({ name }) => words.has(name));
        // One after the other, because two queries must not create the same at the same time.
        last = last
            .catch(() => undefined)
            .then(async () => {
                const more = await moreViews(words);
                const isNone = named.length + more.length === 0;
                // A statement that names none (`show tables`) may mean any of them.
                const wanted = new Set([
                    ...(isNone ? relations : named).flatMap(({ name, needs }) => [...needs, name]),
                    ...more.flatMap(({ sql }) => [...relationsReadBy(sql)]),
                ]);
                await create(relations.filter(({ name }) => wanted.has(name)));
                for (const view of more) {
                    // Made anew each time: what it is made of may have changed.
                    await connection.run(`create or replace view ${view.name} as ${view.sql}`);
                }
            });
        return last;
    };
}
