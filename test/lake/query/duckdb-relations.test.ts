/** The lake's files as DuckDB's tables and views. */
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import { StorageError, UsageError } from '#lake/errors';
import { flows } from '#lake/flows/kind';
import { pairDays } from '#lake/flows/tables';
import type { Kind } from '#lake/kind';
import { tables } from '#lake/kinds';
import { contributionKey, mergedKey, rejectsKey as rejectsKeyOf } from '#lake/layout';
import { writeParquetTable, writeRows } from '#lake/parquet';
import { openDuckDb } from '#lake/query/duckdb';
import { relationsOf } from '#lake/query/duckdb-relations';
import { VIEW_NAMES } from '#lake/query/sql-files';
import { sourceId } from '#lake/source-id';
import { key, type MergedColumn, type MergedTable, merged } from '#lake/tables';
import { PAIR_DAYS_OF_FORMAT_2, pairDaysKey, summaryKey } from '#test/support/flow-tables';
import { dayAfter, openFixture, putFlows, putRejects, putSource, rowsOf } from '#test/support/lake-fixture';
import { pairRowsOfFlows } from '#test/support/pair-rows-of';
import { makeFolder } from '#test/support/temporary';

const DAY = '2026-01-05';
const FLOW = { site: 'main', src: '10.0.0.1', dst: '10.0.0.2', durationUs: 5n, packets: 7n };

const typeOf = (type: string): string => (type === 'string' ? 'varchar' : type);

