/** Names that an enemy, another system or an accident may give to files: they go where they should, or are refused; nothing else happens. */
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { flowCsv } from '#test/support/flow-csv';
import { runFlowlake } from '#test/support/flowlake';
import { makeFolder } from '#test/support/temporary';

const ESCAPE = String.fromCodePoint(27);
/** One that stands for a line's beginning and for its erasure. */
const ERASE = `\r${ESCAPE}[2K`;

/** Any character that a terminal obeys, but for line ends and tabs. */
const OBEYED = /(?![\n\t])[\p{Cc}\u202e]/u;

/** Writes a file for each name, with that many packets in its one flow, so that each is another file. */
async function writeFiles(folder: string, names: readonly string[]): Promise<void> {
    for (const [at, name] of names.entries()) {
        await mkdir(join(folder, name, '..'), { recursive: true });
        await writeFile(join(folder, name), flowCsv([{ packets: at + 1 }]));
    }
}

async function listAll(folder: string): Promise<string[]> {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries.flatMap((entry) => (entry.isDirectory() ? [] : [join(entry.parentPath, entry.name).slice(folder.length + 1)])).sort();
}

async function ask(folder: string, sql: string): Promise<Record<string, unknown>[]> {
    return JSON.parse((await runFlowlake(['--lake', 'lake', '--output', 'json', 'query', sql], { folder })).stdout);
}

describe('names that are strange and harmless', () => {
    const NAMES = [
        ' blank .csv',
        '$(touch pwned).csv',
        '`touch pwned`.csv',
        '%2e%2e%2f.csv',
        '*.csv',
        '-rf.csv',
        'a..%2f..%2fb.csv',
        'Case.csv',
        'case.csv',
        'a#b?c.csv',
        'a+b%20c.csv',
        'back\\slash.csv',
        'bidi\u202evsc.csv',
        'con.csv',
        'dots..csv',
        'nfc \u00e9.csv',
        'nfd e\u0301.csv',
        'quote\'".csv',
        "'; drop table pair_days; --.csv",
        '[a-z].csv',
        '\u2018typographic\u2019.csv',
        '\u{1f600}.csv',
        'site=berlin/site=osaka/a.csv',
        `${'long '.repeat(49)}.csv`,
    ];

    test('stand under raw/ as they are, each a source of its own', async () => {
        const folder = await makeFolder();
        await writeFiles(join(folder, 'in'), NAMES);
        const uploaded = await runFlowlake(['--lake', 'lake', 'upload', 'in'], { folder });
        expect(uploaded.exitCode).toBe(0);
        expect(uploaded.stdout + uploaded.stderr).not.toMatch(OBEYED);
        const raw = NAMES.map((name) => `raw/${name.replace('site=berlin/', '')}`).sort();
        expect((await listAll(join(folder, 'lake'))).filter((path) => path.startsWith('raw/'))).toEqual(raw);
        expect((await readdir(folder)).sort()).toEqual(['in', 'lake']);
        expect((await ask(folder, 'select source from sources order by source')).map(({ source }) => source).sort()).toEqual(raw);
        expect(await ask(folder, 'select sum(flows) as flows from pair_days')).toEqual([{ flows: NAMES.length }]);
        const verified = await runFlowlake(['--lake', 'lake', 'verify'], { folder });
        expect([verified.exitCode, verified.stderr]).toEqual([0, expect.stringContaining('all equal')]);
        const retracted = await runFlowlake(['--lake', 'lake', 'retract', `raw/'; drop table pair_days; --.csv`], { folder });
        expect(retracted.exitCode).toBe(0);
        expect(await ask(folder, 'select sum(flows) as flows from pair_days')).toEqual([{ flows: NAMES.length - 1 }]);
    }, 120_000);

    test('a key has up to 1,024 bytes, as in S3', async () => {
        const folder = await makeFolder();
        await writeFiles(folder, ['a.csv']);
        const name = `${'\u00e9'.repeat(60)}/`.repeat(8) + 'x'.repeat(1024 - 'raw/'.length - 8 * 121);
        const run = (as: string) => runFlowlake(['--lake', 'lake', 'upload', '--as', as, 'a.csv'], { folder });
        const longer = await run(`${name}x`);
        expect([longer.exitCode, longer.stderr]).toEqual([2, expect.stringContaining('it has 1025 bytes, of 1024')]);
        expect((await run(name)).exitCode).toBe(0);
        expect(await ask(folder, 'select source, rows_kept from sources')).toEqual([{ source: `raw/${name}`, rows_kept: 1 }]);
    }, 60_000);
});

