/** Works through a batch of messages of a queue and says which of them must come back, and when. */
import { MetricUnit } from '@aws-lambda-powertools/metrics';
import type { SQSBatchResponse, SQSRecord } from 'aws-lambda';
import { VISIBILITY_PER_TIMEOUT } from '#lake/deployment';
import type { MessageQueue } from '#lake/queue/message-queue';
import type { ThisTry, TryNotes } from '#lake/work/tries';
import type { MetricSink } from './figures.ts';
import type { TimeLeft } from './time-left.ts';

/** Log that takes one structured line at a time. */
export interface Log {
    info(message: string, fields: Record<string, unknown>): void;
    warn(message: string, fields: Record<string, unknown>): void;
    error(message: string, fields: Record<string, unknown>): void;
}

/** What the queue knows of a message. */
export interface Sent {
    id: string;
    sentMs: number;
    /** How often it was handed out so far, 1 at least. */
    receiveCount: number;
}

export interface BatchOptions<News> {
    /** Reads a message; of the queue it is told its id and when it was sent, UTC epoch milliseconds. @throws Error for one that is none of this lake's. */
    parse: (body: string, sent: Sent) => News[];
    /** Name of what the news is of: a raw key, or a period. News of one subject is worked on once. */
    subjectOf: (news: News) => string;
    /** Works on a subject. Must stop with the reason of `time.signal` soon after that is aborted. */
    work: (subject: string, news: readonly [News, ...News[]]) => Promise<void>;
    time: TimeLeft;
    /** The queue that the messages came from. */
    queue: Pick<MessageQueue, 'changeVisibility'>;
    /** What a person does with a subject that needs more time than an invocation has. */
    howTooLargeGetsThrough: (news: News) => string;
    /** Hands a subject that needs more time than an invocation has to somebody who has it. Default: a person does what the log says. */
    handOver?: ((news: News) => Promise<void>) | undefined;
    /** Takes what became of tries that failed, for the command line. Default: nothing is noted, and the log alone tells. */
    tries?: TryNotes | undefined;
    log: Log;
    /** Metrics of the invocation. Get `FailedTries` where something failed: how often the message that was tried most has been. */
    metrics: MetricSink;
}

type Outcome = 'done' | 'failed' | 'too large' | 'postponed';

/** What came of one subject. */
interface Worked {
    outcome: Outcome;
    /** Why it is not done; undefined where it is, and where it was not begun. */
    why?: string;
}

interface Message<News> {
    id: string;
    receipt: string;
    receiveCount: number;
    /** News of the message; undefined where it could not be understood. */
    news: News[] | undefined;
}

/**
 * Waits before the next tries. A passing failure (a slow answer, a lost race) is over in seconds, an outage in hours. The head of a FIFO
 * group holds up its period for as long as it is away: after a repair nobody waits longer than the last step. cdk/config.ts has how often,
 * and why.
 */
const RETRY_AFTER_SECONDS = [10, 60, 300];
const LAST_RETRY_AFTER_SECONDS = 900;

/** Seconds until a message that has failed is tried again. `receiveCount` is how often it was handed out so far, 1 at least. */
export function retryAfterSeconds(receiveCount: number): number {
    return RETRY_AFTER_SECONDS[receiveCount - 1] ?? LAST_RETRY_AFTER_SECONDS;
}

/** Share of the time that counts as all of it: whoever had it from the beginning on was kept from nothing by others. */
const NEARLY_ALL = 0.9;

/**
 * The answer that Lambda expects: the messages that are not done. One that failed comes back after `retryAfterSeconds`. One that was
 * only kept waiting comes back at once; so does one that cannot be understood, for it would hold up its group until it is in the
 * dead-letter queue. One that needs more time than the function has comes back after its visibility time-out: each try takes a whole
 * invocation, so that it gets a sixth of a worker and no more. What has come back too often ends in the dead-letter queue.
 *
 * Works on one subject after the other: the largest one may need the memory for itself, and a burst is spread by Lambda itself, which
 * runs more invocations. A FIFO batch goes on after a failure, although
 * https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html says to stop: the group is the subject, and all messages
 * of a subject fail together, so that the order within each group stays.
 */
export async function workThrough<News>(records: readonly SQSRecord[], options: BatchOptions<News>): Promise<SQSBatchResponse> {
    const { time, queue, log, metrics } = options;
    const messages = records.map((record) => readMessage(record, options)).sort((a, b) => b.receiveCount - a.receiveCount);
    const wholeMs = time.remainingMs();
    const worked = new Map<string, Worked>();
    const outcomes = new Map<string, Outcome>();
    for (const [subject, news] of bySubject(messages, options)) {
        const came = await outcomeOf(subject, { news, wholeMs, thisTry: thisTryOf(subject, messages, options), options });
        worked.set(subject, came);
        outcomes.set(subject, came.outcome);
    }
    const failed = messages
        .filter(({ news }) => news?.every((one) => outcomes.get(options.subjectOf(one)) === 'done') !== true)
        .map(({ news, ...message }) => {
            const own = news?.map((one) => outcomes.get(options.subjectOf(one))) ?? [];
            return { ...message, afterSeconds: returnsAfter(own, message.receiveCount) };
        });
    const tries = failed.filter(({ afterSeconds }) => afterSeconds !== 0).map(({ receiveCount }) => receiveCount);
    if (tries.length > 0) {
        metrics.addMetric('FailedTries', MetricUnit.Count, Math.max(...tries));
    }
    await Promise.all([
        ...[...worked].map(([subject, came]) => noteWorked(subject, came, { messages, wholeMs, options })),
        ...failed.map(async ({ id, receipt, afterSeconds }) => {
            if (afterSeconds === undefined) {
                return;
            }
            await queue.changeVisibility(receipt, afterSeconds).catch((error: unknown) => {
                log.warn('could not say when the message comes back: it does after its visibility time-out', { messageId: id, error });
            });
        }),
    ]);
    return { batchItemFailures: failed.map(({ id }) => ({ itemIdentifier: id })) };
}

