/** How long the oldest message of each queue, and the oldest record of a stream, has waited. SQS and Kinesis themselves do not tell; CloudWatch is told once a minute. */

import { CloudWatchClient, GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { translated } from '#lake/aws/aws-errors';
import { type ClientOptions, clientConfig } from '#lake/aws/client-config';

/** Time that is looked back: the metric comes once a minute, and some minutes late. */
const LOOK_BACK_MS = 15 * 60_000;
const PERIOD_SECONDS = 60;

/** A client of CloudWatch; credentials come from where the SDK looks for them. */
export function createCloudWatchClient(options: ClientOptions): CloudWatchClient {
    return new CloudWatchClient(clientConfig(options, 'CLOUDWATCH'));
}

/**
 * Age in seconds of the oldest message by the queue's name, the newest figure that CloudWatch has; a queue that CloudWatch says nothing of
 * is left out.
 */
export function readOldestMessages({ queues, ...options }: AgeOptions & { queues: readonly string[] }): Promise<Map<string, number>> {
    return readNewest(queues, {
        ...options,
        doing: 'ask CloudWatch for the age of the oldest messages',
        // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
        metric: { Namespace: 'AWS/SQS', MetricName: 'ApproximateAgeOfOldestMessage', dimension: 'QueueName' },
    });
}

/**
 * Age in milliseconds of the oldest record that a function had of its stream, by the function's name, the newest figure that CloudWatch has. A function
 * that got no record for a quarter of an hour is left out.
 */
export function readOldestRecords({ functions, ...options }: AgeOptions & { functions: readonly string[] }): Promise<Map<string, number>> {
    return readNewest(functions, {
        ...options,
        doing: 'ask CloudWatch how far the readers of the stream are behind',
        // https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
        metric: { Namespace: 'AWS/Lambda', MetricName: 'IteratorAge', dimension: 'FunctionName' },
    });
}

interface AgeOptions {
    client: CloudWatchClient;
    now: Date;
}

interface NewestOptions extends AgeOptions {
    /** The question, for the message. */
    doing: string;
    metric: { Namespace: string; MetricName: string; dimension: string };
}

/** The newest maximum of a minute of each one's metric. */
function readNewest(
    names: readonly string[],
    { client, now, doing, metric: { dimension, ...metric } }: NewestOptions,
): Promise<Map<string, number>> {
    return translated(
        async () => {
            const MetricDataQueries = names.map((name, at) => ({
                Id: `q${at}`,
                MetricStat: {
                    Metric: { ...metric, Dimensions: [{ Name: dimension, Value: name }] },
                    Period: PERIOD_SECONDS,
                    Stat: 'Maximum',
                },
            }));
            const { MetricDataResults = [] } = await client.send(
                new GetMetricDataCommand({
                    MetricDataQueries,
                    StartTime: new Date(now.getTime() - LOOK_BACK_MS),
                    EndTime: now,
                    ScanBy: 'TimestampDescending',
                }),
            );
            const ages = new Map<string, number>();
            for (const { Id, Values } of MetricDataResults) {
                const name = names[Number(Id?.slice(1))];
                const [newest] = Values ?? [];
                if (name !== undefined && newest !== undefined) {
                    ages.set(name, newest);
                }
            }
            return ages;
        },
        { doing },
    );
}