describe('a lake with nothing in it', () => {
    test.each(['empty', 'missing/folder'])('answers for every table with its columns and no rows: %s', async (name) => {
        const folder = await makeFolder();
        await mkdir(join(folder, 'empty'));
        const { engine } = await openFixture([], { directory: join(folder, name) });
        for (const table of tables) {
            const { columns, batches } = await engine.query(`select * from ${table.name}`);
            expect(columns).toEqual([
                ...table.columns.map((column) => ({ name: column.name, type: typeOf(column.type) })),
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

test.each([
    ['the only day', ['2026-01-05']],
    ['the last day', ['2026-01-04', '2026-01-05']],
    ['the first day', ['2026-01-05', '2026-01-06']],
])('says what to do where %s was written before a measure was added', async (_, days) => {
    const { directory, ask } = await openFixture(days.map((day) => ({ day })));
    const older = { ...pairDays, columns: pairDays.columns.slice(0, -1) };
    await writeFile(join(directory, mergedKey(older, '2026-01-05')), writeRows(older, pairRowsOfFlows([FLOW])));
    const asked = ask('select * from pair_days');
    await expect(asked).rejects.toThrow(StorageError);
    await expect(asked).rejects.toThrow(
        /^column fwd_pkts_max is missing in [^ ]*day=2026-01-05.part-00.parquet, as in files of an older format: run flowlake reconcile$/,
    );
});

test.each([
    ['the only day', [DAY]],
    ['the last day', ['2026-01-04', DAY]],
    ['the first day', [DAY, '2026-01-06']],
])('counts every flow of %s as one with a duration where it was written when all had one', async (_, days) => {
    const others = days.filter((day) => day !== DAY);
    const { directory, ask } = await openFixture(others.flatMap((day) => [{ day }, { day, duration: null }]));
    for (const key of [pairDaysKey(DAY), summaryKey({ day: DAY, source: '0'.repeat(16), version: `1-${'0'.repeat(16)}` })]) {
        await mkdir(dirname(join(directory, key)), { recursive: true });
        await writeFile(join(directory, key), writeRows(PAIR_DAYS_OF_FORMAT_2, pairRowsOfFlows([FLOW, FLOW, FLOW])));
    }
    const columns = 'day, flows, timed_flows, flow_duration_us_min as shortest';
    expect(await ask(`select ${columns} from pair_days order by day`)).toEqual(
        days.map((day) => ({ day, flows: day === DAY ? 3n : 2n, timed_flows: day === DAY ? 3n : 1n, shortest: day === DAY ? 5n : 1000n })),
    );
    expect(await ask(`select ${columns} from flow_summaries`)).toEqual([{ day: DAY, flows: 3n, timed_flows: 3n, shortest: 5n }]);
    expect(await ask(`select sum(timed_flows) as timed from pair_days where src_ip = '10.0.0.1'`)).toEqual([
        { timed: BigInt(3 + others.length) },
    ]);
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

describe('a kind whose tables are by the hour', () => {
    const columns: MergedColumn[] = [
        key('meter', 'which meter'),
        merged('readings', 'sum', 'readings merged here'),
        { ...merged('wh_min', 'min', 'smallest reading'), nullable: true },
    ];
    const hours: MergedTable = {
        name: 'meter_hours',
        prefix: 'meters/hours/',
        format: 'parquet',
        per: 'hour',
        grain: 'meter and hour',
        columns,
        rowName: '{meter}',
    };
    const meters: Kind = {
        ...flows,
        name: 'meters',
        merged: hours,
        contributions: { ...hours, name: 'meter_contributions', prefix: 'meters/contributions/' },
        rejects: { ...flows.rejects, name: 'meter_rejects', prefix: 'meters/rejects/' },
    };

    /** All rows of the relation, as the kind's relations find them in the directory. */
    async function rowsIn(directory: string, name: string): Promise<Record<string, unknown>[]> {
        const relations = relationsOf(directory, [flows, meters]);
        const connection = await (await DuckDBInstance.create(':memory:')).connect();
        const wanted = relations.find((relation) => relation.name === name)!;
        for (const relation of relations.filter((one) => one === wanted || wanted.needs.includes(one.name))) {
            await connection.run(relation.createSql({ hasFiles: await relation.hasFiles() }));
        }
        const rows = (await connection.runAndReadAll(`select * from ${name} order by all`)).getRowObjects();
        connection.closeSync();
        return rows;
    }

    async function put(directory: string, objectKey: string, rows: readonly (string | bigint | null)[][]): Promise<void> {
        await mkdir(dirname(join(directory, objectKey)), { recursive: true });
        await writeFile(join(directory, objectKey), writeParquetTable({ columns, rows: rows.map((row) => [...row]) }));
    }

    test('has the rows of all hours with their day, and none of what no hour is', async () => {
        const directory = await makeFolder();
        expect(await rowsIn(directory, 'meter_hours')).toEqual([]);
        await put(directory, mergedKey(hours, '2026-01-05T00'), [['a', 1n, 5n]]);
        await put(directory, mergedKey(hours, '2026-01-05T23'), [['a', 2n, null]]);
        await put(directory, mergedKey(hours, '2026-01-06T13'), [['b', 3n, 7n]]);
        await put(directory, 'meters/hours/day=2026-01-06/part-00.parquet', [['stray', 4n, 1n]]);
        await put(directory, 'meters/hours/day=2026-01-06/xx.parquet', [['stray', 5n, 1n]]);
        expect(await rowsIn(directory, 'meter_hours')).toEqual([
            { meter: 'a', readings: 1n, wh_min: 5n, day: '2026-01-05' },
            { meter: 'a', readings: 2n, wh_min: null, day: '2026-01-05' },
            { meter: 'b', readings: 3n, wh_min: 7n, day: '2026-01-06' },
        ]);
    });

    test('has contributions by the hour, and rejects of the versions that count', async () => {
        const directory = await makeFolder();
        const version = { source: sourceId('raw/kind=meters/a'), version: '1-0000000000000001' };
        await put(directory, contributionKey(meters.contributions, { period: '2026-01-05T07', ...version }), [['a', 1n, 5n]]);
        await putSource(directory, { source: 'raw/kind=meters/a', version: version.version });
        for (const one of [version.version, '2-0000000000000002']) {
            const objectKey = rejectsKeyOf(meters.rejects, { ...version, version: one });
            const reject = { source: 'raw/kind=meters/a', version: one, line_number: 3, reason: 'nan', line: 'x' };
            await mkdir(dirname(join(directory, objectKey)), { recursive: true });
            await writeFile(join(directory, objectKey), gzipSync(`${JSON.stringify(reject)}\n`));
        }
        expect(await rowsIn(directory, 'meter_contributions')).toEqual([{ meter: 'a', readings: 1n, wh_min: 5n, day: '2026-01-05' }]);
        expect(await rowsIn(directory, 'meter_rejects')).toMatchObject([{ version: version.version, line_number: 3n }]);
    });

    test('is a relation more, and views need the tables that they read, and no others', async () => {
        const relations = relationsOf(await makeFolder(), [flows, meters]);
        const names = relations.map(({ name }) => name);
        expect(names).toEqual(expect.arrayContaining(['sources', 'pair_days', 'meter_hours', 'meter_rejects', ...VIEW_NAMES]));
        expect(new Set(names).size).toBe(names.length);
        const needsOf = (name: string) => relations.find((relation) => relation.name === name)?.needs;
        expect(needsOf('day_totals')).toEqual(['pair_days']);
        expect(needsOf('pair_features')).toEqual(['pair_days', 'pair_running']);
        for (const { name, needs } of relations) {
            expect(needs.every((need) => names.indexOf(need) < names.indexOf(name))).toBe(true);
        }
    });
});
