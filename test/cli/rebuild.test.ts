/** `flowlake rebuild` on a lake in a directory, as its user runs it. */
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { flowCsv } from '#test/support/flow-csv';
import { collect, runFlowlake, startFlowlake } from '#test/support/flowlake';
import { makeFolder } from '#test/support/temporary';

const DAYS = ['2026-03-29', '2026-03-30', '2026-03-31'];
const RANGE = '--from 2026-03-01 --to 2026-03-31';

async function makeLake() {
    const folder = await makeFolder();
    await writeFile(join(folder, 'a.csv'), flowCsv(['29/03/2026', '30/03/2026', '31/03/2026'].map((timestamp) => ({ timestamp }))));
    await writeFile(join(folder, 'b.csv'), flowCsv([{ timestamp: '30/03/2026', src: '10.7.7.7' }]));
    const run = (line: string) => runFlowlake(`--lake lake ${line}`, { folder });
    const rebuild = async (line: string) => {
        const ran = await run(`--output json rebuild ${line}`);
        return {
            ...ran,
            rows: JSON.parse(ran.stdout || '[]') as {
                period: string;
                table: string;
                what: string;
                sources: number | null;
                rows: number | null;
            }[],
        };
    };
    const objectOf = (day: string) => join(folder, `lake/pair_days/day=${day}/part-00.parquet`);
    expect((await run('upload a.csv b.csv')).exitCode).toBe(0);
    return { folder, run, rebuild, objectOf };
}

/** Every file of the lake with its content and time. */
async function snapshot(folder: string): Promise<string[]> {
    const names = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    return Promise.all(
        files.sort().map(async (path) => `${path} ${(await stat(path)).mtimeMs} ${(await readFile(path)).toString('base64')}`),
    );
}

test('days that are right are left as they are, and said to be', async () => {
    const { rebuild, folder } = await makeLake();
    const before = (await snapshot(join(folder, 'lake/pair_days'))).join();
    const { exitCode, rows } = await rebuild(RANGE);
    expect(exitCode).toBe(0);
    expect(rows).toEqual(
        DAYS.map((period, at) => ({ period, table: 'pair_days', what: 'was right', sources: at === 1 ? 2 : 1, rows: null })),
    );
    expect((await snapshot(join(folder, 'lake/pair_days'))).join()).toBe(before);
});

test('days that lack figures get them; both ends of the range are of it, and no other day', async () => {
    const { rebuild, objectOf } = await makeLake();
    for (const day of DAYS) {
        await rm(objectOf(day));
    }
    const { exitCode, rows } = await rebuild('--from 2026-03-30 --to 2026-03-31');
    expect([exitCode, rows]).toEqual([
        0,
        [
            { period: '2026-03-30', table: 'pair_days', what: 'written', sources: 2, rows: 2 },
            { period: '2026-03-31', table: 'pair_days', what: 'written', sources: 1, rows: 1 },
        ],
    ]);
    await expect(stat(objectOf('2026-03-29'))).rejects.toThrow('ENOENT');
    expect((await rebuild(RANGE)).rows.map(({ what }) => what)).toEqual(['written', 'was right', 'was right']);
});

test('a damaged day is said, with what mends it, and the others are done; --anew mends it', async () => {
    const { run, rebuild, objectOf } = await makeLake();
    const whole = await readFile(objectOf('2026-03-30'));
    await writeFile(objectOf('2026-03-30'), 'no Parquet');
    await rm(objectOf('2026-03-31'));
    const { exitCode, rows, stderr } = await rebuild(RANGE);
    expect([exitCode, rows.map(({ what }) => what.slice(0, 9))]).toEqual([1, ['was right', 'failed: p', 'written']]);
    expect(rows[1]?.what).toMatch(/part-00\.parquet cannot be read as Parquet .*flowlake rebuild --from 2026-03-30 --to 2026-03-30 --anew/);
    expect(stderr).toMatch(/1 of 3 days failed \(2026-03-30\), the others are done/);
    const table = await run(`rebuild ${RANGE}`);
    expect(table.stdout).toMatch(/^2026-03-30 +pair_days +failed *$/m);
    expect(table.stderr).toMatch(/^2026-03-30 failed: pair_days\/day=2026-03-30/m);
    const mended = await rebuild('--from 2026-03-30 --to 2026-03-30 --anew');
    expect([mended.exitCode, mended.rows]).toEqual([
        0,
        [{ period: '2026-03-30', table: 'pair_days', what: 'written', sources: 2, rows: 2 }],
    ]);
    expect(await readFile(objectOf('2026-03-30'))).toEqual(whole);
    expect((await rebuild(RANGE)).exitCode).toBe(0);
});

