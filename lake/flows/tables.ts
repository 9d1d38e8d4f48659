/** The tables of flows. A new measure is an entry of `MEASURES`; then `npx tsc` names what the readers lack of it (CONTRIBUTING.md, "Add a measure"). */
import { type Column, key, type MergedColumn, type MergedTable, measure, merged, type Table, text, whole } from '#lake/tables';

/** What is known of flows, and never below 0; with `mayLack` not of every one. */
const MEASURES = [
    { name: 'flow_duration_us', unit: 'microseconds', what: 'the timed flows’ durations', mayLack: true },
    { name: 'fwd_pkts', unit: 'packets', what: 'the flows’ forward packets', mayLack: false },
] as const;

/** The figure that counts the values of each measure that not every flow has. */
export const COUNT_OF: Readonly<Record<Extract<(typeof MEASURES)[number], { mayLack: true }>['name'], string>> = {
    flow_duration_us: 'timed_flows',
};

/** A measure by its columns' names, without `_sum` and so on. */
export type FlowMeasure = (typeof MEASURES)[number]['name'];

/** All measures, in the order of their columns. */
export const flowMeasures: readonly FlowMeasure[] = MEASURES.map(({ name }) => name);

const PAIR_COLUMNS: readonly MergedColumn[] = [
    key('site', 'where the probe stands; `main` where none was given'),
    key('src_ip', 'source address, IPv6 in its short form (RFC 5952)'),
    key('dst_ip', 'destination address, IPv6 in its short form (RFC 5952)'),
    merged('flows', 'sum', 'rows merged here'),
    // Before summary format 3 every flow had a duration: one without was a reject.
    { ...merged('timed_flows', 'sum', 'how many of the flows have a duration'), absentAs: 'flows' },
    ...MEASURES.flatMap(({ name, unit, what, mayLack }) => measure(name, unit, what, { mayLack })),
];

const ROW_NAME = '{src_ip} to {dst_ip} at site {site}';

/** The exact daily totals of every pair, all sources merged. */
export const pairDays: MergedTable = {
    name: 'pair_days',
    prefix: 'pair_days/',
    format: 'parquet',
    per: 'day',
    grain: 'pair and day',
    columns: PAIR_COLUMNS,
    rowName: ROW_NAME,
};

/** What each source contributes to each day; for the pipeline: it may hold what does not count. */
export const flowSummaries: MergedTable = {
    name: 'flow_summaries',
    prefix: 'summaries/',
    format: 'parquet',
    per: 'day',
    grain: 'source, pair and day',
    columns: PAIR_COLUMNS,
    rowName: ROW_NAME,
};

/** The rows that could not be used. */
export const rejects: Table = {
    name: 'rejects',
    prefix: 'rejects/',
    format: 'jsonl.gz',
    grain: 'rejected row',
    columns: [
        text('source', 'the raw object’s key'),
        text('version', 'version of the source that the row was read in'),
        whole('line_number', 'line of the file at which the row begins, from 1'),
        text('reason', 'reason code; lake/flows/rejects.ts lists them'),
        text('line', 'the row as read, bytes that are not UTF-8 replaced, cut at 4,096 characters'),
    ],
};

/** What the reader finds out about a file of flows beside the counts of its rows: columns of table `sources`. */
export const foundInFlows: readonly Column[] = [
    text('dialect', 'what the file was read as, docs/reading.md lists them; null where it could not be read', true),
    text(
        'date_order',
        '`dmy`, `mdy`, `ymd`, `epoch` (an instant, which has no order), or `assumed` where nothing settled it and day first was taken; null without rows',
        true,
    ),
    text('duration_unit', 'unit that the durations were read in, `s`, `ms`, `us` or `ns`; null where no flow has a duration', true),
    text(
        'duration_unit_by',
        'what settled that unit: `witnessed` (the rows), `named` (the format or its columns), `assumed` or `given` (the uploader)',
        true,
    ),
    whole('rows_skipped', 'rows and records that are no flows by right; neither read nor rejected'),
    text('skipped', 'what they are, by reason: `no_data 3, skip_data 1`; null where there are none', true),
    text('rejected', 'rejected rows by reason: `negative 3, nan 1`; null where there are none', true),
    whole('pairs', 'distinct pairs of the kept rows'),
];
