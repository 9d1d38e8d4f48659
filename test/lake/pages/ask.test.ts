/** Questions of people in a browser: SQL that only reads, and the saved questions of sql/. */
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { SqlError, UsageError } from '#lake/errors';
import { pairDays } from '#lake/flows/tables';
import type { Lake } from '#lake/lake';
import { openLake } from '#lake/open-lake';
import { askPage } from '#lake/pages/ask';
import type { PageContext } from '#lake/pages/page';
import { planPage } from '#lake/pages/page-cache';
import { writeParquetTable } from '#lake/parquet';
import { QUERY_NAMES } from '#lake/query/sql-files';
import { openBucketLakeFixture } from '#test/support/bucket-lake-fixture';
import { pairDaysKey } from '#test/support/flow-tables';
import { type Flow, openFixture } from '#test/support/lake-fixture';
import { pageContext } from '#test/support/page-context';

interface Answer {
    note?: string;
    columns: { name: string; type: string }[];
    rows: unknown[][];
    isCut: boolean;
    scanned?: { bytes: string; costUsd: number };
}

async function openDirectoryLake(flows: readonly Flow[]): Promise<{ directory: string; lake: Lake }> {
    const { directory } = await openFixture(flows);
    const lake = await openLake(
        { kind: 'directory', name: directory, directory },
        { environment: {}, signal: new AbortController().signal },
    );
    return { directory, lake };
}

async function ask(lake: Lake, texts: Record<string, string>, given: Partial<PageContext> = {}): Promise<Answer> {
    return (await askPage.answer(askPage.parameters.parse(texts), pageContext(lake, given))) as unknown as Answer;
}

describe('an answer', () => {
    test('has every digit, and says the types', async () => {
        const { lake } = await openDirectoryLake([{ day: '2026-01-05', packets: 9007199254740993n }]);
        const sql = `select day, fwd_pkts_sum, cast(fwd_pkts_sum as decimal(38, 0)) * fwd_pkts_sum as square, 0.1::double as share, cast(1 as decimal(28, 9)) as unit,
            'nan'::double as none, '-inf'::double as least, null as nothing, true as yes, '' as empty from pair_days`;
        expect(await ask(lake, { sql })).toMatchObject({
            columns: [
                { name: 'day', type: 'varchar' },
                { name: 'fwd_pkts_sum', type: 'bigint' },
                { name: 'square', type: 'decimal(38,0)' },
                ...[
                    { name: 'share', type: 'double' },
                    { name: 'unit' },
                    { name: 'none' },
                    { name: 'least' },
                    { name: 'nothing' },
                    { name: 'yes' },
                    { name: 'empty' },
                ],
            ],
            rows: [
                [
                    '2026-01-05',
                    '9007199254740993',
                    '81129638414606699710187514626049',
                    0.1,
                    '1.000000000',
                    'NaN',
                    '-Infinity',
                    null,
                    true,
                    '',
                ],
            ],
            isCut: false,
        });
        await lake.close();
    });

    test('ends after the rows that were asked for, and says so', async () => {
        const { lake } = await openDirectoryLake([]);
        expect(await ask(lake, { sql: 'from range(5)', rows: '4' })).toMatchObject({ rows: [['0'], ['1'], ['2'], ['3']], isCut: true });
        expect(await ask(lake, { sql: 'from range(5)', rows: '5' })).toMatchObject({ isCut: false });
        expect((await ask(lake, { sql: 'from range(100000000)' })).rows).toHaveLength(1000);
        await lake.close();
    });

    test('ends before it is more text than a page can show', async () => {
        const { lake } = await openDirectoryLake([]);
        const { rows, isCut } = await ask(lake, { sql: "select repeat('x', 10000000) from range(20)" });
        expect([rows.length, isCut]).toEqual([3, true]);
        await expect(ask(lake, { sql: "select repeat('x', 40000000)" })).rejects.toThrow(/larger than a page can show/);
        await lake.close();
    });

    test('is given up when nobody waits for it', async () => {
        const { lake } = await openDirectoryLake([]);
        const nobody = new AbortController();
        const asked = ask(lake, { sql: 'select count(*) from range(100000000000) as a, range(1000) as b' }, { signal: nobody.signal });
        setTimeout(() => nobody.abort(new Error('nobody waits')), 50);
        await expect(asked).rejects.toThrow('nobody waits');
        expect(await ask(lake, { sql: 'select 1' })).toMatchObject({ rows: [['1']] });
        await lake.close();
    });

    test('shows where the SQL is wrong', async () => {
        const { lake } = await openDirectoryLake([]);
        await expect(ask(lake, { sql: 'select nonsense from pair_days' })).rejects.toThrow(/LINE 1/);
        await lake.close();
    });
});

