/** Lambda `chain`: appends each shard of the streams to its chain of raw objects, a batch a minute. */
import process from 'node:process';
import type { Context, KinesisStreamBatchResponse, KinesisStreamEvent } from 'aws-lambda';
import { openDeviceLookup } from '#lake/cloud/device-lookup';
import { assertOneBatchAtATime, createLambdaClient } from '#lake/cloud/event-source';
import { openSurroundings } from '#lambdas/environment';
import { requireDatasets } from '#lambdas/open-datasets';
import { openStreams } from '#lambdas/open-streams';
import { timeLeftOf } from '#lambdas/time-left';
import { openChainAppender } from './append-batch.ts';

const { store, logger, metrics } = openSurroundings(process.env);
const { sourceOf, streamIdOf } = openStreams(process.env);
const index = requireDatasets(process.env);
const lambda = createLambdaClient({ environment: process.env });
const appender = openChainAppender({
    ...{ store, index, sourceOf, streamIdOf },
    devices: openDeviceLookup({ store, now: Date.now }),
    assertOneBatchAtATime: () => assertOneBatchAtATime(lambda, process.env.AWS_LAMBDA_FUNCTION_NAME ?? ''),
    now: () => new Date(),
});

export async function handler({ Records }: KinesisStreamEvent, context: Context): Promise<KinesisStreamBatchResponse> {
    logger.addContext(context);
    try {
        return await appender.append(Records, { time: timeLeftOf(context), log: logger, metrics });
    } finally {
        metrics.publishStoredMetrics();
    }
}
