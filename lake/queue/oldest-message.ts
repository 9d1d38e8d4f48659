/** How long the oldest message of each queue has waited. SQS itself does not tell; it reports it to CloudWatch once a minute. */

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
export function readOldestMessages({
    queues,
    client,
    now,
}: {
    queues: readonly string[];
    client: CloudWatchClient;
    now: Date;
}): Promise<Map<string, number>> {
    return translated(
        async () => {
            const MetricDataQueries = queues.map((queue, at) => ({
                Id: `q${at}`,
                MetricStat: {
                    // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
                    Metric: {
                        Namespace: 'AWS/SQS',
                        MetricName: 'ApproximateAgeOfOldestMessage',
                        Dimensions: [{ Name: 'QueueName', Value: queue }],
                    },
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
                const queue = queues[Number(Id?.slice(1))];
                const [newest] = Values ?? [];
                if (queue !== undefined && newest !== undefined) {
                    ages.set(queue, newest);
                }
            }
            return ages;
        },
        { doing: 'ask CloudWatch for the age of the oldest messages' },
    );
}
