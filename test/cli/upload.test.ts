/** `flowlake upload` as its users meet it, in processes of its own. */
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { flowCsv } from '#test/support/flow-csv';
import { runFlowlake } from '#test/support/flowlake';
import { makeFolder } from '#test/support/temporary';

async function makePlace(files: Record<string, string | Uint8Array>) {
    const folder = await makeFolder();
    for (const [name, content] of Object.entries(files)) {
        await mkdir(join(folder, name, '..'), { recursive: true });
        await writeFile(join(folder, name), content);
    }
    const run = (line: string, input?: string | Uint8Array) =>
        runFlowlake(`--lake lake ${line}`, { folder, ...(input !== undefined && { input }) });
    const ask = async (sql: string): Promise<unknown> => JSON.parse((await run(`--output json query "${sql}"`)).stdout);
    return { folder, run, ask };
}

const TOTALS = 'select site, day, src_ip, dst_ip, flows, flow_duration_us_sum, fwd_pkts_sum from pair_days order by 1, 2, 3, 4';

describe('an uploaded file', () => {
    test('is in the figures when the command returns, rejects counted', async () => {
        const { run, ask } = await makePlace({ 'a.csv': flowCsv([{}, { duration: 'x' }, { duration: 200, packets: 4 }]) });
        const { exitCode, stdout, stderr } = await run('--output json upload a.csv');
        expect(exitCode).toBe(0);
        expect(JSON.parse(stdout)).toEqual([
            {
                site: 'main',
                file: 'a.csv',
                result: 'added',
                rows_kept: 2,
                rows_rejected: 1,
                first_day: '2026-03-31',
                last_day: '2026-03-31',
                note: null,
            },
        ]);
        expect(stderr).toMatch(/1 row was rejected; flowlake rejects shows which and why/);
        expect(await ask(TOTALS)).toEqual([
            {
                site: 'main',
                day: '2026-03-31',
                src_ip: '192.0.2.1',
                dst_ip: '198.51.100.1',
                flows: 2,
                flow_duration_us_sum: 300,
                fwd_pkts_sum: 7,
            },
        ]);
        expect(await ask('select line_number, reason from rejects')).toEqual([{ line_number: 3, reason: 'not_a_number' }]);
    });

    test('of the same name and bytes is skipped, and said', async () => {
        const { run, ask } = await makePlace({ 'a.csv': flowCsv([{}]) });
        await run('upload a.csv');
        const { exitCode, stdout, stderr } = await run('upload a.csv');
        expect(exitCode).toBe(0);
        expect(stdout).toMatch(/a\.csv +skipped/);
        expect(stderr).toMatch(/the lake has these bytes under this name/);
        expect(await ask(TOTALS)).toMatchObject([{ flows: 1 }]);
    });

    test('that the lake has changes no object of it, and neither does reconcile where nothing is left to do', async () => {
        const { folder, run } = await makePlace({ 'a.csv': flowCsv([{}]) });
        const objects = async (): Promise<string[]> => {
            const entries = await readdir(join(folder, 'lake'), { recursive: true, withFileTypes: true });
            const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
            // A file that is written anew has another inode, whatever its bytes are.
            return Promise.all(files.sort().map(async (path) => `${path} ${(await stat(path)).ino}`));
        };
        await run('upload a.csv');
        const before = await objects();
        expect(before.length).toBeGreaterThanOrEqual(4);
        for (const line of ['upload a.csv', 'reconcile']) {
            const { exitCode } = await run(line);
            expect([line, exitCode, await objects()]).toEqual([line, 0, before]);
        }
    });

    test('of the same name and other bytes is refused, and replaces the old figures with --replace', async () => {
        const { folder, run, ask } = await makePlace({ 'a.csv': flowCsv([{}, { timestamp: '30/03/2026' }]) });
        await run('upload a.csv');
        await writeFile(join(folder, 'a.csv'), flowCsv([{ duration: 5 }]));
        const refused = await run('upload a.csv');
        expect(refused.exitCode).toBe(1);
        expect(refused.stderr).toMatch(/a\.csv is in the lake with other bytes; a correction: --replace, another file: --as NAME/);
        expect(await ask(TOTALS)).toMatchObject([{ day: '2026-03-30' }, { day: '2026-03-31', flow_duration_us_sum: 100 }]);
        expect((await run('upload --replace a.csv')).exitCode).toBe(0);
        expect(await ask(TOTALS)).toMatchObject([{ day: '2026-03-31', flow_duration_us_sum: 5 }]);
        expect(await ask('select count(*) as n from flow_summaries')).toEqual([{ n: 1 }]);
    });

    test('of another name and the same bytes is refused unless allowed, also within one upload', async () => {
        const { run, ask } = await makePlace({ 'a.csv': flowCsv([{}]), 'b.csv': flowCsv([{}]) });
        const both = await run('upload a.csv b.csv');
        expect(both.exitCode).toBe(1);
        expect(both.stderr).toMatch(
            /b\.csv refused: the same bytes are in the lake as raw\/a\.csv; to count them twice: --allow-duplicate/,
        );
        expect(await ask(TOTALS)).toMatchObject([{ flows: 1 }]);
        expect((await run('upload --allow-duplicate b.csv')).exitCode).toBe(0);
        expect(await ask(TOTALS)).toMatchObject([{ flows: 2 }]);
    });

    test('that is no file of flows is one clear error, is known as failed and touches no figure', async () => {
        const { run, ask } = await makePlace({
            'a.csv': flowCsv([{}]),
            'b.csv': '%PDF-1.7 ...',
            'c.csv': 'a,b\n1,2\n',
            'd.csv': '',
            'e.csv': 'x',
        });
        const { exitCode, stderr } = await run('upload a.csv b.csv c.csv d.csv e.csv');
        expect(exitCode).toBe(1);
        expect(stderr).toMatch(/b\.csv failed: a PDF document: upload the data that it shows, as CSV/);
        expect(stderr).toMatch(/c\.csv failed: no usable header: looked for source address \(Src IP, .*; found "a", "b"/);
        expect(stderr).toMatch(/d\.csv failed: no usable header: the file is empty/);
        expect(await ask(TOTALS)).toMatchObject([{ flows: 1 }]);
        expect(await ask('select source, state from sources order by source')).toMatchObject([
            { source: 'raw/a.csv', state: 'done' },
            ...['b', 'c', 'd', 'e'].map((name) => ({ source: `raw/${name}.csv`, state: 'failed' })),
        ]);
    });

    test('that is no file of flows does not take the place of a good one', async () => {
        const { folder, run, ask } = await makePlace({ 'a.csv': flowCsv([{}]) });
        await run('upload a.csv');
        await writeFile(join(folder, 'a.csv'), '%PDF-1.7');
        const { exitCode, stderr } = await run('upload --replace a.csv');
        expect(exitCode).toBe(1);
        expect(stderr).toMatch(/a PDF document: .*; the file that is in the lake stays/);
        expect(await ask(TOTALS)).toMatchObject([{ flows: 1 }]);
    });

    test('with other reading options is read anew with --replace', async () => {
        const { run, ask } = await makePlace({ 'a.csv': flowCsv([{ timestamp: '04/03/2026' }]) });
        expect((await run('upload a.csv')).stderr).toMatch(/tells day from month .*--replace --date-order mdy/);
        expect((await run('upload --date-order mdy a.csv')).exitCode).toBe(1);
        expect((await run('upload --date-order mdy --replace a.csv')).exitCode).toBe(0);
        expect(await ask(TOTALS)).toMatchObject([{ day: '2026-04-03' }]);
        expect((await run('upload a.csv')).stdout).toMatch(/skipped/);
    });
});

describe('a file that loses its rows', () => {
    test('is no success where nothing is left: exit code 1, a state of its own, and status needs a person', async () => {
        const { run, ask } = await makePlace({
            'all.csv': flowCsv([{ timestamp: '7/7/17 3:30' }, { timestamp: '7/7/17 3:31' }]),
            'none.csv': flowCsv([]),
        });
        const { exitCode, stdout, stderr } = await run('upload all.csv none.csv');
        expect(exitCode).toBe(1);
        expect(stdout).toMatch(/all\.csv +nothing kept +0 +2/);
        expect(stderr).toMatch(/all\.csv nothing kept: all its 2 rows were rejected: date_unreadable 2/);
        expect(stderr).toMatch(/none\.csv nothing kept: it holds no rows/);
        expect(stderr).toMatch(/all\.csv: 2 of 2 rows rejected as date_unreadable; the first:\n {2}line 2: .*,7\/7\/17 3:30/);
        expect(await ask('select source, state, rejected, fingerprint from sources order by source')).toEqual([
            { source: 'raw/all.csv', state: 'empty', rejected: 'date_unreadable 2', fingerprint: null },
            { source: 'raw/none.csv', state: 'empty', rejected: null, fingerprint: null },
        ]);
        const status = await run('status');
        expect(status.exitCode).toBe(1);
        expect(status.stderr).toMatch(/2 sources of which not one row counts \(raw\/all\.csv, raw\/none\.csv\).*--replace/);
        expect((await run('doctor')).stdout).toMatch(/sources +problem +nothing of raw\/all\.csv, raw\/none\.csv counts/);
        expect((await run('upload all.csv')).exitCode).toBe(1);
        expect((await run('verify')).exitCode).toBe(0);
    });

    test('as a correction takes its old figures out, and that is said', async () => {
        const { folder, run, ask } = await makePlace({ 'a.csv': flowCsv([{}]) });
        await run('upload a.csv');
        await writeFile(join(folder, 'a.csv'), flowCsv([{ duration: 'nan' }]));
        const { exitCode, stderr } = await run('upload --replace a.csv');
        expect(exitCode).toBe(1);
        expect(stderr).toMatch(/a\.csv nothing kept: its only row was rejected: nan 1; its old figures are out/);
        expect(await ask(TOTALS)).toEqual([]);
    });

    test('says the reason that costs more than half of them, with the first of those', async () => {
        const rows = [{}, { packets: 'x' }, { duration: 'nan' }, { duration: 'nan' }, { duration: 'nan' }];
        const { run } = await makePlace({
            'a.csv': flowCsv(rows),
            'b.csv': flowCsv([{ src: '10.0.0.1' }, { src: '10.0.0.1', duration: 'nan' }]),
        });
        const { exitCode, stderr } = await run('upload a.csv b.csv');
        expect(exitCode).toBe(0);
        expect(stderr).toMatch(/a\.csv: 3 of 5 rows rejected as nan; the first:\n {2}line 4: /);
        expect(stderr).not.toMatch(/b\.csv/);
    });
});

test('the answer fits a screen whatever the folder holds', async () => {
    const files = Object.fromEntries(
        Array.from({ length: 90 }, (_, at) => [
            `in/${String(at).padStart(2, '0')}.csv`,
            at % 3 === 0
                ? `Src IP,Dst IP,${at}\n`
                : flowCsv([{ duration: at }, { duration: 'x' }, { duration: 'y' }, { timestamp: '04/03/2026' }]),
        ]),
    );
    const { run } = await makePlace(files);
    const { exitCode, stdout, stderr } = await run('upload in');
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/60 files +added +120 +120 +2026-03-04 +2026-03-31/);
    expect(stdout).toMatch(/in\/00\.csv +failed/);
    expect(stdout).toMatch(/25 other files +failed/);
    expect(stderr).toMatch(/90 files; --output csv has a row for each/);
    expect(`${stdout}${stderr}`.trimEnd().split('\n').length).toBeLessThan(24);
    const all = await run('--output csv upload in');
    expect(all.stdout.trimEnd().split('\n')).toHaveLength(91);
});

