/** The views that a lake's inputs are made into: `readings_wide_<profile>`. Each is made anew when it is asked for: its input may have another version. */
import { listInputs, readInput } from '#lake/inputs';
import { kinds } from '#lake/kinds';
import type { Relation } from './duckdb-relations.ts';
import { relationsReadBy } from './sql-files.ts';

/** The views of the lake in `directory` that the words name. */
export async function viewsOfInputs(directory: string, words: ReadonlySet<string>): Promise<Relation[]> {
    const views: Relation[] = [];
    for (const { inputs } of kinds) {
        const { prefix = '', viewPrefix, viewOf } = inputs ?? {};
        if (!viewOf || viewPrefix === undefined || ![...words].some((word) => word.startsWith(viewPrefix))) {
            continue;
        }
        const { openDirectoryStore } = await import('#lake/store/directory');
        const store = openDirectoryStore(directory);
        for (const { name } of await listInputs(store, prefix)) {
            const input = await readInput(store, prefix, name);
            const view = input && (await viewOf(input.document));
            if (view && words.has(view.name)) {
                const { sql } = view;
                const needs = [...relationsReadBy(sql)];
                views.push({
                    name: view.name,
                    needs,
                    hasFiles: async () => true,
                    createSql: () => `create or replace view ${view.name} as ${sql}`,
                });
            }
        }
    }
    return views;
}