describe('a saved question', () => {
    const flows = [
        { day: '2026-01-05', site: 'berlin', packets: 5n },
        { day: '2026-01-06', site: 'osaka', packets: 7n },
    ];

    test('takes its values in order; an empty one is none', async () => {
        const { lake } = await openDirectoryLake(flows);
        const sites = async (...values: string[]) => {
            const { rows } = await ask(lake, { question: 'top_pairs', values: JSON.stringify(values) });
            return rows.map(([site]) => site);
        };
        expect(await sites('', '', '', 'packets', '10')).toEqual(['osaka', 'berlin']);
        expect(await sites('berlin', '', '', 'packets', '10')).toEqual(['berlin']);
        expect(await sites('', '2026-01-06', '', 'packets', '10')).toEqual(['osaka']);
        expect(await sites('', '', '', 'packets', '1')).toEqual(['osaka']);
        expect(await sites("' or true --", '', '', 'packets', '10')).toEqual([]);
        await lake.close();
    });

    test.each([
        [['', '', '', 'packets', ''], 'number of rows is missing'],
        [['', '', '', 'bytes', '1'], 'what counts is "bytes"; it may be duration, packets, flows'],
        [['', '', '', 'flows', '1; drop'], 'number of rows is "1; drop"; it is a whole number'],
        [['', ''], 'Question top_pairs has 5 parameters, and these are 2'],
    ])('%j is refused with what is wrong', async (values, message) => {
        const { lake } = await openDirectoryLake([]);
        const asked = ask(lake, { question: 'top_pairs', values: JSON.stringify(values) });
        await expect(asked).rejects.toThrow(UsageError);
        await expect(asked).rejects.toThrow(message);
        await lake.close();
    });

    test('that is not there is named, with those that are', () => {
        expect(() => askPage.reads({ question: '../x' })).toThrow(`There is no question "../x": there are ${QUERY_NAMES.join(', ')}`);
    });
});

test.each<[Record<string, string>, string]>([
    [{}, 'is what is asked, or question is'],
    [{ sql: 'select 1', question: 'top_pairs' }, 'is what is asked, or question is'],
    [{ sql: 'select 1', values: '[]' }, 'are those of a saved question'],
    [{ question: 'top_pairs', values: 'x' }, 'is no JSON array of texts'],
    [{ question: 'top_pairs', values: '[1]' }, 'is no JSON array of texts'],
    [{ sql: 'select 1', rows: '0' }, 'is not between 1 and 50000'],
    [{ sql: 'select 1', rows: '50001' }, 'is not between 1 and 50000'],
    [{ sql: 'select 1', rows: '1e3' }, 'is no whole number'],
    [{ sql: 'select 1', maxScan: '-1' }, 'is no whole number'],
    [{ sql: `select '${'x'.repeat(8000)}'` }, 'is longer than 8000 letters'],
    [{ sql: 'select 1', run: 'yes' }, 'run'],
])('an address that says %j is refused', (texts, message) => {
    expect(JSON.stringify(askPage.parameters.safeParse(texts).error?.issues ?? 'none')).toContain(message);
});

describe('only what reads is answered', () => {
    test.each([
        'insert into pair_days values (1)',
        'update pair_days set flows = 0',
        'delete from pair_days',
        'truncate pair_days',
        'merge into pair_days using sources on true when matched then delete',
        'with x as (delete from pair_days returning *) select * from x',
        'create table t as select 1',
        'create or replace view pair_days as select 1',
        'create macro f() as 1',
        'create secret (type s3)',
        'alter view pair_days rename to x',
        'drop view pair_days',
        "copy pair_days to 'LAKE/out.csv'",
        "copy (select 1) to 'LAKE/out.csv'",
        "explain analyze copy pair_days to 'LAKE/out.csv'",
        "export database 'LAKE/out'",
        "import database 'LAKE'",
        "attach 'LAKE/out.db' as other",
        "attach ':memory:' as other",
        'detach memory',
        'use memory',
        'set threads = 1',
        'set enable_external_access = true',
        'reset memory_limit',
        'pragma enable_profiling',
        'call enable_logging()',
        'install httpfs',
        'load httpfs',
        'begin',
        'commit',
        'checkpoint',
        'vacuum',
        'prepare p as select 1',
        'execute p',
        'select 1; drop view pair_days',
        "from enable_logging(storage_path => 'LAKE/out')",
        "from read_csv('/etc/hostname')",
        "from read_text('LAKE/../elsewhere.csv')",
        "from read_text('LAKE/.flowlake/secret.csv')",
        "from 'LAKE/.flowlake/secret.csv'",
        'from "LAKE/.flowlake/secret.csv"',
        "from glob('/etc/*')",
        "from read_csv('https://example.com/x.csv')",
        "from sniff_csv('/etc/hostname')",
        "from parquet_metadata('/etc/hostname')",
        'from duckdb_secrets()',
    ])('%s', async (sql) => {
        const { directory, lake } = await openDirectoryLake([{ day: '2026-01-05' }]);
        await (await lake.store()).put('.flowlake/secret.csv', Buffer.from('a\n1\n')).catch(() => undefined);
        const file = join(directory, pairDaysKey('2026-01-05'));
        const before = [await readdir(directory), await readFile(file), (await stat(file)).mtimeMs];
        await expect(ask(lake, { sql: sql.replaceAll('LAKE', directory) })).rejects.toThrow(SqlError);
        expect([await readdir(directory), await readFile(file), (await stat(file)).mtimeMs]).toEqual(before);
        expect(await ask(lake, { sql: 'select flows from pair_days' })).toMatchObject({ rows: [['1']] });
        await lake.close();
    });
});

