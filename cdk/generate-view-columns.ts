/** Writes cdk/view-columns.json, a part of `npm run docs`. test/cdk/catalog.test.ts says when it is stale. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDuckDb } from '#lake/query/duckdb';
import { VIEW_NAMES } from '#lake/query/sql-files';
import type { ViewColumn } from './view-columns.ts';

/** What the types of DuckDB's results are in Trino. */
const TRINO_TYPES: ReadonlyMap<string, string> = new Map([
    ['varchar', 'varchar'],
    ['bigint', 'bigint'],
    ['double', 'double'],
    ['boolean', 'boolean'],
    ['date', 'date'],
    ['decimal(38,0)', 'decimal(38,0)'],
    ['decimal(28,9)', 'decimal(28,9)'],
    ['timestamp', 'timestamp(3)'],
]);

/** The columns of every view, as DuckDB finds them over an empty lake. Synthesis takes the file, so that it needs no database. */
export async function describeViews(): Promise<Record<string, ViewColumn[]>> {
    const directory = await mkdtemp(join(tmpdir(), 'flowlake-views-'));
    const engine = await openDuckDb({ directory });
    try {
        const described: Record<string, ViewColumn[]> = {};
        for (const view of VIEW_NAMES) {
            const { columns } = await engine.query(`select * from ${view} limit 0`);
            described[view] = columns.map(({ name, type }) => ({ name, type: trinoTypeOf(type) }));
        }
        return described;
    } finally {
        await engine.close();
        await rm(directory, { recursive: true });
    }
}

/**
 * The type of Trino for one of DuckDB. @throws TypeError for a type that the views have not had yet: cast it in the view to one that all
 * engines share
 */
function trinoTypeOf(duckDbType: string): string {
    const type = TRINO_TYPES.get(duckDbType);
    if (type === undefined) {
        throw new TypeError(
            `No Trino type is known for DuckDB's ${duckDbType}: cast it in the view, or add it to cdk/generate-view-columns.ts`,
        );
    }
    return type;
}

if (import.meta.main) {
    await writeFile(new URL('view-columns.json', import.meta.url), `${JSON.stringify(await describeViews(), null, 4)}\n`);
}