test.each([
    [['--as', '../a.csv']],
    [['--as', '/etc/a.csv']],
    [['--as', 'a/../../b.csv']],
    [['--as', './a.csv']],
    [['--as', 'a//b.csv']],
    [['--as', `red${ESCAPE}[31m.csv`]],
    [['--as', 'two\nlines.csv']],
    [['--as', 'site=../a.csv']],
    [['--as', 'site=/a.csv']],
    [['--as', 'site=../../a.csv']],
    [['--as', `site=a${ERASE}/a.csv`]],
    [['--as', 'site=a b/a.csv']],
    [['--site', '../a']],
    [['--site', 'a/b']],
    [['--site', '']],
    [['--site', "a'b"]],
    [['--site', `a${ERASE}`]],
])('%j is refused, and the lake not even made', async (words) => {
    const folder = await makeFolder();
    await writeFiles(folder, ['a.csv']);
    const piped = { folder, input: flowCsv([{}]) };
    for (const line of [[...words, 'a.csv'], ...(words[0] === '--as' ? [[...words, '-']] : [])]) {
        const { exitCode, stdout, stderr } = await runFlowlake(['--lake', 'lake', 'upload', ...line], piped);
        expect([exitCode, stdout]).toEqual([2, '']);
        expect(stderr).toContain('is not usable');
        expect(stderr).not.toMatch(OBEYED);
    }
    expect((await listAll(folder)).filter((path) => path !== 'a.csv')).toEqual([]);
});

test('a file whose name no key may have is named and fails, and the others of its folder are taken in', async () => {
    const folder = await makeFolder();
    await writeFiles(join(folder, 'in'), ['a.csv', `b${ERASE}.csv`]);
    const { exitCode, stdout, stderr } = await runFlowlake(['--lake', 'lake', 'upload', 'in'], { folder });
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('Name "b\\r\\u001b[2K.csv" is not usable')]);
    expect(stdout + stderr).not.toMatch(OBEYED);
    expect(await readdir(join(folder, 'lake/raw'))).toEqual(['a.csv']);
    const alone = await runFlowlake(['--lake', 'other', 'upload', join('in', `b${ERASE}.csv`)], { folder });
    expect([alone.exitCode, alone.stderr]).toEqual([2, expect.stringContaining('Name "b\\r\\u001b[2K.csv" is not usable')]);
    expect((await readdir(folder)).sort()).toEqual(['in', 'lake']);
});

