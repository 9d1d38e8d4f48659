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
    /** List price in US dollars; see lake/query/athena-price.ts. */
    costUsd: number;
}

export interface QueryResult {
    columns: readonly ResultColumn[];
    /** What is scanned, known before the first row; absent where reading costs nothing. */
    scanned?: Scanned;
    /**
     * The rows in batches, to be read once and to the end (or broken off). Whole numbers are `bigint` whatever their width
     * (decimals of scale 0 too), doubles are `number`, everything else is text or boolean; a timestamp has its milliseconds:
     * `2026-01-05 09:10:00.250`.
     */
    batches: AsyncIterable<Value[][]>;
}

export interface QueryOptions {
    parameters?: readonly Value[];
    /** Aborting it stops the query. */
    signal?: AbortSignal;
    /**
     * Bytes that a query may read: more makes it fail where reading is paid for, as soon as the engine tells. Other engines leave it aside.
     */
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
