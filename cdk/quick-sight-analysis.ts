/** The analysis of QuickSight: a sheet of flows and one of devices, in the words of its definition. */
import type { CfnAnalysis } from 'aws-cdk-lib/aws-quicksight';
import type { QuickSightDataSet } from './quick-sight-data.ts';

type Visual = CfnAnalysis.VisualProperty;

interface AnalysisOptions {
    sets: readonly { set: QuickSightDataSet; arn: string }[];
    /** Days that the data sets hold. */
    days: number;
}

/** The definition over these data sets, which it names as they are named. */
export function analysisOf({ sets, days }: AnalysisOptions): CfnAnalysis.AnalysisDefinitionProperty {
    return {
        dataSetIdentifierDeclarations: sets.map(({ set, arn }) => ({ identifier: set.name, dataSetArn: arn })),
        sheets: [
            sheet('flows', 'Flows', [
                figure('flows-in-all', `Flows of ${days} days`, 'day_totals', 'flows'),
                figure('packets-in-all', `Packets forward of ${days} days`, 'day_totals', 'fwd_pkts_sum'),
                bars('flows-by-day', 'Flows by day', { set: 'day_totals', time: 'date', value: 'flows' }),
                lines('packets-by-day', 'Packets forward by day', { set: 'day_totals', time: 'date', value: 'fwd_pkts_sum' }),
                rows('exact-totals', 'Totals, every digit', 'day_totals', [day('date'), 'site', 'fwd_pkts_exact']),
                rows('unusual-days', 'Unusual days of pairs', 'pair_anomalies', [
                    day('date'),
                    ...['site', 'src_ip', 'dst_ip', 'measure', 'value_exact', 'usual_exact'],
                ]),
            ]),
            sheet('devices', 'Devices', [
                figure('readings-in-all', `Readings of ${days} days`, 'fleet_hours', 'n'),
                bars('readings-by-day', 'Readings by day', { set: 'fleet_hours', time: 'date', value: 'n' }),
                lines('average-by-hour', 'Average of each metric by hour', {
                    ...{ set: 'fleet_hours', time: 'hour_at', value: 'mean', by: 'metric' },
                    ...{ granularity: 'HOUR', aggregation: 'AVERAGE' },
                }),
                rows(
                    'devices-as-they-are',
                    'Devices',
                    'device_health',
                    ['site', 'device', minute('last_heard')],
                    ['readings', 'alerts', 'open_alerts'],
                ),
                rows('episodes', 'Alerts and silences', 'all_episodes', [
                    minute('began'),
                    minute('ended'),
                    'site',
                    'device',
                    'severity',
                    'why',
                ]),
            ]),
        ],
    };
}

function sheet(sheetId: string, name: string, visuals: Visual[]): CfnAnalysis.SheetDefinitionProperty {
    return { sheetId, name, contentType: 'INTERACTIVE', visuals };
}

function titled(text: string): CfnAnalysis.VisualTitleLabelOptionsProperty {
    return { visibility: 'VISIBLE', formatText: { plainText: text } };
}

function figure(visualId: string, title: string, set: string, value: string): Visual {
    return {
        kpiVisual: { visualId, title: titled(title), chartConfiguration: { fieldWells: { values: [measure(visualId, { set, value })] } } },
    };
}

interface OverTime {
    set: string;
    time: string;
    value: string;
    by?: string;
    granularity?: string;
    aggregation?: string;
}

function bars(visualId: string, title: string, drawn: OverTime): Visual {
    return {
        barChartVisual: {
            visualId,
            title: titled(title),
            chartConfiguration: {
                orientation: 'VERTICAL',
                barsArrangement: 'STACKED',
                fieldWells: { barChartAggregatedFieldWells: wellsOf(visualId, drawn) },
            },
        },
    };
}

function lines(visualId: string, title: string, drawn: OverTime): Visual {
    return {
        lineChartVisual: {
            visualId,
            title: titled(title),
            chartConfiguration: { type: 'LINE', fieldWells: { lineChartAggregatedFieldWells: wellsOf(visualId, drawn) } },
        },
    };
}

/** Times along the axis, sums along the other, a colour for each site. */
function wellsOf(visualId: string, { set, time, by = 'site', granularity = 'DAY', ...value }: OverTime) {
    return {
        category: [instant(visualId, { set, column: time, granularity })],
        values: [measure(visualId, { set, ...value })],
        colors: [text(visualId, { set, column: by })],
    };
}

/** A column of instants, to the minute or to the day. */
interface Instant {
    column: string;
    granularity: 'DAY' | 'MINUTE';
}

const day = (column: string): Instant => ({ column, granularity: 'DAY' });

const minute = (column: string): Instant => ({ column, granularity: 'MINUTE' });

/** A table; rows that are alike in all of `groupBy` are one, with the sums of `values`. */
function rows(
    visualId: string,
    title: string,
    set: string,
    groupBy: readonly (string | Instant)[],
    values: readonly string[] = [],
): Visual {
    return {
        tableVisual: {
            visualId,
            title: titled(title),
            chartConfiguration: {
                fieldWells: {
                    tableAggregatedFieldWells: {
                        groupBy: groupBy.map((column) =>
                            typeof column === 'string' ? text(visualId, { set, column }) : instant(visualId, { set, ...column }),
                        ),
                        values: values.map((value) => measure(visualId, { set, value })),
                    },
                },
            },
        },
    };
}

function measure(
    visualId: string,
    { set, value, aggregation = 'SUM' }: { set: string; value: string; aggregation?: string },
): CfnAnalysis.MeasureFieldProperty {
    return {
        numericalMeasureField: {
            fieldId: `${visualId}.${value}`,
            column: { dataSetIdentifier: set, columnName: value },
            aggregationFunction: { simpleNumericalAggregation: aggregation },
        },
    };
}

function text(visualId: string, { set, column }: { set: string; column: string }): CfnAnalysis.DimensionFieldProperty {
    return { categoricalDimensionField: { fieldId: `${visualId}.${column}`, column: { dataSetIdentifier: set, columnName: column } } };
}

function instant(
    visualId: string,
    { set, column, granularity }: { set: string; column: string; granularity: string },
): CfnAnalysis.DimensionFieldProperty {
    return {
        dateDimensionField: {
            fieldId: `${visualId}.${column}`,
            column: { dataSetIdentifier: set, columnName: column },
            dateGranularity: granularity,
        },
    };
}
