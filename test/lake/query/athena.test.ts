/** The Athena adapter: what it asks, how it waits, how it stops, and what it reads. */
import { setTimeout as sleep } from 'node:timers/promises';
import { SqlError, StorageError } from '#lake/errors';
import type { QueryEngine, Value } from '#lake/query/query-engine';
import { readQuery } from '#lake/query/sql-files';
import type { AthenaBackend } from '#test/support/athena-server';
import { type AthenaFixture, openAthenaFixture } from '#test/support/athena-server-fixture';
import { dayAfter, rowsOf } from '#test/support/lake-fixture';

async function readAll(batches: AsyncIterable<Value[][]>): Promise<Value[][]> {
    const rows: Value[][] = [];
    for await (const batch of batches) {
        rows.push(...batch);
    }
    return rows;
}

/** Takes its time: as long as it is not stopped, or `forMs`. */
function slowBackend({ forMs = 60_000, scannedBytes = 0 }: { forMs?: number; scannedBytes?: number } = {}): AthenaBackend {
    return {
        async run({ onScanned }, signal) {
            onScanned(scannedBytes);
            await sleep(forMs, undefined, { signal });
            return { columns: [{ Name: 'one', Type: 'integer' }], rows: [['1']], scannedBytes };
        },
    };
}

let lake: AthenaFixture;
let engine: QueryEngine;
beforeAll(async () => {
    lake = await openAthenaFixture({ flows: [0, 1, 2].map((at) => ({ day: dayAfter(at), site: 'berlin', packets: BigInt(at) })) });
    engine = lake.engine;
});

describe('an answer', () => {
    test('has the columns, types and values of the port', async () => {
        const { columns, batches } = await engine.query(`
            select
                day, flows, fwd_pkts_sum_sq, cast(1 as tinyint) as tiny, 1.50 as cents, cast(0.1 as double) as fraction, cast('nan' as double) as nan,
                cast('-inf' as double) as small, cast(1e300 as double) as large, true as yes, '' as empty, cast(null as bigint) as nothing,
                'a "quoted", text' as words, date '2026-01-05' as date
            from pair_days order by day limit 1`);
        expect(columns.map(({ type }) => type).slice(0, 5)).toEqual(['varchar', 'bigint', 'decimal(38,0)', 'tinyint', 'decimal(3,2)']);
        const [first] = await readAll(batches);
        expect(first?.slice(0, 5)).toEqual(['2026-01-05', 1n, 0n, 1n, '1.50']);
        expect(first?.slice(5, 9)).toEqual([0.1, Number.NaN, Number.NEGATIVE_INFINITY, 1e300]);
        expect(first?.slice(9)).toEqual([true, '', null, 'a "quoted", text', '2026-01-05']);
    });

    test('has no rows where there are none, and its columns all the same', async () => {
        const { columns, batches } = await engine.query("select day, flows from pair_days where day = 'never'");
        expect(columns.map(({ name }) => name)).toEqual(['day', 'flows']);
        expect(await readAll(batches)).toEqual([]);
    });

    test('of statements about the catalog has all its rows: they come without a header', async () => {
        expect((await rowsOf(engine, 'show tables')).map(({ name }) => name)).toContain('pair_days');
        expect((await rowsOf(engine, 'describe day_totals')).map(({ column_name }) => column_name)).toContain('pairs');
        expect(await rowsOf(engine, 'explain select 1')).toHaveLength(1);
    });

    test('of `describe` as Hive writes it has its columns', async () => {
        const columns = ['col_name', 'data_type', 'comment'].map((Name) => ({ Name, Type: 'string' }));
        const backend = {
            run: async () => ({ columns, rows: [['site                \tstring              \t                    ']], scannedBytes: 0 }),
        };
        const fixture = await openAthenaFixture({ backend });
        expect(await rowsOf(fixture.engine, 'describe pair_days')).toEqual([{ col_name: 'site', data_type: 'string', comment: '' }]);
    });

    test.each([998, 999, 1000, 2500])('of %s rows has every one of them once, in order', async (count) => {
        const readsBefore = lake.store.reads;
        const pagesBefore = lake.server.count('GetQueryResults');
        const { batches } =
            await engine.query(`select x, case when x % 3 = 0 then null when x % 3 = 1 then '' else 'a "b",' || chr(10) || x end as word
            from range(${count}) t(x) order by x`);
        const rows = await readAll(batches);
        expect(rows).toEqual(
            Array.from({ length: count }, (_, at) => [BigInt(at), at % 3 === 0 ? null : at % 3 === 1 ? '' : `a "b",\n${at}`]),
        );
        // More than a page is read from the file, however many pages it would be.
        expect(lake.server.count('GetQueryResults') - pagesBefore).toBe(1);
        expect(lake.store.reads - readsBefore).toBe(count > 999 ? 1 : 0);
    });

    test('of many rows that are in no CSV file comes page by page', async () => {
        const rows = Array.from({ length: 2500 }, (_, at) => [`table ${at}`]);
        const fixture = await openAthenaFixture({
            backend: { run: async () => ({ columns: [{ Name: 'name', Type: 'string' }], rows, scannedBytes: 0 }) },
        });
        expect((await rowsOf(fixture.engine, 'show tables')).map(({ name }) => [name])).toEqual(rows);
        expect(fixture.server.count('GetQueryResults')).toBe(3);
    });

    test('goes on where the connection to S3 broke off', async () => {
        const { batches } = await engine.query('select x from range(5000) t(x) order by x');
        lake.store.breakAfterBytes.push(1, 10_001, 7);
        expect(await readAll(batches)).toEqual(Array.from({ length: 5000 }, (_, at) => [BigInt(at)]));
    });

    test('says when S3 breaks off every time, or has not got the file', async () => {
        const broken = await engine.query('select x from range(5000) t(x)');
        lake.store.breakAfterBytes.push(...Array.from({ length: 30 }, () => 0));
        await expect(readAll(broken.batches)).rejects.toThrow(/breaks off at byte 0 of s3:\/\/results/);
        lake.store.breakAfterBytes.splice(0);
        const gone = await engine.query('select x from range(5000) t(x)');
        lake.store.objects.clear();
        await expect(readAll(gone.batches)).rejects.toThrow(StorageError);
    });
});

