/** query, pairs, anomalies, rejects and sample over a small lake. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sample } from '#cli/commands/sample/command';
import { DEFAULT_SAMPLE } from '#sample/flows/sample-files';
import { fakeWorld, runLine } from '#test/cli/fake-surroundings';
import { makeLake, SURGE_DAY } from '#test/cli/small-lake';

let lake: string;

beforeAll(async () => {
    lake = await makeLake({
        sources: {
            'raw/site=berlin/monday.csv': [
                [3, 'not_a_number', '10.1.0.7,10.1.0.20,05/01/2026,x,1'],
                [9, 'nan', 'a,b'],
            ],
            'raw/site=osaka/monday.csv': [[2, 'ragged_row', '10.1.0.7']],
            'raw/tuesday.csv': [],
            'raw/picture.png': 'no header with the needed columns',
        },
    });
});

afterAll(() => rm(lake, { recursive: true }));

function asking(...words: string[]) {
    return runLine(['--lake', lake, ...words]);
}

async function rowsOf(...words: string[]): Promise<Record<string, unknown>[]> {
    const { exitCode, stdout, stderr } = await asking('--output', 'json', ...words);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    return JSON.parse(stdout);
}

describe('query', () => {
    const sql = "select day, flows from day_totals where site = 'berlin' order by day limit 1";

    test('takes SQL as an argument, from a file or from the pipe', async () => {
        const file = join(lake, 'question.sql');
        await writeFile(file, sql);
        const expected = { exitCode: 0, stdout: 'day,flows\n2026-01-05,1\n', stderr: '' };
        expect(await asking('query', sql, '--output', 'csv')).toEqual(expected);
        expect(await asking('query', '-f', file, '--output', 'csv')).toEqual(expected);
        const world = fakeWorld({ input: sql });
        expect(await runLine(['--lake', lake, 'query', '-', '--output', 'csv'], { world })).toEqual(expected);
    });

    test('prints whole numbers digit by digit, also beyond what a double holds', async () => {
        const wide =
            'select cast(9007199254740993 as bigint) as a, cast(sum(cast(fwd_pkts_sum as decimal(38, 0)) * 1000000000000000) as decimal(38, 0)) as b from pair_days';
        expect((await asking('query', wide, '--output', 'json')).stdout).toBe(
            '[\n{"a":9007199254740993,"b":270000000000006360000000000000000}\n]\n',
        );
    });

    test('that the engine refuses is exit 1 with the place', async () => {
        const { exitCode, stdout, stderr } = await asking('query', 'select nonsense from pair_days');
        expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
        expect(stderr).toMatch(/^flowlake: .*nonsense/);
    });

    test('of a table that is not there names those that are', async () => {
        const { exitCode, stderr } = await asking('query', 'select 1 from pair_day');
        expect(exitCode).toBe(1);
        expect(stderr).toMatch(/^flowlake: .*pair_day does not exist/);
        expect(stderr).toMatch(/^Tables: .*\bpair_days, .*\bsources\b/m);
        expect(stderr).toMatch(/^Views: .*\bday_totals\b/m);
        expect((await asking('query', 'select nonsense from pair_days')).stderr).not.toContain('Tables:');
    });

    test.each([[[]], [['select 1', '-f', 'x.sql']], [['-f', 'no-such-file.sql']]])(
        'without one readable statement is exit 2: %j',
        async (words) => {
            expect((await asking('query', ...words)).exitCode).toBe(2);
        },
    );
});

test('pairs lists the largest first, by what is asked', async () => {
    expect(await rowsOf('pairs', '--top', '2')).toEqual([
        expect.objectContaining({ site: 'osaka', src_ip: '10.1.0.7', fwd_pkts_sum: Number(270000000000002310n) }),
        expect.objectContaining({ site: 'berlin', src_ip: '10.1.0.7', fwd_pkts_sum: 3900 }),
    ]);
    expect(await rowsOf('pairs', '--by', 'flows', '--site', 'osaka', '--from', '2026-02-01', '--to', '2026-02-02')).toEqual([
        expect.objectContaining({ src_ip: '10.1.0.7', flows: 2, days: 2 }),
        expect.objectContaining({ src_ip: 'fe80::1', flows: 2, days: 2 }),
    ]);
});

test('anomalies lists the day that stands out, and only where it is asked for', async () => {
    expect(await rowsOf('anomalies')).toEqual([
        expect.objectContaining({ site: 'berlin', day: SURGE_DAY, measure: 'fwd_pkts_sum', value: 1000, usual: 100 }),
    ]);
    expect(await rowsOf('anomalies', '--site', 'osaka')).toEqual([]);
    expect(await rowsOf('anomalies', '--from', '2026-01-28')).toEqual([]);
    expect(await rowsOf('anomalies', '--limit', '1')).toHaveLength(1);
});

describe('rejects', () => {
    test('lists those of every source, or of one named by its key or its end', async () => {
        const berlin = [
            { source: 'raw/site=berlin/monday.csv', line_number: 3, reason: 'not_a_number', line: '10.1.0.7,10.1.0.20,05/01/2026,x,1' },
            { source: 'raw/site=berlin/monday.csv', line_number: 9, reason: 'nan', line: 'a,b' },
        ];
        expect(await rowsOf('rejects')).toEqual([...berlin, expect.objectContaining({ source: 'raw/site=osaka/monday.csv' })]);
        expect(await rowsOf('rejects', 'raw/site=berlin/monday.csv')).toEqual(berlin);
        expect(await rowsOf('rejects', 'berlin/monday.csv')).toEqual(berlin);
        expect(await rowsOf('rejects', 'tuesday.csv')).toEqual([]);
    });

    test('says that there may be more than --limit', async () => {
        const { stdout, stderr } = await asking('rejects', '--limit', '1', '--output', 'csv');
        expect(stdout.split('\n')).toHaveLength(3);
        expect(stderr).toBe('These are the first 1; --limit <n> shows more\n');
    });

    test('of a source that is not there is exit 1 with the nearest, of an end that several have exit 1 with them', async () => {
        expect(await asking('rejects', 'tuseday.csv')).toMatchObject({
            exitCode: 1,
            stderr: expect.stringContaining('the nearest are raw/tuesday.csv'),
        });
        expect(await asking('rejects', 'monday.csv')).toMatchObject({
            exitCode: 1,
            stderr: 'flowlake: 2 sources end in monday.csv: raw/site=berlin/monday.csv, raw/site=osaka/monday.csv; give more of the key\n',
        });
    });

    test('of a file that was no file of flows says so', async () => {
        expect(await asking('rejects', 'picture.png', '--output', 'csv')).toEqual({
            exitCode: 0,
            stdout: 'source,line_number,reason,line\n',
            stderr: 'raw/picture.png could not be used at all: no header with the needed columns\n',
        });
    });
});

describe('the lake', () => {
    test.each([[['pairs']], [['anomalies']], [['rejects']], [['query', 'select 1']], [['export', '10.0.0.1', '10.0.0.2']]])(
        'must be named, be there and be of a kind that there is: %j',
        async (words) => {
            const unnamed = await runLine(words);
            expect(unnamed).toMatchObject({
                exitCode: 2,
                stdout: '',
                stderr: expect.stringMatching(/^flowlake: Which lake\? Give it as --lake/),
            });
            const missing = join(lake, 'no such');
            expect(await runLine(['--lake', missing, ...words])).toMatchObject({
                exitCode: 1,
                stdout: '',
                stderr: `flowlake: No lake at ${missing}: upload something first (flowlake --lake "${missing}" upload <file>)\n`,
            });
            expect(await runLine(['--lake', 's3://bucket/folder', ...words])).toMatchObject({
                exitCode: 2,
                stdout: '',
                stderr: 'flowlake: s3://bucket/folder is no lake: give the bucket alone, s3://bucket (a lake is a whole bucket, not a folder of one)\n',
            });
        },
    );

    test('may have nothing in it: then every question has no rows', async () => {
        const empty = await makeLake({ days: [] });
        for (const words of [['pairs'], ['anomalies'], ['rejects'], ['query', 'select * from pair_running']]) {
            expect(await runLine(['--lake', empty, ...words])).toMatchObject({ exitCode: 0, stderr: '0 rows\n' });
        }
        await rm(empty, { recursive: true });
    });
});

describe('sample', () => {
    test('writes files by site and says how much', async () => {
        const folder = await mkdtemp(join(tmpdir(), 'flowlake-test-'));
        const { exitCode, stdout, stderr } = await runLine(['sample', folder, '--flows', '300', '--days', '2', '--pairs', '9']);
        expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '' });
        expect(stderr).toMatch(/^Wrote 6 files with 300 flows to .*: \d+\.\d kB in 0\.0 s\n$/);
        expect(await readdir(folder)).toEqual(['site=berlin', 'site=lisbon', 'site=osaka']);
        await rm(folder, { recursive: true });
    });

    test('has the defaults that its help shows', () => {
        const { flows, days, pairs, seed } = sample.options;
        const shown = { flows: flows.fallback, days: days.fallback, pairs: pairs.fallback, seed: seed.fallback };
        expect(DEFAULT_SAMPLE).toMatchObject(shown);
    });
});
