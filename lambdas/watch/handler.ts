/** Lambda `watch`: looks once a minute for what does not come. */
import process from 'node:process';
import type { Context } from 'aws-lambda';
import { openCloudState } from '#lake/cloud/state-store';
import { openCloudWatch } from '#lake/cloud/state-watch';
import { watermarkOf } from '#lake/cloud/stream-progress';
import { LiveProfiles } from '#lake/live/live-profiles';
import { openSurroundings } from '#lambdas/environment';
import { openStateTable } from '#lambdas/open-state';
import { openStreams } from '#lambdas/open-streams';
import { timeLeftOf } from '#lambdas/time-left';
import { look } from './look.ts';

const { store, logger, metrics } = openSurroundings(process.env);
const { client, streams } = openStreams(process.env);
const stateTable = openStateTable(process.env);
const state = openCloudState({
    ...stateTable,
    now: Date.now,
    onRefused: (device, why) => logger.error('the silence of a device cannot be written', { device, why }),
});
const watch = openCloudWatch(stateTable);
const profiles = new LiveProfiles({
    store,
    monotonicMs: () => performance.now(),
    onFault: (what) => logger.error('silences are judged by a profile that is at fault', { what }),
});

export async function handler(_event: unknown, context: Context): Promise<void> {
    logger.addContext(context);
    try {
        await look({
            ...{ watch, state, profiles, store, metrics },
            watermark: async (placeOf) => watermarkOf(placeOf, { client, streams: await streams(), now: Date.now }),
            now: Date.now,
            signal: timeLeftOf(context).signal,
            log: logger,
        });
    } finally {
        metrics.publishStoredMetrics();
    }
}
