/** Use case: send what is undone in a deployed lake to the workers that do it. */

import type { Workers } from '#lake/commit/finish';
import type { TablePeriod } from '#lake/layout';
import type { MessageQueue } from '#lake/queue/message-queue';
import { groupOf, periodMessage, sourceMessage } from './messages.ts';

/** Sends each raw key as S3 would have told of it. */
export async function tellSources(
    keys: readonly string[],
    { bucket, queue, now }: { bucket: string; queue: Pick<MessageQueue, 'send'>; now: Date },
): Promise<void> {
    await queue.send(keys.map((key) => ({ body: sourceMessage({ bucket, key, uploadedAt: now }) })));
}

/** Sends each period once; their queue is FIFO with the period as its group, so one worker at a time works on a period. */
export async function tellPeriods(
    periods: Iterable<TablePeriod>,
    { queue, uploadedAt }: { queue: Pick<MessageQueue, 'send'>; uploadedAt: Date },
): Promise<void> {
    const byGroup = new Map([...periods].map((of) => [groupOf(of), of]));
    if (byGroup.size === 0) {
        return;
    }
    await queue.send(
        [...byGroup]
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([group, { table, period }]) => ({ body: periodMessage({ table, period, uploadedAt }), group })),
    );
}

/**
 * The workers of a deployment: they are sent the work by message, and nobody waits for them. What could not be sent is thrown, not
 * returned.
 */
export function workByMessage({
    bucket,
    summarizeQueue,
    consolidateQueue,
    now,
}: {
    bucket: string;
    summarizeQueue: MessageQueue;
    consolidateQueue: MessageQueue;
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
            await tellPeriods(periods, { queue: consolidateQueue, uploadedAt: now() });
            return [];
        },
        async derive(days) {
            await tellPeriods(days, { queue: consolidateQueue, uploadedAt: now() });
            return [];
        },
    };
}
