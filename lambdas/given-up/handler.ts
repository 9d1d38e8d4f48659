/** Lambda `given-up`: brings into the lake what an event source or a rule of IoT Core gave up on its way. */
import process from 'node:process';
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { openDeviceLookup } from '#lake/cloud/device-lookup';
import { readRange } from '#lake/cloud/kinesis-stream';
import { openSurroundings } from '#lambdas/environment';
import { requireDatasets } from '#lambdas/open-datasets';
import { openStreams } from '#lambdas/open-streams';
import { timeLeftOf } from '#lambdas/time-left';
import { bringBackBatch } from './bring-back-batch.ts';

const { bucket, store, openQueue, readSetting, logger, metrics } = openSurroundings(process.env);
const queue = openQueue('GIVEN_UP_QUEUE');
const index = requireDatasets(process.env);
const { client, telemetry, sourceOf, streamIdOf } = openStreams(process.env);
const chainFunction = readSetting('CHAIN_FUNCTION');
const devices = openDeviceLookup({ store, now: Date.now });

export async function handler({ Records }: SQSEvent, context: Context): Promise<SQSBatchResponse> {
    logger.addContext(context);
    try {
        return await bringBackBatch(Records, {
            ...{ bucket, store, index, devices, queue, chainFunction, sourceOf, streamIdOf },
            telemetryStream: telemetry,
            readRange: (range) => readRange(client, range),
            time: timeLeftOf(context),
            now: () => new Date(),
            log: logger,
            metrics,
        });
    } finally {
        metrics.publishStoredMetrics();
    }
}
