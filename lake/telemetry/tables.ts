/** The tables of telemetry as sources give them: readings by the hour, and the messages that are none. */
import { type Column, first, key, type MergedColumn, type MergedTable, merged, type Table, text, whole, wholeKey } from '#lake/tables';

const READING_COLUMNS: readonly MergedColumn[] = [
    key('site', 'where the device stands; `main` where none was given'),
    key('device', 'id of the device'),
    key('metric', 'what was measured, as the profile names it'),
    wholeKey('at_ms', 'when it was measured, UTC', 'milliseconds since 1970'),
    key('message', 'identity of the message that it came in: what the profile names, else 16 hex digits of the payload’s SHA-256'),
    {
        name: 'measured_at',
        type: 'timestamp',
        nullable: false,
        merge: 'min',
        meaning: 'the same instant as `at_ms`, for people',
    },
    first('received_ms', 'bigint', 'when the message arrived, UTC; when it was measured where that is not known', {
        unit: 'milliseconds since 1970',
    }),
    first('value', 'decimal(28,9)', 'the value; yes is 1 and no is 0; null where the metric is a text', { nullable: true }),
    first('text', 'string', 'the value of a metric that is a text; else null', { nullable: true }),
    first('clock', 'string', '`device`, or `arrival` where the device told no time that can be believed'),
    first('profile', 'string', 'name of the profile that the message was read with'),
    merged('copies', 'sum', 'how often the reading came: repeats are one row'),
];

const ROW_NAME = '{metric} of {device} at site {site}';

/** Every reading once, all sources merged. */
export const readings: MergedTable = {
    name: 'readings',
    prefix: 'readings/',
    format: 'parquet',
    per: 'hour',
    codec: 'zstd',
    groupRows: 20_000,
    grain: 'reading',
    columns: READING_COLUMNS,
    rowName: ROW_NAME,
};

/** What each source contributes to each hour; for the pipeline: it may hold what does not count. */
export const readingSummaries: MergedTable = {
    ...readings,
    name: 'reading_summaries',
    prefix: 'reading_summaries/',
    grain: 'source and reading',
};

/** The messages, and the metrics of messages, that could not be used. */
export const messagesRejected: Table = {
    name: 'messages_rejected',
    prefix: 'messages_rejected/',
    format: 'jsonl.gz',
    grain: 'rejected message, and metric without a reading',
    columns: [
        text('source', 'the raw object’s key'),
        text('version', 'version of the source that the message was read in'),
        whole('line_number', 'place of the message in the file, from 1: its line, or that at which it begins'),
        text('metric', 'the metric that has no reading; null where it is the whole message', true),
        text('reason', 'reason code; docs/reading-telemetry.md lists them'),
        text('why', 'the reason in one sentence, with what was found'),
        text('line', 'the payload as read, bytes that are not UTF-8 replaced, cut at 4,096 characters'),
    ],
};

/** What the reader finds out about a source of telemetry beside the counts of its messages: columns of table `sources`. */
export const foundInTelemetry: readonly Column[] = [
    text(
        'message_form',
        'how its messages stand in it: `chain`, `json-lines`, `json-array`, `json-objects`, `csv`; null where it could not be read',
        true,
    ),
    text('profiles', 'the profiles that it was read with, and their versions: `thermostat@3`; null where none was', true),
    whole('readings', 'readings of the kept messages, repeats counted'),
    whole('devices', 'distinct devices of the kept messages'),
    whole('metrics_rejected', 'rows of messages_rejected beside the one of each rejected message: metrics without a reading'),
    whole('clock_arrival', 'readings whose device told no time that can be believed'),
    text('unknown_fields', 'fields that no profile names, the first ones: `/battery_v, /fw`; null where there are none', true),
    text('rejected', 'rejected messages and metrics by reason: `out_of_limits 3, no_device 1`; null where there are none', true),
];
