/**
 * The words in which the lake's tables are described. Each kind of data describes its own (lake/flows/tables.ts); lake/kinds.ts has them all. The
 * Parquet writer, the merge, DuckDB, the Glue catalog, the Spark jobs and docs/tables.md are computed from these descriptions.
 */

/** SQL types as Athena, Trino and DuckDB all spell them. */
export type ColumnType = 'string' | 'bigint' | 'decimal(38,0)';

/**
 * How the values of rows with the same key become one: `key` columns tell rows apart, the others are added up, or the smallest or largest stays.
 * Every engine and language merges by this word. Nulls say nothing: of a null and a value the value stays.
 */
export type MergeWord = 'key' | 'sum' | 'min' | 'max';

export interface Column {
    name: string;
    type: ColumnType;
    /** Unit of a number: `microseconds`, `packets`; absent where the number has none. */
    unit?: string;
    nullable: boolean;
    /**
     * Column of the same type whose values hold for this one in objects that were written before there was this one. Without it such an object is
     * refused.
     */
    absentAs?: string;
    meaning: string;
}

/** A column of a table whose rows merge. */
export interface MergedColumn extends Column {
    merge: MergeWord;
}

export interface Table {
    name: string;
    /** Beginning of its objects' keys, with the final slash. */
    prefix: string;
    format: 'parquet' | 'json' | 'jsonl.gz';
    /**
     * Span of time of one object; absent where objects have none. Either way the table is partitioned by a text column `day`
     * (`YYYY-MM-DD`), which stands in the object key and not in the object. A table by hour has the hour (UTC) in the object's name.
     */
    per?: PeriodLength;
    /** What one row is, behind the words "One row per": `pair and day`. */
    grain: string;
    columns: readonly Column[];
}

export type PeriodLength = 'day' | 'hour';

/** A table whose rows merge: every key once in each object, the rows ascending by the bytes of their keys. */
export interface MergedTable extends Table {
    format: 'parquet';
    per: PeriodLength;
    /** Key columns first; they are text and never null. */
    columns: readonly MergedColumn[];
    /** How a person names a row, its key columns in braces: `{src_ip} to {dst_ip} at site {site}`. */
    rowName: string;
}

/** A text that is part of the rows' key. */
export function key(name: string, meaning: string): MergedColumn {
    return { name, type: 'string', nullable: false, merge: 'key', meaning };
}

/** A text. */
export function text(name: string, meaning: string, nullable = false): Column {
    return { name, type: 'string', nullable, meaning };
}

/** A whole number of 64 bits. */
export function whole(name: string, meaning: string, { unit, nullable = false }: { unit?: string; nullable?: boolean } = {}): Column {
    return { name, type: 'bigint', ...(unit !== undefined && { unit }), nullable, meaning };
}

/** A whole number of 64 bits that merges. */
export function merged(name: string, merge: MergeWord, meaning: string, unit?: string): MergedColumn {
    return { name, type: 'bigint', ...(unit !== undefined && { unit }), nullable: false, merge, meaning };
}

/**
 * The four columns of a measure: sum, sum of squares, smallest and largest of what the merged rows were made of. With `mayLack` some or all of
 * that may be without the measure: where all is, the smallest and the largest are null, and the sums 0.
 */
export function measure(name: string, unit: string, what: string, { mayLack = false }: { mayLack?: boolean } = {}): MergedColumn[] {
    const bound = (column: MergedColumn): MergedColumn => ({ ...column, nullable: mayLack });
    return [
        merged(`${name}_sum`, 'sum', `sum of ${what}`, unit),
        {
            name: `${name}_sum_sq`,
            type: 'decimal(38,0)',
            unit: `${unit} squared`,
            nullable: false,
            merge: 'sum',
            meaning: `sum of the squares of ${what}`,
        },
        bound(merged(`${name}_min`, 'min', `smallest of ${what}`, unit)),
        bound(merged(`${name}_max`, 'max', `largest of ${what}`, unit)),
    ];
}

/** The table's key columns, in the order in which rows are sorted. */
export function keysOf({ columns }: MergedTable): MergedColumn[] {
    return columns.filter(({ merge }) => merge === 'key');
}

/** The columns that are not part of the key. */
export function figuresOf({ columns }: MergedTable): MergedColumn[] {
    return columns.filter(({ merge }) => merge !== 'key');
}
