/** Dead letters come back, and none is lost, wherever the command is killed. */
import type { MessageQueue } from '#lake/queue/message-queue';
import { redrive } from '#lake/work/redrive';
import { memoryQueue } from '#test/support/memory-queue';

const bodiesIn = async (queue: MessageQueue): Promise<string[]> => {
    const bodies: string[] = [];
    for (let messages = await queue.receive(); messages.length > 0; messages = await queue.receive()) {
        bodies.push(...messages.map(({ body }) => body));
    }
    return bodies.sort();
};

test('every dead letter is in its queue again, group and all, and the dead letters are gone', async () => {
    const deadLetters = memoryQueue({ isFifo: true });
    const queue = memoryQueue({ isFifo: true });
    const days = Array.from({ length: 23 }, (_, at) => `2026-01-${String(at + 1).padStart(2, '0')}`);
    await deadLetters.send(days.map((day) => ({ body: day, group: day })));
    const told: number[] = [];
    expect(await redrive({ deadLetters, queue, onRedriven: (count) => told.push(count) })).toBe(23);
    expect(await deadLetters.depth()).toEqual({ waiting: 0, inFlight: 0 });
    const [first] = await queue.receive({ max: 1 });
    expect(first).toMatchObject({ body: days[0], group: days[0] });
    expect(told.at(-1)).toBe(23);
});

test('an empty queue of dead letters is no work', async () => {
    expect(await redrive({ deadLetters: memoryQueue(), queue: memoryQueue() })).toBe(0);
});

test('killed at any call, no message is lost, and the next time brings the rest', async () => {
    const bodies = Array.from({ length: 12 }, (_, at) => String(at).padStart(2, '0'));
    let isKilled = true;
    for (let survives = 0; isKilled; survives += 1) {
        let nowMs = 0;
        // Goes on by itself, for whoever waits.
        const now = () => {
            nowMs += 100;
            return new Date(nowMs);
        };
        const clock = { now };
        const deadLetters = memoryQueue(clock);
        const queue = memoryQueue(clock);
        await deadLetters.send(bodies.map((body) => ({ body })));
        let calls = 0;
        const mortal = (real: MessageQueue): MessageQueue => {
            const counted = async <T>(effect: () => Promise<T>): Promise<T> => {
                calls += 1;
                if (calls > survives) {
                    throw new Error('killed');
                }
                return effect();
            };
            return {
                name: real.name,
                send: (messages) => counted(() => real.send(messages)),
                receive: (options) => counted(() => real.receive(options)),
                delete: (receipt) => counted(() => real.delete(receipt)),
                changeVisibility: (receipt, seconds) => counted(() => real.changeVisibility(receipt, seconds)),
                depth: () => counted(() => real.depth()),
            };
        };
        isKilled = await redrive({ deadLetters: mortal(deadLetters), queue: mortal(queue) }).then(
            () => false,
            () => true,
        );
        nowMs += 3_600_000;
        await redrive({ deadLetters, queue });
        nowMs += 3_600_000;
        expect(await deadLetters.depth()).toEqual({ waiting: 0, inFlight: 0 });
        expect([...new Set(await bodiesIn(queue))]).toEqual(bodies);
    }
});

test('interrupted, it stops and leaves the rest where it is', async () => {
    const deadLetters = memoryQueue();
    await deadLetters.send(Array.from({ length: 30 }, (_, at) => ({ body: String(at) })));
    const interruption = new AbortController();
    const work = redrive({ deadLetters, queue: memoryQueue(), signal: interruption.signal, onRedriven: () => interruption.abort() });
    await expect(work).rejects.toThrow('aborted');
    expect((await deadLetters.depth()).waiting).toBe(20);
});

test('letters that die once more while it runs are left for the next time', async () => {
    const deadLetters = memoryQueue();
    await deadLetters.send(Array.from({ length: 20 }, (_, at) => ({ body: String(at) })));
    // Each is dead again as soon as it is back: without an end to it, this would go on for ever.
    let sent = 0;
    const queue: MessageQueue = {
        ...memoryQueue(),
        async send(messages) {
            sent += messages.length;
            if (sent > 40) {
                throw new Error('there is no end to it');
            }
            await deadLetters.send(messages);
        },
    };
    expect(await redrive({ deadLetters, queue })).toBe(20);
    expect((await deadLetters.depth()).waiting).toBe(20);
});
