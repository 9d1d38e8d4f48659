/** Which SQL is answered, and what is said of the other. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SqlError, StorageError } from '#lake/errors';
import { tables } from '#lake/kinds';
import { VIEW_NAMES } from '#lake/query/sql-files';
import { pairDaysKey } from '#test/support/flow-tables';
import { openFixture, putFlows } from '#test/support/lake-fixture';
import { makeFolder } from '#test/support/temporary';

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
        ['with x as (select 1) insert into pair_days select * from x', /./],
        ['create table t as select 1', /CREATE.*upload and retract/],
        ['drop view pair_days', /DROP.*upload and retract/],
        ["copy pair_days to 'LAKE/stolen.csv'", /COPY.*upload and retract/],
        ["explain analyze copy pair_days to 'LAKE/stolen.csv'", /COPY.*upload and retract/],
        ["/* x */ explain -- y\n analyze copy (select 1) to 'LAKE/stolen.csv'", /COPY.*upload and retract/],
        ["attach 'LAKE/stolen.csv' as other", /ATTACH/],
        ["export database 'LAKE/stolen.csv'", /./],
        ["set memory_limit = '1GB'", /SET/],
        ['install httpfs', /./],
        ['begin', /BEGIN/],
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

    test.each(['2026-01-05', '2026-01-06'])('says that the file of %s is damaged, not that the SQL is', async (day) => {
        const { directory, ask } = await openFixture([{ day: '2026-01-05' }]);
        await putFlows(directory, [{ day: '2026-01-06' }]);
        await writeFile(join(directory, pairDaysKey(day)), 'this is no Parquet file');
        const asked = ask('select * from pair_days');
        await expect(asked).rejects.toThrow(StorageError);
        await expect(asked).rejects.toThrow(new RegExp(`${pairDaysKey(day)}'?: the file is damaged, run flowlake verify$`));
    });

    test('says that a file may be damaged where DuckDB names none', async () => {
        const { directory, ask } = await openFixture([{ day: '2026-01-05' }]);
        const file = join(directory, pairDaysKey('2026-01-05'));
        const bytes = await readFile(file);
        await writeFile(file, bytes.fill(0xff, 4, 22));
        const asked = ask('select * from pair_days');
        await expect(asked).rejects.toThrow(StorageError);
        await expect(asked).rejects.toThrow(/^Invalid Error: .*: a file of the table may be damaged, run flowlake verify$/);
    });
});
