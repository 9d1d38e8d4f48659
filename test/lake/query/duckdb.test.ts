/** The DuckDB adapter: what SQL over a directory lake may rely on. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SqlError, StorageError, UsageError } from '#lake/errors';
import { pairDaysKey } from '#lake/layout';
import { openDuckDb } from '#lake/query/duckdb';
import type { Value } from '#lake/query/query-engine';
import { VIEW_NAMES } from '#lake/query/sql-files';
import { tables } from '#lake/tables';
import { dayAfter, openFixture, putFlows, putRejects, putSource, rowsOf } from '#test/support/lake-fixture';
import { makeFolder } from '#test/support/temporary';

async function readAll(batches: AsyncIterable<Value[][]>): Promise<Value[][]> {
    const rows: Value[][] = [];
    for await (const batch of batches) {
        rows.push(...batch);
    }
    return rows;
}

const TYPES = { string: 'varchar', bigint: 'bigint', 'decimal(38,0)': 'decimal(38,0)' };

describe('a lake with nothing in it', () => {
    test.each(['empty', 'missing/folder'])('answers for every table with its columns and no rows: %s', async (name) => {
        const folder = await makeFolder();
        await mkdir(join(folder, 'empty'));
        const { engine } = await openFixture([], { directory: join(folder, name) });
        for (const table of tables) {
            const { columns, batches } = await engine.query(`select * from ${table.name}`);
            expect(columns).toEqual([
                ...table.columns.map((column) => ({ name: column.name, type: TYPES[column.type] })),
                ...(table.isPartitionedByDay ? [{ name: 'day', type: 'varchar' }] : []),
            ]);
            expect(await readAll(batches)).toEqual([]);
        }
        for (const view of VIEW_NAMES) {
            expect(await rowsOf(engine, `select * from ${view}`)).toEqual([]);
        }
        expect(existsSync(join(folder, 'missing'))).toBe(false);
    });

    test('has the same columns and types as one with files', async () => {
        const empty = await openFixture([]);
        const full = await openFixture([{ day: '2026-01-05' }]);
        await putSource(full.directory, { source: 'raw/a', version: '1-0000000000000001' });
        await putRejects(full.directory, { source: 'raw/a', version: '1-0000000000000001' }, [
            { line_number: 1, reason: 'nan', line: 'x' },
        ]);
        for (const name of ['pair_days', 'sources', 'rejects', ...VIEW_NAMES]) {
            const { columns } = await full.engine.query(`select * from ${name}`);
            expect((await empty.engine.query(`select * from ${name}`)).columns).toEqual(columns);
        }
    });

    test('has rows as soon as it has files, and none when the last one is gone', async () => {
        const { directory, ask } = await openFixture([]);
        const days = async () => (await ask('select day from day_totals order by day')).map(({ day }) => day);
        expect(await days()).toEqual([]);
        await putFlows(directory, [{ day: '2026-01-05' }]);
        expect(await days()).toEqual(['2026-01-05']);
        await putFlows(directory, [{ day: '2026-01-06' }]);
        expect(await days()).toEqual(['2026-01-05', '2026-01-06']);
        await rm(join(directory, 'pair_days'), { recursive: true });
        expect(await days()).toEqual([]);
    });
});

test('reads a file that was replaced anew', async () => {
    const { directory, ask } = await openFixture([{ day: '2026-01-05', packets: 1n }]);
    for (const packets of [1n, 2n, 3n]) {
        await putFlows(directory, [{ day: '2026-01-05', packets }]);
        expect(await ask('select fwd_pkts_sum as packets from pair_days')).toEqual([{ packets }]);
    }
});

test('counts only files that are where the lake puts them', async () => {
    const { directory, ask } = await openFixture([{ day: '2026-01-05' }]);
    await writeFile(join(directory, 'pair_days/day=2026-01-05/.part-00.parquet.tmp'), 'half');
    await writeFile(join(directory, 'pair_days/day=2026-01-05/copy of part-00.parquet'), 'stray');
    await mkdir(join(directory, 'pair_days/day=2026-01-06'));
    expect(await ask('select day, count(*) as pairs from pair_days group by day')).toEqual([{ day: '2026-01-05', pairs: 1n }]);
});

test('takes rejects for those of the versions that count', async () => {
    const { directory, ask } = await openFixture([]);
    await putSource(directory, { source: 'raw/a', version: '2-0000000000000002' });
    await putRejects(directory, { source: 'raw/a', version: '1-0000000000000001' }, [{ line_number: 1, reason: 'nan', line: 'old' }]);
    await putRejects(directory, { source: 'raw/a', version: '2-0000000000000002' }, [{ line_number: 2, reason: 'nan', line: 'new' }]);
    expect(await ask('select * from rejects')).toEqual([
        { source: 'raw/a', version: '2-0000000000000002', line_number: 2n, reason: 'nan', line: 'new' },
    ]);
    expect(await ask('select size_bytes, summarized_at, error from sources')).toEqual([
        { size_bytes: 9007199254740993n, summarized_at: '2026-01-07T08:09:10.123Z', error: null },
    ]);
});

test.each([
    "it's",
    'a b',
    'st*r',
    'wh?t',
    'br[ac]ket',
    'site=berlin',
    'day=2020-01-01',
    'day=2020-01-01/x',
    'qu"ote',
    'a{b,c}d',
    'com,ma;semi',
    'per%20cent',
    '~',
    '$HOME',
    'Überseestraße 日本',
])('reads a lake in a directory called %s, and no other', async (name) => {
    const folder = await makeFolder();
    for (const neighbour of ['stAr', 'what', 'braket', 'site=osaka']) {
        await putFlows(join(folder, neighbour), [{ day: '2026-02-01', site: 'other' }]);
    }
    const directory = join(folder, name);
    const { ask } = await openFixture([{ day: '2026-01-05', site: 'osaka' }], { directory });
    await putSource(directory, { source: 'raw/a', version: '1-0000000000000001' });
    expect(await ask('select site, day from pair_days')).toEqual([{ site: 'osaka', day: '2026-01-05' }]);
    expect(await ask('select source from sources')).toEqual([{ source: 'raw/a' }]);
});

test('says that it cannot read below a directory with a backslash in its name', async () => {
    await expect(openDuckDb({ directory: '/tmp/back\\slash' })).rejects.toThrow(UsageError);
});

test('reads only the days that are asked for', async () => {
    const { ask } = await openFixture([0, 1, 2, 3].map((at) => ({ day: dayAfter(at) })));
    const plan = async (condition: string) => {
        const [row] = await ask(`explain analyze select * from day_totals where ${condition}`);
        return /Total Files Read: (\d+)/.exec(String(row?.explain_value))?.[1];
    };
    expect(await plan(`day >= '${dayAfter(2)}'`)).toBe('2');
    expect(await plan(`day >= coalesce(cast('${dayAfter(1)}' as varchar), day) and day <= coalesce(cast(null as varchar), day)`)).toBe('3');
});

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
            clock: '2026-01-05 01:02:03',
            list: '[1, 2]',
            struct: "{'a': 1}",
        });
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

describe('what is answered', () => {
    test.each([
        'select 1 as a',
        'with x as (select 1 as a) select * from x;',
        'from pair_days',
        'values (1)',
        'describe pair_stats',
        'show tables',
        'summarize pair_days',
        'explain select * from pair_running',
        '-- a comment\nexplain /* and another */ analyze select ? -- end',
        'explain (format json) select 1',
        'explain (select 1)',
        'select * from information_schema.tables',
        'select element_at(array_sort([3, 1, 2]), 1)',
    ])('reads: %s', async (sql) => {
        const { ask } = await openFixture([{ day: '2026-01-05' }]);
        expect((await ask(sql, sql.includes('?') ? [1n] : [])).length).toBeGreaterThan(0);
    });

    test('names every table and view, also before any was asked', async () => {
        const { ask } = await openFixture([]);
        expect((await ask('show tables')).map(({ name }) => name)).toEqual([...tables.map(({ name }) => name), ...VIEW_NAMES].sort());
    });

    test.each([
        ['insert into pair_days values (1)', /./],
        ['create table t as select 1', /CREATE.*upload and retract/],
        ['drop view pair_days', /DROP.*upload and retract/],
        ["copy pair_days to 'LAKE/stolen.csv'", /COPY.*upload and retract/],
        ["explain analyze copy pair_days to 'LAKE/stolen.csv'", /COPY.*upload and retract/],
        ["/* x */ explain -- y\n analyze copy (select 1) to 'LAKE/stolen.csv'", /COPY.*upload and retract/],
        ["attach 'LAKE/stolen.csv' as other", /ATTACH/],
        ["export database 'LAKE/stolen.csv'", /./],
        ["set memory_limit = '1GB'", /SET/],
        ['install httpfs', /./],
        ['begin', /TRANSACTION/],
        ['select 1; select 2', /One statement at a time, please: these are 2/],
        [' ; ', /no statement/],
        ['', /no statement/],
        ['-- nothing', /no statement/],
        ["select * from read_csv('/etc/passwd')", /Permission Error.*the lake's own tables and nothing else/],
        ["select * from read_text('LAKE/../secret.txt')", /Permission Error/],
        ["select * from glob('LAKE-2/*')", /Permission Error/],
        ["select * from read_csv('https://example.com/x.csv')", /./],
    ])('does not do anything else: %s', async (sql, message) => {
        const folder = await makeFolder();
        const directory = join(folder, 'lake');
        await writeFile(join(folder, 'secret.txt'), 'secret');
        const { ask } = await openFixture([{ day: '2026-01-05' }], { directory });
        const asked = ask(sql.replaceAll('LAKE', directory));
        await expect(asked).rejects.toThrow(SqlError);
        await expect(asked).rejects.toThrow(message);
        expect(await readdir(directory)).toEqual(['pair_days']);
    });

    test('shows where the SQL is wrong', async () => {
        const { ask } = await openFixture([{ day: '2026-01-05' }]);
        await expect(ask('select day,\n    nonsense\nfrom pair_days')).rejects.toThrow(
            /"nonsense" not found[\s\S]*LINE 2: {5}nonsense\n +\^/,
        );
        await expect(ask('select * form pair_days')).rejects.toThrow(
            /^Parser Error: syntax error at or near "pair_days"\nLINE 1: [\s\S]*\^/,
        );
        await expect(ask('select * from pair_dayz')).rejects.toThrow(/pair_dayz does not exist[\s\S]*"pair_days"/);
    });

    test('says that a file is damaged, not that the SQL is', async () => {
        const { directory, ask } = await openFixture([{ day: '2026-01-05' }]);
        await putFlows(directory, [{ day: '2026-01-06' }]);
        await writeFile(join(directory, pairDaysKey('2026-01-06')), 'this is no Parquet file');
        await expect(ask('select * from pair_days')).rejects.toThrow(StorageError);
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
        ['select x, 9223372036854775807 * (x // 2000000) * 2 as wide from range(3000000) t(x) where x > ?', SqlError, /Overflow/],
    ])('fails, instead of ending there: %s', async (sql, kind, message) => {
        const { engine } = await openFixture([]);
        const { batches } = await engine.query(sql, { parameters: sql.includes('?') ? [5n] : [] });
        let rowCount = 0;
        const read = async () => {
            for await (const batch of batches) {
                rowCount += batch.length;
            }
        };
        const reading = read();
        await expect(reading).rejects.toThrow(kind);
        await expect(reading).rejects.toThrow(message);
        expect(rowCount).toBeGreaterThan(0);
        expect(await rowsOf(engine, 'select 1 as one')).toEqual([{ one: 1n }]);
    });

    test('fails where a file went away', async () => {
        const wide = Array.from({ length: 20_000 }, (_, at) => ({ day: dayAfter(0), src: `source ${at}` }));
        const days = Array.from({ length: 30 }, (_, at) => wide.map((flow) => ({ ...flow, day: dayAfter(at) })));
        const { directory, engine } = await openFixture(days.flat());
        const { batches } = await engine.query('select * from pair_days');
        const read = async () => {
            for await (const _ of batches) {
                await rm(join(directory, pairDaysKey(dayAfter(29))), { force: true });
            }
        };
        await expect(read()).rejects.toThrow(StorageError);
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