describe('on Athena', () => {
    test('an answer says what it scanned and cost, and is stopped at what it may scan', async () => {
        const { lake } = await openBucketLakeFixture([{ day: '2026-01-05' }], { scannedBytes: 2 ** 30 });
        const sql = 'select flows from pair_days';
        expect(await ask(lake, { sql })).toMatchObject({ rows: [['1']], scanned: { bytes: '1073741824', costUsd: 5 / 1024 } });
        await expect(ask(lake, { sql, maxScan: '1000' })).rejects.toThrow(/more than the 1.0 kB/);
    });

    test('a question scans half a cent’s worth at most where it does not say more', async () => {
        const { lake } = await openBucketLakeFixture([{ day: '2026-01-05' }], { scannedBytes: 2 ** 30 + 1 });
        await expect(ask(lake, { sql: 'select flows from pair_days' })).rejects.toThrow(/more than the 1.1 GB/);
        expect(await ask(lake, { sql: 'select flows from pair_days', maxScan: '2000000000' })).toMatchObject({ rows: [['1']] });
    });

    test('its plan is that of the tables it names, with one least price', async () => {
        const { lake, store } = await openBucketLakeFixture([{ day: '2026-01-05' }]);
        const { sizeBytes = 0 } = (await store.head(pairDaysKey('2026-01-05'))) ?? {};
        const plan = (texts: Record<string, string>) => planPage(askPage, askPage.parameters.parse(texts), pageContext(lake));
        const costUsd = (10 * 5) / 2 ** 20;
        expect(await plan({ sql: 'select * from pair_days as a, pair_stats as b, sources' })).toMatchObject({
            bytes: 2 * sizeBytes,
            costUsd,
        });
        expect(await plan({ question: 'top_pairs', values: '["","","","flows","1"]' })).toMatchObject({ bytes: sizeBytes, costUsd });
        expect(await plan({ sql: 'select * from elsewhere' })).toMatchObject({ bytes: 0, unknown: ['elsewhere'] });
        expect(await plan({ sql: 'show tables' })).toMatchObject({ bytes: 0, costUsd: 0 });
        expect(await plan({ sql: 'explain analyze select * from pair_days' })).toMatchObject({ bytes: sizeBytes, costUsd });
    });

    test('a question that reads a table too often is refused before it is asked', () => {
        const steps = Array.from({ length: 11 }, (_, at) => `s${at + 1} as (select 1 from s${at} as a, s${at} as b)`);
        const sql = `with s0 as (select 1 from pair_days), ${steps.join(', ')} select * from s11`;
        expect(() => askPage.reads({ sql })).toThrow('reads pair_days 2048 times');
    });
});

test('figures of an older version are said beside the answer', async () => {
    const { directory, lake } = await openDirectoryLake([{ day: '2026-01-05' }]);
    expect((await ask(lake, { sql: 'select 1' })).note).toBeUndefined();
    const columns = pairDays.columns.filter(({ name }) => name !== 'timed_flows');
    const row = columns.map(({ type }) => (type === 'string' ? 'x' : 1n));
    await writeFile(join(directory, pairDaysKey('2026-01-05')), writeParquetTable({ columns, rows: [row] }));
    expect((await ask(lake, { sql: 'select 1' })).note).toContain('Figures of 1 day (2026-01-05) are those of an older version');
    await lake.close();
});
