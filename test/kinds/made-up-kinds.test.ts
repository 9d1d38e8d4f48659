/**
 * Two kinds of data that no code of the lake knows go through all of it, beside flows in one lake: each by one entry in lake/kinds.ts. The program that
 * runs here is built from a copy of the tree with these entries; test/kinds/tree-with-gauges.ts makes it.
 */
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { collect, startProgram } from '#test/support/flowlake';
import { makeFolder } from '#test/support/temporary';
import { makeTreeWithGauges } from './tree-with-gauges.ts';

const HEADER = 'instant,gauge,level\n';
const HARBOUR = `${HEADER}2026-01-05T13:05:00Z,pier,-120
2026-01-05T13:25:00Z,pier,
2026-01-05T13:45:00Z,lock,30
2026-01-05T14:00:00Z,pier,80
no reading
2026-01-06T00:00:00Z,pier,7
`;
const ISLAND = `${HEADER}2026-01-05T13:30:00Z,pier,500\n`;
const FLOWS = 'Src IP,Dst IP,Timestamp,Flow Duration,Tot Fwd Pkts\n10.0.0.1,10.0.0.2,05/01/2026 13:00:00,7,3\n';

let program: string;
let folder: string;

/** Runs the program on the lake of the folder. @returns its exit code and what it printed */
async function run(...words: string[]) {
    return collect(startProgram(program, ['--lake', 'lake', ...words], { folder }));
}

/** The rows that a command prints, one object each; it must end well. */
async function rowsOf(...words: string[]): Promise<Record<string, unknown>[]> {
    const { exitCode, stdout, stderr } = await run('--output', 'json', ...words);
    expect({ words, exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ words, exitCode: 0, stderr: '' });
    return JSON.parse(stdout);
}

async function put(path: string, text: string): Promise<void> {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
}

async function filesBelow(path: string): Promise<string[]> {
    const entries = await readdir(join(folder, path), { recursive: true, withFileTypes: true }).catch(() => []);
    return entries
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
        .sort();
}

const HOURS =
    'select site, gauge, day, readings, level_mm_sum, level_mm_sum_sq, level_mm_min, level_mm_max from gauges_hours order by 1, 2, 3, 5';
const DAYS = 'select site, gauge, day, readings, level_mm_sum, level_mm_min, level_mm_max from tides_days order by 1, 2, 3';

beforeAll(async () => {
    program = makeTreeWithGauges(await makeFolder());
}, 120_000);

beforeEach(async () => {
    folder = await makeFolder();
    await put('in/site=bay/harbour.gauge', HARBOUR);
    await put('in/island.gauge', ISLAND);
    await put('flows/monday.csv', FLOWS);
    for (const words of [
        ['upload', '--kind', 'gauges', 'in'],
        ['upload', '--kind', 'tides', 'in'],
        ['upload', 'flows'],
    ]) {
        const { exitCode, stderr } = await run(...words);
        expect({ words, exitCode, stderr }).toMatchObject({ words, exitCode: 0 });
    }
}, 60_000);

const PIER = { site: 'bay', gauge: 'pier' };