describe('the words of an upload', () => {
    test('may be folders, patterns, compressed files and a pipe', async () => {
        const { folder, run, ask } = await makePlace({
            'captures/site=berlin/a.csv': flowCsv([{}]),
            'captures/site=osaka/deep/b.csv.gz': gzipSync(flowCsv([{}, {}])),
            'captures/notes.txt': 'not flows',
            'more/c 1+2.csv': flowCsv([{ src: '192.0.2.9' }]),
        });
        const { exitCode, stderr } = await run(`upload captures 'more/*.csv'`);
        expect(exitCode).toBe(0);
        expect(stderr).toMatch(/Left out 1 file/);
        expect((await run('upload --site lab --as piped.csv -', flowCsv([{}, {}, {}]))).exitCode).toBe(0);
        expect(await ask('select source, site, rows_kept from sources order by source')).toEqual([
            { source: 'raw/c 1+2.csv', site: 'main', rows_kept: 1 },
            { source: 'raw/site=berlin/a.csv', site: 'berlin', rows_kept: 1 },
            { source: 'raw/site=lab/piped.csv', site: 'lab', rows_kept: 3 },
            { source: 'raw/site=osaka/deep/b.csv.gz', site: 'osaka', rows_kept: 2 },
        ]);
        expect(await readFile(join(folder, 'lake/raw/c 1+2.csv'), 'utf8')).toBe(flowCsv([{ src: '192.0.2.9' }]));
        expect(await readdir(join(folder, 'lake/.flowlake/tmp'))).toEqual([]);
    });

    test.each([
        ['upload nothing.csv', 1, /No such file, folder or pattern: nothing\.csv/],
        ['upload -', 2, /--as NAME/],
        ['upload --as x.csv a.csv b.csv', 2, /--as names one file, and these are 2/],
        ['upload --as ../x.csv a.csv', 2, /not usable/],
        ['upload --site ../x a.csv', 2, /not usable/],
        ['upload --date-order ydm a.csv', 2, /dmy/],
        ['upload a.csv sub/a.csv', 2, /would both be raw\/a\.csv/],
        ['upload empty', 1, /No files of flows in empty/],
    ])('%s is refused with exit code %i', async (line, exitCode, message) => {
        const { run } = await makePlace({
            'a.csv': flowCsv([{}]),
            'b.csv': flowCsv([{ packets: 9 }]),
            'sub/a.csv': flowCsv([{ packets: 7 }]),
            'empty/x.bin': '',
        });
        const ran = await run(line);
        expect(ran.stderr).toMatch(message);
        expect(ran.exitCode).toBe(exitCode);
    });
});

