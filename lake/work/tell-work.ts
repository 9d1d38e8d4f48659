/** Use case: what is undone in a deployed lake, sent to the workers that do it. */

import type { MessageQueue } from '#lake/queue/message-queue';
import { dayMessage, sourceMessage } from './messages.ts';

/** Sends each raw key as S3 would have told of it. */
export async function tellSources(
    keys: readonly string[],
    { bucket, queue, now }: { bucket: string; queue: MessageQueue; now: Date },
): Promise<void> {
    await queue.send(keys.map((key) => ({ body: sourceMessage({ bucket, key, uploadedAt: now }) })));
}

/** Sends each day once; the days' queue is FIFO with the day as its group, so one worker at a time works on a day. */
export async function tellDays(
    days: Iterable<string>,
    { queue, uploadedAt }: { queue: Pick<MessageQueue, 'send'>; uploadedAt: Date },
): Promise<void> {
    await queue.send([...new Set(days)].sort().map((day) => ({ body: dayMessage({ day, uploadedAt }), group: day })));
}
