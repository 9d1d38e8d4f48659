/** A message queue in memory, as strict as SQS: for what sends and receives, and to be wrapped by what makes calls fail. */
import { setTimeout as sleep } from 'node:timers/promises';
import { StorageError } from '#lake/errors';
import type { Message, MessageQueue, ReceivedMessage } from '#lake/queue/message-queue';

interface Stored extends Message {
    id: string;
    receiveCount: number;
    sentAt: Date;
    /** Time at which the message comes back, once it is handed out. */
    awayUntilMs: number;
}

const LOOK_AGAIN_AFTER_MS = 5;

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-exactly-once-processing.html */
const DEDUPLICATION_INTERVAL_MS = 5 * 60_000;

export interface MemoryQueueOptions {
    name?: string;
    /** True for a queue with groups: messages of one group are handed out in order, to one worker at a time. */
    isFifo?: boolean;
    /** How long each message is held back at first. */
    delaySeconds?: number;
    visibilitySeconds?: number;
    now?: () => Date;
}

export function memoryQueue({
    name = 'memory',
    isFifo = false,
    delaySeconds = 0,
    visibilitySeconds = 30,
    now = () => new Date(),
}: MemoryQueueOptions = {}): MessageQueue {
    const messages: Stored[] = [];
    /** When each deduplication id was taken last. */
    const takenAtMs = new Map<string, number>();
    let sent = 0;

    const nowMs = (): number => now().getTime();
    const receiptOf = ({ id, receiveCount }: Stored): string => `${id}/${receiveCount}`;
    const find = (receipt: string): number => messages.findIndex((message) => receiptOf(message) === receipt);

    const isTaken = (id: string): boolean => nowMs() - (takenAtMs.get(id) ?? Number.NEGATIVE_INFINITY) < DEDUPLICATION_INTERVAL_MS;

    function take({ max, awayMs }: { max: number; awayMs: number }): ReceivedMessage[] {
        const startedAtMs = nowMs();
        const isAway = (message: Stored): boolean => message.awayUntilMs > startedAtMs;
        const busy = new Set(
            isFifo ? messages.filter((message) => isAway(message) && message.receiveCount > 0).map(({ group }) => group) : [],
        );
        const taken = messages.filter((message) => !isAway(message) && !busy.has(message.group)).slice(0, max);
        return taken.map((message) => {
            message.receiveCount += 1;
            message.awayUntilMs = startedAtMs + awayMs;
            const { id, body, group, receiveCount, sentAt } = message;
            return { id, body, group, receiveCount, sentAt, receipt: receiptOf(message) };
        });
    }

    return {
        name,
        async send(batch) {
            if (batch.some(({ group }) => (group !== undefined) !== isFifo)) {
                throw new StorageError(`queue ${name} did not take a message: it ${isFifo ? 'has no group' : 'has a group'}`);
            }
            for (const { body, group, deduplicationId } of batch) {
                const isRepeat = isFifo && deduplicationId !== undefined && isTaken(deduplicationId);
                if (isRepeat) {
                    continue;
                }
                if (deduplicationId !== undefined) {
                    takenAtMs.set(deduplicationId, nowMs());
                }
                sent += 1;
                const awayUntilMs = nowMs() + delaySeconds * 1000;
                messages.push({ id: `${name}-${sent}`, body, group, receiveCount: 0, sentAt: now(), awayUntilMs });
            }
        },
        async receive({ max = 10, waitSeconds = 0, visibilitySeconds: awaySeconds = visibilitySeconds } = {}) {
            const untilMs = nowMs() + waitSeconds * 1000;
            for (;;) {
                const taken = take({ max, awayMs: awaySeconds * 1000 });
                if (taken.length > 0 || nowMs() >= untilMs) {
                    return taken;
                }
                await sleep(LOOK_AGAIN_AFTER_MS);
            }
        },
        async delete(receipt) {
            const at = find(receipt);
            if (at >= 0) {
                messages.splice(at, 1);
            }
        },
        async changeVisibility(receipt, awaySeconds) {
            const message = messages[find(receipt)];
            if (message && message.awayUntilMs > nowMs()) {
                message.awayUntilMs = nowMs() + awaySeconds * 1000;
            }
        },
        async depth() {
            const inFlight = messages.filter(({ awayUntilMs, receiveCount }) => receiveCount > 0 && awayUntilMs > nowMs()).length;
            return { waiting: messages.length - inFlight, inFlight };
        },
    };
}