describe('two uploads at once', () => {
    test('of the same file both end well, and it counts once', async () => {
        const { run, ask } = await makePlace({
            'a.csv': flowCsv(Array.from({ length: 2000 }, (_, at) => ({ src: `10.0.${at % 200}.1` }))),
        });
        const codes = await Promise.all([run('upload a.csv'), run('upload a.csv'), run('upload a.csv')]);
        expect(codes.map(({ exitCode, stderr }) => (exitCode === 0 ? 0 : stderr))).toEqual([0, 0, 0]);
        expect(await ask('select sum(flows) as n, count(*) as pairs from pair_days')).toEqual([{ n: 2000, pairs: 200 }]);
    });

    test('of several files each, the same ones among them, all end well, and each file counts once', async () => {
        const names = Array.from({ length: 8 }, (_, at) => `f${at}.csv`);
        const { run, ask } = await makePlace(
            Object.fromEntries(names.map((name, at) => [name, flowCsv(Array.from({ length: 500 }, () => ({ duration: at })))])),
        );
        const ran = await Promise.all([
            run(`upload ${names.slice(0, 6).join(' ')}`),
            run(`upload ${names.toReversed().slice(0, 6).join(' ')}`),
        ]);
        expect(ran.map(({ exitCode, stderr }) => (exitCode === 0 ? 0 : stderr))).toEqual([0, 0]);
        expect(await ask('select sum(flows) as n, sum(flow_duration_us_sum) as us from pair_days')).toEqual([{ n: 4000, us: 28 * 500 }]);
    });

    test('of two files of one day are both in it', async () => {
        const rows = (count: number) => flowCsv(Array.from({ length: count }, () => ({ duration: count })));
        const { run, ask } = await makePlace({ 'a.csv': rows(1), 'b.csv': rows(2), 'c.csv': rows(3) });
        await Promise.all(['a', 'b', 'c'].map((name) => run(`upload ${name}.csv`)));
        expect(await ask(TOTALS)).toMatchObject([{ flows: 6 }]);
    });
});

