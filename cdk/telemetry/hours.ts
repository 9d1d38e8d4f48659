/**
 * The queue of periods by the hour. Live telemetry tells of one hour once a minute and shard: all that is told of it within some minutes is one message,
 * so that the hour is merged once.
 */
import { MathExpression, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { HOURS_DELAY_SECONDS } from '#lake/deployment';
import { type AlarmRule, ownMetric, PERIOD, rulesOfQueue } from '../alarms.ts';
import type { Graph } from '../dashboard.ts';
import { addQueueSource, type Worker } from '../functions.ts';
import { WorkQueue } from '../queues.ts';
import type { Part, PartProps } from './part.ts';

/** Share of what was read that may be rejected; more is a device, a profile or an exporter that has changed. */
const REJECTED_PERCENT = 10;

/** Fewer rows in five minutes say nothing of a share. */
const ENOUGH_ROWS = 100;

/** The queue, told by whoever reads sources and taken from by whoever merges periods. Both are the functions that every lake has. */
export class Hours extends Construct implements Part {
    readonly queue: WorkQueue;
    readonly watched: Part['watched'] = [];
    readonly rules: readonly AlarmRule[];
    readonly graphs: readonly Graph[];

    constructor(scope: Construct, id: string, { config, names, key, removalPolicy, summarize, consolidate }: PartProps) {
        super(scope, id);
        this.queue = new WorkQueue(this, 'queue', {
            name: names.hoursQueue,
            deadLetterName: names.hoursDeadLetters,
            worker: config.consolidate,
            key,
            delaySeconds: HOURS_DELAY_SECONDS,
            removalPolicy,
            ifStuck: `Messages of devices are read, but their hours were not merged for more than ${config.maxLagMinutes} minutes: reports show older figures.`,
            ifDead: `Hours show old figures: merging them failed ${config.consolidate.maxReceiveCount} times. What devices sent is safe in raw/.`,
        });
        addQueueSource(consolidate.lambda, this.queue, config.consolidate);
        for (const worker of [summarize, consolidate]) {
            worker.lambda.addEnvironment('HOURS_QUEUE', names.hoursQueue);
            worker.role.addToPolicy(
                new PolicyStatement({ actions: ['sqs:SendMessage', 'sqs:GetQueueUrl'], resources: [this.queue.queue.queueArn] }),
            );
        }
        this.rules = [...rulesOfQueue('hours', { queue: this.queue, worker: consolidate }, config), ruleOfRejects(summarize)];
        this.graphs = [
            {
                title: 'Hours that wait to be merged; dead letters',
                metrics: [
                    this.queue.queue.metricApproximateNumberOfMessagesVisible(),
                    this.queue.queue.metric('ApproximateNumberOfMessagesDelayed'),
                    this.queue.deadLetters.metricApproximateNumberOfMessagesVisible(),
                ],
            },
        ];
    }
}

function ruleOfRejects(summarize: Worker): AlarmRule {
    return {
        name: 'rejects-share',
        metric: new MathExpression({
            expression: `IF(kept + rejected > ${ENOUGH_ROWS}, 100 * rejected / (kept + rejected), 0)`,
            usingMetrics: {
                kept: ownMetric(summarize, 'RowsKept', Stats.SUM),
                rejected: ownMetric(summarize, 'RowsRejected', Stats.SUM),
            },
            label: 'Rejected (%)',
            period: PERIOD,
        }),
        above: REJECTED_PERCENT,
        times: 3,
        breaks: `For a quarter of an hour more than ${REJECTED_PERCENT} % of what devices and uploads send is rejected: it is in no figure. A device, a profile or an exporter has changed; each reject is kept with its reason, and read again by a corrected profile.`,
        type: 'rejects',
    };
}
