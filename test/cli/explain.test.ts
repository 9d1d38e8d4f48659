/** `explain`: which files, and which of their lines, a figure comes from; and what is said where they do not come to it. */
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { containedOf } from '#lake/commit/period-state';
import { openDirectoryStore } from '#lake/store/directory';
import { runLine } from '#test/cli/fake-surroundings';
import { flowCsv } from '#test/support/flow-csv';
import { ofDay, pairDaysKey, readPairRows, writePairRows } from '#test/support/flow-tables';
import { runFlowlake } from '#test/support/flowlake';
import { makeFolder } from '#test/support/temporary';

const DAY = '2026-03-31';
const PAIR = ['192.0.2.1', '198.51.100.1'];

/** Two files of site main and one of berlin with the pair on the day, one without. */
async function makeLake() {
    const folder = await makeFolder();
    await writeFile(
        join(folder, 'a.csv'),
        `${flowCsv([{ duration: 5 }, { src: '10.0.0.9' }, { duration: 7, packets: 4 }, { timestamp: '30/03/2026' }])}`,
    );
    await writeFile(join(folder, 'b.csv'), flowCsv([{ duration: 11 }]));
    await writeFile(join(folder, 'c.csv'), flowCsv([{ src: '10.0.0.7' }]));
    await writeFile(join(folder, 'd.csv'), flowCsv([{ duration: 100, packets: 9 }]));
    await runFlowlake('--lake lake upload --date-order dmy a.csv b.csv c.csv', { folder });
    await runFlowlake('--lake lake upload --date-order dmy --site berlin d.csv', { folder });
    const run = (...words: string[]) => runLine(['--lake', join(folder, 'lake'), ...words]);
    const ask = async (...words: string[]) => {
        const { stdout, ...rest } = await run('--output', 'json', 'explain', ...PAIR, ...words);
        return { ...rest, rows: JSON.parse(stdout) };
    };
    return { folder, run, ask, store: openDirectoryStore(join(folder, 'lake')) };
}

test('a row for each file that has the pair on the day, and a total for each site that is what pair_days says', async () => {
    const { ask } = await makeLake();
    const { rows, exitCode, stderr } = await ask(DAY);
    expect(rows).toMatchObject([
        { site: 'berlin', source: 'raw/site=berlin/d.csv', flows: 1, flow_duration_us_sum: 100, fwd_pkts_sum: 9, share_of_flows: 1 },
        { site: 'berlin', source: 'total', version: null, flows: 1, flow_duration_us_sum: 100 },
        { site: 'main', source: 'raw/a.csv', flows: 2, flow_duration_us_sum: 12, flow_duration_us_min: 5, flow_duration_us_max: 7 },
        { site: 'main', source: 'raw/b.csv', flows: 1, flow_duration_us_sum: 11 },
        { site: 'main', source: 'total', flows: 3, flow_duration_us_sum: 23, flow_duration_us_min: 5, flow_duration_us_max: 11 },
    ]);
    expect(rows[2].share_of_flows).toBeCloseTo(2 / 3);
    expect([exitCode, stderr]).toEqual([0, 'As in pair_days, figure by figure\n']);
    expect((await ask(DAY, '--site', 'berlin')).rows).toHaveLength(2);
});

test('--lines shows file, line number and row of every flow, as the file has them', async () => {
    const { ask } = await makeLake();
    const { rows, exitCode } = await ask(DAY, '--site', 'main', '--lines');
    expect(rows.map(({ line: _, ...row }: { line: string }) => row)).toEqual([
        { source: 'raw/a.csv', line_number: 2, flow_duration_us: 5, fwd_pkts: rows[0].fwd_pkts },
        { source: 'raw/a.csv', line_number: 4, flow_duration_us: 7, fwd_pkts: 4 },
        { source: 'raw/b.csv', line_number: 2, flow_duration_us: 11, fwd_pkts: rows[2].fwd_pkts },
    ]);
    expect(rows[1].line).toContain('192.0.2.1');
    expect(exitCode).toBe(0);
});

test('a flow without a duration is shown as one, and counts with its packets', async () => {
    const { folder, ask, run } = await makeLake();
    await writeFile(
        join(folder, 'z.csv'),
        flowCsv([
            { duration: '-', packets: 2 },
            { duration: 0, packets: 1 },
        ]),
    );
    await writeFile(join(folder, 'never.csv'), flowCsv([{ duration: '', packets: 6 }]));
    await runFlowlake('--lake lake upload --date-order dmy --site osaka z.csv never.csv', { folder });
    const { rows, exitCode } = await ask(DAY, '--site', 'osaka');
    expect(rows).toMatchObject([
        {
            source: 'raw/site=osaka/never.csv',
            flows: 1,
            timed_flows: 0,
            flow_duration_us_sum: 0,
            flow_duration_us_max: null,
            fwd_pkts_sum: 6,
        },
        { source: 'raw/site=osaka/z.csv', flows: 2, timed_flows: 1, flow_duration_us_sum: 0, flow_duration_us_min: 0, fwd_pkts_sum: 3 },
        { source: 'total', flows: 3, timed_flows: 1, flow_duration_us_min: 0, flow_duration_us_max: 0, fwd_pkts_sum: 9 },
    ]);
    const lines = await ask(DAY, '--site', 'osaka', '--lines');
    expect(lines.rows).toMatchObject([
        { source: 'raw/site=osaka/never.csv', line_number: 2, flow_duration_us: null, fwd_pkts: 6 },
        { source: 'raw/site=osaka/z.csv', line_number: 2, flow_duration_us: null, fwd_pkts: 2 },
        { source: 'raw/site=osaka/z.csv', line_number: 3, flow_duration_us: 0, fwd_pkts: 1 },
    ]);
    expect([exitCode, lines.exitCode, lines.stderr]).toEqual([0, 0, 'As in pair_days, figure by figure\n']);
    const { stdout } = await run('--output', 'csv', 'explain', ...PAIR, DAY, '--site', 'osaka', '--lines');
    expect(stdout).toMatch(/^raw\/site=osaka\/never.csv,2,,6,/m);
});

