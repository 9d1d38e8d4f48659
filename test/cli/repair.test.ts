/** What brings a lake back into order: status, reconcile, retract, prune, and the upload after a kill. */
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { sourceId } from '#lake/source-id';
import { flowCsv } from '#test/support/flow-csv';
import { collect, runFlowlake, startFlowlake } from '#test/support/flowlake';
import { makeFolder } from '#test/support/temporary';

async function makeLake() {
    const folder = await makeFolder();
    await writeFile(join(folder, 'a.csv'), flowCsv([{}, { timestamp: '30/03/2026' }]));
    await writeFile(join(folder, 'b.csv'), flowCsv([{ duration: 7 }]));
    const run = (line: string) => runFlowlake(`--lake lake ${line}`, { folder });
    const ask = async (sql: string): Promise<unknown> => JSON.parse((await run(`--output json query "${sql}"`)).stdout);
    await run('upload a.csv b.csv');
    return { folder, run, ask };
}

const FLOWS = 'select day, flows, flow_duration_us_sum from pair_days order by day';

test('a lake in order has status 0 and nothing to reconcile', async () => {
    const { run } = await makeLake();
    const status = await run('status --output json');
    expect(status.exitCode).toBe(0);
    expect(JSON.parse(status.stdout)).toMatchObject([{ state: 'done', sources: 2, rows_read: 3, rows_kept: 3, rows_rejected: 0 }]);
    expect((await run('reconcile')).stderr).toMatch(/Nothing is undone/);
});

test('a file put under raw/ by hand waits for reconcile, and status says so', async () => {
    const { folder, run, ask } = await makeLake();
    await mkdir(join(folder, 'lake/raw/site=berlin'), { recursive: true });
    await writeFile(join(folder, 'lake/raw/site=berlin/hand.csv'), flowCsv([{}, {}]));
    const before = await run('status');
    expect(before.exitCode).toBe(1);
    expect(before.stderr).toMatch(/1 source not in the figures yet.*raw\/site=berlin\/hand\.csv.*flowlake reconcile/);
    expect((await run('reconcile --dry-run')).stdout).toMatch(/to summarize +raw\/site=berlin\/hand\.csv/);
    expect(await ask("select count(*) as n from pair_days where site = 'berlin'")).toEqual([{ n: 0 }]);
    expect((await run('reconcile')).exitCode).toBe(0);
    expect(await ask("select flows from pair_days where site = 'berlin'")).toEqual([{ flows: 2 }]);
    expect((await run('status')).exitCode).toBe(0);
});

test('a retracted source is out of every day, stays out, and a later upload of the same bytes brings it back', async () => {
    const { run, ask } = await makeLake();
    expect((await run('retract a.csv')).exitCode).toBe(0);
    expect(await ask(FLOWS)).toEqual([{ day: '2026-03-31', flows: 1, flow_duration_us_sum: 7 }]);
    await run('reconcile');
    expect(await ask(FLOWS)).toEqual([{ day: '2026-03-31', flows: 1, flow_duration_us_sum: 7 }]);
    expect((await run('retract raw/a.csv')).stderr).toMatch(/is retracted already/);
    expect((await run('upload a.csv')).exitCode).toBe(0);
    expect(await ask(FLOWS)).toEqual([
        { day: '2026-03-30', flows: 1, flow_duration_us_sum: 100 },
        { day: '2026-03-31', flows: 2, flow_duration_us_sum: 107 },
    ]);
});

test('a source that does not exist cannot be retracted, and the nearest are named', async () => {
    const { run } = await makeLake();
    const { exitCode, stderr } = await run('retract c.csv');
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/No source c\.csv; the nearest are raw\/[ab]\.csv/);
});

test('prune frees only what is safely in the figures, and changes none', async () => {
    const { folder, run, ask } = await makeLake();
    await writeFile(join(folder, 'lake/raw/hand.csv'), flowCsv([{ timestamp: '01/02/2025' }]));
    const dry = await run('prune --raw-before 2026-04-01 --dry-run --output json');
    expect(JSON.parse(dry.stdout)).toEqual([
        { source: 'raw/a.csv', size_bytes: expect.any(Number), result: 'would go' },
        { source: 'raw/b.csv', size_bytes: expect.any(Number), result: 'would go' },
        { source: 'raw/hand.csv', size_bytes: expect.any(Number), result: expect.stringMatching(/^stays: it is not in the figures yet/) },
    ]);
    const before = await ask(FLOWS);
    expect(JSON.parse((await run('prune --raw-before 2026-03-31 --output json')).stdout)).toMatchObject([{ source: 'raw/hand.csv' }]);
    expect((await run('prune --raw-before 2026-04-01')).stderr).toMatch(/Freed .* of 2 raw files/);
    await rm(join(folder, 'lake/raw/hand.csv'));
    expect((await run('reconcile')).exitCode).toBe(0);
    expect(await ask(FLOWS)).toEqual(before);
    expect((await run('upload a.csv')).stdout).toMatch(/skipped/);
});

