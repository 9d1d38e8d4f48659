/** One batch of rows that are there already, as a query's result has them. */
import type { Value } from '#lake/query/query-engine';

export async function* batchOf(rows: Value[][]): AsyncGenerator<Value[][]> {
    yield rows;
}
