/** What a lake costs is reckoned from what it holds, and from calls that are counted. */
import { expect, test } from '@jest/globals';
import { readScannedBytes } from '#lake/query/athena-usage';
import { CALLS_PER_FILE, PRICES, reckonCosts } from '#lake/reports/costs';
import type { ObjectStore } from '#lake/store/object-store';
import { consolidateBatch } from '#lambdas/consolidate/consolidate-batch';
import { summarizeBatch } from '#lambdas/summarize/summarize-batch';
import { deliver, s3Event, testLog, testMetrics, testTime } from '#test/lambdas/surroundings';
import { countingStore } from '#test/support/counting-store';
import { memoryQueue } from '#test/support/memory-queue';
import { memoryStore } from '#test/support/memory-store';
import { smallFile } from '#test/support/small-files';
import { PRICES as PRICES_OF_DOCS } from '../../../docs/costs.ts';

const NOW = new Date('2026-03-01T00:00:00Z');

test('the calls of a file are those that the workers make for one more file of a day', async () => {
    const store = countingStore(memoryStore());
    const queues = { summarizeQueue: memoryQueue(), consolidateQueue: memoryQueue({ isFifo: true }) };
    const bring = async (key: string, packets: number) => {
        await store.put(
            key,
            Buffer.from(smallFile([{ src: '10.0.0.1', dst: '10.0.0.2', date: '01/02/2026', durationUs: 1, packets }]).text),
        );
        await queues.summarizeQueue.send([{ body: s3Event([key]) }]);
        const around = () => ({
            bucket: 'lake',
            store,
            ...queues,
            now: () => NOW,
            time: testTime(),
            log: testLog(),
            metrics: testMetrics(),
        });
        await deliver(queues.summarizeQueue, (records) => summarizeBatch(records, around()));
        await deliver(queues.consolidateQueue, (records) => consolidateBatch(records, around()));
    };
    await bring('raw/a.csv', 1);
    store.reset();
    await bring('raw/b.csv', 2);
    const { put, list, get } = store.calls;
    expect({ put: BigInt(put + list), get: BigInt(get) }).toEqual(CALLS_PER_FILE);
});

test('prices are those of the pages', () => {
    expect(Number(PRICES.put) / 1e9).toBeCloseTo(PRICES_OF_DOCS.s3Put.usd / PRICES_OF_DOCS.s3Put.per, 12);
    expect(Number(PRICES.get) / 1e9).toBeCloseTo(PRICES_OF_DOCS.s3Get.usd / PRICES_OF_DOCS.s3Get.per, 12);
    expect(Number(PRICES.kept.get('STANDARD')) / 1e9).toBe(PRICES_OF_DOCS.s3Kept.usd);
    expect(Number(PRICES.scanned) / 1e9).toBe(5);
});

test('what is kept is told by prefix and class, with calls of the files of the month and what was scanned, each with its price', async () => {
    const objects = [
        { key: 'raw/old.csv', sizeBytes: 2 ** 30, modifiedAt: new Date('2025-01-01'), storageClass: 'GLACIER_IR' },
        { key: 'raw/site=x/new.csv', sizeBytes: 2 ** 30, modifiedAt: new Date('2026-02-20'), storageClass: 'STANDARD' },
        { key: 'raw/new.csv', sizeBytes: 2 ** 30, modifiedAt: new Date('2026-02-20'), storageClass: 'STANDARD' },
        { key: 'pair_days/day=2026-02-20/part-00.parquet', sizeBytes: 5, modifiedAt: NOW, storageClass: 'STANDARD' },
        { key: 'odd', sizeBytes: 7, modifiedAt: NOW, storageClass: 'DEEP_ARCHIVE' },
    ];
    const store: ObjectStore = {
        ...memoryStore(),
        async *list() {
            yield* objects;
        },
    };
    expect(await reckonCosts(store, { now: NOW, days: 30, scannedBytes: 2n ** 40n })).toEqual([
        { item: 'odd', storageClass: 'DEEP_ARCHIVE', count: 1n, sizeBytes: 7n, usd: null },
        { item: 'pair_days/', storageClass: 'STANDARD', count: 1n, sizeBytes: 5n, usd: 0n },
        { item: 'raw/', storageClass: 'GLACIER_IR', count: 1n, sizeBytes: 2n ** 30n, usd: 4_000_000n },
        { item: 'raw/', storageClass: 'STANDARD', count: 2n, sizeBytes: 2n ** 31n, usd: 46_000_000n },
        {
            item: 'calls that put or list',
            storageClass: null,
            count: 2n * CALLS_PER_FILE.put,
            sizeBytes: null,
            usd: 2n * CALLS_PER_FILE.put * 5000n,
        },
        {
            item: 'calls that get',
            storageClass: null,
            count: 2n * CALLS_PER_FILE.get,
            sizeBytes: null,
            usd: 2n * CALLS_PER_FILE.get * 400n,
        },
        { item: 'scanned by Athena', storageClass: null, count: null, sizeBytes: 2n ** 40n, usd: 5_000_000_000n },
    ]);
});

test('what was scanned is summed over all pages and kinds of queries that are paid for, of the one workgroup', async () => {
    const asked: any[] = [];
    const pages = [
        { MetricDataResults: [{ Values: [1e15, 2] }, { Values: [3] }], NextToken: 'more' },
        { MetricDataResults: [{ Values: [4] }, {}] },
    ];
    const client: any = {
        async send({ input }: { input: unknown }) {
            asked.push(input);
            return pages.shift();
        },
    };
    expect(await readScannedBytes({ client, workgroup: 'flowlake-dev', days: 30, now: NOW })).toBe(1_000_000_000_000_009n);
    expect(asked.map(({ NextToken }) => NextToken)).toEqual([undefined, 'more']);
    expect(asked[0].StartTime).toEqual(new Date('2026-01-30T00:00:00Z'));
    const dimensions = asked[0].MetricDataQueries.map(({ MetricStat }: any) => MetricStat.Metric.Dimensions.map(({ Value }: any) => Value));
    expect(dimensions).toContainEqual(['SUCCEEDED', 'DML', 'flowlake-dev']);
    expect(dimensions).toContainEqual(['CANCELED', 'DML', 'flowlake-dev']);
    expect(dimensions.flat()).not.toContain('FAILED');
});
