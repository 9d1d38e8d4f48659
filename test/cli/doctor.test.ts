import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { doctor } from '#cli/commands/doctor/command';
import type { DirectoryFacts } from '#lake/doctor/directory-facts';
import { judgeDirectory } from '#lake/doctor/directory-findings';
import { pairDays } from '#lake/flows/tables';
import { kinds } from '#lake/kinds';
import { makeFolder } from '#test/support/temporary';
import { fakeWorld, runLine } from './fake-surroundings.ts';
import { makeLake } from './small-lake.ts';

const commands = [doctor];

async function examine(directory: string, now = () => new Date()) {
    const ran = await runLine(['--lake', directory, '--output', 'json', 'doctor'], { world: fakeWorld({ now }), commands });
    const rows: { check: string; result: string; found: string; what_to_do: string | null }[] = JSON.parse(ran.stdout);
    return { ...ran, rows, of: (check: string) => rows.find((row) => row.check === check) };
}

/** A check for each kind's figures. */
const STRAYS = kinds.flatMap(({ merged, derived = [] }, at) => [
    at === 0 ? 'stray files' : `stray files of ${merged.name}`,
    ...derived.map(({ table }) => `stray files of ${table.name}`),
]);

test('a lake that is well: every check says so, exit code 0, nothing is changed', async () => {
    const directory = await makeLake({ days: [{ day: '2026-01-05' }] });
    const before = await readdir(directory, { recursive: true });
    const { exitCode, rows, stderr } = await examine(directory);
    expect(rows.map(({ check, result, what_to_do }) => [check, result, what_to_do])).toEqual(
        ['folder', 'lock', 'undone work', 'free space', 'sources', 'figures', ...STRAYS, 'clock'].map((check) => [check, 'ok', null]),
    );
    expect([exitCode, stderr]).toEqual([0, '0 problems, 0 warnings\n']);
    expect(await readdir(directory, { recursive: true })).toEqual(before);
});

test('a problem is told with what to do, and exit code 1, as a table too', async () => {
    const directory = await makeLake({ days: [{ day: '2026-01-05' }] });
    await writeFile(join(directory, 'pair_days/day=2026-01-05/part-00 (copy).parquet'), 'x');
    const { exitCode, of } = await examine(directory);
    expect(exitCode).toBe(1);
    expect(of('stray files')).toMatchObject({ result: 'problem', what_to_do: expect.stringContaining('move them out') });
    const table = await runLine(['--lake', directory, 'doctor'], { commands });
    expect(table.stdout).toMatch(/^stray files +problem +pair_days\/day=2026-01-05\/part-00 \(copy\).parquet +move them out/m);
    expect(table.stderr).toMatch(/^1 problem, /);
});

test('work that was cut off, and who has the lock', async () => {
    const directory = await makeLake({ days: [{ day: '2026-01-05' }] });
    const own = join(directory, '.flowlake');
    await mkdir(join(own, 'running'), { recursive: true });
    await mkdir(join(own, 'lock'), { recursive: true });
    await writeFile(join(own, 'running/999999-x'), `${hostname()} 999999 1`);
    await writeFile(join(own, 'lock/7'), `${hostname()} 999999 1`);
    const { exitCode, of } = await examine(directory);
    expect(exitCode).toBe(1);
    expect(of('undone work')).toMatchObject({ result: 'problem', what_to_do: expect.stringContaining('reconcile') });
    expect(of('lock')).toMatchObject({ result: 'ok', found: expect.stringContaining('process 999999') });
    await writeFile(join(own, 'lock/8'), 'elsewhere 12 1');
    expect((await examine(directory)).of('lock')).toMatchObject({
        result: 'warning',
        found: 'process 12 on elsewhere holds it, which cannot be asked from here',
    });
    await writeFile(join(own, 'lock/8.over'), '');
    expect((await examine(directory)).of('lock')).toMatchObject({ result: 'ok', found: 'nobody holds it' });
});

test('figures that were written in the future: a clock is wrong', async () => {
    const directory = await makeLake({ days: [{ day: '2026-01-05' }] });
    const { exitCode, of } = await examine(directory, () => new Date('2020-01-01'));
    expect(of('clock')).toMatchObject({ result: 'warning', what_to_do: expect.stringContaining('clock') });
    expect(exitCode).toBe(0);
});

describe('where there is no lake', () => {
    test('a folder that is missing, and a file in its place, are said', async () => {
        const folder = await makeFolder();
        await writeFile(join(folder, 'file'), '');
        const missing = await examine(join(folder, 'none'));
        expect([missing.exitCode, missing.rows.map(({ found }) => found)]).toEqual([1, [`there is no folder ${join(folder, 'none')}`]]);
        const file = await examine(join(folder, 'file'));
        expect([file.exitCode, file.rows.map(({ found }) => found)]).toEqual([
            1,
            [`${join(folder, 'file')} is a file; a lake is a directory`],
        ]);
    });

    test('none that is named is wrong usage', async () => {
        expect(await runLine(['doctor'], { commands })).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('Which lake?') });
    });
});

/** What a test cannot bring about on every machine: no rights, a full disk. */
describe('the folder and its disk', () => {
    const well: DirectoryFacts = {
        directory: '/lake',
        access: { kind: 'found', value: { isFolder: true, isReadable: true, isWritable: true } },
        lock: { kind: 'missing' },
        freeBytes: { kind: 'found', value: 50e9 },
        days: new Map([[pairDays, { kind: 'found', value: { days: [], strays: [], newestAt: undefined } }]]),
        olderFigures: { kind: 'found', value: { days: [], isAll: true } },
        sources: { kind: 'found', value: { lost: [], twins: [] } },
        cutOff: 0,
    };
    const resultOf = (check: string, change: Partial<DirectoryFacts>) =>
        judgeDirectory({ ...well, ...change }, { now: new Date() })
            .filter((finding) => finding.check === check)
            .map(({ result }) => result);

    test('read-only is a warning, unreadable a problem', () => {
        const access = (isReadable: boolean, isWritable: boolean) =>
            ({ access: { kind: 'found', value: { isFolder: true, isReadable, isWritable } } }) as const;
        expect(resultOf('folder', access(true, false))).toEqual(['warning']);
        expect(resultOf('folder', access(false, true))).toEqual(['problem']);
    });

    test('little space is a warning, hardly any a problem', () => {
        const free = (value: number) => ({ freeBytes: { kind: 'found', value } }) as const;
        expect([1e9, 1e8, 50e9].map((bytes) => resultOf('free space', free(bytes)))).toEqual([['warning'], ['problem'], ['ok']]);
    });

    test('what cannot be told is no problem and not well', () => {
        const unreadable = { kind: 'unreadable', code: undefined, why: 'cannot list pair_days/' } as const;
        expect(resultOf('stray files', { days: new Map([[pairDays, unreadable]]) })).toEqual(['could not check']);
        expect(resultOf('lock', { lock: unreadable })).toEqual(['could not check']);
    });
});
