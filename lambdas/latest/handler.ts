/** Lambda `latest`: brings each message into latest state and alerts, as soon as it is in the stream. */
import process from 'node:process';
import { MetricUnit } from '@aws-lambda-powertools/metrics';
import type { Context, KinesisStreamBatchResponse, KinesisStreamEvent } from 'aws-lambda';
import { openDeviceLookup } from '#lake/cloud/device-lookup';
import { openCloudState } from '#lake/cloud/state-store';
import { openCloudWatch } from '#lake/cloud/state-watch';
import { LiveProfiles } from '#lake/live/live-profiles';
import { openSurroundings } from '#lambdas/environment';
import { openStateTable } from '#lambdas/open-state';
import { openStreams } from '#lambdas/open-streams';
import { timeLeftOf } from '#lambdas/time-left';
import { latestBatch } from './latest-batch.ts';

const { store, logger, metrics } = openSurroundings(process.env);
const { sourceOf, streamIdOf } = openStreams(process.env);
const stateTable = openStateTable(process.env);
const state = openCloudState({
    ...stateTable,
    now: Date.now,
    onRefused(device, why) {
        metrics.addMetric('StatesRefused', MetricUnit.Count, 1);
        logger.error('latest state of a device cannot be written, and stays as it was', { device, why });
    },
});
const profiles = new LiveProfiles({
    store,
    monotonicMs: () => performance.now(),
    onFault: (what) => logger.error('latest state reads by a profile that is at fault', { what }),
});
const devices = openDeviceLookup({ store, now: Date.now });
const watch = openCloudWatch(stateTable);

export async function handler({ Records }: KinesisStreamEvent, context: Context): Promise<KinesisStreamBatchResponse> {
    logger.addContext(context);
    try {
        return await latestBatch(Records, {
            ...{ state, watch, profiles, devices, sourceOf, streamIdOf, metrics },
            clock: () => state.clock(),
            now: Date.now,
            signal: timeLeftOf(context).signal,
            log: logger,
        });
    } finally {
        metrics.publishStoredMetrics();
    }
}
