/** `flowlake features` on a lake in a directory, as its user runs it. */
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { flowCsv } from '#test/support/flow-csv';
import { runFlowlake } from '#test/support/flowlake';
import { makeFolder } from '#test/support/temporary';

const DAYS = ['2026-03-28', '2026-03-30', '2026-03-31'];
const RANGE = '--from 2026-03-01 --to 2026-03-31';

async function makeLake() {
    const folder = await makeFolder();
    const rows = ['28/03/2026', '30/03/2026', '31/03/2026'].flatMap((timestamp, at) => [
        { timestamp, src: '10.7.7.7', packets: at * at },
        { timestamp, src: '10.7.7.10', packets: 3 },
    ]);
    await writeFile(join(folder, 'a.csv'), flowCsv(rows));
    await writeFile(join(folder, 'b.csv'), flowCsv([{ timestamp: '30/03/2026', src: '10.7.7.8' }]));
    const run = (line: string) => runFlowlake(`--lake lake --output json ${line}`, { folder });
    const features = async (line: string) => {
        const { exitCode, stdout, stderr } = await run(`features ${line}`);
        return { exitCode, stderr, rows: JSON.parse(stdout || '[]') as unknown };
    };
    const objectOf = (day: string) => join(folder, `lake/exports/features/day=${day}/part-00.parquet`);
    expect((await run('upload a.csv b.csv')).exitCode).toBe(0);
    return { folder, run, features, objectOf };
}

/** The rows of a day's object, numbers as `query` prints them. */
async function rowsOf(path: string): Promise<object[]> {
    const rows = await parquetReadObjects({ file: await asyncBufferFromFile(path) });
    return JSON.parse(JSON.stringify(rows, (_, value) => (typeof value === 'bigint' ? Number(value) : value)));
}

/** Every object of a day, without the manifests. */
async function everyObject(folder: string): Promise<string[]> {
    const names = await readdir(join(folder, 'lake/exports'), { recursive: true, withFileTypes: true }).catch(() => []);
    const files = names.filter((entry) => entry.name.endsWith('.parquet')).map((entry) => join(entry.parentPath, entry.name));
    return Promise.all(files.sort().map(async (path) => `${path} ${(await readFile(path)).toString('base64')}`));
}

test('each day’s object has the rows of the view, in the order of their pairs', async () => {
    const { run, features, objectOf } = await makeLake();
    expect(await features(RANGE)).toEqual({
        exitCode: 0,
        stderr: '',
        rows: DAYS.map((period, at) => ({ period, table: 'pair_features', what: 'written', sources: null, rows: at === 1 ? 3 : 2 })),
    });
    for (const day of DAYS) {
        const { stdout } = await run(`query "select * from pair_features where day = '${day}' order by site, src_ip, dst_ip"`);
        const expected = (JSON.parse(stdout) as { day: string }[]).map(({ day: _, ...row }) => row);
        expect(expected.length).toBeGreaterThan(1);
        expect(await rowsOf(objectOf(day))).toEqual(expected);
    }
});

test('columns are whole numbers, doubles, texts and one that is true or false', async () => {
    const { features, objectOf } = await makeLake();
    await features(RANGE);
    const { schema } = await parquetMetadataAsync(await asyncBufferFromFile(objectOf('2026-03-31')));
    const types = new Map(schema.slice(1).map(({ name, type }) => [name, type]));
    expect(types.has('day')).toBe(false);
    expect([...types.keys()].filter((name) => types.get(name) === 'BOOLEAN')).toEqual(['is_weekend']);
    expect([...types.keys()].filter((name) => types.get(name) === 'BYTE_ARRAY')).toEqual(['site', 'src_ip', 'dst_ip']);
    expect(types.get('days_since_last_seen')).toBe('INT64');
    expect(types.get('fwd_pkts_past_z_score')).toBe('DOUBLE');
});

test('a range writes its own days only, both ends included, and they say the same as in a run over all days', async () => {
    const { folder, features } = await makeLake();
    await features(RANGE);
    const whole = await everyObject(folder);
    await rm(join(folder, 'lake/exports'), { recursive: true });
    await features('--from 2026-03-30 --to 2026-03-30');
    expect(await everyObject(folder)).toEqual(whole.slice(1, 2));
    await features('--from 2026-03-28 --to 2026-03-31');
    expect(await everyObject(folder)).toEqual(whole);
});

test('a day that has no pairs any more loses its object, one outside of the range keeps it', async () => {
    const { folder, run, features, objectOf } = await makeLake();
    await writeFile(join(folder, 'c.csv'), flowCsv([{ timestamp: '02/04/2026' }, { timestamp: '03/04/2026' }]));
    await run('upload c.csv');
    await features('--from 2026-03-01 --to 2026-04-30');
    expect((await run('retract raw/c.csv')).exitCode).toBe(0);
    const planned = await features('--from 2026-03-31 --to 2026-04-02 --dry-run');
    expect(planned.rows).toEqual([
        { period: '2026-03-31', table: 'pair_features', what: 'is to be written', sources: null, rows: 2 },
        { period: '2026-04-02', table: 'pair_features', what: 'has no pairs, its object is to go', sources: null, rows: null },
    ]);
    await stat(objectOf('2026-04-02'));
    const done = await features('--from 2026-03-31 --to 2026-04-02');
    expect(done.rows).toEqual([
        { period: '2026-03-31', table: 'pair_features', what: 'written', sources: null, rows: 2 },
        { period: '2026-04-02', table: 'pair_features', what: 'has no pairs, its object was removed', sources: null, rows: null },
    ]);
    await expect(stat(objectOf('2026-04-02'))).rejects.toThrow('ENOENT');
    await stat(objectOf('2026-04-03'));
});

test('a dry run and a range without days write nothing', async () => {
    const { folder, features } = await makeLake();
    expect((await features(`${RANGE} --dry-run`)).rows).toHaveLength(3);
    expect(await features('--from 2025-01-01 --to 2025-01-31')).toEqual({
        exitCode: 0,
        stderr: 'No day from 2025-01-01 to 2025-01-31 has figures\n',
        rows: [],
    });
    expect(await everyObject(folder)).toEqual([]);
});

test('a range without its ends is refused with an example', async () => {
    const { features } = await makeLake();
    const { exitCode, stderr } = await features('--from 2026-03-01');
    expect(exitCode).toBe(2);
    expect(stderr).toContain('features --from 2026-01-01 --to 2026-01-31');
});
