/**
 * The words in which the lake's tables are described. Each kind of data describes its own (lake/flows/tables.ts); lake/kinds.ts has them all. The
 * Parquet writer, the merge, DuckDB, the Glue catalog, the Spark jobs and docs/tables.md are computed from these descriptions.
 */

/**
 * SQL types as Athena, Trino and DuckDB all spell them. A `decimal(28,9)` is a measured value, exact to nine digits behind the point; the code has it as a
 * whole number of billionths. A `timestamp` is an instant in UTC to the millisecond, without a zone; the code has it as milliseconds since 1970.
 */
export type ColumnType = 'string' | 'bigint' | 'decimal(28,9)' | 'decimal(38,0)' | 'timestamp';

/**
 * How the values of rows with the same key become one: `key` columns tell rows apart, the others are added up, or the smallest or largest stays.
 * Every engine and language merges by this word. Nulls say nothing: of a null and a value the value stays.
 *
 * The `first` columns of a table stay together: all come from the one row whose `first` columns are the smallest. They are compared in the table's order,
 * numbers by value, texts by their bytes in UTF-8, a null behind every value. So the order in which rows are merged makes no difference. Texts that are
 * no keys are `first`.
 */
export type MergeWord = 'key' | 'sum' | 'min' | 'max' | 'first';

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

/** A table whose rows merge: every key once in each object, the rows ascending by their keys: texts by their bytes, numbers by value. */
export interface MergedTable extends Table {
    format: 'parquet';
    per: PeriodLength;
    /** How pages are compressed: snappy where it is left out. With zstd they have about half the bytes, and take longer to write. */
    codec?: 'zstd';
    /** Rows of a row group, 5,000 where it is left out: more of them compress better, and a reader of one key reads more. */
    groupRows?: number;
    /** Key columns first; they are texts or of type `bigint`, and never null. */
    columns: readonly MergedColumn[];
    /** How a person names a row, its key columns in braces: `{src_ip} to {dst_ip} at site {site}`. */
    rowName: string;
}

/** A table whose rows never merge: each object is made as a whole from others. */
export interface DayTable extends Table {
    format: 'parquet';
    per: 'day';
    /** The first columns, which are never null: rows stand ascending by them, texts by their bytes and numbers by value. No column is named `period`: `verify` has one of that name. */
    sortedBy: readonly string[];
    /** Rows of a row group, as in `MergedTable`. */
    groupRows?: number;
}

/** The table as those that write and read rows want it. Its words are not for merging: `key` says what rows are sorted by. */
export function withWords(table: DayTable): MergedTable {
    const columns = table.columns.map(
        (column): MergedColumn => ({ ...column, merge: table.sortedBy.includes(column.name) ? 'key' : 'first' }),
    );
    return { ...table, columns, rowName: table.grain };
}

/** A text that is part of the rows' key. */
export function key(name: string, meaning: string): MergedColumn {
    return { name, type: 'string', nullable: false, merge: 'key', meaning };
}

/** A whole number of 64 bits that is part of the rows' key. */
export function wholeKey(name: string, meaning: string, unit?: string): MergedColumn {
    return { name, type: 'bigint', ...(unit !== undefined && { unit }), nullable: false, merge: 'key', meaning };
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

/** One of the columns that come together from the smallest row; see `MergeWord`. */
export function first(
    name: string,
    type: ColumnType,
    meaning: string,
    { unit, nullable = false }: { unit?: string; nullable?: boolean } = {},
): MergedColumn {
    return { name, type, ...(unit !== undefined && { unit }), nullable, merge: 'first', meaning };
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

/** The column of the table. @throws TypeError where it has none of that name */
export function columnNamed<OfTable extends Column>(
    { name: ofTable, columns }: { name: string; columns: readonly OfTable[] },
    name: string,
): OfTable {
    const found = columns.find((column) => column.name === name);
    if (!found) {
        throw new TypeError(`no column ${name} in ${ofTable}`);
    }
    return found;
}

/** The table's key columns, in the order in which rows are sorted. */
export function keysOf({ columns }: MergedTable): MergedColumn[] {
    return columns.filter(({ merge }) => merge === 'key');
}

/** The columns that are not part of the key. */
export function figuresOf({ columns }: MergedTable): MergedColumn[] {
    return columns.filter(({ merge }) => merge !== 'key');
}
