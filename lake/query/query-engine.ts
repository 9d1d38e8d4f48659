/** The port to what answers SQL over the lake: DuckDB for a directory, Athena on AWS. */

export type Value = string | number | bigint | boolean | null;

export interface ResultColumn {
    name: string;
    /** SQL type as the engine names it, lower case: `varchar`, `bigint`, `decimal(38,0)`, `double`. */
    type: string;
}

/** What a query read, where the engine is paid by that. */
export interface Scanned {
    bytes: number;
    /** At the list price; see lake/query/athena-price.ts. */
    costUsd: number;
}

export interface QueryResult {
    columns: readonly ResultColumn[];
    /** Known before the first row; absent where reading costs nothing. */
    scanned?: Scanned;
    /**
     * The rows in batches, to be read once and to the end (or broken off). Whole numbers are `bigint` whatever their width
     * (decimals of scale 0 too), doubles are `number`, everything else is text or boolean.
     */
    batches: AsyncIterable<Value[][]>;
}

export interface QueryOptions {
    parameters?: readonly Value[];
    /** Aborting it stops the query. */
    signal?: AbortSignal;
    /** More than this makes the query fail where reading is paid for, as soon as the engine tells; other engines leave it aside. */
    maxScanBytes?: number | undefined;
}

export interface QueryEngine {
    /**
     * Runs one statement that only reads. Tables are those of lake/kinds.ts, views those in the folders of sql/. Parameters stand as `?`.
     * @throws SqlError where the engine refuses the SQL; its message shows the place. @throws StorageError where it cannot answer.
     */
    query(sql: string, options?: QueryOptions): Promise<QueryResult>;
    /** Frees what the engine holds; safe to call twice. */
    close(): Promise<void>;
}
