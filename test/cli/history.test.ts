/** `history`: what became of a file, version by version. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ledgerKey } from '#lake/layout';
import { sourceId } from '#lake/source-id';
import { runLine } from '#test/cli/fake-surroundings';
import { flowCsv } from '#test/support/flow-csv';
import { runFlowlake } from '#test/support/flowlake';
import { makeFolder } from '#test/support/temporary';

const RECORD = `lake/${ledgerKey(sourceId('raw/a.csv'))}`;

async function makeLake() {
    const folder = await makeFolder();
    const run = (...words: string[]) => runLine(['--lake', join(folder, 'lake'), ...words]);
    await writeFile(join(folder, 'a.csv'), flowCsv([{}, { timestamp: '30/03/2026' }]));
    await runFlowlake('--lake lake upload --date-order dmy a.csv', { folder });
    await writeFile(join(folder, 'a.csv'), flowCsv([{ duration: 7 }, { duration: 8 }]));
    await runFlowlake('--lake lake upload --replace --date-order dmy a.csv', { folder });
    return { folder, run, ask: async (...words: string[]) => JSON.parse((await run('--output', 'json', 'history', ...words)).stdout) };
}

test('shows each version with its options, days and rows, the flows of the live one from its summaries', async () => {
    const { ask } = await makeLake();
    const rows = await ask('raw/a.csv');
    expect(rows).toMatchObject([
        { number: 1, state: 'superseded', days: 2, first_day: '2026-03-30', rows_read: 2, rows_kept: 2, flows: null, date_order: 'dmy' },
        { number: 2, state: 'live', ended_at: null, days: 1, first_day: '2026-03-31', rows_kept: 2, flows: 2, duration_unit: null },
    ]);
    expect(rows[0].ended_at).toBe(rows[1].committed_at);
});

test('--days shows what each version contributed to each day, as far as its summaries are there', async () => {
    const { ask } = await makeLake();
    expect(await ask('a.csv', '--days')).toEqual([
        { number: 1, state: 'superseded', day: '2026-03-30', flows: null, pairs: null },
        { number: 1, state: 'superseded', day: '2026-03-31', flows: null, pairs: null },
        { number: 2, state: 'live', day: '2026-03-31', flows: 2, pairs: 1 },
    ]);
});

test('is a table and CSV too, and names the whole key where only its end was given', async () => {
    const { run } = await makeLake();
    expect(await run('history', 'a.csv')).toMatchObject({
        exitCode: 0,
        stderr: 'raw/a.csv\n',
        stdout: expect.stringMatching(/superseded[\s\S]*live/),
    });
    expect((await run('--output', 'csv', 'history', 'raw/a.csv')).stdout).toMatch(/^number,state,committed_at,ended_at,.*\n1,superseded,2/);
});

test('what an old record does not remember is empty, not made up', async () => {
    const { folder, ask } = await makeLake();
    const { history: _, ...old } = JSON.parse(await readFile(join(folder, RECORD), 'utf8'));
    await writeFile(join(folder, RECORD), JSON.stringify(old));
    expect(await ask('a.csv')).toMatchObject([
        { number: 1, state: 'superseded', committed_at: null, ended_at: null, days: 2, rows_read: null, rows_kept: null, size_bytes: null },
        { number: 2, state: 'live', committed_at: old.summarized_at, rows_kept: 2 },
    ]);
});

test('says which summary is missing', async () => {
    const { folder, run } = await makeLake();
    await rm(join(folder, 'lake/summaries'), { recursive: true });
    const { stderr, stdout } = await run('--output', 'json', 'history', 'raw/a.csv');
    expect(stderr).toMatch(/^summaries\/day=2026-03-31\/.*\.parquet is missing: run flowlake verify --repair\n$/);
    expect(JSON.parse(stdout)[1].flows).toBe(0);
});

test('a source that does not exist: exit code 1 and the nearest', async () => {
    const { run } = await makeLake();
    expect(await run('history', 'b.csv')).toMatchObject({
        exitCode: 1,
        stderr: expect.stringMatching(/No source b\.csv; the nearest are raw\/a\.csv/),
    });
});
