/** Both Lambdas with their queues: whatever happens to messages, the figures are what the raw files say once the queues are empty. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { StorageError } from '#lake/errors';
import { siteOf } from '#lake/layout';
import type { ObjectStore } from '#lake/store/object-store';
import { consolidateBatch } from '#lambdas/consolidate/consolidate-batch';
import { summarizeBatch } from '#lambdas/summarize/summarize-batch';
import { memoryQueue } from '#test/support/memory-queue';
import { memoryStore } from '#test/support/memory-store';
import { countUp, readFigures, type SmallFile, smallFile } from '#test/support/small-files';
import { deliver, s3Event, testLog, testMetrics, testTime } from './surroundings.ts';

const KEYS = ['raw/a.csv', 'raw/b.csv', 'raw/site=berlin/c d.csv'];
const DATES = ['01/02/2026', '02/02/2026', '13/02/2026'];

/** What happens: an upload with so many duplicate events, or a round of the Lambdas in which the n-th call of the store fails. */
const STEP = fc.oneof(
    fc.record({
        upload: fc.constantFrom(...KEYS),
        dates: fc.array(fc.constantFrom(...DATES), { minLength: 1, maxLength: 4 }),
        events: fc.integer({ min: 1, max: 3 }),
    }),
    fc.record({ failAtCall: fc.integer({ min: 0, max: 12 }), runOutAtCall: fc.integer({ min: 0, max: 30 }) }),
);

test('uploads, corrections, duplicates, failing calls and short time end in the right figures', async () => {
    await fc.assert(
        fc.asyncProperty(fc.array(STEP, { maxLength: 14 }), async (steps) => {
            let clockMs = Date.parse('2026-03-01T00:00:00Z');
            const now = (): Date => new Date(clockMs);
            const store = memoryStore({ now });
            const summarizeQueue = memoryQueue({ name: 'summarize', now });
            const consolidateQueue = memoryQueue({ name: 'consolidate', isFifo: true, now });
            const files = new Map<string, SmallFile>();
            for (const step of steps) {
                if ('upload' in step) {
                    const flows = step.dates.map((date, at) => ({ src: '10.0.0.1', dst: '10.0.0.2', date, durationUs: at, packets: 1 }));
                    const file = smallFile(flows);
                    await store.put(step.upload, Buffer.from(file.text));
                    files.set(step.upload, file);
                    const body = s3Event([step.upload.replaceAll(' ', '+')], { at: now().toISOString() });
                    await summarizeQueue.send(Array.from({ length: step.events }, () => ({ body })));
                } else {
                    await round(step);
                }
            }
            for (let rounds = 0; await isBusy(); rounds += 1) {
                expect(rounds).toBeLessThan(50);
                clockMs += 60_000;
                await round({});
            }
            const truth = countUp([...files].map(([key, file]) => ({ file, site: siteOf(key), options: {} })));
            expect(await readFigures(store)).toEqual(truth);

            async function isBusy(): Promise<boolean> {
                const depths = await Promise.all([summarizeQueue.depth(), consolidateQueue.depth()]);
                return depths.some(({ waiting, inFlight }) => waiting + inFlight > 0);
            }

            async function round({ failAtCall, runOutAtCall }: { failAtCall?: number; runOutAtCall?: number }): Promise<void> {
                const time = testTime();
                let calls = 0;
                const count = (): void => {
                    calls += 1;
                    if (calls === runOutAtCall) {
                        time.runOut();
                    }
                    if (calls === failAtCall) {
                        throw new StorageError('this call fails');
                    }
                };
                const options = { bucket: 'lake', store: watched(store, count), time, now, log: testLog(), metrics: testMetrics() };
                await deliver(summarizeQueue, (records) => summarizeBatch(records, { ...options, summarizeQueue, consolidateQueue }));
                await deliver(consolidateQueue, (records) => consolidateBatch(records, { ...options, consolidateQueue }));
            }
        }),
        { numRuns: 60 },
    );
});

function watched(store: ObjectStore, onCall: () => void): ObjectStore {
    return {
        ...store,
        head: async (key) => {
            onCall();
            return store.head(key);
        },
        get: async (key) => {
            onCall();
            return store.get(key);
        },
        readEnd: async (key, options) => {
            onCall();
            return store.readEnd(key, options);
        },
        put: async (key, body, options) => {
            onCall();
            return store.put(key, body, options);
        },
        delete: async (key, options) => {
            onCall();
            return store.delete(key, options);
        },
    };
}
