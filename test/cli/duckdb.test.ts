/** `flowlake duckdb`: a database that any program with DuckDB opens, with the answers that `flowlake query` gives. */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { expect, test } from '@jest/globals';
import { tables } from '#lake/kinds';
import { VIEW_NAMES } from '#lake/query/sql-files';
import { runLine } from '#test/cli/fake-surroundings';
import { openFleet } from '#test/support/fleet-fixture';
import { putFlows } from '#test/support/lake-fixture';
import { makeFolder } from '#test/support/temporary';

/** Asks the database as another program does: with DuckDB alone, read-only. */
async function ask(file: string, sql: string): Promise<unknown[][]> {
    const instance = await DuckDBInstance.create(file, { access_mode: 'READ_ONLY' });
    try {
        const connection = await instance.connect();
        const rows = await (await connection.runAndReadAll(sql)).getRowsJson();
        connection.closeSync();
        return rows;
    } finally {
        instance.closeSync();
    }
}

const FLOWS = [
    { day: '2026-01-05', packets: 9_007_199_254_740_993n },
    { day: '2026-01-06', dst: '10.0.0.3', packets: 9_223_372_036_854_775_807n },
];

function makeLake() {
    return openFleet({
        readings: ['10:00:00.25', '10:10', '11:00'].map((time, at) => ({ at: `2026-01-05T${time}Z`, is: `${20 + at}.5` })),
        devices: [{ device: 'd1', site: 'main', ip: '10.0.0.1' }],
        flows: FLOWS,
    });
}

test('every table and view is in it, and answers as the lake does', async () => {
    const { directory, engine } = await makeLake();
    const file = join(await makeFolder(), 'it’s a "lake".duckdb');
    const { exitCode, stderr } = await runLine(['--lake', directory, 'duckdb', file]);
    expect({ exitCode, stderr: stderr.split('\n')[0] }).toEqual({ exitCode: 0, stderr: expect.stringMatching(/tables and views of /) });
    const names = [...tables.map(({ name }) => name), ...VIEW_NAMES, 'readings_wide_made_up'].sort();
    expect((await ask(file, 'select view_name from duckdb_views() where not internal order by 1')).flat()).toEqual(names);
    for (const name of names.filter((one) => one !== 'readings_wide_made_up')) {
        const { batches } = await engine.query(`select cast(count(*) as varchar) from ${name}`);
        const known: unknown[] = [];
        for await (const batch of batches) {
            known.push(...batch);
        }
        expect({ name, rows: await ask(file, `select cast(count(*) as varchar) from ${name}`) }).toEqual({ name, rows: known });
    }
    expect(await ask(file, 'select day, cast(fwd_pkts_sum as varchar) from day_totals order by day')).toEqual([
        ['2026-01-05', '9007199254740993'],
        ['2026-01-06', '9223372036854775807'],
    ]);
    expect(await ask(file, 'select count(*) from readings_wide_made_up')).toEqual([['3']]);
});

test('what is uploaded later is in its answers', async () => {
    const { directory } = await makeLake();
    const file = join(await makeFolder(), 'lake.duckdb');
    await runLine(['--lake', directory, 'duckdb', file]);
    await putFlows(directory, [{ day: '2026-01-07' }]);
    expect(await ask(file, 'select count(*) from day_totals')).toEqual([['3']]);
});

test('tables that stay empty in it are named', async () => {
    const { directory } = await makeLake();
    const { stderr } = await runLine(['--lake', directory, 'duckdb', join(await makeFolder(), 'lake.duckdb')]);
    expect(stderr).toMatch(/^Without rows in it, also later on: .*\brejects\b.*\. Write the file again once these have rows$/m);
    expect(stderr).not.toMatch(/\bpair_days\b/);
});

test('a file that is there is replaced as a whole, and nothing else is left beside it', async () => {
    const { directory } = await makeLake();
    const folder = await makeFolder();
    await writeFile(join(folder, 'lake.duckdb'), 'something else');
    expect((await runLine(['--lake', directory, 'duckdb', join(folder, 'lake.duckdb')])).exitCode).toBe(0);
    expect(await readdir(folder)).toEqual(['lake.duckdb']);
    expect(await ask(join(folder, 'lake.duckdb'), 'select count(*) from day_totals')).toEqual([['2']]);
});

test.each<[string, (folder: string) => Promise<string>, RegExp]>([
    ['a folder', async (folder) => folder, /is no plain file/],
    ['a place that is not there', async (folder) => join(folder, 'nowhere/lake.duckdb'), /Cannot write .*nowhere/],
])('%s is refused, and nothing is left', async (_, placeIn, said) => {
    const { directory } = await makeLake();
    const folder = join(await makeFolder(), 'target');
    await mkdir(folder);
    const { exitCode, stderr } = await runLine(['--lake', directory, 'duckdb', await placeIn(folder)]);
    expect({ exitCode: exitCode > 0, stderr }).toEqual({ exitCode: true, stderr: expect.stringMatching(said) });
    expect(await readdir(folder)).toEqual([]);
});

test('for a deployed lake it says that Athena is asked', async () => {
    const { exitCode, stderr } = await runLine(['--lake', 's3://some-bucket', 'duckdb', 'lake.duckdb']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringContaining('A deployed lake is asked by Athena') });
});