test('a dry run tells of each day what is done then, and changes nothing', async () => {
    const { run, rebuild, folder, objectOf } = await makeLake();
    await rm(objectOf('2026-03-31'));
    const before = await snapshot(join(folder, 'lake'));
    expect((await rebuild(`${RANGE} --dry-run`)).rows).toEqual([
        { period: '2026-03-29', table: 'pair_days', what: 'is right', sources: 1, rows: null },
        { period: '2026-03-30', table: 'pair_days', what: 'is right', sources: 2, rows: null },
        { period: '2026-03-31', table: 'pair_days', what: 'needs to be built anew from 1 source', sources: 1, rows: null },
    ]);
    expect((await rebuild(`${RANGE} --dry-run --anew`)).rows.map(({ what }) => what)).toEqual([
        'needs to be built anew from 1 source',
        'needs to be built anew from 2 sources',
        'needs to be built anew from 1 source',
    ]);
    expect(await snapshot(join(folder, 'lake'))).toEqual(before);
    const old = await readFile(objectOf('2026-03-30'));
    await writeFile(join(folder, 'c.csv'), flowCsv([{ timestamp: '30/03/2026', src: '10.8.8.8' }]));
    await run('upload c.csv');
    await writeFile(objectOf('2026-03-30'), old);
    expect((await rebuild('--from 2026-03-30 --to 2026-03-30 --dry-run')).rows[0]?.what).toBe('needs 1 source merged into 2');
});

test('a range without days is said, and is no failure', async () => {
    const { rebuild } = await makeLake();
    const { exitCode, rows, stderr } = await rebuild('--from 2025-01-01 --to 2025-12-31');
    expect([exitCode, rows, stderr]).toEqual([0, [], 'No day from 2025-01-01 to 2025-12-31 has files or figures\n']);
});

test('a range must be given whole and in order', async () => {
    const { run } = await makeLake();
    expect(await run('rebuild --from 2026-03-01')).toMatchObject({
        exitCode: 2,
        stderr: expect.stringContaining('first and the last day'),
    });
    expect(await run('rebuild --from 2026-03-02 --to 2026-03-01')).toMatchObject({
        exitCode: 2,
        stderr: expect.stringContaining('is later than'),
    });
});

test('Ctrl-C ends with 130, and leaves no day half written and nothing for others to finish', async () => {
    const folder = await makeFolder();
    const rows = Array.from({ length: 60 }, (_, at) => ({ timestamp: `${1 + (at % 28)}/0${1 + Math.floor(at / 28)}/2026` }));
    await writeFile(join(folder, 'a.csv'), flowCsv(rows.map((row) => ({ ...row, timestamp: row.timestamp.padStart(10, '0') }))));
    const run = (line: string) => runFlowlake(`--lake lake ${line}`, { folder });
    expect((await run('upload a.csv')).exitCode).toBe(0);
    const child = startFlowlake('--lake lake rebuild --from 2026-01-01 --to 2026-12-31 --anew', { folder });
    const ended = collect(child);
    const folderOfMarks = join(folder, 'lake/.flowlake/running');
    while ((await readdir(folderOfMarks).catch(() => [])).length === 0 && child.exitCode === null) {
        await new Promise((resolve) => setImmediate(resolve));
    }
    child.kill('SIGINT');
    const { exitCode, stderr } = await ended;
    expect(exitCode).toBe(130);
    expect(stderr).toMatch(/\d+ of 60 days done, the others are as they were/);
    expect(await readdir(folderOfMarks)).toEqual([]);
    expect(await readdir(join(folder, 'lake/.flowlake/tmp'))).toEqual([]);
    const after = await run('--output json rebuild --from 2026-01-01 --to 2026-12-31');
    expect(new Set(JSON.parse(after.stdout).map(({ what }: { what: string }) => what))).toEqual(new Set(['was right']));
});

test('what a command left that was killed is finished first', async () => {
    const { folder, run, rebuild } = await makeLake();
    const marks = join(folder, 'lake/.flowlake/running');
    await writeFile(join(marks, '999999-x'), 'gone 999999 1');
    await writeFile(join(folder, 'lake/raw/hand.csv'), flowCsv([{ timestamp: '28/03/2026' }]));
    const { stderr, exitCode } = await rebuild('--from 2026-03-31 --to 2026-03-31');
    expect([exitCode, stderr]).toEqual([0, 'A command was cut off in this lake; finishing its work first\n']);
    expect(await readdir(marks)).toEqual([]);
    expect((await run('status')).exitCode).toBe(0);
});