describe('files of a made-up kind', () => {
    test('are answered by SQL with exact figures, by the hour and by the day, nulls and values below zero too', async () => {
        expect(await rowsOf('query', HOURS)).toEqual([
            {
                ...PIER,
                gauge: 'lock',
                day: '2026-01-05',
                readings: 1,
                level_mm_sum: 30,
                level_mm_sum_sq: 900,
                level_mm_min: 30,
                level_mm_max: 30,
            },
            { ...PIER, day: '2026-01-05', readings: 2, level_mm_sum: -120, level_mm_sum_sq: 14400, level_mm_min: -120, level_mm_max: -120 },
            { ...PIER, day: '2026-01-05', readings: 1, level_mm_sum: 80, level_mm_sum_sq: 6400, level_mm_min: 80, level_mm_max: 80 },
            { ...PIER, day: '2026-01-06', readings: 1, level_mm_sum: 7, level_mm_sum_sq: 49, level_mm_min: 7, level_mm_max: 7 },
            {
                site: 'main',
                gauge: 'pier',
                day: '2026-01-05',
                readings: 1,
                level_mm_sum: 500,
                level_mm_sum_sq: 250000,
                level_mm_min: 500,
                level_mm_max: 500,
            },
        ]);
        expect(await rowsOf('query', DAYS)).toEqual([
            { ...PIER, gauge: 'lock', day: '2026-01-05', readings: 1, level_mm_sum: 30, level_mm_min: 30, level_mm_max: 30 },
            { ...PIER, day: '2026-01-05', readings: 3, level_mm_sum: -40, level_mm_min: -120, level_mm_max: 80 },
            { ...PIER, day: '2026-01-06', readings: 1, level_mm_sum: 7, level_mm_min: 7, level_mm_max: 7 },
            { site: 'main', gauge: 'pier', day: '2026-01-05', readings: 1, level_mm_sum: 500, level_mm_min: 500, level_mm_max: 500 },
        ]);
        expect(await rowsOf('query', 'select src_ip, flows, fwd_pkts_sum from pair_days')).toEqual([
            { src_ip: '10.0.0.1', flows: 1, fwd_pkts_sum: 3 },
        ]);
    });

    test('lie where the design says, each kind below prefixes of its own', async () => {
        expect(await filesBelow('lake/raw')).toEqual([
            'lake/raw/kind=gauges/island.gauge',
            'lake/raw/kind=gauges/site=bay/harbour.gauge',
            'lake/raw/kind=tides/island.gauge',
            'lake/raw/kind=tides/site=bay/harbour.gauge',
            'lake/raw/monday.csv',
        ]);
        expect(await filesBelow('lake/gauges_hours')).toEqual([
            'lake/gauges_hours/day=2026-01-05/13.parquet',
            'lake/gauges_hours/day=2026-01-05/14.parquet',
            'lake/gauges_hours/day=2026-01-06/00.parquet',
        ]);
        expect(await filesBelow('lake/tides_days')).toEqual([
            'lake/tides_days/day=2026-01-05/part-00.parquet',
            'lake/tides_days/day=2026-01-06/part-00.parquet',
        ]);
        expect(
            (await filesBelow('lake/gauges_summaries')).map((path) =>
                path.replace(/\.\d+-[0-9a-f]{16}/, '.V').replace(/[0-9a-f]{16}/, 'S'),
            ),
        ).toEqual([
            'lake/gauges_summaries/day=2026-01-05/13.S.V.parquet',
            'lake/gauges_summaries/day=2026-01-05/13.S.V.parquet',
            'lake/gauges_summaries/day=2026-01-05/14.S.V.parquet',
            'lake/gauges_summaries/day=2026-01-06/00.S.V.parquet',
        ]);
    });

    test('are in the tables of sources and of rejects, with what their reader found', async () => {
        expect(
            await rowsOf(
                'query',
                "select source, state, rows_read, rows_kept, rows_rejected, first_day, last_day, gauges, lowest_reading from sources where source like '%bay%gauge%' order by 1",
            ),
        ).toEqual(
            ['raw/kind=gauges/site=bay/harbour.gauge', 'raw/kind=tides/site=bay/harbour.gauge'].map((source) => ({
                source,
                state: 'done',
                rows_read: 6,
                rows_kept: 5,
                rows_rejected: 1,
                first_day: '2026-01-05',
                last_day: '2026-01-06',
                gauges: 2,
                lowest_reading: '-120',
            })),
        );
        expect(await rowsOf('query', 'select source, line_number, reason, line from gauges_rejects')).toEqual([
            { source: 'raw/kind=gauges/site=bay/harbour.gauge', line_number: 6, reason: 'unreadable', line: 'no reading' },
        ]);
    });

    test('have their rejects shown, of one file or of all kinds in one table', async () => {
        await put('flows/odd.csv', FLOWS.replace(',7,3', ',x,3'));
        // Its only row: nothing of it is kept.
        expect(await run('upload', 'flows/odd.csv')).toMatchObject({ exitCode: 1 });
        const ofGauges = { source: 'raw/kind=gauges/site=bay/harbour.gauge', line_number: 6, reason: 'unreadable', line: 'no reading' };
        expect(await rowsOf('rejects', 'raw/kind=gauges/site=bay/harbour.gauge')).toEqual([ofGauges]);
        expect(await rowsOf('rejects')).toEqual([
            ofGauges,
            { ...ofGauges, source: 'raw/kind=tides/site=bay/harbour.gauge' },
            expect.objectContaining({ source: 'raw/odd.csv', line_number: 2 }),
        ]);
        expect(await rowsOf('rejects', 'raw/kind=gauges/island.gauge')).toEqual([]);
    });

    test('are read with their own options, and refuse those of others', async () => {
        const { exitCode } = await run('upload', '--kind', 'gauges', '--datum', 'chart', '--replace', 'in/island.gauge');
        expect(exitCode).toBe(0);
        expect(await rowsOf('query', "select level_mm_sum from gauges_hours where site = 'main'")).toEqual([{ level_mm_sum: 1500 }]);
        expect(await run('upload', '--kind', 'gauges', '--date-order', 'dmy', 'in/island.gauge')).toMatchObject({ exitCode: 2 });
        expect(await run('upload', '--kind', 'gouges', 'in/island.gauge')).toMatchObject({ exitCode: 2 });
    });

    test('are taken out, and come back with an upload', async () => {
        const taken = await run('retract', 'raw/kind=gauges/site=bay/harbour.gauge');
        expect(taken).toMatchObject({
            exitCode: 0,
            stderr: expect.stringContaining('Took 5 rows of raw/kind=gauges/site=bay/harbour.gauge'),
        });
        expect(await rowsOf('query', 'select site, readings from gauges_hours')).toEqual([{ site: 'main', readings: 1 }]);
        expect(await rowsOf('query', 'select count(*) as days from tides_days')).toEqual([{ days: 4 }]);
        expect(await run('verify')).toMatchObject({ exitCode: 0 });
        expect(await run('upload', '--kind', 'gauges', 'in')).toMatchObject({ exitCode: 0 });
        expect(await rowsOf('query', 'select sum(readings) as readings from gauges_hours')).toEqual([{ readings: 6 }]);
    });

    test('are reconciled when they were copied into raw/ by hand', async () => {
        await mkdir(join(folder, 'lake/raw/kind=tides/site=sea'), { recursive: true });
        await cp(join(folder, 'in/island.gauge'), join(folder, 'lake/raw/kind=tides/site=sea/copied.gauge'));
        expect(await run('status')).toMatchObject({ exitCode: 1, stdout: expect.stringContaining('waiting') });
        expect(await run('reconcile')).toMatchObject({
            exitCode: 0,
            stdout: expect.stringContaining('raw/kind=tides/site=sea/copied.gauge'),
        });
        expect(await rowsOf('query', "select level_mm_sum from tides_days where site = 'sea'")).toEqual([{ level_mm_sum: 500 }]);
        expect(await run('status')).toMatchObject({ exitCode: 0 });
    });

    test('of a kind that this program does not know are said to be so, and hold up nobody', async () => {
        await put('lake/raw/kind=moons/full.csv', 'x');
        const said = expect.stringContaining(
            'of a kind that this flowlake does not know (raw/kind=moons/full.csv; it knows flows, telemetry, gauges, tides)',
        );
        expect(await run('reconcile')).toMatchObject({ exitCode: 0, stderr: said });
        expect(await run('status')).toMatchObject({ exitCode: 1, stderr: said });
        await put('in/second.gauge', `${HEADER}2026-02-01T01:00:00Z,pier,1\n`);
        expect(await run('upload', '--kind', 'gauges', 'in/second.gauge')).toMatchObject({ exitCode: 0 });
        expect(await rowsOf('query', "select level_mm_sum from gauges_hours where day = '2026-02-01'")).toEqual([{ level_mm_sum: 1 }]);
        await rm(join(folder, 'lake/raw/kind=moons'), { recursive: true });
        expect(await run('status')).toMatchObject({ exitCode: 0 });
    });
});

