/** How much a workgroup has scanned, as CloudWatch counts it. */
import { CloudWatchClient, GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { translated } from '#lake/aws/aws-errors';
import { type ClientOptions, clientConfig } from '#lake/aws/client-config';

/** Values of the dimensions by which Athena tells its metrics apart: https://docs.aws.amazon.com/athena/latest/ug/query-metrics-viewing.html */
const QUERY_TYPES = ['DML', 'DDL', 'UTILITY'];
/** Queries that fail cost nothing; those that were stopped cost what they had read. */
const PAID_STATES = ['SUCCEEDED', 'CANCELED'];

const DAY_SECONDS = 86_400;

/** A client of CloudWatch; credentials come from where the SDK looks for them. */
export function createUsageClient(options: ClientOptions): CloudWatchClient {
    return new CloudWatchClient(clientConfig(options, 'CLOUDWATCH'));
}

/** Bytes that queries of the workgroup have scanned and are paid for, in the days up to now. @throws StorageError */
export function readScannedBytes({
    client,
    workgroup,
    days,
    now,
}: {
    client: Pick<CloudWatchClient, 'send'>;
    workgroup: string;
    days: number;
    now: Date;
}): Promise<bigint> {
    return translated(
        async () => {
            const kinds = PAID_STATES.flatMap((state) => QUERY_TYPES.map((type) => ({ state, type })));
            const MetricDataQueries = kinds.map(({ state, type }, at) => ({
                Id: `q${at}`,
                MetricStat: {
                    Metric: {
                        Namespace: 'AWS/Athena',
                        MetricName: 'ProcessedBytes',
                        Dimensions: [
                            { Name: 'QueryState', Value: state },
                            { Name: 'QueryType', Value: type },
                            { Name: 'WorkGroup', Value: workgroup },
                        ],
                    },
                    Period: DAY_SECONDS,
                    Stat: 'Sum',
                },
            }));
            let bytes = 0n;
            let NextToken: string | undefined;
            do {
                const answer = await client.send(
                    new GetMetricDataCommand({
                        MetricDataQueries,
                        StartTime: new Date(now.getTime() - days * DAY_SECONDS * 1000),
                        EndTime: now,
                        NextToken,
                    }),
                );
                for (const value of (answer.MetricDataResults ?? []).flatMap(({ Values }) => Values ?? [])) {
                    bytes += BigInt(Math.round(value));
                }
                NextToken = answer.NextToken;
            } while (NextToken !== undefined);
            return bytes;
        },
        { doing: `ask CloudWatch what workgroup ${workgroup} has scanned` },
    );
}
