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

export interface MemoryQueueOptions {
    name?: string;
    /** True for a queue with groups: messages of one group are handed out in order, to one worker at a time. */
    isFifo?: boolean;
    visibilitySeconds?: number;
    now?: () => Date;
}

export function memoryQueue({
    name = 'memory',
    isFifo = false,
    visibilitySeconds = 30,
    now = () => new Date(),
}: MemoryQueueOptions = {}): MessageQueue {
    const messages: Stored[] = [];
    let sent = 0;

    const nowMs = (): number => now().getTime();
    const receiptOf = ({ id, receiveCount }: Stored): string => `${id}/${receiveCount}`;
    const find = (receipt: string): number => messages.findIndex((message) => receiptOf(message) === receipt);

    function take({ max, awayMs }: { max: number; awayMs: number }): ReceivedMessage[] {
        const startedAtMs = nowMs();
        const isAway = (message: Stored): boolean => message.awayUntilMs > startedAtMs;
        const busy = new Set(isFifo ? messages.filter(isAway).map(({ group }) => group) : []);
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
            for (const { body, group } of batch) {
                sent += 1;
                messages.push({ id: `${name}-${sent}`, body, group, receiveCount: 0, sentAt: now(), awayUntilMs: 0 });
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
            const inFlight = messages.filter(({ awayUntilMs }) => awayUntilMs > nowMs()).length;
            return { waiting: messages.length - inFlight, inFlight };
        },
    };
}