describe('the figures of a made-up kind', () => {
    test('are verified by its second reader, and a wrong one is found and mended', async () => {
        expect(await run('verify')).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(/equal/i) });
        const hour = join(folder, 'lake/gauges_hours/day=2026-01-05/14.parquet');
        await cp(join(folder, 'lake/gauges_hours/day=2026-01-06/00.parquet'), hour);
        const found = await run('verify');
        expect(found.exitCode).toBe(1);
        expect(found.stdout).toContain('2026-01-05T14');
        expect(await run('verify', '--repair')).toMatchObject({ exitCode: 0 });
        expect(await run('verify')).toMatchObject({ exitCode: 0 });
        expect(await rowsOf('query', 'select level_mm_sum from gauges_hours where level_mm_sum = 80')).toEqual([{ level_mm_sum: 80 }]);
    });

    test('are explained by the files and lines that they come from', async () => {
        const parts = await run('explain', '--kind', 'gauges', 'pier', '2026-01-05T13');
        expect(parts).toMatchObject({ exitCode: 0 });
        expect(parts.stdout).toContain('raw/kind=gauges/site=bay/harbour.gauge');
        expect(parts.stdout).toContain('raw/kind=gauges/island.gauge');
        const lines = await rowsOf('explain', '--kind', 'gauges', 'pier', '2026-01-05T13', '--lines');
        expect(lines.map(({ line_number, line }) => [line_number, line])).toEqual([
            [2, '2026-01-05T13:05:00Z,pier,-120'],
            [3, '2026-01-05T13:25:00Z,pier,'],
            [2, '2026-01-05T13:30:00Z,pier,500'],
        ]);
        expect(await run('explain', '--kind', 'gauges', 'pier')).toMatchObject({ exitCode: 2 });
    });

    test('are rebuilt hour by hour, also over what is damaged', async () => {
        await put('lake/gauges_hours/day=2026-01-05/13.parquet', 'rubbish');
        const { exitCode, stdout } = await run('rebuild', '--from', '2026-01-05', '--to', '2026-01-05', '--anew');
        expect(exitCode).toBe(0);
        for (const text of ['2026-01-05T13', '2026-01-05T14', 'gauges_hours', 'tides_days', 'pair_days']) {
            expect(stdout).toContain(text);
        }
        expect(await run('verify')).toMatchObject({ exitCode: 0 });
    });

    test('stay when their raw files are freed', async () => {
        const before = await rowsOf('query', HOURS);
        expect(await run('prune', '--raw-before', '2026-02-01')).toMatchObject({ exitCode: 0 });
        expect(await filesBelow('lake/raw')).toEqual([]);
        expect(await rowsOf('query', HOURS)).toEqual(before);
        expect(await run('verify', '--allow-pruned')).toMatchObject({ exitCode: 0 });
    });

    test('have a history for each version of a file', async () => {
        await put('in/island.gauge', `${HEADER}2026-01-05T13:30:00Z,pier,501\n`);
        expect(await run('upload', '--kind', 'gauges', '--replace', 'in/island.gauge')).toMatchObject({ exitCode: 0 });
        const versions = await rowsOf('history', 'raw/kind=gauges/island.gauge');
        expect(versions.map(({ state }) => state)).toEqual(['superseded', 'live']);
        expect(await rowsOf('query', "select level_mm_sum from gauges_hours where site = 'main'")).toEqual([{ level_mm_sum: 501 }]);
    });

    test('are looked after by doctor', async () => {
        await put('lake/gauges_hours/stray.parquet', 'x');
        const { stdout } = await run('doctor');
        expect(stdout).toContain('gauges_hours/stray.parquet');
        await rm(join(folder, 'lake/gauges_hours/stray.parquet'));
        expect(await run('doctor')).toMatchObject({ exitCode: 0 });
    });
});

