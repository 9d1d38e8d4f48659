/** What Athena's queries cost, and what keeps them from costing more. */
import { setTimeout as sleep } from 'node:timers/promises';
import { SqlError, StorageError } from '#lake/errors';
import { priceOf } from '#lake/query/athena-price';
import { openAthenaFixture } from '#test/support/athena-server-fixture';

test.each([
    { bytes: 2 ** 40, costUsd: 5 },
    { bytes: 3 * 2 ** 39, costUsd: 7.5 },
    { bytes: 1, costUsd: (10 * 5) / 2 ** 20 },
    { bytes: 11 * 2 ** 20 + 1, costUsd: (12 * 5) / 2 ** 20 },
])('$bytes bytes cost $costUsd USD', ({ bytes, costUsd }) => {
    expect(priceOf({ bytes, isFree: false })).toEqual({ bytes, costUsd });
});

test('is known before the first row, and nothing for statements about the catalog', async () => {
    const { engine } = await openAthenaFixture({ scannedBytes: 5 * 2 ** 30 });
    expect((await engine.query('select 1')).scanned).toEqual({ bytes: 5 * 2 ** 30, costUsd: 25 / 1024 });
    expect((await engine.query('show tables')).scanned?.costUsd).toBe(0);
});

test('a query that scans more than it may is stopped while it runs', async () => {
    const fixture = await openAthenaFixture({
        backend: {
            async run({ onScanned }, signal) {
                for (let bytes = 0; ; bytes += 1e9) {
                    onScanned(bytes);
                    await sleep(50, undefined, { signal });
                }
            },
        },
    });
    const asked = fixture.engine.query('select 1', { maxScanBytes: 2_500_000_000 });
    await expect(asked).rejects.toThrow(SqlError);
    await expect(asked).rejects.toThrow(
        /scanned \d+\.\d [GM]B \(\$0\.\d{4}\), more than the 2\.5 GB that --max-scan allows, and was stopped/,
    );
    expect(fixture.server.count('StopQueryExecution')).toBe(1);
});

test('a query that was over too soon is refused all the same', async () => {
    const fixture = await openAthenaFixture({ scannedBytes: 1001 });
    await expect(fixture.engine.query('select 1', { maxScanBytes: 1000 })).rejects.toThrow(/its rows are not shown/);
    await expect(fixture.engine.query('select 1', { maxScanBytes: 1000 })).rejects.toThrow(/more than the 1\.0 kB/);
    expect((await fixture.engine.query('select 1 as one', { maxScanBytes: 1001 })).columns).toHaveLength(1);
    expect(fixture.server.count('StopQueryExecution')).toBe(0);
});

test('the workgroup’s own limit is told with its size and what to do', async () => {
    const fixture = await openAthenaFixture({ scannedBytes: 3e9, workgroups: { lake: { scanLimitBytes: 2e9 } } });
    const asked = fixture.engine.query('select 1');
    await expect(asked).rejects.toThrow(StorageError);
    await expect(asked).rejects.toThrow(/Workgroup lake stopped the query at its scan limit of 2\.0 GB, after 3\.0 GB: ask for fewer days/);
});
