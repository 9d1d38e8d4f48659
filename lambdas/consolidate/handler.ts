/** Lambda `consolidate`: merges what sources contribute to each period that it has news of into the period's object. */
import process from 'node:process';
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { createGlueClient, openGlueJobRuns } from '#lake/jobs/glue';
import { openSurroundings } from '#lambdas/environment';
import { timeLeftOf } from '#lambdas/time-left';
import { consolidateBatch } from './consolidate-batch.ts';

const { bucket, store, openQueue, findQueue, maxTries, logger, metrics } = openSurroundings(process.env);
const consolidateQueue = openQueue('CONSOLIDATE_QUEUE');
const hoursQueue = findQueue('HOURS_QUEUE');
const jobName = process.env.CONSOLIDATE_DAYS_JOB ?? '';
const largeJob = jobName === '' ? undefined : openGlueJobRuns({ name: jobName, client: createGlueClient({ environment: process.env }) });

export async function handler({ Records }: SQSEvent, context: Context): Promise<SQSBatchResponse> {
    logger.addContext(context);
    try {
        return await consolidateBatch(Records, {
            bucket,
            store,
            consolidateQueue,
            hoursQueue,
            largeJob,
            maxTries,
            time: timeLeftOf(context),
            now: () => new Date(),
            log: logger,
            metrics,
        });
    } finally {
        metrics.publishStoredMetrics();
    }
}
