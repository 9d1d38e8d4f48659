/** The dashboards for Apache Superset: which data sets they have, and which charts; docs/bi/superset.ts writes them. */
import { relationColumns } from './relation-columns.ts';

/** A table or view as Superset knows it. */
export interface DataSet {
    relation: string;
    about: string;
    /** Columns that are instants in milliseconds since 1970, and what they are called. */
    instants?: Readonly<Record<string, string>>;
    /** Columns computed by Superset in SQL that DuckDB and Athena share. */
    computed?: readonly { name: string; title: string; sql: string; isTime?: boolean }[];
    metrics: readonly Metric[];
}

interface Metric {
    name: string;
    title: string;
    sql: string;
    about: string;
}

export interface Chart {
    title: string;
    relation: string;
    type: string;
    about: string;
    /** What is asked and how it is drawn, in Superset's words. */
    params: Readonly<Record<string, unknown>>;
    /** Width of 12, and height in units of eight pixels. */
    size: readonly [width: number, height: number];
}

export interface Dashboard {
    name: string;
    title: string;
    about: string;
    rows: readonly (readonly Chart[])[];
}

/**
 * A sum as text. Superset hands decimals on as doubles, which have no more than 15 to 17 digits: tables show this one, which has all, and are
 * ordered by the number.
 */
function exactSum(column: string, title: string): Metric[] {
    return [
        { name: `${column}_total`, title, sql: `sum(cast(${column} as decimal(38, 0)))`, about: 'For plots: a double beyond 2^53' },
        {
            name: `${column}_exact`,
            title: `${title}, exact`,
            sql: `cast(sum(cast(${column} as decimal(38, 0))) as varchar)`,
            about: 'For tables: every digit, as text',
        },
    ];
}

export const DATA_SETS: readonly DataSet[] = [
    {
        relation: 'day_totals',
        about: 'One row per site and day. A filter on day reads those days only.',
        metrics: [...exactSum('flows', 'Flows'), ...exactSum('fwd_pkts_sum', 'Packets forward')],
    },
    {
        relation: 'pair_days',
        about: 'One row per pair and day. A filter on day reads those days only.',
        metrics: [...exactSum('flows', 'Flows'), ...exactSum('fwd_pkts_sum', 'Packets forward')],
    },
    {
        relation: 'pair_anomalies',
        about: 'One row per pair, day and measure that is unusually large against the pair’s own past. Every day is read.',
        computed: ['value', 'usual'].map((name) => ({ name: `${name}_exact`, title: name, sql: `cast("${name}" as varchar)` })),
        metrics: [{ name: 'days', title: 'Unusual days', sql: 'count(*)', about: 'Rows of the view' }],
    },
    {
        relation: 'device_health',
        about: 'One row per device. Every day is read.',
        instants: { first_ms: 'first heard', last_ms: 'last heard' },
        metrics: [{ name: 'devices', title: 'Devices', sql: 'count(*)', about: 'Rows of the view' }],
    },
    {
        relation: 'fleet_hours',
        about: 'One row per site, metric and hour. A filter on day reads those days only.',
        computed: [
            { name: 'began_at', title: 'beginning of the hour', sql: `cast(day as timestamp) + hour * interval '1' hour`, isTime: true },
        ],
        metrics: [
            { name: 'average', title: 'Average', sql: 'max(mean)', about: 'Of one site, metric and hour, which is one row' },
            ...exactSum('n', 'Readings'),
        ],
    },
    {
        relation: 'all_episodes',
        about: 'One row per alert or silence. Every day is read.',
        instants: { began_ms: 'began', ended_ms: 'ended' },
        metrics: [{ name: 'episodes', title: 'Alerts and silences', sql: 'count(*)', about: 'Rows of the view' }],
    },
    {
        relation: 'metric_anomalies',
        about: 'One row per device, metric and hour whose average is unusual against the device’s own past. Every day is read.',
        metrics: [{ name: 'hours', title: 'Unusual hours', sql: 'count(*)', about: 'Rows of the view' }],
    },
];

/** Height of a chart, and of a figure. */
const TALL = 50;
const LOW = 18;

