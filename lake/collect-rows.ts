/** All rows of an answer at once, for answers that are small. */
import type { QueryResult, ResultColumn, Value } from '#lake/query/query-engine';

export interface CollectedRows {
    columns: readonly ResultColumn[];
    rows: Value[][];
}

export async function collectRows({ columns, batches }: QueryResult): Promise<CollectedRows> {
    const rows: Value[][] = [];
    for await (const batch of batches) {
        rows.push(...batch);
    }
    return { columns, rows };
}