test('--lines takes the days as the file’s own order has them', async () => {
    const { folder, ask } = await makeLake();
    await writeFile(
        join(folder, 'us.csv'),
        flowCsv([{ timestamp: '04/03/2026' }, { timestamp: '03/04/2026' }, { timestamp: '03/31/2026' }]),
    );
    await runFlowlake('--lake lake upload --site osaka us.csv', { folder });
    const { rows, exitCode } = await ask('2026-03-04', '--lines');
    expect([exitCode, rows.map((row: { line_number: number }) => row.line_number)]).toEqual([0, [3]]);
});

test('--limit bounds the lines that are shown; all are counted', async () => {
    const { ask } = await makeLake();
    const { rows, stderr, exitCode } = await ask(DAY, '--lines', '--limit', '1');
    expect([rows.length, exitCode]).toEqual([1, 0]);
    expect(stderr).toContain('These are the first 1 of 4 lines');
});

test('where pair_days says something else, it is said figure by figure, with what to do', async () => {
    const { ask, store } = await makeLake();
    const object = await store.get(pairDaysKey(DAY));
    const wrong = await readPairRows(object!.bytes);
    const at = wrong.site.findIndex((site, row) => site === 'main' && wrong.src_ip[row] === PAIR[0]);
    wrong.fwd_pkts_sum_sq[at]! += 1n;
    wrong.flows[at]! += 2n;
    await store.put(pairDaysKey(DAY), writePairRows(wrong, { contains: await containedOf(ofDay(DAY), { store }) }));
    const { stderr, exitCode, rows } = await ask(DAY);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
        /flows at site main is 5 in pair_days, its sources make 3\n.*fwd_pkts_sum_sq at site main.*\nSee flowlake verify --from 2026-03-31/,
    );
    expect(rows.at(-1)).toMatchObject({ source: 'total', flows: 3 });
});

test('a summary that is gone, and a raw file that is gone or was changed, are said', async () => {
    const { folder, ask } = await makeLake();
    await rm(join(folder, 'lake/raw/a.csv'));
    await writeFile(join(folder, 'lake/raw/b.csv'), flowCsv([{ duration: 12 }]));
    const lines = await ask(DAY, '--site', 'main', '--lines');
    expect([lines.exitCode, lines.rows]).toEqual([1, []]);
    expect(lines.stderr).toMatch(/lines of raw\/a\.csv cannot be shown: it is gone\n.*raw\/b\.csv cannot be shown: it was changed since/);
    const summaries = join(folder, `lake/summaries/day=${DAY}`);
    for (const name of await readdir(summaries)) {
        await rm(join(summaries, name));
    }
    const { stderr, exitCode } = await ask(DAY);
    expect(exitCode).toBe(1);
    expect(stderr.match(/ is gone: what it contributed/g)).toHaveLength(4);
    expect(stderr).toContain('waits to be consolidated');
});

test("a day's object that is damaged is named, with what to do", async () => {
    const { folder, run } = await makeLake();
    await writeFile(join(folder, 'lake', pairDaysKey(DAY)), 'no Parquet at all');
    expect(await run('explain', ...PAIR, DAY)).toMatchObject({
        exitCode: 1,
        stderr: expect.stringMatching(
            /pair_days\/day=2026-03-31\/part-00\.parquet .*: flowlake rebuild --from 2026-03-31 --to 2026-03-31 --anew/,
        ),
    });
});

test('a day that the pair has not: its nearest days; a pair that is not there: the nearest pairs; no day at all: wrong usage', async () => {
    const { run } = await makeLake();
    expect(await run('explain', ...PAIR, '2026-03-20')).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining('The nearest of its 2 days: 2026-03-30, 2026-03-31'),
    });
    expect(await run('explain', '192.0.2.1', '198.51.100.3', DAY)).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining('The nearest that exist'),
    });
    expect(await run('explain', ...PAIR, '2026-02-30')).toMatchObject({
        exitCode: 2,
        stderr: expect.stringContaining('no day of the calendar'),
    });
});

test.each([
    [['192.0.2.1', DAY], '2 of 3'],
    [[...PAIR, 'berlin', DAY], '4 of 3'],
])('%j is no pair and day: wrong usage, which names what explain takes', async (words, given) => {
    const { exitCode, stderr } = await runLine(['--lake', 'nowhere', 'explain', ...words]);
    expect({ exitCode, stderr }).toEqual({
        exitCode: 2,
        stderr: expect.stringContaining(`Of flows explain takes <src_ip> <dst_ip> <day>: got ${given} arguments`),
    });
});

test('a kind that there is not, and an hour where days are kept, are wrong usage', async () => {
    expect(await runLine(['--lake', 'nowhere', 'explain', '--kind', 'moons', ...PAIR, DAY])).toMatchObject({ exitCode: 2 });
    expect(await runLine(['--lake', 'nowhere', 'explain', '--kind', 'flows', ...PAIR, `${DAY}T13`])).toMatchObject({
        exitCode: 2,
        stderr: expect.stringContaining(`"${DAY}T13" is no day of the calendar`),
    });
});
