/** Who waits for the figures of a deployed lake is told what is stuck, and why. */

import { showWaiting } from '#cli/commands/upload/show-waiting';
import { consolidate } from '#lake/commit/consolidate';
import { summarize } from '#lake/commit/summarize';
import type { BucketLake, QueuePart, TelemetryQueuePart } from '#lake/lake';
import type { MessageQueue } from '#lake/queue/message-queue';
import { awaitFigures } from '#lake/upload/await-figures';
import { openTryNotes } from '#lake/work/tries';
import { fakeOutput } from '#test/cli/fake-surroundings';
import { flowCsv } from '#test/support/flow-csv';
import { ofDay } from '#test/support/flow-tables';
import { memoryQueue } from '#test/support/memory-queue';
import { memoryStore } from '#test/support/memory-store';

const KEY = 'raw/a.csv';

const interruptions: AbortController[] = [];

afterEach(() => {
    for (const interruption of interruptions.splice(0)) {
        interruption.abort();
    }
});

/** A lake with one file that nobody works on, and a clock on which every look is most of a minute after the one before. */
async function makeLake() {
    const store = memoryStore();
    await store.put(KEY, Buffer.from(flowCsv([{}])));
    const queues: Record<Exclude<QueuePart, TelemetryQueuePart>, MessageQueue> = {
        summarizeQueue: memoryQueue(),
        summarizeDeadLetters: memoryQueue(),
        consolidateQueue: memoryQueue({ isFifo: true }),
        consolidateDeadLetters: memoryQueue({ isFifo: true }),
    };
    const lake = {
        kind: 's3',
        bucket: 'lake',
        store: async () => store,
        hasTelemetry: async () => false,
        queue: async (part: keyof typeof queues) => queues[part],
    } as BucketLake;
    let nowMs = 0;
    const now = () => {
        nowMs += 40_000;
        return new Date(nowMs);
    };
    const stderr = fakeOutput();
    const interruption = new AbortController();
    interruptions.push(interruption);
    const { signal } = interruption;
    const shown = showWaiting({ stderr, signal, now });
    const waiting = awaitFigures([KEY], { lake, now, signal, events: shown.events }).finally(shown.end);
    waiting.catch(() => undefined);
    const told = async (what: RegExp) => {
        const deadline = Date.now() + 10_000;
        while (!what.test(stderr.text)) {
            if (Date.now() > deadline) {
                throw new Error(`not told ${what}, but: ${stderr.text}`);
            }
            await new Promise((resolve) => setTimeout(resolve, 20));
        }
    };
    const summarizeIt = () => summarize(KEY, { store, now: () => new Date(0) });
    return { store, queues, stderr, interruption, waiting, told, summarizeIt };
}

test('a file that no message tells of is named, and what sends one', async () => {
    const { told, summarizeIt, store, waiting } = await makeLake();
    await told(
        /Nothing has moved for \d+ min.*\n {2}raw\/a\.csv: stored, but not summarized\n.*no message is on its way.*flowlake reconcile/,
    );
    await summarizeIt();
    await told(/raw\/a\.csv: summarized, but not yet in 2026-03-31/);
    await consolidate(ofDay('2026-03-31'), { store });
    expect((await waiting).get(KEY)).toMatchObject({ state: 'done', rows_kept: 1 });
});

test('a message that became a dead letter is said to be one', async () => {
    const { queues, told, interruption, waiting } = await makeLake();
    await queues.summarizeDeadLetters.send([{ body: 'x' }]);
    await told(/1 summarize message could not be worked off.*flowlake redrive/);
    interruption.abort();
    await expect(waiting).rejects.toThrow('aborted');
});

test('a queue that nobody takes from, and one whose messages are in work or between tries, are told apart', async () => {
    const { queues, told } = await makeLake();
    await queues.summarizeQueue.send([{ body: 'x' }]);
    await told(/1 message waits for the summarize function, which takes none.*flowlake doctor/);
    await queues.summarizeQueue.receive();
    await told(/1 summarize message in work or between tries, 0 wait behind: .*one that fails \(the log of the summarize function tells\)/);
});

test('a file that failed is said to have, with the error and the next try', async () => {
    const { store, told } = await makeLake();
    const notes = openTryNotes(store, { queue: 'summarize', maxTries: 12, now: () => new Date(Date.UTC(2100, 0, 1)) });
    await notes.failed(KEY, { tries: 3, receipts: [], error: 'S3 is away', afterSeconds: 300 });
    await told(
        /raw\/a\.csv: tried 3 of 12 times, last error: S3 is away, next try at 2100-01-01 00:05:00 UTC .*\n.*flowlake redrive --now/,
    );
});

test('Ctrl-C ends the waiting and nothing else', async () => {
    const { interruption, waiting, stderr } = await makeLake();
    interruption.abort();
    await expect(waiting).rejects.toThrow('aborted');
    expect(stderr.text).toContain('0 of 1 file in the figures, 1 stored; the lake goes on by itself: flowlake status');
});
