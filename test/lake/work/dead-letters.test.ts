/** Dead letters can be looked at, dropped and brought back one by one, and none is lost or held by it. */
import { beforeEach, expect, test } from '@jest/globals';
import { UsageError } from '#lake/errors';
import type { QueuePart } from '#lake/lake';
import type { MessageQueue } from '#lake/queue/message-queue';
import type { ObjectStore } from '#lake/store/object-store';
import { dropLetter, findLetter, lookAtLetters, redriveLetter } from '#lake/work/dead-letters';
import { listTries, openTryNotes } from '#lake/work/tries';
import { s3Event } from '#test/lambdas/surroundings';
import { memoryQueue } from '#test/support/memory-queue';
import { memoryStore } from '#test/support/memory-store';

const PARTS = ['summarizeQueue', 'summarizeDeadLetters', 'consolidateQueue', 'consolidateDeadLetters'] as const;
const { signal } = new AbortController();

let nowMs: number;
/** Goes on by itself, for whoever waits. */
const now = () => {
    nowMs += 100;
    return new Date(nowMs);
};
let queues: Record<(typeof PARTS)[number], MessageQueue>;
let store: ObjectStore;
let lake: Parameters<typeof redriveLetter>[0];

beforeEach(() => {
    nowMs = 0;
    queues = Object.fromEntries(
        PARTS.map((name) => [name, memoryQueue({ name, isFifo: name.startsWith('consolidate'), now })]),
    ) as typeof queues;
    store = memoryStore();
    lake = {
        hasTelemetry: async () => false,
        store: async () => store,
        queue: async (part: QueuePart) => queues[part as keyof typeof queues],
    };
});

const bodiesOf = async () => (await lookAtLetters(lake, { max: 1000, signal })).letters.map(({ queue, body }) => `${queue} ${body}`);

async function fill(): Promise<void> {
    await queues.summarizeDeadLetters.send(Array.from({ length: 23 }, (_, at) => ({ body: String(at) })));
    await queues.consolidateDeadLetters.send(['a', 'b'].map((group) => ({ body: `of ${group}`, group })));
}

test('a look shows the letters of every queue, and leaves them as they were', async () => {
    await fill();
    const first = await bodiesOf();
    expect(first).toHaveLength(25);
    expect(first).toContain('consolidate of b');
    expect(await bodiesOf()).toEqual(first);
    expect([await queues.summarizeDeadLetters.depth(), await queues.consolidateDeadLetters.depth()]).toEqual([
        { waiting: 23, inFlight: 0 },
        { waiting: 2, inFlight: 0 },
    ]);
});

test('what is beyond the limit, or held by somebody else, is counted', async () => {
    await fill();
    expect(await lookAtLetters(lake, { max: 5, signal })).toMatchObject({ letters: { length: 7 }, unseen: 18 });
    await queues.consolidateDeadLetters.receive({ max: 1, visibilitySeconds: 10_000 });
    expect((await lookAtLetters(lake, { max: 5, signal })).unseen).toBe(19);
});

test('one is found by the beginning of its id, where no other begins so', async () => {
    await fill();
    expect((await findLetter(lake, 'consolidateDeadLetters-2', { signal })).body).toBe('of b');
    await expect(findLetter(lake, 'consolidateDeadLetters', { signal })).rejects.toThrow(/^2 dead letters have an id that begins/);
    await expect(findLetter(lake, 'nobody', { signal })).rejects.toThrow(UsageError);
    await expect(findLetter(lake, '', { signal })).rejects.toThrow(/There is no dead letter/);
});

test('one is dropped, and the others stay', async () => {
    await fill();
    expect(await dropLetter(lake, 'consolidateDeadLetters-1', { signal })).toMatchObject({ queue: 'consolidate', body: 'of a' });
    expect((await bodiesOf()).filter((body) => body.startsWith('consolidate'))).toEqual(['consolidate of b']);
    expect(await queues.summarizeDeadLetters.depth()).toEqual({ waiting: 23, inFlight: 0 });
    expect(await queues.consolidateQueue.depth()).toEqual({ waiting: 0, inFlight: 0 });
});

test('one is brought back with its group, and what was noted of its tries is forgotten', async () => {
    await fill();
    expect(await redriveLetter(lake, 'consolidateDeadLetters-2', { signal })).toMatchObject({ body: 'of b' });
    expect(await queues.consolidateQueue.receive()).toMatchObject([{ body: 'of b', group: 'b' }]);
    expect(await bodiesOf()).toHaveLength(24);
    const notes = openTryNotes(store, { queue: 'summarize', maxTries: 1, now });
    for (const key of ['raw/a.csv', 'raw/b.csv']) {
        await notes.failed(key, { tries: 1, receipts: [], error: 'x', afterSeconds: 10 });
    }
    await queues.summarizeDeadLetters.send([{ body: s3Event(['raw/a.csv']) }]);
    await redriveLetter(lake, 'summarizeDeadLetters-24', { signal });
    expect((await listTries(store)).map(({ subject }) => subject)).toEqual(['raw/b.csv']);
});

test('killed at any call, a letter that is brought back is in its queue or dead still', async () => {
    let isKilled = true;
    for (let survives = 0; isKilled; survives += 1) {
        const dead = memoryQueue({ now });
        const live = memoryQueue({ now });
        await dead.send(['1', '2', '3'].map((body) => ({ body })));
        let calls = 0;
        const mortal = (real: MessageQueue): MessageQueue =>
            new Proxy(real, {
                get(target, name) {
                    const value: unknown = Reflect.get(target, name);
                    return typeof value !== 'function'
                        ? value
                        : async (...given: unknown[]) => {
                              calls += 1;
                              if (calls > survives) {
                                  throw new Error('killed');
                              }
                              return value.apply(target, given);
                          };
                },
            });
        const dying = {
            ...lake,
            queue: async (part: QueuePart) =>
                part === 'summarizeQueue'
                    ? mortal(live)
                    : part === 'summarizeDeadLetters'
                      ? mortal(dead)
                      : queues[part as keyof typeof queues],
        };
        isKilled = await redriveLetter(dying, 'memory-2', { signal }).then(
            () => false,
            () => true,
        );
        const bodies = async (queue: MessageQueue) => {
            nowMs += 200_000;
            return (await queue.receive()).map(({ body }) => body);
        };
        expect(new Set([...(await bodies(dead)), ...(await bodies(live))])).toEqual(new Set(['1', '2', '3']));
    }
});