test('what was put under raw/ by hand is read whatever its name, but for hidden files, and shown so that no terminal obeys it', async () => {
    const folder = await makeFolder();
    const names = [
        `erase${ERASE}.csv`,
        'two\nlines.csv',
        'site=..\u202e/a.csv',
        "site='; drop --/a.csv",
        'site=<script>/a.csv',
        'site=',
        ' ',
    ];
    await writeFiles(join(folder, 'lake/raw'), [...names, '.hidden']);
    await writeFile(join(folder, 'lake/raw/rejected.csv'), flowCsv([{ duration: `${ERASE}gone` }]));
    const run = (...words: string[]) => runFlowlake(['--lake', 'lake', ...words], { folder });
    expect((await run('reconcile')).exitCode).toBe(0);
    const sources = (await ask(folder, 'select source, site from sources')).map(({ source, site }) => `${source} ${site}`);
    expect(sources.sort()).toEqual(
        [...names.map((name) => `raw/${name} ${/^site=([^/]+)\//.exec(name)?.[1] ?? 'main'}`), 'raw/rejected.csv main'].sort(),
    );
    expect((await ask(folder, 'select line from rejects'))[0]?.line).toContain(ERASE);
    for (const words of [
        ['status'],
        ['query', 'select source from sources'],
        ['rejects'],
        ['pairs'],
        ['verify'],
        ['history', `raw/${names[0]}`],
        ['retract', `raw/${names[0]}`],
        ['retract', `raw/${ERASE}`],
        ['export', `192.0.2.1${ERASE}`, '198.51.100.1'],
        ['query', `select ${ERASE}`],
        [`up${ERASE}load`],
    ]) {
        const { stdout, stderr } = await run(...words);
        expect(stdout + stderr).not.toMatch(OBEYED);
    }
    const page = await run('export', '192.0.2.1', '198.51.100.1', '--format', 'html');
    expect(page.stdout).not.toContain('<script>/');
    expect(page.stdout).not.toMatch(/<td[^>]*><script>/);
}, 120_000);

test.each([
    ["192.0.2.1' or '1'='1", '198.51.100.1'],
    ["192.0.2.1'; drop view pair_days; --", '198.51.100.1'],
    ['192.0.2.1\u2019 or 1=1', '198.51.100.1'],
    ['192.0.2.1" or ""="', '?'],
    ['192.0.2.1\\', '$1'],
])(
    '%j is asked for as a text and nothing else',
    async (src, dst) => {
        const folder = await makeFolder();
        await writeFiles(folder, ['a.csv']);
        const run = (...words: string[]) => runFlowlake(['--lake', 'lake', ...words], { folder });
        await run('upload', 'a.csv');
        const asked = await run('export', src, dst);
        expect([asked.exitCode, asked.stdout]).toEqual([1, '']);
        expect(asked.stderr).toContain('No pair');
        const bySite = await run('export', '192.0.2.1', '198.51.100.1', '--site', src);
        expect([bySite.exitCode, bySite.stdout]).toEqual([1, '']);
        const rejects = await run('rejects', src);
        expect([rejects.exitCode, rejects.stdout]).toEqual([1, '']);
        expect(await ask(folder, 'select sum(flows) as flows from pair_days')).toEqual([{ flows: 1 }]);
    },
    60_000,
);