test('a prune that fails in the middle says what it has freed till then', async () => {
    const { folder, run } = await makeLake();
    await writeFile(join(folder, 'lake/ledger', `${sourceId('raw/b.csv')}.json`), 'rubbish');
    const { exitCode, stdout, stderr } = await run('prune --raw-before 2026-04-01 --output json');
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject([{ source: 'raw/a.csv', result: 'freed' }]);
    expect(stderr).toMatch(/Freed .* of 1 raw file\n.*is no ledger record/);
});

test('summaries lost by hand are missed, and figures never keep what is gone', async () => {
    const { folder, run, ask } = await makeLake();
    await rm(join(folder, 'lake/pair_days'), { recursive: true });
    expect((await run('status')).stderr).toMatch(/2 days not consolidated/);
    await run('reconcile');
    expect(await ask(FLOWS)).toMatchObject([{ flows: 1 }, { flows: 2 }]);
});

test('after kill -9 in the middle the next upload makes every figure right', async () => {
    const folder = await makeFolder();
    const rows = Array.from({ length: 30_000 }, (_, at) => ({ src: `10.${at % 5}.${at % 250}.1`, timestamp: `${10 + (at % 20)}/03/2026` }));
    const names = ['a', 'b', 'c', 'd'];
    for (const name of names) {
        await writeFile(join(folder, `${name}.csv`), flowCsv(rows.map((row) => ({ ...row, duration: name.charCodeAt(0) }))));
    }
    await writeFile(join(folder, 'last.csv'), flowCsv([{}]));
    for (const delayMs of [150, 250, 350, 500]) {
        const child = startFlowlake(['--lake', 'lake', 'upload', ...names.map((name) => `${name}.csv`)], { folder });
        const ended = collect(child);
        await Promise.race([ended, setTimeout(delayMs)]);
        child.kill('SIGKILL');
        await ended;
    }
    await copyFile(join(folder, 'a.csv'), join(folder, 'again.csv'));
    const { exitCode } = await runFlowlake('--lake lake upload last.csv', { folder });
    expect(exitCode).toBe(0);
    expect((await runFlowlake('--lake lake status', { folder })).exitCode).toBe(0);
    await runFlowlake(['--lake', 'lake', 'upload', ...names.map((name) => `${name}.csv`)], { folder });
    const asked = await runFlowlake(
        '--lake lake --output json query "select sum(flows) as n, sum(flow_duration_us_sum) as us from pair_days"',
        { folder },
    );
    const us = names.reduce((sum, name) => sum + rows.length * name.charCodeAt(0), 100);
    expect(JSON.parse(asked.stdout)).toEqual([{ n: 4 * rows.length + 1, us }]);
});

test('Ctrl-C ends an upload with 130 and leaves nothing half-done', async () => {
    const folder = await makeFolder();
    const rows = Array.from({ length: 200_000 }, (_, at) => ({ src: `10.${at % 5}.${at % 250}.1` }));
    await writeFile(join(folder, 'a.csv'), flowCsv(rows));
    const child = startFlowlake(['--lake', 'lake', 'upload', 'a.csv'], { folder });
    const ended = collect(child);
    await untilThere(join(folder, 'lake/.flowlake/running'));
    child.kill('SIGINT');
    const { exitCode } = await ended;
    expect([0, 130]).toContain(exitCode);
    if (exitCode === 130) {
        expect(await filesBelow(join(folder, 'lake'), ['raw', 'summaries', 'ledger', 'pair_days', '.flowlake/tmp'])).toEqual([]);
    }
    expect((await runFlowlake('--lake lake upload a.csv', { folder })).exitCode).toBe(0);
    const asked = await runFlowlake('--lake lake --output json query "select sum(flows) as n from pair_days"', { folder });
    expect(JSON.parse(asked.stdout)).toEqual([{ n: rows.length }]);
});

/** Resolves once a started program has made the file; the test's own time-out bounds it. */
async function untilThere(path: string): Promise<void> {
    while (!existsSync(path)) {
        await setTimeout(5);
    }
}

async function filesBelow(lake: string, folders: readonly string[]): Promise<string[]> {
    const found = await Promise.all(
        folders.map((folder) => readdir(join(lake, folder), { recursive: true, withFileTypes: true }).catch(() => [])),
    );
    return found.flat().flatMap((entry) => (entry.isFile() ? [entry.name] : []));
}
