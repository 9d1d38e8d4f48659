/** What a page will scan and cost, told before it is asked. */
import { expect, test } from '@jest/globals';
import type { Lake } from '#lake/lake';
import type { Reads } from '#lake/pages/page';
import { listReads, planOf } from '#lake/pages/plan';
import { openBucketLakeFixture } from '#test/support/bucket-lake-fixture';
import { pairDaysKey } from '#test/support/flow-tables';

const DAYS = ['2025-12-31', '2026-01-05', '2026-01-06', '2026-02-01'];

/** The least price of a query, for ten mebibytes at five dollars a tebibyte. */
const LEAST_USD = (10 * 5) / 2 ** 20;

const planReads = async (reads: readonly Reads[], lake: Lake) => planOf(reads, await listReads(reads, await lake.store()));

test('counts the bytes of the days that are read, and no others', async () => {
    const { lake, store } = await openBucketLakeFixture(DAYS.map((day) => ({ day })));
    const sizes = await Promise.all(DAYS.map(async (day) => (await store.head(pairDaysKey(day)))?.sizeBytes ?? 0));
    const [before = 0, first = 0, second = 0, later = 0] = sizes;
    expect(Math.min(...sizes)).toBeGreaterThan(0);
    const bytes = async (days: { from?: string; to?: string }) => (await planReads([{ table: 'pair_days', ...days }], lake)).bytes;
    expect(await bytes({})).toBe(before + first + second + later);
    expect(await bytes({ from: '2026-01-05', to: '2026-01-06' })).toBe(first + second);
    expect(await bytes({ from: '2026-01-06', to: '2026-01-06' })).toBe(second);
    expect(await bytes({ from: '2026-01-06' })).toBe(second + later);
    expect(await bytes({ to: '2026-01-05' })).toBe(before + first);
    expect(await bytes({ from: '2027-01-01' })).toBe(0);
});

test('asks the least price for each query, and one for reads of one query', async () => {
    const { lake } = await openBucketLakeFixture([{ day: '2026-01-05' }]);
    const plan = (...queries: (string | undefined)[]) =>
        planReads(
            queries.map((query) => ({ table: 'pair_days', query })),
            lake,
        );
    expect(await plan()).toMatchObject({ bytes: 0, costUsd: 0, objects: 0 });
    expect(await plan(undefined)).toMatchObject({ costUsd: LEAST_USD, objects: 1 });
    expect(await plan(undefined, undefined)).toMatchObject({ costUsd: 2 * LEAST_USD, objects: 2 });
    expect(await plan('one', 'one')).toMatchObject({ costUsd: LEAST_USD, objects: 2 });
});

test('a view is what it scans, as often as it scans it', async () => {
    const { lake, store } = await openBucketLakeFixture([{ day: '2026-01-05' }]);
    const { sizeBytes = 0 } = (await store.head(pairDaysKey('2026-01-05'))) ?? {};
    expect(await planReads([{ table: 'device_traffic' }], lake)).toMatchObject({ bytes: 2 * sizeBytes, objects: 2, unknown: [] });
});

test('names relations of which nothing is known, instead of taking them for free', async () => {
    const { lake } = await openBucketLakeFixture([]);
    expect(await planReads([{ table: 'elsewhere' }, { table: 'not a name' }], lake)).toMatchObject({
        bytes: 0,
        unknown: ['elsewhere', 'not a name'],
    });
});
