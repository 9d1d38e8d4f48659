/**
 * Brings raw objects that news is of into what they contribute, and sends the periods that they touch to the next queue. News of an input's pointer
 * comes to a message for each source that was read with another version.
 */
import { MetricUnit } from '@aws-lambda-powertools/metrics';
import type { SQSBatchResponse, SQSRecord } from 'aws-lambda';
import { findBehind } from '#lake/commit/fan-out';
import { summarize } from '#lake/commit/summarize';
import { UsageError } from '#lake/errors';
import { findInput, type KindWithInputs } from '#lake/kinds';
import { chainPlaceOf } from '#lake/layout';
import type { LedgerRecord } from '#lake/ledger';
import type { DatasetIndex } from '#lake/live/datasets';
import { noteReading } from '#lake/live/list-datasets';
import type { MessageQueue } from '#lake/queue/message-queue';
import type { ObjectStore } from '#lake/store/object-store';
import { parseSourceNews, type SourceNews } from '#lake/work/messages';
import { type PeriodQueues, tellPeriods, tellSources } from '#lake/work/tell-work';
import { openTryNotes } from '#lake/work/tries';
import { type Log, workThrough } from '#lambdas/batch';
import { earliestOf, type MetricSink } from '#lambdas/figures';
import type { TimeLeft } from '#lambdas/time-left';
import { watchStore } from '#lambdas/watched-store';

export interface SummarizeBatchOptions extends PeriodQueues {
    /** Name of the lake's own bucket: news of another one's objects is an error. */
    bucket: string;
    store: ObjectStore;
    /** Queue that the messages came from. */
    summarizeQueue: Pick<MessageQueue, 'changeVisibility' | 'send'>;
    /** Index of chain objects; undefined where the deployment has no live telemetry. */
    datasets?: DatasetIndex | undefined;
    /** How often a message is tried before it is a dead letter. Default: nobody knows. */
    maxTries?: number | undefined;
    time: TimeLeft;
    now: () => Date;
    log: Log;
    metrics: MetricSink;
}

/** The answer to a batch of the summarize queue. A message is done once the periods of its sources stand in their queues, and the sources of its inputs in this one. */
export async function summarizeBatch(records: readonly SQSRecord[], options: SummarizeBatchOptions): Promise<SQSBatchResponse> {
    const { bucket, store, summarizeQueue, consolidateQueue, hoursQueue, datasets, maxTries, time, now, log, metrics } = options;
    const counts = { SourcesSummarized: 0, SourcesFailed: 0, RowsKept: 0, RowsRejected: 0, Conflicts: 0 };
    let bytesRead = 0;

    async function work(source: string, news: readonly SourceNews[]): Promise<void> {
        const input = findInput(source);
        if (input) {
            await fanOut(source, input);
            return;
        }
        const uploadedAt = earliestOf(news);
        const watched = watchStore(store);
        const { record, periods, hasCommitted } = await summarize(source, {
            store: watched.store,
            now,
            signal: time.signal,
            onBytes: (bytes) => {
                bytesRead += bytes;
            },
        }).finally(() => {
            counts.Conflicts += watched.seen.conflicts;
        });
        const lagMs = now().getTime() - uploadedAt.getTime();
        await tellPeriods(periods, { consolidateQueue, hoursQueue, uploadedAt, now: now() });
        // Behind the figures, and also where another worker committed: it may be dead. What fails here comes back with the message.
        if (datasets && record && chainPlaceOf(source)) {
            await noteReading(record, { store, index: datasets });
        }
        // A record that this call found but did not write was counted by the call that wrote it: a duplicate event adds no rows.
        if (!record || !hasCommitted) {
            log.info(record ? 'nothing new' : 'gone before it was read', { source, periods: periods.length });
            return;
        }
        metrics.addMetric('SummarizeLagMs', MetricUnit.Milliseconds, lagMs);
        tell(record, { periods: periods.length, lagMs });
    }

    async function fanOut(pointer: string, input: { kind: KindWithInputs; name: string }): Promise<void> {
        const behind = await findBehind(store, input);
        time.signal.throwIfAborted();
        await tellSources(
            behind.map(({ key }) => key),
            { bucket, queue: summarizeQueue, now: now() },
        );
        log.info('told the sources of an input', { pointer, sources: behind.length });
    }

    function tell(record: LedgerRecord, { periods, lagMs }: { periods: number; lagMs: number }): void {
        const { source, state, version, size_bytes: sizeBytes, rows_kept: rowsKept, rows_rejected: rowsRejected } = record;
        if (state === 'failed') {
            counts.SourcesFailed += 1;
            // The reason may quote the file, so it stays in the ledger.
            log.warn('the file cannot be used; flowlake status says why', { source, version, sizeBytes, periods, lagMs });
            return;
        }
        if (state === 'skipped') {
            log.info('skipped: no file of its kind, by right', { source, version, sizeBytes, periods, lagMs });
            return;
        }
        if (state === 'empty') {
            counts.SourcesFailed += 1;
            counts.RowsRejected += rowsRejected;
            log.warn('not one row of the file counts; flowlake status says why', {
                source,
                version,
                sizeBytes,
                rowsRejected,
                periods,
                lagMs,
            });
            return;
        }
        counts.SourcesSummarized += 1;
        counts.RowsKept += rowsKept;
        counts.RowsRejected += rowsRejected;
        log.info('summarized', { source, version, sizeBytes, rowsKept, rowsRejected, periods, lagMs });
    }

    try {
        return await workThrough(records, {
            parse: (body) => newsOf(body, { bucket }),
            subjectOf: ({ key }) => key,
            work,
            time,
            queue: summarizeQueue,
            tries: openTryNotes(store, { queue: 'summarize', maxTries, now }),
            howTooLargeGetsThrough: () => `run \`flowlake --lake s3://${bucket} reconcile --here\` on a machine without a time limit`,
            log,
            metrics,
        });
    } finally {
        metrics.addMetric('BytesRead', MetricUnit.Bytes, bytesRead);
        for (const [name, count] of Object.entries(counts)) {
            metrics.addMetric(name, MetricUnit.Count, count);
        }
    }
}

/** The news of a message. @throws UsageError for news of another bucket */
function newsOf(body: string, { bucket }: { bucket: string }): SourceNews[] {
    const news = parseSourceNews(body);
    const other = news.find((one) => one.bucket !== bucket);
    if (other) {
        throw new UsageError(
            `the message is of bucket ${other.bucket}, the lake is in ${bucket}: take its notification to this queue away`,
        );
    }
    return news;
}
