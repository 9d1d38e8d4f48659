/** Lambda `given-up`: brings into the lake what an event source or a rule of IoT Core gave up on its way. */
import process from 'node:process';
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { openDeviceLookup } from '#lake/cloud/device-lookup';
import { readRange } from '#lake/cloud/kinesis-stream';
import { openCloudState } from '#lake/cloud/state-store';
import { LiveProfiles } from '#lake/live/live-profiles';
import { openSurroundings } from '#lambdas/environment';
import { requireDatasets } from '#lambdas/open-datasets';
import { openStateTable } from '#lambdas/open-state';
import { openStreams } from '#lambdas/open-streams';
import { takeLatest } from '#lambdas/take-latest';
import { timeLeftOf } from '#lambdas/time-left';
import { bringBackBatch } from './bring-back-batch.ts';

const { bucket, store, openQueue, readSetting, logger, metrics } = openSurroundings(process.env);
const queue = openQueue('GIVEN_UP_QUEUE');
const index = requireDatasets(process.env);
const { client, telemetry, sourceOf, streamIdOf } = openStreams(process.env);
const chainFunction = readSetting('CHAIN_FUNCTION');
const devices = openDeviceLookup({ store, now: Date.now });
const state = openCloudState({
    ...openStateTable(process.env),
    now: Date.now,
    onRefused: (device, why) => logger.error('latest state of a device cannot be written, and stays as it was', { device, why }),
});
const profiles = new LiveProfiles({
    store,
    monotonicMs: () => performance.now(),
    onFault: (what) => logger.error('latest state reads by a profile that is at fault', { what }),
});

export async function handler({ Records }: SQSEvent, context: Context): Promise<SQSBatchResponse> {
    logger.addContext(context);
    try {
        return await bringBackBatch(Records, {
            ...{ bucket, store, index, devices, queue, chainFunction, sourceOf, streamIdOf },
            telemetryStream: telemetry,
            async intoLatest(messages) {
                await takeLatest(messages, { stream: undefined, state, profiles, clock: () => state.clock(), now: Date.now });
            },
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