export const DASHBOARDS: readonly Dashboard[] = [
    {
        name: 'flows',
        title: 'Flows',
        about: 'Traffic between pairs of addresses, from the tables and views of flowlake',
        rows: [
            [
                figure('Flows in all', 'day_totals', 'flows_total', 'Flows of the days that are asked for'),
                figure('Packets in all', 'day_totals', 'fwd_pkts_sum_total', 'Packets forward of the days that are asked for'),
                figure('Unusual days in all', 'pair_anomalies', 'days', 'Days of pairs that stand out against their own past'),
            ],
            [
                overTime('Flows by day', 'day_totals', { x: 'day', metric: 'flows_total', by: ['site'], type: 'echarts_timeseries_bar' }),
                overTime('Packets by day', 'day_totals', {
                    x: 'day',
                    metric: 'fwd_pkts_sum_total',
                    by: ['site'],
                    type: 'echarts_timeseries_line',
                }),
            ],
            [
                totals('Busiest pairs', 'pair_days', {
                    by: ['site', 'src_ip', 'dst_ip'],
                    metrics: ['flows_exact', 'fwd_pkts_sum_exact'],
                    order: 'fwd_pkts_sum_total',
                }),
            ],
            [
                rowsOf('Unusual days', 'pair_anomalies', {
                    columns: ['site', 'src_ip', 'dst_ip', 'day', 'measure', 'value_exact', 'usual_exact', 'score'],
                    order: 'score',
                }),
            ],
        ],
    },
    {
        name: 'devices',
        title: 'Devices',
        about: 'What devices report and how they are, from the tables and views of flowlake',
        rows: [
            [
                figure('Devices in all', 'device_health', 'devices', 'Devices that ever reported'),
                figure('Readings in all', 'fleet_hours', 'n_total', 'Readings of the days that are asked for'),
                figure('Alerts and silences in all', 'all_episodes', 'episodes', 'Spans in which a rule held'),
            ],
            [
                overTime('Average temperature by hour', 'fleet_hours', {
                    x: 'began_at',
                    metric: 'average',
                    by: ['site'],
                    type: 'echarts_timeseries_line',
                    where: "metric = 'temperature'",
                }),
                overTime('Readings by day', 'fleet_hours', { x: 'day', metric: 'n_total', by: ['site'], type: 'echarts_timeseries_bar' }),
            ],
            [
                rowsOf('Devices', 'device_health', {
                    columns: ['site', 'device', 'last_ms', 'readings', 'battery', 'silences', 'alerts', 'open_alerts'],
                    order: 'last_ms',
                }),
            ],
            [
                rowsOf('Alerts and silences', 'all_episodes', {
                    columns: ['began_ms', 'ended_ms', 'site', 'device', 'severity', 'why'],
                    order: 'began_ms',
                }),
            ],
            [
                rowsOf('Unusual hours', 'metric_anomalies', {
                    columns: ['site', 'device', 'metric', 'day', 'hour', 'mean', 'usual', 'score'],
                    order: 'score',
                }),
            ],
        ],
    },
];

/** A figure. A sum is shown as `4.73M`: as a double it has no more digits than one may trust, which a longer text would not tell. */
function figure(title: string, relation: string, metric: string, about: string): Chart {
    const params = {
        metric,
        y_axis_format: metric.endsWith('_total') ? 'SMART_NUMBER' : ',d',
        header_font_size: 0.4,
        subheader_font_size: 0.15,
        ...timesOf(relation),
    };
    return { title, relation, type: 'big_number_total', about, params, size: [4, LOW] };
}

function overTime(
    title: string,
    relation: string,
    { x, metric, by, type, where }: { x: string; metric: string; by: readonly string[]; type: string; where?: string },
): Chart {
    const filters = [...timesOf(relation).adhoc_filters, ...(where === undefined ? [] : [whereSql(where)])];
    const params = {
        x_axis: x,
        // Each day and hour is a row already.
        time_grain_sqla: null,
        metrics: [metric],
        groupby: by,
        row_limit: 10_000,
        truncate_metric: true,
        show_legend: true,
        legendOrientation: 'top',
        rich_tooltip: true,
        y_axis_format: 'SMART_NUMBER',
        x_axis_time_format: 'smart_date',
        ...(type === 'echarts_timeseries_bar' && { stack: 'Stack', show_value: false }),
        adhoc_filters: filters,
    };
    return { title, relation, type, about: `From ${relation}`, params, size: [6, TALL] };
}

/** A table of sums, the largest first. */
function totals(
    title: string,
    relation: string,
    { by, metrics, order }: { by: readonly string[]; metrics: readonly string[]; order: string },
): Chart {
    const params = {
        query_mode: 'aggregate',
        groupby: by,
        metrics,
        timeseries_limit_metric: order,
        order_desc: true,
        row_limit: 50,
        server_pagination: false,
        show_cell_bars: false,
        ...timesOf(relation),
    };
    return { title, relation, type: 'table', about: `From ${relation}`, params, size: [12, TALL] };
}

/** A table of a view's own rows, the largest of one column first. */
function rowsOf(title: string, relation: string, { columns, order }: { columns: readonly string[]; order: string }): Chart {
    const params = {
        query_mode: 'raw',
        all_columns: columns,
        order_by_cols: [JSON.stringify([order, false])],
        row_limit: 50,
        server_pagination: false,
        show_cell_bars: false,
        table_timestamp_format: timeColumnOf(relation) === 'day' ? '%Y-%m-%d' : '%Y-%m-%d %H:%M',
        ...timesOf(relation),
    };
    return { title, relation, type: 'table', about: `From ${relation}`, params, size: [12, TALL] };
}

/** The filter that the dashboard's time range fills. */
function timesOf(relation: string): { adhoc_filters: object[] } {
    const subject = timeColumnOf(relation);
    return {
        adhoc_filters:
            subject === undefined
                ? []
                : [{ clause: 'WHERE', expressionType: 'SIMPLE', subject, operator: 'TEMPORAL_RANGE', comparator: 'No filter' }],
    };
}

function whereSql(sql: string): object {
    return { clause: 'WHERE', expressionType: 'SQL', sqlExpression: sql };
}

/** The column that a dashboard's time range filters: the day, where there is one, because it decides what Athena reads; or the beginning. */
export function timeColumnOf(relation: string): string | undefined {
    const names = relationColumns(relation).map(({ name }) => name);
    return ['day', 'began_ms'].find((name) => names.includes(name));
}