describe('what goes wrong with one file', () => {
    test('a name that no key may have costs its file and no other: it is named, each time, with exit code 1', async () => {
        const { run, ask } = await makePlace({
            'in/a.csv': flowCsv([{}]),
            'in/kind=x/b.csv': flowCsv([{ duration: 2 }]),
            'in/site=ber lin/c.csv': flowCsv([{ duration: 3 }]),
            'in/d\ne.csv': flowCsv([{ duration: 4 }]),
            'in/z.csv': flowCsv([{ duration: 5 }]),
        });
        for (const result of ['added', 'skipped']) {
            const { exitCode, stdout, stderr } = await run('upload in');
            expect([exitCode, stdout.match(/(\S+) +(?:added|skipped|failed)/g)?.map((row) => row.replaceAll(/ +/g, ' '))]).toEqual([
                1,
                [`in/a.csv ${result}`, 'in/d\\ne.csv failed', 'in/kind=x/b.csv failed', 'lin/c.csv failed', `in/z.csv ${result}`],
            ]);
            expect(stderr).toContain('in/d\\ne.csv failed: Name "d\\ne.csv" is not usable');
            expect(stderr).toContain('in/site=ber lin/c.csv failed: Site "ber lin" is not usable');
        }
        expect(await ask('select source from sources order by 1')).toEqual([{ source: 'raw/a.csv' }, { source: 'raw/z.csv' }]);
        expect(await run('upload in/kind=x')).toMatchObject({ exitCode: 0 });
        expect(await run("upload 'in/site=ber lin'")).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('is not usable') });
    });

    test('a damaged day that it meets is what is to be mended first, and then all is in the figures', async () => {
        const { run, folder, ask } = await makePlace({ 'a.csv': flowCsv([{}]), 'b.csv': flowCsv([{ src: '192.0.2.9' }, {}]) });
        await run('upload a.csv');
        await writeFile(join(folder, 'lake/pair_days/day=2026-03-31/part-00.parquet'), 'damaged');
        const { exitCode, stderr } = await run('upload b.csv');
        expect([exitCode, stderr.split('\n')]).toEqual([
            1,
            [
                '1 of 1 files taken in; once what follows is mended, the next upload or flowlake reconcile finishes the rest',
                expect.stringMatching(/^flowlake: pair_days.*flowlake rebuild --from 2026-03-31 --to 2026-03-31 --anew writes it/),
                '',
            ],
        ]);
        expect((await run('rebuild --from 2026-03-31 --to 2026-03-31 --anew')).exitCode).toBe(0);
        expect(await ask('select sum(flows) as flows from pair_days')).toEqual([{ flows: 3 }]);
    });
});
