/** The dashboards for Grafana's Athena data source as JSON, made by Grafana's own builders: a part of `npm run docs`. docs/bi.md says how they are imported. */
import * as athena from '@grafana/grafana-foundation-sdk/athena';
import * as common from '@grafana/grafana-foundation-sdk/common';
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder as StatPanel } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TablePanel } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as TimeSeriesPanel } from '@grafana/grafana-foundation-sdk/timeseries';

const PLUGIN = 'grafana-athena-datasource';

/** The data source that is chosen at the top of the dashboard. */
const SOURCE: common.DataSourceRef = { type: PLUGIN, uid: '$' + '{source}' };

/**
 * The days of the dashboard's range as the texts that they are in the tables, so that Athena reads no other ones. The plugin's own `$__dateFilter` would
 * compare a text with a date, which Athena refuses.
 */
const DAYS = 'day between cast(cast($__timeFrom() as date) as varchar) and cast(cast($__timeTo() as date) as varchar)';

/** The sites that are chosen. `sqlstring` doubles the quotes in their names. */
const SITES = 'site in ($' + '{site:sqlstring})';

const METRIC = 'metric = $' + '{metric:sqlstring}';

/** The instant of a column of milliseconds since 1970. By way of days, because DuckDB multiplies intervals by no more than 32 bits. */
const instant = (column: string) =>
    `timestamp '1970-01-01 00:00:00' + cast(floor(${column} / 86400000) as integer) * interval '1' day + cast(mod(${column}, 86400000) as integer) * interval '0.001' second`;

/** The hour of a row as an instant. */
const HOUR = "cast(day as timestamp) + hour * interval '1' hour";

/** Height of a panel, and of a figure; the width of a dashboard is 24. */
const TALL = 9;
const LOW = 4;

/** What the builders put in by themselves and Grafana 13 does not have: of tables, and of variables that are no intervals. */
const OUTDATED = new Set(['footer', 'auto', 'auto_min', 'auto_count']);

/** The texts of both dashboards by the names of their files. */
export function grafanaFiles(): Record<string, string> {
    const write = (made: dashboard.Dashboard) => `${JSON.stringify(made, (name, value) => (OUTDATED.has(name) ? undefined : value), 4)}\n`;
    return Object.fromEntries(Object.entries(createDashboards()).map(([file, made]) => [file, write(made)]));
}

function createDashboards(): Record<string, dashboard.Dashboard> {
    return {
        'flows.json': start('flowlake-flows', 'Flows', 'Traffic between pairs of addresses')
            .withVariable(siteVariable('day_totals'))
            .withPanel(figure('Flows', `select cast(sum(flows) as varchar) as flows from day_totals where ${DAYS} and ${SITES}`))
            .withPanel(
                figure(
                    'Packets forward',
                    `select cast(sum(fwd_pkts_sum) as varchar) as packets from day_totals where ${DAYS} and ${SITES}`,
                ),
            )
            .withPanel(
                figure(
                    'Pairs',
                    `select count(*) as pairs from (select distinct site, src_ip, dst_ip from pair_days where ${DAYS} and ${SITES}) as seen`,
                ),
            )
            .withPanel(
                bars(
                    'Flows by day',
                    `select cast(day as timestamp) as time, site, cast(sum(flows) as double) as flows from day_totals where ${DAYS} and ${SITES} group by day, site order by 1, 2`,
                ),
            )
            .withPanel(
                lines(
                    'Packets forward by day',
                    `select cast(day as timestamp) as time, site, cast(sum(fwd_pkts_sum) as double) as packets from day_totals where ${DAYS} and ${SITES} group by day, site order by 1, 2`,
                ),
            )
            .withPanel(
                rows(
                    'Busiest pairs',
                    'select site, src_ip, dst_ip, cast(sum(cast(flows as decimal(38, 0))) as varchar) as flows, cast(sum(cast(fwd_pkts_sum as decimal(38, 0))) as varchar) as packets ' +
                        `from pair_days where ${DAYS} and ${SITES} group by site, src_ip, dst_ip order by sum(cast(fwd_pkts_sum as decimal(38, 0))) desc, site, src_ip, dst_ip limit 50`,
                ),
            )
            .withPanel(
                rows(
                    'Unusual days',
                    'select day, site, src_ip, dst_ip, measure, cast(value as varchar) as value, cast(usual as varchar) as usual, score ' +
                        `from pair_anomalies where ${DAYS} and ${SITES} order by score desc, day, site, src_ip, dst_ip, measure limit 50`,
                    'Against the pair’s own past. Each look reads every day of the lake.',
                ),
            )
            .build(),
        'devices.json': start('flowlake-devices', 'Devices', 'What devices report, and how they are')
            .withVariable(siteVariable('fleet_hours'))
            .withVariable(
                new dashboard.QueryVariableBuilder('metric')
                    .label('Metric')
                    .datasource(SOURCE)
                    .query(queryOf(`select distinct metric from fleet_hours where ${DAYS} order by metric`))
                    .refresh(dashboard.VariableRefresh.OnTimeRangeChanged),
            )
            .withPanel(
                figure(
                    'Devices that reported',
                    `select count(*) as devices from (select distinct site, device from metric_hour_values where ${DAYS} and ${SITES}) as seen`,
                ),
            )
            .withPanel(
                figure(
                    'Readings',
                    `select cast(sum(cast(n as decimal(38, 0))) as varchar) as readings from fleet_hours where ${DAYS} and ${SITES}`,
                ),
            )
            .withPanel(
                figure(
                    'Alerts and silences that began',
                    `select count(*) as episodes from all_episodes where $__unixEpochFilter(began_ms / 1000) and ${SITES}`,
                ),
            )
            .withPanel(
                lines(
                    'Average by hour',
                    `select ${HOUR} as time, site, mean from fleet_hours where ${DAYS} and ${SITES} and ${METRIC} order by 1, 2`,
                ),
            )
            .withPanel(
                bars(
                    'Readings by day',
                    `select cast(day as timestamp) as time, site, cast(sum(n) as double) as readings from fleet_hours where ${DAYS} and ${SITES} group by day, site order by 1, 2`,
                ),
            )
            .withPanel(
                rows(
                    'Devices',
                    `select site, device, ${instant('last_ms')} as last_heard, readings, battery, silences, alerts, open_alerts ` +
                        `from device_health where ${SITES} order by last_ms desc, site, device limit 1000`,
                    'Over all days of the lake.',
                ),
            )
            .withPanel(
                rows(
                    'Alerts and silences',
                    `select ${instant('began_ms')} as began, ${instant('ended_ms')} as ended, site, device, kind, severity, why ` +
                        `from all_episodes where $__unixEpochFilter(began_ms / 1000) and ${SITES} order by began_ms desc, site, device, rule limit 500`,
                    'Those that began in the range.',
                ),
            )
            .withPanel(
                rows(
                    'Unusual hours',
                    `select ${HOUR} as hour, site, device, metric, mean, usual, score from metric_anomalies where ${DAYS} and ${SITES} order by abs(score) desc, day, metric_anomalies.hour, device, metric limit 50`,
                    'Against the device’s own past. Each look reads every day of the lake.',
                ),
            )
            .build(),
    };
}

