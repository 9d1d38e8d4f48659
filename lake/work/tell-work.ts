/** Use case: send what is undone in a deployed lake to the workers that do it. */

import type { Workers } from '#lake/commit/finish';
import { isByTheHour } from '#lake/kinds';
import type { BucketLake } from '#lake/lake';
import type { TablePeriod } from '#lake/layout';
import type { MessageQueue } from '#lake/queue/message-queue';
import { deduplicationIdOf, groupOf, periodMessage, sourceMessage } from './messages.ts';

type Sending = Pick<MessageQueue, 'send'>;

/** The queues that periods go to. Both are FIFO with the period as its group, so one worker at a time works on a period. */
export interface PeriodQueues {
    /** Takes days, of derived tables too: they are worked on at once. */
    consolidateQueue: Sending;
    /**
     * Takes periods by the hour, and holds each back: live telemetry tells of one hour again and again, and all of that is one message. Default: they go
     * where days go.
     */
    hoursQueue?: Sending | undefined;
}

/** The queues of a deployment for periods. */
export async function openPeriodQueues(lake: Pick<BucketLake, 'queue' | 'hasTelemetry'>): Promise<PeriodQueues> {
    return {
        consolidateQueue: await lake.queue('consolidateQueue'),
        hoursQueue: (await lake.hasTelemetry()) ? await lake.queue('hoursQueue') : undefined,
    };
}

/** Sends each raw key as S3 would have told of it. */
export async function tellSources(
    keys: readonly string[],
    { bucket, queue, now }: { bucket: string; queue: Pick<MessageQueue, 'send'>; now: Date },
): Promise<void> {
    await queue.send(keys.map((key) => ({ body: sourceMessage({ bucket, key, uploadedAt: now }) })));
}

/** Sends each period once, by table and ascending, to the queue for its length. */
export async function tellPeriods(
    periods: Iterable<TablePeriod>,
    { consolidateQueue, hoursQueue, uploadedAt, now }: PeriodQueues & { uploadedAt: Date; now: Date },
): Promise<void> {
    const once = [...new Map([...periods].map((of) => [groupOf(of), of]))].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, of]) => of);
    const delayed = once.filter((of) => hoursQueue !== undefined && isByTheHour(of));
    const atOnce = once.filter((of) => !delayed.includes(of));
    if (atOnce.length > 0) {
        await consolidateQueue.send(atOnce.map((of) => ({ body: periodMessage({ ...of, uploadedAt }), group: groupOf(of) })));
    }
    if (delayed.length > 0) {
        await hoursQueue?.send(
            delayed.map((of) => ({
                body: periodMessage({ ...of, uploadedAt }),
                group: groupOf(of),
                deduplicationId: deduplicationIdOf(of, { now }),
            })),
        );
    }
}

/**
 * The workers of a deployment: they are sent the work by message, and nobody waits for them. What could not be sent is thrown, not
 * returned.
 */
export function workByMessage({
    bucket,
    summarizeQueue,
    now,
    ...queues
}: PeriodQueues & {
    bucket: string;
    summarizeQueue: Sending;
    now: () => Date;
}): Workers {
    return {
        async summarize(sources) {
            await tellSources(
                sources.map(({ key }) => key),
                { bucket, queue: summarizeQueue, now: now() },
            );
            return { periods: [], errors: [] };
        },
        async consolidate(periods) {
            await tellPeriods(periods, { ...queues, uploadedAt: now(), now: now() });
            return [];
        },
        async derive(days) {
            await tellPeriods(days, { ...queues, uploadedAt: now(), now: now() });
            return [];
        },
    };
}
