/** The tables that are derived from readings: their columns. */
import { type Column, type DayTable, text, whole } from '#lake/tables';

/** A figure in units of 10^-digits, of metrics that have values. */
function figure(name: string, meaning: string): Column {
    return { name, type: 'decimal(38,0)', unit: '10^-digits', nullable: true, meaning };
}

/** What the readings of each metric of each device come to in each hour. */
export const metricHours: DayTable = {
    name: 'metric_hours',
    prefix: 'metric_hours/',
    format: 'parquet',
    per: 'day',
    grain: 'device, metric and hour',
    sortedBy: ['site', 'device', 'metric', 'hour_ms'],
    // A footer of small groups costs whoever asks for a year more than the rows that larger ones have it read.
    groupRows: 20_000,
    columns: [
        text('site', 'where the device stands'),
        text('device', 'the device’s id'),
        text('metric', 'the metric’s name in the profile'),
        whole('hour_ms', 'beginning of the hour', { unit: 'ms since 1970, UTC' }),
        whole('hour', 'hour of the day in UTC, 0 to 23'),
        whole(
            'digits',
            'digits behind the point of the figures; null, as they are, for texts and for a metric of which the profile keeps none',
            { nullable: true },
        ),
        whole('n', 'readings, each once however often it came'),
        figure('sum', 'sum of the values'),
        { ...figure('sum_sq', 'sum of the squares of the values; null where it has more than 38 digits'), unit: '10^-(2*digits)' },
        figure('min', 'smallest value'),
        figure('max', 'largest value'),
        figure('first_value', 'value of the first reading'),
        whole('first_ms', 'time of the first reading', { unit: 'ms since 1970, UTC' }),
        figure('last_value', 'value of the last reading'),
        whole('last_ms', 'time of the last reading', { unit: 'ms since 1970, UTC' }),
        whole('longest_gap_ms', 'longest time between two readings of the hour; 0 where there is one', { unit: 'ms' }),
        whole('gap_limit_ms', 'readings that are further apart are a gap, by the profile', { unit: 'ms' }),
        {
            ...figure('area', 'sum of value times milliseconds until the next reading of the hour, gaps left out'),
            unit: 'ms * 10^-digits',
        },
        whole('area_ms', 'milliseconds that area covers', { unit: 'ms', nullable: true }),
    ],
};

/** Spans in which a rule of a device's profile held. */
export const episodes: DayTable = {
    name: 'episodes',
    prefix: 'episodes/',
    format: 'parquet',
    per: 'day',
    grain: 'episode that a reading of the day ended, and one that is open at the day’s end',
    sortedBy: ['site', 'device', 'rule', 'began_ms'],
    columns: [
        text('site', 'where the device stands'),
        text('device', 'the device’s id'),
        text('rule', 'the rule’s name in the profile; `silent` for the one that its `dueEvery` is'),
        whole('began_ms', 'when the rule held, for as long as it asks; of a silence the deadline, which of an open one may lie ahead', {
            unit: 'ms since 1970, UTC',
        }),
        whole('ended_ms', 'when it ended; null for one that is open at the day’s end', { unit: 'ms since 1970, UTC', nullable: true }),
        text('profile', 'the profile whose rule it is'),
        text('kind', '`alert` or `silent`'),
        text('severity', '`info`, `warning` or `critical`'),
        {
            name: 'worst',
            type: 'decimal(28,9)',
            nullable: true,
            meaning: 'the value furthest beyond the bound, of a fence the distance in metres; null for silence and missing metrics',
        },
        whole('readings', 'readings that lie in it'),
        text('why', 'what a person should know, in one sentence'),
    ],
};
