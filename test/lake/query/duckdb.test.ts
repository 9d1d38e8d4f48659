/** The DuckDB adapter: values, aborting, and failing in the middle. */
import { cp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SqlError, StorageError } from '#lake/errors';
import { dayPrefix } from '#lake/layout';
import { openDuckDb } from '#lake/query/duckdb';
import type { Value } from '#lake/query/query-engine';
import { PAIR_DAYS_PREFIX, pairDaysKey } from '#test/support/flow-tables';
import { dayAfter, openFixture, rowsOf } from '#test/support/lake-fixture';
import { makeFolder } from '#test/support/temporary';

async function readAll(batches: AsyncIterable<Value[][]>): Promise<Value[][]> {
    const rows: Value[][] = [];
    for await (const batch of batches) {
        rows.push(...batch);
    }
    return rows;
}

describe('values', () => {
    test('are whole numbers as bigint whatever their width, doubles as number, and else text or boolean', async () => {
        const { ask } = await openFixture([]);
        const [row] = await ask(`
            select
                cast(1 as tinyint) as tiny, 2 as small, cast(-9223372036854775808 as bigint) as big, sum(cast(9223372036854775807 as bigint)) * 2 as huge,
                cast('-99999999999999999999999999999999999999' as decimal(38, 0)) as exact, 1.50 as cents, cast(0.1 as double) as fraction,
                cast('nan' as double) as nan, true as yes, 'text' as text, null as nothing, date '2026-01-05' as day,
                timestamp '2026-01-05 01:02:03' as clock, [1, 2] as list, {'a': 1} as struct`);
        expect(row).toEqual({
            tiny: 1n,
            small: 2n,
            big: -(2n ** 63n),
            huge: 2n ** 64n - 2n,
            exact: 1n - 10n ** 38n,
            cents: '1.50',
            fraction: 0.1,
            nan: Number.NaN,
            yes: true,
            text: 'text',
            nothing: null,
            day: '2026-01-05',
            clock: '2026-01-05 01:02:03.000',
            list: '[1, 2]',
            struct: "{'a': 1}",
        });
    });

    test('are times with their milliseconds, as Athena writes them, finer digits where there are any', async () => {
        const { ask } = await openFixture([]);
        const times = ['2026-01-05 09:10:00.25', '1969-12-31 23:59:59.999', '2026-01-05 09:10:00.000001', 'infinity', null];
        const rows = await ask(
            `select cast(time as timestamp) as time from (values ${times.map((each) => (each ? `('${each}')` : '(null)')).join()}) as t (time)`,
        );
        expect(rows.map(({ time }) => time)).toEqual([
            '2026-01-05 09:10:00.250',
            '1969-12-31 23:59:59.999',
            '2026-01-05 09:10:00.000001',
            'infinity',
            null,
        ]);
    });

    test('go in as they come out', async () => {
        const { ask } = await openFixture([]);
        const values = [2n ** 100n, -(2n ** 63n), 5n, 0.1, 'it’s ? $1', true, null];
        const [row] = await ask('select ? as a, ? as b, ? as c, ? as d, ? as e, ? as f, ? as g', values);
        expect(Object.values(row!)).toEqual(values);
    });

    test('must be as many as there are places', async () => {
        const { ask } = await openFixture([]);
        await expect(ask('select ?')).rejects.toThrow(SqlError);
        await expect(ask('select 1', ['x'])).rejects.toThrow(SqlError);
    });

    test('come with the types that the engine names', async () => {
        const { engine } = await openFixture([{ day: '2026-01-05' }]);
        const { columns } = await engine.query(
            'select day, flows, flow_duration_us_sum_sq, sum(flows) over () as total, flows / 2 as half from pair_days',
        );
        expect(columns.map(({ type }) => type)).toEqual(['varchar', 'bigint', 'decimal(38,0)', 'hugeint', 'double']);
    });
});