describe('inputs of a made-up kind', () => {
    const FILES = ['a', 'b', 'c', 'd'];
    const levels = async () =>
        (await rowsOf('query', "select gauge, level_mm_sum from gauges_hours where day > '2026-01-31' order by 1")).map(Object.values);

    /** Files of two days, each read by scale `lock`, in a lake that has its first version. */
    beforeEach(async () => {
        await put('lock.json', '{"zero_mm": 1000}');
        expect(await run('scale', 'add', 'lock.json')).toMatchObject({ exitCode: 0, stderr: 'Added version 1 of scale lock\n' });
        for (const [at, name] of FILES.entries()) {
            await put(`more/${name}.gauge`, `${HEADER}scale lock\n2026-02-0${1 + (at % 2)}T01:00:00Z,${name},${at}\n`);
        }
        expect(await run('upload', '--kind', 'gauges', 'more')).toMatchObject({ exitCode: 0 });
        expect(await levels()).toEqual([
            ['a', 1000],
            ['b', 1001],
            ['c', 1002],
            ['d', 1003],
        ]);
    });

    test('that are corrected have every source read again by the command itself; what was pruned stays and is counted', async () => {
        await rm(join(folder, 'lake/raw/kind=gauges/b.gauge'));
        await put('lock.json', '{"zero_mm": 2000}');
        expect(await run('scale', 'add', 'lock.json')).toEqual({
            exitCode: 0,
            stdout: '',
            stderr:
                'Added version 2 of scale lock\nRead 3 sources of 2 days again\n' +
                '1 source of 1 day stays as read before: the raw files were pruned\n',
        });
        expect(await levels()).toEqual([
            ['a', 2000],
            ['b', 1001],
            ['c', 2002],
            ['d', 2003],
        ]);
        expect(await run('status')).toMatchObject({ exitCode: 0 });
        expect(await run('verify', '--allow-pruned')).toMatchObject({ exitCode: 0 });
        const versions = await rowsOf('history', 'raw/kind=gauges/a.gauge');
        expect(versions.map(({ state, inputs }) => [state, inputs])).toEqual([
            ['superseded', 'lock@1'],
            ['live', 'lock@2'],
        ]);
        expect(await rowsOf('explain', '--kind', 'gauges', 'a', '2026-02-01T01')).toMatchObject([
            { inputs: 'lock@2' },
            { source: 'total' },
        ]);
    });

    test('that are corrected by a command that was killed are found by status, verify and the next command', async () => {
        // As it is left between the pointer and the first source.
        await put('lake/gauges_scales/lock/2.json', '{"zero_mm": 3000}');
        await put('lake/gauges_scales/lock.json', '{"version": 2}');
        expect(await run('status')).toMatchObject({
            exitCode: 1,
            stderr: expect.stringContaining('4 sources as another version of what they are read by had it'),
        });
        expect(await run('verify')).toMatchObject({
            exitCode: 3,
            stderr: expect.stringContaining('was read with version 1 of scale lock, and version 2 holds now'),
        });
        await put('lock.json', '{"zero_mm": 3000}');
        expect(await run('scale', 'add', 'lock.json')).toMatchObject({
            exitCode: 0,
            stderr: 'The lake has this very document as version 2 of scale lock\nRead 4 sources of 2 days again\n',
        });
        expect(await levels()).toEqual([
            ['a', 3000],
            ['b', 3001],
            ['c', 3002],
            ['d', 3003],
        ]);
        expect(await run('verify')).toMatchObject({ exitCode: 0 });
    });

    test('have commands that are described like the others', async () => {
        expect(await readFile(join(dirname(dirname(program)), 'docs/cli.md'), 'utf8')).toContain('| [`scale add`](#scale-add) |');
        expect(await run('scale', 'add', '--help')).toMatchObject({
            exitCode: 0,
            stdout: expect.stringContaining('flowlake scale add mine.json'),
        });
    });
});

