/** What every message queue promises (lake/queue/message-queue.ts); each adapter runs this suite. */
import { describe, expect, test } from '@jest/globals';
import { StorageError } from '#lake/errors';
import type { Message, MessageQueue, ReceivedMessage } from '#lake/queue/message-queue';

export interface QueueWanted {
    isFifo?: boolean;
    /** How long each message is held back at first. */
    delaySeconds?: number;
    /** How long a message stays away that was handed out. */
    visibilitySeconds?: number;
}

const BODIES_OF_ALL_KINDS = [
    '{"day":"2026-01-05"}',
    'two\nlines\tand a tab',
    '<a href="x">&amp;</a>',
    'quotes " and \' and \\',
    '  blanks around  ',
    'Ünïcödé \u{1f6b0} 東京',
    'x'.repeat(200_000),
];

/** `openQueue` gives a queue with nothing in it. */
export function describeMessageQueue(name: string, { openQueue }: { openQueue: (wanted?: QueueWanted) => Promise<MessageQueue> }): void {
    describe(`${name}: messages`, () => {
        test('come out as they went in, each once, until they are deleted', async () => {
            const queue = await openQueue();
            const bodies = Array.from({ length: 25 }, (_, at) => `message ${at}`);
            await queue.send(bodies.map((body) => ({ body })));
            const received = await receiveAll(queue, { count: 25 });
            expect(received.map(({ body }) => body).sort()).toEqual(bodies.toSorted());
            expect(new Set(received.map(({ id }) => id)).size).toBe(25);
            expect(await queue.depth()).toEqual({ waiting: 0, inFlight: 0 });
        });

        test('are none where none is, and none are sent where none are given', async () => {
            const queue = await openQueue();
            await queue.send([]);
            expect(await queue.receive()).toEqual([]);
            expect(await queue.depth()).toEqual({ waiting: 0, inFlight: 0 });
        });

        test.each(BODIES_OF_ALL_KINDS.map((body) => [body.slice(0, 30), body]))('keep every character of %j', async (_, body) => {
            const queue = await openQueue();
            await queue.send([{ body }]);
            expect((await queue.receive({ waitSeconds: 5 })).map((message) => message.body)).toEqual([body]);
        });

        test('say when they were sent and how often they were handed out', async () => {
            const queue = await openQueue();
            const before = Date.now();
            await queue.send([{ body: 'a' }]);
            const [message] = await queue.receive({ waitSeconds: 5 });
            expect(message).toMatchObject({ body: 'a', receiveCount: 1, group: undefined });
            expect(Math.abs(message!.sentAt.getTime() - before)).toBeLessThan(60_000);
        });

        test('are handed out as many at once as were asked for', async () => {
            const queue = await openQueue();
            await queue.send(['a', 'b', 'c', 'd'].map((body) => ({ body })));
            expect((await queue.receive({ max: 3, waitSeconds: 5 })).length).toBeLessThanOrEqual(3);
        });

        test('are waited for', async () => {
            const queue = await openQueue();
            const waiting = queue.receive({ waitSeconds: 10 });
            await queue.send([{ body: 'late' }]);
            expect((await waiting).map(({ body }) => body)).toEqual(['late']);
        });
    });

    describe(`${name}: handing out`, () => {
        test('keeps a message from others until its time is over', async () => {
            const queue = await openQueue({ visibilitySeconds: 1 });
            await queue.send([{ body: 'a' }]);
            const [first] = await queue.receive({ waitSeconds: 5 });
            expect(await queue.receive()).toEqual([]);
            const [second] = await queue.receive({ waitSeconds: 10 });
            expect(second).toMatchObject({ id: first!.id, body: 'a', receiveCount: 2 });
            expect(second!.receipt).not.toBe(first!.receipt);
        });

        test('keeps it as long as the receiver says', async () => {
            const queue = await openQueue();
            await queue.send([{ body: 'a' }]);
            await queue.receive({ waitSeconds: 5, visibilitySeconds: 1 });
            expect(await queue.receive()).toEqual([]);
            expect(await queue.receive({ waitSeconds: 10 })).toMatchObject([{ body: 'a', receiveCount: 2 }]);
        });

        test('gives a message out again at once where that is asked for', async () => {
            const queue = await openQueue();
            await queue.send([{ body: 'a' }]);
            const [first] = await queue.receive({ waitSeconds: 5 });
            await queue.changeVisibility(first!.receipt, 0);
            expect(await queue.receive({ waitSeconds: 5 })).toMatchObject([{ id: first!.id, receiveCount: 2 }]);
        });

        test('gives a message out again after as many seconds from then on as are asked for, fewer or more', async () => {
            const queue = await openQueue({ visibilitySeconds: 2 });
            await queue.send([{ body: 'a' }]);
            const [first] = await queue.receive({ waitSeconds: 5 });
            await queue.changeVisibility(first!.receipt, 20);
            expect(await queue.receive({ waitSeconds: 3 })).toEqual([]);
            await queue.changeVisibility(first!.receipt, 1);
            expect(await queue.receive()).toEqual([]);
            expect(await queue.receive({ waitSeconds: 5 })).toMatchObject([{ id: first!.id, receiveCount: 2 }]);
        });

        test('lets a message be deleted that waits to come back', async () => {
            const queue = await openQueue();
            await queue.send([{ body: 'a' }]);
            const [message] = await queue.receive({ waitSeconds: 5 });
            await queue.changeVisibility(message!.receipt, 1);
            expect(await queue.depth()).toEqual({ waiting: 0, inFlight: 1 });
            await queue.delete(message!.receipt);
            expect(await queue.receive({ waitSeconds: 2 })).toEqual([]);
        });

        test('ends with the deletion, which may come twice', async () => {
            const queue = await openQueue({ visibilitySeconds: 1 });
            await queue.send([{ body: 'a' }]);
            const [message] = await queue.receive({ waitSeconds: 5 });
            await queue.delete(message!.receipt);
            await queue.delete(message!.receipt);
            expect(await queue.receive({ waitSeconds: 2 })).toEqual([]);
        });

        test('shows in the depth', async () => {
            const queue = await openQueue();
            await queue.send(['a', 'b', 'c'].map((body) => ({ body })));
            expect(await queue.depth()).toEqual({ waiting: 3, inFlight: 0 });
            const [message] = await queue.receive({ max: 1, waitSeconds: 5 });
            expect(await queue.depth()).toEqual({ waiting: 2, inFlight: 1 });
            await queue.delete(message!.receipt);
            expect(await queue.depth()).toEqual({ waiting: 2, inFlight: 0 });
        });
    });

    describe(`${name}: groups`, () => {
        test('are handed out each in its order', async () => {
            const queue = await openQueue({ isFifo: true });
            const sent = Array.from({ length: 24 }, (_, at) => ({ body: String(at), group: `day ${at % 3}` }));
            await queue.send(sent);
            const received = await receiveAll(queue, { count: 24 });
            expect(byGroup(received)).toEqual(byGroup(sent));
        });

        test('are worked on by one worker at a time, side by side', async () => {
            const queue = await openQueue({ isFifo: true });
            await queue.send([
                { body: 'a1', group: 'a' },
                { body: 'a2', group: 'a' },
            ]);
            const [a1] = await queue.receive({ max: 1, waitSeconds: 5 });
            expect(a1).toMatchObject({ body: 'a1', group: 'a' });
            await queue.send([{ body: 'b1', group: 'b' }]);
            expect(await queue.receive({ waitSeconds: 5 })).toMatchObject([{ body: 'b1' }]);
            expect(await queue.receive()).toEqual([]);
            await queue.delete(a1!.receipt);
            expect(await queue.receive({ waitSeconds: 5 })).toMatchObject([{ body: 'a2' }]);
        });

        test('take a message that comes back at once before the later ones', async () => {
            const queue = await openQueue({ isFifo: true });
            await queue.send([
                { body: 'a1', group: 'a' },
                { body: 'a2', group: 'a' },
            ]);
            const [a1] = await queue.receive({ max: 1, waitSeconds: 5 });
            await queue.changeVisibility(a1!.receipt, 0);
            const again = await queue.receive({ waitSeconds: 5 });
            expect(again[0]).toMatchObject({ body: 'a1', receiveCount: 2 });
        });

        test('wait as a whole for a message that comes back later, and others do not', async () => {
            const queue = await openQueue({ isFifo: true });
            await queue.send([
                { body: 'a1', group: 'a' },
                { body: 'a2', group: 'a' },
            ]);
            const [a1] = await queue.receive({ max: 1, waitSeconds: 5 });
            await queue.changeVisibility(a1!.receipt, 2);
            await queue.send([{ body: 'b1', group: 'b' }]);
            expect(await queue.receive({ waitSeconds: 1 })).toMatchObject([{ body: 'b1' }]);
            const again = await queue.receive({ waitSeconds: 10 });
            expect(again[0]).toMatchObject({ body: 'a1', receiveCount: 2 });
        });

        test('keep two messages with the same text', async () => {
            const queue = await openQueue({ isFifo: true });
            await queue.send([{ body: 'same', group: 'a' }]);
            await queue.send([
                { body: 'same', group: 'a' },
                { body: 'same', group: 'a' },
            ]);
            expect(await receiveAll(queue, { count: 3 })).toHaveLength(3);
        });

        test('take no message with the id of one that came moments ago, whatever has become of that', async () => {
            const queue = await openQueue({ isFifo: true });
            const message = { group: 'a', deduplicationId: 'a@1' };
            await queue.send([
                { ...message, body: 'first' },
                { ...message, body: 'repeat' },
            ]);
            await queue.send([{ ...message, body: 'repeat' }]);
            expect((await receiveAll(queue, { count: 1 })).map(({ body }) => body)).toEqual(['first']);
            await queue.send([
                { ...message, body: 'repeat' },
                { ...message, deduplicationId: 'a@2', body: 'of another id' },
                { group: 'a', body: 'of no id' },
            ]);
            expect((await receiveAll(queue, { count: 2 })).map(({ body }) => body)).toEqual(['of another id', 'of no id']);
            expect(await queue.depth()).toEqual({ waiting: 0, inFlight: 0 });
        });

        test('are held back where the queue delays, and count as waiting', async () => {
            const queue = await openQueue({ isFifo: true, delaySeconds: 2 });
            await queue.send([{ group: 'a', body: 'a' }]);
            expect(await queue.receive()).toEqual([]);
            expect(await queue.depth()).toEqual({ waiting: 1, inFlight: 0 });
            expect(await queue.receive({ waitSeconds: 10 })).toMatchObject([{ body: 'a', receiveCount: 1 }]);
        });

        test('are required of each message where there are groups', async () => {
            const queue = await openQueue({ isFifo: true });
            await expect(queue.send([{ body: 'a' }])).rejects.toThrow(StorageError);
        });
    });
}

/** Receives and deletes until `count` messages came. */
async function receiveAll(queue: MessageQueue, { count }: { count: number }): Promise<ReceivedMessage[]> {
    const received: ReceivedMessage[] = [];
    while (received.length < count) {
        const batch = await queue.receive({ waitSeconds: 5 });
        if (batch.length === 0) {
            break;
        }
        received.push(...batch);
        await Promise.all(batch.map(({ receipt }) => queue.delete(receipt)));
    }
    return received;
}

function byGroup(messages: readonly Message[]): Record<string, string[]> {
    const groups: Record<string, string[]> = {};
    for (const { group = '', body } of messages) {
        groups[group] = [...(groups[group] ?? []), body];
    }
    return groups;
}