describe('parameters', () => {
    test('stay values, whatever is in them', async () => {
        const texts = ["it's", "'; drop view pair_days; --", "' or '1' = '1", '?', '', 'Ä "日本"', "\\'", 'line\nfeed'];
        const values: Value[] = [...texts, 5n, -5n, 9_007_199_254_740_993n, 0.1, -2.5, true, null];
        const [row] = await rowsOf(engine, `select ${values.map((_, at) => `? as c${at}`).join(', ')}`, values);
        expect(Object.values(row!)).toEqual(values);
        expect(await rowsOf(engine, 'select count(*) as days from pair_days where site = ?', ["x' or site = 'berlin"])).toEqual([
            { days: 0n },
        ]);
    });

    test('fill the questions of sql/flows/queries', async () => {
        const rows = await rowsOf(engine, readQuery('pair_report'), ['10.0.0.1', '10.0.0.2', null, dayAfter(1), null]);
        expect(rows.map(({ day, running_days }) => [day, running_days])).toEqual([
            [dayAfter(0), 1n],
            [dayAfter(1), 2n],
        ]);
    });

    test('must be as many as there are places', async () => {
        await expect(engine.query('select ?')).rejects.toThrow(SqlError);
        await expect(engine.query('select 1', { parameters: ['x'] })).rejects.toThrow(SqlError);
    });
});

describe('waiting', () => {
    test('looks often at first and ever more seldom', async () => {
        const fixture = await openAthenaFixture({ backend: slowBackend({ forMs: 2_500 }) });
        const states: string[] = [];
        await rowsOf(fixture.openEngine({ onState: ({ state }) => states.push(state) }), 'select 1 as one');
        const looks = fixture.server.calls.filter(({ action }) => action === 'GetQueryExecution').map(({ at }) => at);
        expect(looks.length).toBeGreaterThan(4);
        expect(looks.length).toBeLessThan(13);
        expect(looks[1]! - looks[0]!).toBeLessThan(looks.at(-1)! - looks.at(-2)!);
        expect(states.at(0)).toMatch(/QUEUED|RUNNING/);
        expect(states.at(-1)).toBe('SUCCEEDED');
    });

    test('asks for one query, also where the answer to the first attempt was lost', async () => {
        const fixture = await openAthenaFixture();
        fixture.server.faults.push({ action: 'StartQueryExecution', status: 500, type: 'InternalServerException', message: 'lost' });
        expect(await rowsOf(fixture.engine, 'select 1 as one')).toEqual([{ one: 1n }]);
        expect(fixture.server.count('StartQueryExecution')).toBe(2);
    });

    test.each([0, 150])('stops the query when it is aborted after %s ms', async (afterMs) => {
        const fixture = await openAthenaFixture({ backend: slowBackend() });
        const controller = new AbortController();
        const asked = fixture.engine.query('select 1', { signal: controller.signal });
        setTimeout(() => controller.abort(new Error('enough')), afterMs);
        await expect(asked).rejects.toThrow('enough');
        expect(fixture.server.count('StopQueryExecution')).toBe(1);
    });

    test('does not begin where it was aborted before', async () => {
        const before = lake.server.calls.length;
        await expect(engine.query('select 1', { signal: AbortSignal.abort(new Error('early')) })).rejects.toThrow('early');
        expect(lake.server.calls).toHaveLength(before);
    });

    test('stops the queries of an engine that is closed, and takes no more', async () => {
        const fixture = await openAthenaFixture({ backend: slowBackend() });
        const asked = fixture.engine.query('select 1');
        await sleep(100);
        await Promise.all([fixture.engine.close(), fixture.engine.close(), expect(asked).rejects.toThrow(/engine was closed/)]);
        expect(fixture.server.count('StopQueryExecution')).toBe(1);
        await expect(fixture.engine.query('select 1')).rejects.toThrow(/engine was closed/);
    });

    test('ends between two batches when it is aborted, and has nothing to stop', async () => {
        const controller = new AbortController();
        const { batches } = await engine.query('select x from range(300000) t(x)', { signal: controller.signal });
        let rowCount = 0;
        const read = async () => {
            for await (const batch of batches) {
                rowCount += batch.length;
                controller.abort(new Error('enough'));
            }
        };
        await expect(read()).rejects.toThrow('enough');
        expect(rowCount).toBeLessThan(300_000);
        expect(lake.server.count('StopQueryExecution')).toBe(0);
    });

    test('is for statements that read; others are not even sent', async () => {
        const before = lake.server.calls.length;
        await expect(engine.query('drop table pair_days')).rejects.toThrow(/Only statements that read.*DROP/);
        await expect(engine.query('explain analyze insert into pair_days values (1)')).rejects.toThrow(/INSERT/);
        await expect(engine.query("unload (select 1) to 's3://elsewhere/'")).rejects.toThrow(/UNLOAD/);
        expect(lake.server.calls).toHaveLength(before);
        expect(await rowsOf(engine, 'select 1 as one; ')).toEqual([{ one: 1n }]);
    });
});
