/** The port to what answers SQL over the lake: DuckDB for a directory, Athena on AWS. */

export type Value = string | number | bigint | boolean | null;

export interface ResultColumn {
    name: string;
    /** SQL type as the engine names it, lower case: `varchar`, `bigint`, `decimal(38,0)`, `double`. */
    type: string;
}

export interface QueryResult {
    columns: readonly ResultColumn[];
    /**
     * The rows in batches, to be read once and to the end (or broken off). Whole numbers are `bigint` whatever their width
     * (decimals of scale 0 too), doubles are `number`, everything else is text or boolean.
     */
    batches: AsyncIterable<Value[][]>;
}

export interface QueryEngine {
    /**
     * Runs one statement that only reads. Tables are those of lake/tables.ts, views those of sql/views. Parameters stand as `?`.
     * @throws SqlError where the engine refuses the SQL; its message shows the place. Aborting the signal stops the query.
     */
    query(sql: string, options?: { parameters?: readonly Value[]; signal?: AbortSignal }): Promise<QueryResult>;
    /** Frees what the engine holds; safe to call twice. */
    close(): Promise<void>;
}
