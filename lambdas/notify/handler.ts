/** Lambda `notify`: publishes alerts, and that latest state is late, to the topic that people and programs subscribe to. */
import process from 'node:process';
import type { Context, DynamoDBBatchResponse, DynamoDBStreamEvent } from 'aws-lambda';
import { createSnsClient, openAlertTopic } from '#lake/cloud/alert-topic';
import { openToldNotes } from '#lake/cloud/told-notes';
import { openSurroundings } from '#lambdas/environment';
import { openStateTable } from '#lambdas/open-state';
import { notifyBatch } from './notify-batch.ts';

const { bucket, readSetting, logger, metrics } = openSurroundings(process.env);
const notes = openToldNotes(openStateTable(process.env));
const topic = openAlertTopic({
    client: createSnsClient({ environment: process.env }),
    topicArn: readSetting('ALERTS_TOPIC'),
    lake: bucket,
});

export async function handler({ Records }: DynamoDBStreamEvent, context: Context): Promise<DynamoDBBatchResponse> {
    logger.addContext(context);
    try {
        return await notifyBatch(Records, { topic, notes, log: logger, metrics });
    } finally {
        metrics.publishStoredMetrics();
    }
}
