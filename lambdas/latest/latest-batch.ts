/** Brings what Lambda hands over of one shard into latest state, and notes how far the shard is. Data never stops it; a broken world does. */
import { MetricUnit } from '@aws-lambda-powertools/metrics';
import type { KinesisStreamBatchResponse } from 'aws-lambda';
import pMap from 'p-map';
import type { DeviceLookup } from '#lake/cloud/device-lookup';
import { batchOf, type KinesisEventRecord } from '#lake/cloud/kinesis-event';
import { type RecordSource, readRecord } from '#lake/cloud/kinesis-record';
import type { CloudWatch } from '#lake/cloud/state-watch';
import { CALLS_AT_ONCE } from '#lake/store/object-store';
import type { Log } from '#lambdas/batch';
import type { MetricSink } from '#lambdas/figures';
import { type TakeLatestOptions, takeLatest } from '#lambdas/take-latest';

/** Records between two looks at the time that is left: they are in latest state within a second. */
const RECORDS_AT_ONCE = 500;

/** Lags of a batch that are told: a metric of one invocation holds 100 values. */
const LAGS_TOLD = 50;

export interface LatestBatchOptions extends Omit<TakeLatestOptions, 'stream'> {
    devices: DeviceLookup;
    watch: Pick<CloudWatch, 'notePlace'>;
    /** What is read from a stream of this name. @throws UsageError for another one */
    sourceOf: (stream: string) => RecordSource;
    /** Name by which a stream is told from another one of its name. */
    streamIdOf: (stream: string) => Promise<string>;
    /** Aborted when no more work may be begun. */
    signal: AbortSignal;
    log: Log;
    metrics: MetricSink;
}

/**
 * The answer that Lambda expects: the first record that is to come again, where the time did not reach for all. Safe to repeat, with any part of the records.
 * @throws StorageError where a part is not in latest state
 */
export async function latestBatch(event: readonly KinesisEventRecord[], options: LatestBatchOptions): Promise<KinesisStreamBatchResponse> {
    const { devices, watch, sourceOf, streamIdOf, signal, now, log, metrics } = options;
    const { stream, shard, records } = batchOf(event);
    const from = sourceOf(stream);
    const streamId = await streamIdOf(stream);
    const onDamaged = (why: string) => log.error('the record of a device cannot be read', { why });
    for (let at = 0; at < records.length; at += RECORDS_AT_ONCE) {
        const part = records.slice(at, at + RECORDS_AT_ONCE);
        const [first, last] = [part[0], part.at(-1)];
        if (signal.aborted && first) {
            log.warn('the time was over before all records were taken: they come again', { stream, shard, left: records.length - at });
            return { batchItemFailures: [{ itemIdentifier: first.sequence }] };
        }
        const messages = (
            await pMap(part, (record) => readRecord(record, { from, devices, onDamaged }), { concurrency: CALLS_AT_ONCE })
        ).flat();
        const { rejected, refused, unassigned, conflicts } = await takeLatest(messages, { ...options, stream: streamId });
        if (last) {
            await watch.notePlace({ stream: streamId, shard, sequence: last.sequence, arrivedMs: last.arrivedMs });
        }
        const nowMs = now();
        const lags = messages.map(({ arrivedMs }) => nowMs - arrivedMs).sort((a, b) => b - a);
        const step = Math.ceil(lags.length / LAGS_TOLD);
        for (const lagMs of lags.filter((_, n) => n % step === 0)) {
            metrics.addMetric('LatestLagMs', MetricUnit.Milliseconds, lagMs);
        }
        const counts = { Messages: messages.length, Rejected: rejected, PutAside: refused, Unassigned: unassigned, Conflicts: conflicts };
        for (const [name, count] of Object.entries(counts)) {
            metrics.addMetric(name, MetricUnit.Count, count);
        }
    }
    return { batchItemFailures: [] };
}