describe('symbolic links', () => {
    /** A lake with one file in it, and a folder outside of it with another. */
    async function makePlace() {
        const folder = await makeFolder();
        const outside = await mkdtemp(join(tmpdir(), 'flowlake-outside-'));
        await writeFiles(folder, ['a.csv']);
        await writeFile(join(outside, 'secret.csv'), flowCsv([{ packets: 7 }, { packets: 8 }]));
        const run = (...words: string[]) => runFlowlake(['--lake', 'lake', ...words], { folder });
        return { folder, outside, run, cleanUp: () => rm(outside, { recursive: true }) };
    }

    test.each(['raw', 'ledger', 'summaries', 'pair_days', 'rejects', '.flowlake', '.flowlake/tmp', '.flowlake/lock', '.flowlake/running'])(
        'a link in place of %s is refused, and nothing is written behind it',
        async (name) => {
            const { folder, outside, run, cleanUp } = await makePlace();
            await run('upload', 'a.csv');
            await rm(join(folder, 'lake', name), { recursive: true, force: true });
            await symlink(outside, join(folder, 'lake', name));
            await writeFile(join(folder, 'b.csv'), flowCsv([{ packets: 9 }, { duration: 'x' }]));
            for (const words of [['upload', 'b.csv'], ['reconcile']]) {
                const { exitCode, stderr } = await run(...words);
                expect(stderr).toMatch(/is a symbolic link, and a lake follows none/);
                expect(exitCode).toBe(1);
            }
            expect(await readdir(outside)).toEqual(['secret.csv']);
            await cleanUp();
        },
        60_000,
    );

    test('a link in place of a day is no figure, and SQL does not follow it', async () => {
        const { folder, outside, run, cleanUp } = await makePlace();
        await run('upload', 'a.csv');
        const [day] = await readdir(join(folder, 'lake/pair_days'));
        for (const name of ['day=2020-01-01', `${day}/part-01.parquet`]) {
            const target = name.endsWith('.parquet')
                ? join(folder, 'lake/pair_days', day!, 'part-00.parquet')
                : join(folder, 'lake/pair_days', day!);
            await symlink(target, join(folder, 'lake/pair_days', name));
            const { exitCode, stderr } = await run('query', 'select sum(flows) as flows from pair_days');
            expect([exitCode, stderr]).toEqual([1, expect.stringContaining('is a symbolic link')]);
            await rm(join(folder, 'lake/pair_days', name));
        }
        expect(await ask(folder, 'select sum(flows) as flows from pair_days')).toEqual([{ flows: 1 }]);
        expect(await readdir(outside)).toEqual(['secret.csv']);
        await cleanUp();
    }, 60_000);

    test('a link or a pipe under raw/ is no file of the lake, and an upload of its name takes its place', async () => {
        const { folder, outside, run, cleanUp } = await makePlace();
        await mkdir(join(folder, 'lake/raw'), { recursive: true });
        await symlink(join(outside, 'secret.csv'), join(folder, 'lake/raw/a.csv'));
        await symlink(outside, join(folder, 'lake/raw/site=x'));
        execFileSync('mkfifo', [join(folder, 'lake/raw/pipe.csv')]);
        expect((await run('reconcile')).stderr).toContain('Nothing is undone');
        expect((await run('upload', 'a.csv')).exitCode).toBe(0);
        expect(await ask(folder, 'select source, rows_kept from sources')).toEqual([{ source: 'raw/a.csv', rows_kept: 1 }]);
        expect(await readFile(join(outside, 'secret.csv'), 'utf8')).toBe(flowCsv([{ packets: 7 }, { packets: 8 }]));
        const into = await run('upload', '--site', 'x', '--allow-duplicate', 'a.csv');
        expect([into.exitCode, into.stderr]).toEqual([1, expect.stringContaining('raw/site=x')]);
        expect(await readdir(outside)).toEqual(['secret.csv']);
        await cleanUp();
    }, 60_000);

    test('the lake itself may be one, and what is uploaded where it is named', async () => {
        const { folder, outside, run, cleanUp } = await makePlace();
        await mkdir(join(folder, 'real'));
        await symlink('real', join(folder, 'lake'));
        await symlink(join(outside, 'secret.csv'), join(folder, 'named.csv'));
        expect((await run('upload', 'named.csv', 'a.csv')).exitCode).toBe(0);
        expect(await ask(folder, 'select source, rows_kept from sources order by 1')).toEqual([
            { source: 'raw/a.csv', rows_kept: 1 },
            { source: 'raw/named.csv', rows_kept: 2 },
        ]);
        await cleanUp();
    }, 60_000);

    test('those in a folder that is uploaded are left out and counted', async () => {
        const { folder, outside, run, cleanUp } = await makePlace();
        await writeFiles(join(folder, 'in'), ['a.csv']);
        await symlink(join(outside, 'secret.csv'), join(folder, 'in/link.csv'));
        await symlink(outside, join(folder, 'in/below'));
        await symlink('.', join(folder, 'in/round'));
        const { exitCode, stderr } = await run('upload', 'in');
        expect([exitCode, stderr]).toEqual([0, expect.stringContaining('Left out 3 symbolic links')]);
        expect(await ask(folder, 'select source from sources')).toEqual([{ source: 'raw/a.csv' }]);
        await run('upload', 'in/**/*.csv');
        expect(await ask(folder, 'select source from sources')).toEqual([{ source: 'raw/a.csv' }]);
        await cleanUp();
    }, 60_000);
});
