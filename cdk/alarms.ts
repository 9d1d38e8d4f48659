/** The alarms. Each says what breaks for people and what to type; docs/operations.md has the long form. */
import { Annotations, Aws, Duration, Validations } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, type IMetric, Metric, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Key } from 'aws-cdk-lib/aws-kms';
import { type ITopic, Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import type { StageConfig } from './config.ts';
import { type LakeFunction, METRICS_NAMESPACE, type Worker } from './functions.ts';
import type { WorkQueue } from './queues.ts';

/** Period of the alarms' metrics. */
export const PERIOD = Duration.minutes(5);

interface Watched {
    queue: WorkQueue;
    worker: Worker;
}

/** A function and the queue that it takes from, if any. */
export interface WatchedFunction {
    function: LakeFunction;
    queue?: WorkQueue;
}

interface AlarmsProps {
    config: StageConfig;
    bucketName: string;
    summarize: Watched;
    consolidate: Watched;
    /** What live telemetry has beside: its functions, its queues, and what else rings. */
    telemetry?: { watched: readonly WatchedFunction[]; rules: readonly AlarmRule[] } | undefined;
    key?: Key | undefined;
}

interface AlarmText {
    breaks: string;
    /** Command to type, behind `flowlake --lake s3://<bucket>`. */
    type: string;
}

/** An alarm rings when the metric is above the limit in `times` of the last `outOf` periods of 5 minutes; by default in all of them. */
export interface AlarmRule extends AlarmText {
    name: string;
    metric: IMetric;
    above: number;
    times: number;
    outOf?: number;
}

/**
 * Tries after which a message no longer fails in passing: the fifth try is some 20 minutes after the first one. The age of the oldest
 * message does not tell of it: SQS leaves out what was received three times and not deleted,
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
 */
const TRIES_IN_PASSING = 4;

/** Periods of the alarm, longer than a message waits for its next try (lambdas/batch.ts): the alarm does not stop between two tries. */
const PERIODS_BETWEEN_TRIES = 4;

/**
 * Periods in which a function's errors are counted: an hour. A message whose worker died comes back half an hour later, so two errors in an hour are one message that
 * fails again and again; errors in each of three periods, one after the other, it would never come to.
 */
const PERIODS_OF_ERRORS = 12;

/** Periods for which a file that cannot be used rings: a day, the longest that CloudWatch looks back. */
const PERIODS_OF_A_DAY = 288;

export class Alarms extends Construct {
    readonly alarms: readonly Alarm[];

    constructor(scope: Construct, id: string, { config, bucketName, summarize, consolidate, telemetry, key }: AlarmsProps) {
        super(scope, id);
        const rules: AlarmRule[] = [
            ...rulesOfWorker('summarize', summarize, config),
            ...rulesOfWorker('consolidate', consolidate, config),
            {
                name: 'figures-lag',
                metric: ownMetric(consolidate.worker, 'FiguresLagMs', Stats.MAXIMUM),
                above: Duration.minutes(config.maxLagMinutes).toMilliseconds(),
                times: 1,
                breaks: `An upload was in the figures only after more than ${config.maxLagMinutes} minutes: reports were behind for so long.`,
                type: 'status',
            },
            {
                name: 'sources-failed',
                metric: ownMetric(summarize.worker, 'SourcesFailed', Stats.SUM),
                above: 0,
                times: 1,
                outOf: PERIODS_OF_A_DAY,
                breaks: 'A file was uploaded that cannot be read as its kind of data, or of which not one row could be kept: nothing of it is in any figure. Whoever sent it has to send it again.',
                type: 'status',
            },
            ...(telemetry?.rules ?? []),
            ...(telemetry?.watched ?? []).flatMap((watched) => rulesOfFunction(watched, config)),
        ];
        this.alarms = rules.map(({ name, metric, above, times, outOf = times, breaks, type }) => {
            return new Alarm(this, name, {
                alarmName: `flowlake-${config.stage}-${name}`,
                alarmDescription: `${breaks} To see more, type: flowlake --lake s3://${bucketName} ${type}`,
                metric,
                threshold: above,
                comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
                evaluationPeriods: outOf,
                datapointsToAlarm: times,
                // Quiet is good: nobody uploads at night.
                treatMissingData: TreatMissingData.NOT_BREACHING,
            });
        });
        for (const topic of topicsOf(this, { config, key })) {
            const action = new SnsAction(topic);
            for (const alarm of this.alarms) {
                alarm.addAlarmAction(action);
                alarm.addOkAction(action);
            }
        }
    }
}

/** The topics that alarms are told to. A stage whose data are kept and that tells nobody is warned of, with every synthesis. */
function topicsOf(scope: Construct, { config, key }: { config: StageConfig; key: Key | undefined }): ITopic[] {
    const { stage, isDataKept, alarmEmail, alarmTopicArns = [] } = config;
    if (alarmEmail === undefined && alarmTopicArns.length === 0 && isDataKept) {
        Annotations.of(scope).addWarningV2(
            'flowlake:nobody-is-told',
            `Alarms of stage ${stage} tell nobody: give its row in cdk/config.ts alarmEmail, or alarmTopicArns`,
        );
    }
    return [
        ...(alarmEmail === undefined ? [] : [createTopic(scope, { email: alarmEmail, key })]),
        ...alarmTopicArns.map((arn, at) => Topic.fromTopicArn(scope, `topic-${at}`, arn)),
    ];
}

/** What can go wrong with a queue of uploads and the function behind it. */
function rulesOfWorker(job: string, { queue, worker }: Watched, config: StageConfig): AlarmRule[] {
    return [
        ...rulesOfQueue(job, { queue, worker }, config),
        ...rulesOfCalls(
            job,
            worker,
            `The account's limit of Lambdas at once is reached, so figures come late. Raise the quota "Concurrent executions", or lower maxConcurrency in cdk/config.ts.`,
        ),
    ];
}

/** What can go wrong with a function of live telemetry, and with the queue that it takes from, if any. */
function rulesOfFunction({ function: worker, queue }: WatchedFunction, config: StageConfig): AlarmRule[] {
    const job = worker.dimensions.service;
    return [
        ...(queue ? rulesOfQueue(job, { queue, worker }, config) : []),
        ...rulesOfCalls(
            job,
            worker,
            `The account's limit of Lambdas at once is reached, so ${job} waits. ${worker.ifFailing} Raise the quota "Concurrent executions".`,
        ),
    ];
}

/** What can go wrong with a queue, and with the messages that `worker` takes from it. */
export function rulesOfQueue(
    name: string,
    { queue, worker }: { queue: WorkQueue; worker: LakeFunction },
    { maxLagMinutes }: Pick<StageConfig, 'maxLagMinutes'>,
): AlarmRule[] {
    return [
        {
            name: `${name}-dead-letters`,
            metric: queue.deadLetters.metricApproximateNumberOfMessagesVisible({ period: PERIOD, statistic: Stats.MAXIMUM }),
            above: 0,
            times: 1,
            breaks: queue.ifDead,
            type: 'status, mend what it names, then type the same with redrive',
        },
        ...(queue.ifRetried === undefined
            ? []
            : [
                  {
                      name: `${name}-failed-tries`,
                      metric: ownMetric(worker, 'FailedTries', Stats.MAXIMUM),
                      above: TRIES_IN_PASSING,
                      times: 1,
                      outOf: PERIODS_BETWEEN_TRIES,
                      breaks: queue.ifRetried,
                      type: `status, and read the log for why: aws logs tail ${worker.logGroupName} --since 1h`,
                  },
              ]),
        {
            name: `${name}-oldest-message`,
            metric: queue.queue.metricApproximateAgeOfOldestMessage({ period: PERIOD, statistic: Stats.MAXIMUM }),
            above: Duration.minutes(maxLagMinutes).toSeconds(),
            times: 1,
            breaks: queue.ifStuck,
            type: 'status',
        },
    ];
}

/** What can go wrong with the calls of a function. */
function rulesOfCalls(job: string, worker: LakeFunction, ifThrottled: string): AlarmRule[] {
    return [
        {
            name: `${job}-errors`,
            metric: worker.lambda.metricErrors({ period: PERIOD, statistic: Stats.SUM }),
            above: 0,
            // One that died in passing has been tried again by then.
            times: 2,
            outOf: PERIODS_OF_ERRORS,
            breaks: worker.ifFailing,
            type: `status, and read its log: aws logs tail ${worker.logGroupName} --since 1h`,
        },
        {
            name: `${job}-throttles`,
            metric: worker.lambda.metricThrottles({ period: PERIOD, statistic: Stats.SUM }),
            above: 0,
            times: 3,
            breaks: ifThrottled,
            type: 'status',
        },
    ];
}

/** A metric that the handler reports itself. */
export function ownMetric({ dimensions }: LakeFunction, metricName: string, statistic: string): Metric {
    return new Metric({ namespace: METRICS_NAMESPACE, metricName, dimensionsMap: dimensions, statistic, period: PERIOD });
}

function createTopic(scope: Construct, { email, key }: { email: string; key: Key | undefined }): Topic {
    const topic = new Topic(scope, 'topic', { enforceSSL: true, ...(key && { masterKey: key }) });
    topic.addToResourcePolicy(
        new PolicyStatement({
            principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
            actions: ['sns:Publish'],
            resources: [topic.topicArn],
            conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
        }),
    );
    topic.addSubscription(new EmailSubscription(email));
    if (key === undefined) {
        Validations.of(topic).acknowledge({
            id: 'AwsSolutions-SNS2',
            reason: 'CloudWatch cannot send to a topic with the key that AWS holds, and an alarm carries no data; hasCustomerKey encrypts it.',
        });
    }
    return topic;
}