describe('a query', () => {
    const ENDLESS = 'select count(*) from range(100000000000) a(x) where x % 7 = 8';

    test('that was aborted before it began does not begin', async () => {
        const { engine } = await openFixture([]);
        await expect(engine.query('select 1', { signal: AbortSignal.abort(new Error('early')) })).rejects.toThrow('early');
    });

    test.each([0, 1, 5, 100])('stops when it is aborted after %s ms', async (afterMs) => {
        const { engine } = await openFixture([]);
        const controller = new AbortController();
        setTimeout(() => controller.abort(new Error('enough')), afterMs);
        const asked = engine.query(ENDLESS, { signal: controller.signal }).then(({ batches }) => readAll(batches));
        await expect(asked).rejects.toThrow('enough');
        expect(await rowsOf(engine, 'select 1 as one')).toEqual([{ one: 1n }]);
    });

    test('stops between two batches', async () => {
        const { engine } = await openFixture([]);
        const controller = new AbortController();
        const { batches } = await engine.query('select x from range(10000000) t(x)', { signal: controller.signal });
        let rowCount = 0;
        const read = async () => {
            for await (const batch of batches) {
                rowCount += batch.length;
                controller.abort(new Error('enough'));
            }
        };
        await expect(read()).rejects.toThrow('enough');
        expect(rowCount).toBeLessThan(10_000);
    });

    test('may be broken off, and may run beside others', async () => {
        const { engine } = await openFixture([{ day: '2026-01-05' }, { day: '2026-01-06' }]);
        const { batches } = await engine.query('select x from range(10000000) t(x)');
        const others = await Promise.all(Array.from({ length: 8 }, () => rowsOf(engine, 'select count(*) as days from pair_days')));
        expect(others.flat()).toEqual(Array.from({ length: 8 }, () => ({ days: 2n })));
        for await (const batch of batches) {
            expect(batch.length).toBeGreaterThan(0);
            break;
        }
        expect(await rowsOf(engine, 'select count(*) as days from pair_days')).toEqual([{ days: 2n }]);
    });

    test('hands out its rows as it finds them, not all at once', async () => {
        const { engine } = await openFixture([]);
        const { batches } = await engine.query("select x, repeat('x', 1000) as wide from range(1000000000) t(x)");
        let rowCount = 0;
        for await (const batch of batches) {
            rowCount += batch.length;
            if (rowCount > 50_000) {
                break;
            }
        }
        expect(rowCount).toBeLessThan(60_000);
    });
});

describe('a query that fails after its first rows', () => {
    test.each([
        ["select case when x = 1000000 then error('boom') else 'x' end as word from range(3000000) t(x)", SqlError, /boom/],
        ['select x * case when x < 1000000 then ? else 9223372036854775807 end as wide from range(3000000) t(x)', SqlError, /Overflow/],
    ])('fails, instead of ending there: %s', async (sql, kind, message) => {
        const { engine } = await openFixture([]);
        const { batches } = await engine.query(sql, { parameters: sql.includes('?') ? [5n] : [] });
        let rowCount = 0;
        const reading = (async () => {
            for await (const batch of batches) {
                rowCount += batch.length;
            }
        })();
        await expect(reading).rejects.toThrow(kind);
        await expect(reading).rejects.toThrow(message);
        expect(rowCount).toBeGreaterThan(0);
        expect(await rowsOf(engine, 'select 1 as one')).toEqual([{ one: 1n }]);
    });

    test('fails where a file went away', async () => {
        const flows = Array.from({ length: 20_000 }, (_, at) => ({ day: dayAfter(at % 4), src: `source ${at}` }));
        const { directory, engine } = await openFixture(flows);
        for (let at = 4; at < 100; at++) {
            const day = join(directory, dayPrefix(PAIR_DAYS_PREFIX, dayAfter(at)));
            await cp(join(directory, dayPrefix(PAIR_DAYS_PREFIX, dayAfter(at % 4))), day, { recursive: true });
        }
        const { batches } = await engine.query('select * from pair_days');
        await rm(join(directory, pairDaysKey(dayAfter(99))));
        await expect(readAll(batches)).rejects.toThrow(StorageError);
    });
});

describe('closing', () => {
    test('works twice, and ends what still runs', async () => {
        const engine = await openDuckDb({ directory: await makeFolder() });
        const { batches } = await engine.query('select x from range(1000000000) t(x)');
        await engine.close();
        await engine.close();
        await expect(readAll(batches)).rejects.toThrow();
    });

    test('leaves nothing of what did not fit into memory', async () => {
        const tempDirectory = await makeFolder();
        const engine = await openDuckDb({ directory: await makeFolder(), tempDirectory });
        await rowsOf(engine, 'select 1');
        await engine.close();
        expect(await readdir(tempDirectory)).toEqual([]);
    });
});
