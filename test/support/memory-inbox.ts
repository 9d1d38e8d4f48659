/** An inbox in memory that keeps its contract, and that can be held up or made to fail. */
import { StorageError } from '#lake/errors';
import type { InboxWriter, NewMessage, Origin, OriginWriter } from '#lake/live/inbox';

export interface MemoryInbox extends InboxWriter, OriginWriter {
    /** What is durable, in order. */
    readonly messages: readonly NewMessage[];
    /** From now on nothing becomes durable, until `release`. */
    hold(): void;
    release(): void;
    /** From now on nothing can be stored, as on a full disk; false mends it. */
    fail(isFull?: boolean): void;
    /** Messages that wait to become durable. */
    readonly waiting: number;
}

export function memoryInbox(): MemoryInbox {
    const messages: NewMessage[] = [];
    let waiting: { message: NewMessage; done: (sequence: string) => void }[] = [];
    const origins = new Map<string, Origin>();
    let isHeld = false;
    let isFull = false;
    const store = (message: NewMessage): string => {
        messages.push({ ...message, payload: Buffer.from(message.payload) });
        return `${messages.length}`;
    };
    return {
        messages,
        get waiting() {
            return waiting.length;
        },
        append(message) {
            if (isFull) {
                return Promise.reject(new StorageError('cannot write the inbox: the disk is full'));
            }
            return isHeld
                ? new Promise((done) => {
                      waiting.push({ message, done });
                  })
                : Promise.resolve(store(message));
        },
        findOrigin: (stream) => origins.get(stream),
        async appendOf(origin, some) {
            if (isFull) {
                throw new StorageError('cannot write the inbox: the disk is full');
            }
            some.map(store);
            origins.set(origin.stream, origin);
        },
        hold() {
            isHeld = true;
        },
        release() {
            isHeld = false;
            const released = waiting;
            waiting = [];
            for (const { message, done } of released) {
                done(store(message));
            }
        },
        fail(full = true) {
            isFull = full;
        },
    };
}
