/**
 * Lambda `summarize`: reads raw objects that S3 has news of, writes their contributions and ledger records, and sends their periods on to
 * be consolidated.
 */
import process from 'node:process';
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { openSurroundings } from '#lambdas/environment';
import { openDatasets } from '#lambdas/open-datasets';
import { timeLeftOf } from '#lambdas/time-left';
import { summarizeBatch } from './summarize-batch.ts';

const { bucket, store, openQueue, findQueue, maxTries, logger, metrics } = openSurroundings(process.env);
const summarizeQueue = openQueue('SUMMARIZE_QUEUE');
const consolidateQueue = openQueue('CONSOLIDATE_QUEUE');
const hoursQueue = findQueue('HOURS_QUEUE');
const datasets = openDatasets(process.env);

export async function handler({ Records }: SQSEvent, context: Context): Promise<SQSBatchResponse> {
    logger.addContext(context);
    try {
        return await summarizeBatch(Records, {
            bucket,
            store,
            summarizeQueue,
            consolidateQueue,
            hoursQueue,
            datasets,
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