function start(uid: string, title: string, about: string): dashboard.DashboardBuilder {
    return (
        new dashboard.DashboardBuilder(title)
            .uid(uid)
            .description(about)
            .tags(['flowlake'])
            .timezone('utc')
            .time({ from: 'now-30d', to: 'now' })
            // Each look is paid: no refresh by itself.
            .refresh('')
            .withVariable(new dashboard.DatasourceVariableBuilder('source').label('Lake').type(PLUGIN))
    );
}

function siteVariable(relation: string): dashboard.QueryVariableBuilder {
    return new dashboard.QueryVariableBuilder('site')
        .label('Site')
        .datasource(SOURCE)
        .query(queryOf(`select distinct site from ${relation} where ${DAYS} order by site`))
        .refresh(dashboard.VariableRefresh.OnTimeRangeChanged)
        .multi(true)
        .includeAll(true)
        .current({ selected: true, text: ['All'], value: ['$__all'] });
}

/** What the plugin wants of a variable: the question as for a panel. */
function queryOf(sql: string): Record<string, unknown> {
    return { ...asked(sql, athena.FormatOptions.Table).refId('variable').build() };
}

function asked(sql: string, format: athena.FormatOptions): athena.DataqueryBuilder {
    return new athena.DataqueryBuilder().refId('A').datasource(SOURCE).format(format).rawSQL(sql).connectionArgs(
        new athena.ConnectionArgsBuilder()
            .region(athena.defaultKey)
            .catalog(athena.defaultKey)
            .database(athena.defaultKey)
            // Others who ask the same within the hour pay nothing.
            .resultReuseEnabled(true)
            .resultReuseMaxAgeInMinutes(60),
    );
}

/** A figure, as the text that Athena answers: every digit of it. */
function figure(title: string, sql: string): StatPanel {
    return new StatPanel()
        .title(title)
        .datasource(SOURCE)
        .height(LOW)
        .span(8)
        .graphMode(common.BigValueGraphMode.None)
        .colorMode(common.BigValueColorMode.None)
        .reduceOptions(new common.ReduceDataOptionsBuilder().calcs(['lastNotNull']).fields('/.*/').values(false))
        .withTarget(asked(sql, athena.FormatOptions.Table));
}

function bars(title: string, sql: string): TimeSeriesPanel {
    return lines(title, sql)
        .drawStyle(common.GraphDrawStyle.Bars)
        .fillOpacity(80)
        .lineWidth(0)
        .stacking(new common.StackingConfigBuilder().mode(common.StackingMode.Normal).group('A'));
}

/** A line for each site; drawn as doubles, which is all that a plot has. */
function lines(title: string, sql: string): TimeSeriesPanel {
    return new TimeSeriesPanel()
        .title(title)
        .datasource(SOURCE)
        .height(TALL)
        .span(12)
        .unit('short')
        .displayName('$' + '{__field.labels.site}')
        .withTarget(asked(sql, athena.FormatOptions.TimeSeries));
}

function rows(title: string, sql: string, about?: string): TablePanel {
    const panel = new TablePanel()
        .title(title)
        .datasource(SOURCE)
        .height(TALL)
        .span(24)
        .filterable(true)
        .withTarget(asked(sql, athena.FormatOptions.Table));
    return about === undefined ? panel : panel.description(about);
}
