/**
 * The only description of the lake's tables. The Parquet writer, DuckDB, the Glue catalog and the page docs/tables.md are
 * computed from it, so a new measure is one entry here and the next summary format number.
 */

/** SQL types as Athena, Trino and DuckDB all spell them. */
export type ColumnType = 'string' | 'bigint' | 'decimal(38,0)';

export interface Column {
    name: string;
    type: ColumnType;
    /** Unit of a number: `microseconds`, `packets`; absent where the number has none. */
    unit?: string;
    nullable: boolean;
    meaning: string;
}

export interface Table {
    name: string;
    /** Where its objects live, with the final slash. */
    prefix: string;
    format: 'parquet' | 'json' | 'jsonl.gz';
    /** Partitioned by a text column `day` (`YYYY-MM-DD`), which stands in the object key and not in the object. */
    isPartitionedByDay: boolean;
    /** One row per ... */
    grain: string;
    columns: readonly Column[];
}

function text(name: string, meaning: string, nullable = false): Column {
    return { name, type: 'string', nullable, meaning };
}

function whole(name: string, meaning: string, { unit, nullable = false }: { unit?: string; nullable?: boolean } = {}): Column {
    return unit === undefined ? { name, type: 'bigint', nullable, meaning } : { name, type: 'bigint', unit, nullable, meaning };
}

function measure(name: string, unit: string, what: string): Column[] {
    return [
        whole(`${name}_sum`, `sum of ${what}`, { unit }),
        {
            name: `${name}_sum_sq`,
            type: 'decimal(38,0)',
            unit: `${unit} squared`,
            nullable: false,
            meaning: `sum of the squares of ${what}`,
        },
        whole(`${name}_min`, `smallest of ${what}`, { unit }),
        whole(`${name}_max`, `largest of ${what}`, { unit }),
    ];
}

const PAIR_COLUMNS: readonly Column[] = [
    text('site', 'where the probe stands; `main` where none was given'),
    text('src_ip', 'source address as written in the file, trimmed'),
    text('dst_ip', 'destination address as written in the file, trimmed'),
    whole('flows', 'rows merged here'),
    ...measure('flow_duration_us', 'microseconds', 'the flows’ durations'),
    ...measure('fwd_pkts', 'packets', 'the flows’ forward packets'),
];

/** What each source contributes to each day; for the pipeline: it may hold what does not count. */
const flowSummaries: Table = {
    name: 'flow_summaries',
    prefix: 'summaries/',
    format: 'parquet',
    isPartitionedByDay: true,
    grain: 'source, pair and day',
    columns: PAIR_COLUMNS,
};

/** The exact daily totals of every pair, all sources merged. */
export const pairDays: Table = {
    name: 'pair_days',
    prefix: 'pair_days/',
    format: 'parquet',
    isPartitionedByDay: true,
    grain: 'pair and day',
    columns: PAIR_COLUMNS,
};

/** What was read of each source; see lake/ledger.ts for the record that these columns are taken from. */
export const sources: Table = {
    name: 'sources',
    prefix: 'ledger/',
    format: 'json',
    isPartitionedByDay: false,
    grain: 'source',
    columns: [
        text('source', 'the raw object’s key'),
        text('site', 'site that the key names'),
        text('version', 'the version that counts, `<n>-<attempt>`; null where none does', true),
        text('state', '`done`, `failed` or `retracted`'),
        text('dialect', '`cicflowmeter`, `python-cicflowmeter` or `zeek`; null where the file has no usable header', true),
        text(
            'date_order',
            '`dmy`, `mdy`, `ymd`, `epoch`, or `assumed` where nothing settled it and day first was taken; null without rows',
            true,
        ),
        text('duration_unit', 'unit that the durations were read in, `us` or `s`', true),
        whole('rows_read', 'data rows of the file'),
        whole('rows_kept', 'rows that are in the figures'),
        whole('rows_rejected', 'rows that could not be used; table `rejects` has them'),
        text('first_day', 'earliest day of a kept row', true),
        text('last_day', 'latest day of a kept row', true),
        whole('pairs', 'distinct pairs of the kept rows'),
        whole('size_bytes', 'size of the raw object', { unit: 'bytes' }),
        text('summarized_at', 'when it was summarized, UTC, ISO 8601'),
        text('error', 'why the file could not be used, for state `failed`', true),
    ],
};

/** The rows that could not be used. */
export const rejects: Table = {
    name: 'rejects',
    prefix: 'rejects/',
    format: 'jsonl.gz',
    isPartitionedByDay: false,
    grain: 'rejected row',
    columns: [
        text('source', 'the raw object’s key'),
        text('version', 'version of the source that the row was read in'),
        whole('line_number', 'line of the file at which the row begins, from 1'),
        text('reason', 'reason code; lake/flows/rejects.ts lists them'),
        text('line', 'the row as read, bytes that are not UTF-8 replaced, cut at 4,096 characters'),
    ],
};

/** Every table, in the order in which they are documented. */
export const tables: readonly Table[] = [pairDays, flowSummaries, sources, rejects];
