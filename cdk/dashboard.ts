/** One page that shows whether uploads become figures, and how fast. */
import { type Alarm, AlarmStatusWidget, Dashboard, GraphWidget, type IMetric, type IWidget, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { ownMetric } from './alarms.ts';
import type { LakeFunction, Worker } from './functions.ts';
import type { WorkQueue } from './queues.ts';

interface DashboardProps {
    stage: string;
    alarms: readonly Alarm[];
    summarize: { queue: WorkQueue; worker: Worker };
    consolidate: { queue: WorkQueue; worker: Worker };
    /** What live telemetry shows beside: graphs of its parts, and its functions. */
    telemetry?: { graphs: readonly Graph[]; functions: readonly LakeFunction[] } | undefined;
}

/** A graph of the dashboard. */
export interface Graph {
    title: string;
    metrics: IMetric[];
}

/** Graphs that stand side by side. */
const GRAPHS_PER_ROW = 4;

/** The dashboard `flowlake-<stage>`: alarms, what was read, how long it took, then queues and functions. */
export function createDashboard(scope: Construct, { stage, alarms, summarize, consolidate, telemetry }: DashboardProps): Dashboard {
    const own = (worker: Worker, statistic: string, ...names: string[]) => names.map((name) => ownMetric(worker, name, statistic));
    return new Dashboard(scope, 'dashboard', {
        dashboardName: `flowlake-${stage}`,
        widgets: [
            [new AlarmStatusWidget({ title: 'Alarms', alarms: [...alarms], width: 24 })],
            [
                graph('Rows', own(summarize.worker, Stats.SUM, 'RowsKept', 'RowsRejected')),
                graph('Files', own(summarize.worker, Stats.SUM, 'SourcesSummarized', 'SourcesFailed')),
                graph('Bytes read', own(summarize.worker, Stats.SUM, 'BytesRead')),
                graph('From upload to figures, longest (ms)', [
                    ...own(summarize.worker, Stats.MAXIMUM, 'SummarizeLagMs'),
                    ...own(consolidate.worker, Stats.MAXIMUM, 'FiguresLagMs'),
                ]),
            ],
            [
                graph(
                    'Days and hours: consolidated, passes, races lost',
                    own(consolidate.worker, Stats.SUM, 'PeriodsConsolidated', 'Passes', 'Conflicts'),
                ),
                graph(
                    'Messages waiting',
                    bothOf((queue) => queue.queue.metricApproximateNumberOfMessagesVisible()),
                ),
                graph(
                    'Oldest message (s)',
                    bothOf((queue) => queue.queue.metricApproximateAgeOfOldestMessage()),
                ),
                graph('Dead letters; tries of what fails, most', [
                    ...bothOf((queue) => queue.deadLetters.metricApproximateNumberOfMessagesVisible()),
                    ...[summarize.worker, consolidate.worker].flatMap((worker) => own(worker, Stats.MAXIMUM, 'FailedTries')),
                ]),
            ],
            ...rowsOf((telemetry?.graphs ?? []).map(({ title, metrics }) => graph(title, metrics))),
            [summarize.worker, consolidate.worker].flatMap(functionGraphs),
            ...rowsOf((telemetry?.functions ?? []).flatMap(functionGraphs)),
        ],
    });

    function bothOf(metricOf: (queue: WorkQueue) => IMetric): IMetric[] {
        return [summarize.queue, consolidate.queue].map(metricOf);
    }
}

function rowsOf(widgets: readonly IWidget[]): IWidget[][] {
    return Array.from({ length: Math.ceil(widgets.length / GRAPHS_PER_ROW) }, (_, row) =>
        widgets.slice(row * GRAPHS_PER_ROW, (row + 1) * GRAPHS_PER_ROW),
    );
}

function functionGraphs({ lambda, dimensions: { service } }: LakeFunction): IWidget[] {
    return [
        graph(`${service}: longest (ms)`, [lambda.metricDuration({ statistic: Stats.MAXIMUM })]),
        graph(`${service}: errors, throttles, at once`, [
            lambda.metricErrors(),
            lambda.metricThrottles(),
            lambda.metric('ConcurrentExecutions', { statistic: Stats.MAXIMUM }),
        ]),
    ];
}

function graph(title: string, left: IMetric[]): GraphWidget {
    return new GraphWidget({ title, left, width: 6, height: 6 });
}
