/** Brings the periods that news is of into their merged objects, and days of derived tables up to those. */
import { MetricUnit } from '@aws-lambda-powertools/metrics';
import type { SQSBatchResponse, SQSRecord } from 'aws-lambda';
import { consolidateWhatCan } from '#lake/commit/consolidate';
import { derive } from '#lake/commit/derive';
import type { JobRuns } from '#lake/jobs/job-runs';
import { findDerivation } from '#lake/kinds';
import { dayOfPeriod, nameOfPeriod, type TablePeriod } from '#lake/layout';
import type { MessageQueue } from '#lake/queue/message-queue';
import type { ObjectStore } from '#lake/store/object-store';
import { type PeriodNews, parsePeriodNews } from '#lake/work/messages';
import { tellPeriods } from '#lake/work/tell-work';
import { openTryNotes } from '#lake/work/tries';
import { type Log, workThrough } from '#lambdas/batch';
import { earliestOf, type MetricSink } from '#lambdas/figures';
import type { TimeLeft } from '#lambdas/time-left';
import { watchStore } from '#lambdas/watched-store';

export interface ConsolidateBatchOptions {
    /** Name of the lake's bucket, for what the log tells people to type. */
    bucket: string;
    store: ObjectStore;
    /** Queue of days; those of derived tables go to it too. */
    consolidateQueue: Pick<MessageQueue, 'changeVisibility' | 'send'>;
    /** Delayed queue of periods by the hour. Default: these come with the days. */
    hoursQueue?: Pick<MessageQueue, 'name' | 'changeVisibility' | 'send'> | undefined;
    /** Job that has time and memory for any period. Default: none is started, and the log says what to type. */
    largeJob?: Pick<JobRuns, 'start'> | undefined;
    /** How often a message is tried before it is a dead letter. Default: nobody knows. */
    maxTries?: number | undefined;
    time: TimeLeft;
    now: () => Date;
    log: Log;
    metrics: MetricSink;
}

/**
 * The answer to a batch of either queue of periods. However many messages a batch has for a period, it is consolidated once. A message is done once what is
 * built on its period stands in the queue.
 */
export async function consolidateBatch(records: readonly SQSRecord[], options: ConsolidateBatchOptions): Promise<SQSBatchResponse> {
    const { bucket, store, consolidateQueue, hoursQueue, largeJob, maxTries, time, now, log, metrics } = options;
    // All messages of a batch come from one queue.
    const isOfHours = hoursQueue !== undefined && records[0]?.eventSourceARN.endsWith(`:${hoursQueue.name}`);
    const counts = { PeriodsConsolidated: 0, Passes: 0, Conflicts: 0 };

    async function work(_: string, news: readonly [PeriodNews, ...PeriodNews[]]): Promise<void> {
        // All news of one subject is of one period.
        const [{ table, period }] = news;
        const of = { table, period };
        const watched = watchStore(store, { signal: time.signal });
        const {
            writes: passes,
            tell,
            leftOut,
        } = await bringUp(of, watched.store).finally(() => {
            counts.Conflicts += watched.seen.conflicts;
        });
        // Whether or not it wrote: the worker that did may have died before it told anybody.
        await tellPeriods(tell, { consolidateQueue, hoursQueue, uploadedAt: earliestOf(news), now: now() });
        if (leftOut) {
            throw leftOut;
        }
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
        log.info(findDerivation(table) ? 'derived' : 'consolidated', {
            ...of,
            messages: news.length,
            passes,
            conflicts: watched.seen.conflicts,
            lagMs,
        });
    }

    /** Starts the job for the period's day: once, for it runs once at a time. The message comes back meanwhile, and finds nothing to do once the job is over. */
    async function handOver({ table, period }: PeriodNews): Promise<void> {
        const day = dayOfPeriod(period);
        if (largeJob === undefined || findDerivation(table)) {
            return;
        }
        const run = await largeJob.start({ '--from': day, '--to': day });
        log.info(run === undefined ? 'the job is at other work; it is asked again when the message comes back' : 'handed over to the job', {
            table,
            period,
            run,
        });
        metrics.addMetric('JobsStarted', MetricUnit.Count, run === undefined ? 0 : 1);
    }

    /** What cannot be understood, or not be started, is told where the message is worked on. */
    async function handOverWorn(body: string): Promise<void> {
        try {
            await handOver(parsePeriodNews(body));
        } catch (error) {
            log.error('could not be handed over: it is tried again when its message comes back', { error });
        }
    }

    try {
        // A period that has taken its function along again and again was never told to be too large: memory ends without a word.
        const worn = records.filter(({ attributes }) => Number(attributes.ApproximateReceiveCount) === WORN_AFTER_TRIES);
        for (const { body } of worn) {
            await handOverWorn(body);
        }
        return await workThrough(records, {
            parse: (body) => [parsePeriodNews(body)],
            subjectOf: nameOfPeriod,
            work,
            time,
            queue: isOfHours ? hoursQueue : consolidateQueue,
            tries: openTryNotes(store, { queue: isOfHours ? 'hours' : 'consolidate', maxTries, now }),
            howTooLargeGetsThrough: ({ table, period }) => {
                const day = dayOfPeriod(period);
                if (findDerivation(table)) {
                    return `run \`flowlake --lake s3://${bucket} reconcile --here\` on a machine without a time limit`;
                }
                return `run \`flowlake --lake s3://${bucket} rebuild --from ${day} --to ${day}\`: the Spark job has time and memory for it`;
            },
            handOver,
            log,
            metrics,
        });
    } finally {
        for (const [name, count] of Object.entries(counts)) {
            metrics.addMetric(name, MetricUnit.Count, count);
        }
    }
}

/**
 * The try before which the job is started, whatever was wrong with those before. A period whose rows do not fit the memory ends its invocation so that nothing is
 * logged by the function; a passing fault is over by then (lambdas/batch.ts has the waits).
 */
const WORN_AFTER_TRIES = 6;

/** Consolidates the period, or derives the day of a derived table. @returns how often it was written, who must be told, and what is not in it */
async function bringUp(of: TablePeriod, store: ObjectStore): Promise<{ writes: number; tell: TablePeriod[]; leftOut?: Error | undefined }> {
    if (findDerivation(of.table)) {
        const { writes, next } = await derive(of, { store });
        return { writes, tell: next ? [next] : [] };
    }
    const { writes, derived, leftOut } = await consolidateWhatCan(of, { store });
    return { writes, tell: derived, leftOut };
}
