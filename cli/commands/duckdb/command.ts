/** `flowlake duckdb`: the lake's tables and views as a database that other programs open. */
import { defineCommand } from '#cli/command';

export const duckdb = defineCommand({
    name: 'duckdb',
    summary: 'write a DuckDB database of the lake’s tables and views, for dashboards, notebooks and other programs',
    details:
        'For a lake in a directory. The file holds no rows: its views read the lake’s files when they are asked, so it need not be written again when figures change. ' +
        'Write it again when a table has got its first file, when a profile is new, and after an update of flowlake. It names the lake’s files by their full paths. ' +
        'Programs open it read-only with DuckDB 1.4 or newer: docs/bi.md shows how. For an s3:// lake they ask Athena.',
    arguments: { file: { meaning: 'file to write; one that is there is replaced as a whole', count: 'one' } },
    options: {},
    examples: [{ line: '--lake my-lake duckdb my-lake.duckdb', does: 'for Superset, Jupyter, DBeaver or the command duckdb' }],
    async run({ arguments: { file }, ...context }) {
        const { writeDatabase } = await import('./run.ts');
        return writeDatabase(file, context);
    },
});