/** The try at a subject: that of the message that was tried most, and the receipts of all of its messages. */
function thisTryOf<News>(subject: string, messages: readonly Message<News>[], { subjectOf }: BatchOptions<News>): ThisTry {
    const own = messages.filter(({ news }) => news?.some((one) => subjectOf(one) === subject));
    return { tries: Math.max(...own.map(({ receiveCount }) => receiveCount)), receipts: own.map(({ receipt }) => receipt) };
}

/** Notes what came of a subject. The message comes back, or does not, whether or not that can be noted. */
async function noteWorked<News>(
    subject: string,
    { outcome, why }: Worked,
    { messages, wholeMs, options }: { messages: readonly Message<News>[]; wholeMs: number; options: BatchOptions<News> },
): Promise<void> {
    const { tries, log } = options;
    try {
        if (outcome === 'done') {
            await tries?.succeeded(subject);
        } else if (why !== undefined) {
            const thisTry = thisTryOf(subject, messages, options);
            const afterSeconds = returnsAfter([outcome], thisTry.tries) ?? Math.round((VISIBILITY_PER_TIMEOUT * wholeMs) / 1000);
            await tries?.failed(subject, { ...thisTry, error: why, afterSeconds });
        }
    } catch (error) {
        log.warn('could not note what came of it: flowlake status does not know', { subject, error });
    }
}

/**
 * Seconds until a message comes back; undefined where that is after its visibility time-out. `outcomes` are those of the message's
 * subjects, none where it has none.
 */
function returnsAfter(outcomes: readonly (Outcome | undefined)[], receiveCount: number): number | undefined {
    if (outcomes.includes('too large')) {
        return undefined;
    }
    return outcomes.includes('failed') ? retryAfterSeconds(receiveCount) : 0;
}

function readMessage<News>(record: SQSRecord, { parse, log }: BatchOptions<News>): Message<News> {
    const { messageId: id, receiptHandle: receipt, body, attributes } = record;
    const receiveCount = Number(attributes.ApproximateReceiveCount);
    const message = { id, receipt, receiveCount };
    try {
        return { ...message, news: parse(body, { id, sentMs: Number(attributes.SentTimestamp), receiveCount }) };
    } catch (error) {
        // What JSON.parse says of a text shows a piece of it: that belongs into no log.
        const reason = error instanceof SyntaxError ? 'the message is no JSON' : error instanceof Error ? error.message : String(error);
        log.error('cannot use the message', { messageId: id, reason, receiveCount });
        return { ...message, news: undefined };
    }
}

/**
 * The messages of each subject. Those that were handed out most often come first: who has been postponed must not be postponed into the
 * dead-letter queue.
 */
function bySubject<News>(messages: readonly Message<News>[], { subjectOf }: BatchOptions<News>): Map<string, [News, ...News[]]> {
    const subjects = new Map<string, [News, ...News[]]>();
    for (const news of messages.flatMap((message) => message.news ?? [])) {
        const subject = subjectOf(news);
        const before = subjects.get(subject);
        subjects.set(subject, before ? [...before, news] : [news]);
    }
    return subjects;
}

async function outcomeOf<News>(
    subject: string,
    {
        news,
        wholeMs,
        thisTry,
        options,
    }: { news: readonly [News, ...News[]]; wholeMs: number; thisTry: ThisTry; options: BatchOptions<News> },
): Promise<Worked> {
    const { work, time, howTooLargeGetsThrough, handOver, tries, log } = options;
    if (time.signal.aborted) {
        log.info('not begun: others used up the time; it comes back at once', { subject });
        return { outcome: 'postponed' };
    }
    if (thisTry.tries > 1) {
        // A worker that ends without a word leaves this behind.
        await tries?.began(subject, { ...thisTry, wholeMs: time.remainingMs() }).catch((error: unknown) => {
            log.warn('could not note that it is tried again: flowlake status does not know', { subject, error });
        });
    }
    const hadNearlyAll = time.remainingMs() >= NEARLY_ALL * wholeMs;
    try {
        await work(subject, news);
        return { outcome: 'done' };
    } catch (error) {
        if (!time.signal.aborted || error !== time.signal.reason) {
            log.error('failed: it is tried again, later each time', { subject, error });
            return { outcome: 'failed', why: error instanceof Error ? error.message : String(error) };
        }
        if (!hadNearlyAll) {
            log.info('stopped: others had used up much of the time; it comes back at once', { subject });
            return { outcome: 'postponed', why: 'others of its batch had used up the time' };
        }
        const why = `needs more time than the function has; ${howTooLargeGetsThrough(news[0])}`;
        log.error(why, { subject, hadMs: wholeMs });
        await handOver?.(news[0]).catch((reason: unknown) => {
            log.error('could not be handed over: it is tried again when its message comes back', { subject, error: reason });
        });
        return { outcome: 'too large', why };
    }
}
