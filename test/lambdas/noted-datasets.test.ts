/** The Lambda that summarizes notes in the index what it has made of chain objects, and of nothing else. */
import { expect, test } from '@jest/globals';
import { ChainWriter } from '#lake/live/chain';
import type { DatasetIndex } from '#lake/live/datasets';
import { parsePeriodNews } from '#lake/work/messages';
import { summarizeBatch } from '#lambdas/summarize/summarize-batch';
import { addThermometer, chainMessage } from '#test/support/chain-messages';
import { memoryDatasets } from '#test/support/memory-datasets';
import { memoryQueue } from '#test/support/memory-queue';
import { memoryStore } from '#test/support/memory-store';
import { smallFile } from '#test/support/small-files';
import { s3Event, sqsRecord, testLog, testMetrics, testTime } from './surroundings.ts';

const now = () => new Date('2026-01-05T12:00:00Z');

async function makeLake(datasets: DatasetIndex) {
    const store = memoryStore();
    await addThermometer(store);
    const { key = '' } = await new ChainWriter(store, { stream: 'devices-1', shard: 'shard-1', now }).append([
        chainMessage(1),
        chainMessage(2),
    ]);
    await store.put(
        'raw/flows.csv',
        Buffer.from(smallFile([{ src: '10.0.0.1', dst: '10.0.0.2', date: '01/02/2026', durationUs: 1, packets: 1 }]).text),
    );
    const consolidateQueue = memoryQueue({ isFifo: true });
    const work = async (...keys: string[]) => {
        const { batchItemFailures } = await summarizeBatch([sqsRecord({ body: s3Event(keys) })], {
            ...{ bucket: 'lake', store, consolidateQueue, datasets, time: testTime(), now, log: testLog(), metrics: testMetrics() },
            summarizeQueue: { send: async () => undefined, changeVisibility: async () => undefined },
        });
        const periods = (await consolidateQueue.receive()).map(({ body }) => parsePeriodNews(body).period);
        return { failed: batchItemFailures.length, periods };
    };
    return { key, work };
}

test('what came of a chain object is noted, and what it holds where its writer did not live to do so; a file of flows has no item', async () => {
    const datasets = memoryDatasets();
    const { key, work } = await makeLake(datasets);
    expect(await work(key, 'raw/flows.csv')).toMatchObject({ failed: 0 });
    const items = [];
    for await (const item of datasets.list({})) {
        items.push(item);
    }
    expect(items).toMatchObject([
        { key, chain: { first: '1', last: '2', messages: 2 }, read: { state: 'done', readings: 2, days: ['2026-01-05'] }, isPruned: false },
    ]);
});

test('a note that fails brings the message back, behind the figures; the next time it is made, though nothing is read again', async () => {
    const datasets = memoryDatasets();
    let isDown = true;
    const throttled = {
        ...datasets,
        noteRead: (...note: Parameters<DatasetIndex['noteRead']>) =>
            isDown ? Promise.reject(new Error('throttled')) : datasets.noteRead(...note),
    };
    const { key, work } = await makeLake(throttled);
    expect(await work(key)).toEqual({ failed: 1, periods: ['2026-01-05T10'] });
    isDown = false;
    expect(await work(key)).toMatchObject({ failed: 0 });
    expect((await datasets.get(key))?.read).toMatchObject({ readings: 2 });
});