const TOPS = 'select site, gauge, hour, readings, over_limit_mm from gauge_tops order by 1, 3, 2';
const FLOODS = 'select site, gauge, began, ended, day from floods order by 1, 3';

describe('tables that are derived from a made-up kind', () => {
    const island = { site: 'main', gauge: 'pier' };
    const flood = { ...island, began: '2026-01-05T13', ended: '2026-01-06T02', day: '2026-01-06' };

    test('are there with the figures, a state goes from day to day, and what is taken out of them goes', async () => {
        expect(await rowsOf('query', TOPS)).toEqual([
            { ...PIER, gauge: 'lock', hour: '2026-01-05T13', readings: 1, over_limit_mm: -70 },
            { ...PIER, hour: '2026-01-05T13', readings: 2, over_limit_mm: -220 },
            { ...PIER, hour: '2026-01-05T14', readings: 1, over_limit_mm: -20 },
            { ...PIER, hour: '2026-01-06T00', readings: 1, over_limit_mm: -93 },
            { ...island, hour: '2026-01-05T13', readings: 1, over_limit_mm: 400 },
        ]);
        expect(await rowsOf('query', FLOODS)).toEqual([]);
        await put('in/later.gauge', `${HEADER}2026-01-06T02:00:00Z,pier,10\n`);
        expect(await run('upload', '--kind', 'gauges', 'in/later.gauge')).toMatchObject({ exitCode: 0 });
        expect(await rowsOf('query', FLOODS)).toEqual([flood]);
        expect(await run('retract', 'raw/kind=gauges/island.gauge')).toMatchObject({ exitCode: 0 });
        expect(await rowsOf('query', FLOODS)).toEqual([]);
        expect(await run('status')).toMatchObject({ exitCode: 0 });
        expect(await run('verify')).toMatchObject({ exitCode: 0 });
    });

    test('are derived anew by reconcile where an input has another version, an object is gone, or is damaged', async () => {
        await put('lake/gauges_scales/limit/1.json', '{"mm": 501}');
        await put('lake/gauges_scales/limit.json', '{"version": 1}');
        expect(await run('status')).toMatchObject({
            exitCode: 1,
            stderr: expect.stringContaining('4 days not derived from what is there now'),
        });
        const { exitCode, stdout } = await run('reconcile');
        expect({ exitCode, lines: stdout.match(/derived .*/g) }).toEqual({
            exitCode: 0,
            lines: ['floods 2026-01-05', 'floods 2026-01-06', 'gauge_tops 2026-01-05', 'gauge_tops 2026-01-06'].map((of) =>
                expect.stringMatching(new RegExp(`^derived +\\W*${of}`)),
            ),
        });
        expect(await rowsOf('query', "select over_limit_mm from gauge_tops where site = 'main'")).toEqual([{ over_limit_mm: -1 }]);
        await rm(join(folder, 'lake/gauge_tops/day=2026-01-05'), { recursive: true });
        await put('lake/floods/day=2026-01-06/part-00.parquet', 'rubbish');
        expect(await run('status')).toMatchObject({ exitCode: 1 });
        expect(await run('reconcile')).toMatchObject({ exitCode: 0 });
        expect(await run('status')).toMatchObject({ exitCode: 0 });
        expect(await rowsOf('query', 'select count(*) as hours from gauge_tops')).toEqual([{ hours: 5 }]);
    });

    test('are rebuilt with their days, kept when raw files are freed, and looked after by doctor', async () => {
        await put('lake/gauge_tops/day=2026-01-05/part-00.parquet', 'rubbish');
        await put('lake/gauge_tops/stray.parquet', 'x');
        const planned = await run('--output', 'json', 'rebuild', '--from', '2026-01-05', '--to', '2026-01-05', '--dry-run');
        expect(JSON.parse(planned.stdout).filter(({ table }: { table: string }) => /gauge_tops|floods/.test(table))).toEqual([
            expect.objectContaining({ table: 'floods', what: 'is right' }),
            expect.objectContaining({ table: 'gauge_tops', what: 'needs to be derived' }),
        ]);
        const rebuilt = await run('--output', 'json', 'rebuild', '--from', '2026-01-05', '--to', '2026-01-05');
        expect(JSON.parse(rebuilt.stdout).filter(({ table }: { table: string }) => /gauge_tops|floods/.test(table))).toEqual([
            expect.objectContaining({ table: 'floods', period: '2026-01-05', what: 'was right' }),
            expect.objectContaining({ table: 'gauge_tops', period: '2026-01-05', what: 'written', rows: 4 }),
        ]);
        expect((await run('doctor')).stdout).toContain('gauge_tops/stray.parquet');
        await rm(join(folder, 'lake/gauge_tops/stray.parquet'));
        const before = await rowsOf('query', TOPS);
        expect(await run('prune', '--raw-before', '2026-02-01')).toMatchObject({ exitCode: 0 });
        expect(await rowsOf('query', TOPS)).toEqual(before);
        expect(await run('doctor')).toMatchObject({ exitCode: 0 });
    });
});

test('the entry of a kind is all that is written for it by hand', async () => {
    const copy = dirname(dirname(program));
    const [ours, theirs] = await Promise.all([process.cwd(), copy].map((root) => readFile(join(root, 'lake/kinds.ts'), 'utf8')));
    const added = theirs!.split('\n').filter((line) => !ours!.split('\n').includes(line));
    expect(added).toEqual(["import { gauges, tides } from '#test/kinds/gauges';", '    gauges,', '    tides,']);
});
