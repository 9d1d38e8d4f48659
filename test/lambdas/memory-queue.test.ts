/** The queue that other tests stand on keeps the promises of the port. */
import { expect, test } from '@jest/globals';
import { memoryQueue } from '#test/support/memory-queue';
import { describeMessageQueue } from '#test/support/message-queue-contract';

describeMessageQueue('memory queue', { openQueue: async (wanted) => memoryQueue(wanted) });

test('five minutes after the one that was taken, and not after its repeats, a message with its id is taken again', async () => {
    let nowMs = 0;
    const queue = memoryQueue({ isFifo: true, now: () => new Date(nowMs) });
    const sendAt = async (seconds: number): Promise<void> => {
        nowMs = seconds * 1000;
        await queue.send([{ body: String(seconds), group: 'a', deduplicationId: 'a' }]);
    };
    await sendAt(0);
    await sendAt(200);
    await sendAt(299);
    await sendAt(301);
    expect((await queue.depth()).waiting).toBe(2);
});
