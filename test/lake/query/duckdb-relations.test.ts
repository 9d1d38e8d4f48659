/** The lake's files as DuckDB's tables and views. */
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '#lake/errors';
import { tables } from '#lake/kinds';
import { openDuckDb } from '#lake/query/duckdb';
import { VIEW_NAMES } from '#lake/query/sql-files';
import { dayAfter, openFixture, putFlows, putRejects, putSource, rowsOf } from '#test/support/lake-fixture';
import { makeFolder } from '#test/support/temporary';

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
                ...(table.per !== undefined ? [{ name: 'day', type: 'varchar' }] : []),
            ]);
            for await (const batch of batches) {
                expect(batch).toEqual([]);
            }
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
