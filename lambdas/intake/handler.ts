/** Lambda `intake`: takes messages that come by HTTP, and answers once they are in the stream. */
import process from 'node:process';
import { MetricUnit } from '@aws-lambda-powertools/metrics';
import type { Context } from 'aws-lambda';
import { openDeviceLookup } from '#lake/cloud/device-lookup';
import type { HttpResult } from '#lake/cloud/http-event';
import { openIntakeServices } from '#lake/cloud/intake-services';
import { openKinesisInbox } from '#lake/cloud/kinesis-inbox';
import { createKinesisClient } from '#lake/cloud/kinesis-stream';
import { createApi } from '#lake/live/api/create-api';
import { openSurroundings, readSetting } from '#lambdas/environment';
import { type IntakeEvent, takeMessages } from './take-messages.ts';

const { store, logger, metrics } = openSurroundings(process.env);
let tries = 0;
const services = openIntakeServices({
    inbox: openKinesisInbox({
        client: createKinesisClient({ environment: process.env }),
        stream: readSetting(process.env, 'STREAM'),
        onTrouble(why) {
            tries += 1;
            logger.warn('the stream did not take all messages, which are tried again', { why });
        },
    }),
    devices: openDeviceLookup({ store, now: Date.now }),
    now: Date.now,
});
const api = createApi(services, {
    onBroken: ({ error, ...broken }) => logger.error('a request could not be answered', { ...broken, error }),
});

export async function handler(event: IntakeEvent, context: Context): Promise<HttpResult> {
    logger.addContext(context);
    tries = 0;
    try {
        const result = await takeMessages(event, api);
        metrics.addMetric('RequestsRefused', MetricUnit.Count, result.statusCode >= 400 && result.statusCode < 500 ? 1 : 0);
        metrics.addMetric('RequestsBroken', MetricUnit.Count, result.statusCode >= 500 ? 1 : 0);
        return result;
    } finally {
        metrics.addMetric('PutsTriedAgain', MetricUnit.Count, tries);
        metrics.publishStoredMetrics();
    }
}
