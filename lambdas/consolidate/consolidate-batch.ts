/** Brings the periods that news is of into their merged objects. */
import { MetricUnit } from '@aws-lambda-powertools/metrics';
import type { SQSBatchResponse, SQSRecord } from 'aws-lambda';
import { consolidate } from '#lake/commit/consolidate';
import { dayOfPeriod, nameOfPeriod } from '#lake/layout';
import type { MessageQueue } from '#lake/queue/message-queue';
import type { ObjectStore } from '#lake/store/object-store';
import { type PeriodNews, parsePeriodNews } from '#lake/work/messages';
import { type Log, workThrough } from '#lambdas/batch';
import { earliestOf, type MetricSink } from '#lambdas/figures';
import type { TimeLeft } from '#lambdas/time-left';
import { watchStore } from '#lambdas/watched-store';

export interface ConsolidateBatchOptions {
    /** Name of the lake's bucket, for what the log tells people to type. */
    bucket: string;
    store: ObjectStore;
    /** Queue that the messages came from. */
    consolidateQueue: Pick<MessageQueue, 'changeVisibility'>;
    time: TimeLeft;
    now: () => Date;
    log: Log;
    metrics: MetricSink;
}

/** The answer to a batch of the consolidate queue. However many messages a batch has for a period, it is consolidated once. */
export async function consolidateBatch(records: readonly SQSRecord[], options: ConsolidateBatchOptions): Promise<SQSBatchResponse> {
    const { bucket, store, consolidateQueue, time, now, log, metrics } = options;
    const counts = { PeriodsConsolidated: 0, Passes: 0, Conflicts: 0 };

    async function work(_: string, news: readonly [PeriodNews, ...PeriodNews[]]): Promise<void> {
        // All news of one subject is of one period.
        const [{ table, period }] = news;
        const of = { table, period };
        const watched = watchStore(store, { signal: time.signal });
        const { writes: passes } = await consolidate(of, { store: watched.store }).finally(() => {
            counts.Conflicts += watched.seen.conflicts;
        });
        // No lag where nothing was left to write: the figures were there before, and nobody knows since when.
        if (passes === 0) {
            log.info('nothing new', { ...of, messages: news.length });
            return;
        }
        counts.PeriodsConsolidated += 1;
        counts.Passes += passes;
        const consolidatedAt = now().getTime();
        for (const { uploadedAt } of news) {
            metrics.addMetric('FiguresLagMs', MetricUnit.Milliseconds, consolidatedAt - uploadedAt.getTime());
        }
        const lagMs = consolidatedAt - earliestOf(news).getTime();
        log.info('consolidated', { ...of, messages: news.length, passes, conflicts: watched.seen.conflicts, lagMs });
    }

    try {
        return await workThrough(records, {
            parse: (body) => [parsePeriodNews(body)],
            subjectOf: nameOfPeriod,
            work,
            time,
            queue: consolidateQueue,
            howTooLargeGetsThrough: ({ period }) => {
                const day = dayOfPeriod(period);
                return `run \`flowlake --lake s3://${bucket} rebuild --from ${day} --to ${day}\`: the Spark job has time and memory for it`;
            },
            log,
            metrics,
        });
    } finally {
        for (const [name, count] of Object.entries(counts)) {
            metrics.addMetric(name, MetricUnit.Count, count);
        }
    }
}
