/** Rows of an answer by the names of their columns. */
import type { CollectedRows } from '#lake/collect-rows';
import type { Value } from '#lake/query/query-engine';

export type Row = Readonly<Record<string, Value>>;

export function rowsOf({ columns, rows }: CollectedRows): Row[] {
    return rows.map((row) => Object.fromEntries(columns.map(({ name }, at) => [name, row[at] ?? null])));
}
