/** The commands about the inputs of a kind, for a made-up kind: `scale list` and so on. */
import '#test/support/know-gauges';

import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { makeFolder } from '#test/support/temporary';
import { fakeWorld, runLine } from './fake-surroundings.ts';

let folder: string;
let lake: string;

beforeEach(async () => {
    folder = await makeFolder();
    lake = join(folder, 'lake');
});

async function write(name: string, value: unknown): Promise<string> {
    const path = join(folder, name);
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(path, typeof value === 'string' ? value : JSON.stringify(value));
    return path;
}

function run(argv: readonly string[], { input = '' } = {}) {
    return runLine(['--lake', lake, ...argv], { world: fakeWorld({ input }) });
}

async function rowsOf(...argv: string[]): Promise<unknown> {
    const { exitCode, stdout, stderr } = await run(['--output', 'json', ...argv]);
    expect({ argv, exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ argv, exitCode: 0, stderr: '' });
    return JSON.parse(stdout);
}

const GAUGE = 'instant,gauge,level\nscale harbour\n2026-01-05T13:05:00Z,pier,10\n';

describe('add', () => {
    test('makes version 1, then version 2, and the same document once more adds nothing', async () => {
        const path = await write('harbour.json', { zero_mm: 1 });
        expect(await run(['scale', 'add', path])).toEqual({ exitCode: 0, stdout: '', stderr: 'Added version 1 of scale harbour\n' });
        expect((await run(['scale', 'add', path])).stderr).toBe('The lake has this very document as version 1 of scale harbour\n');
        await write('harbour.json', { zero_mm: 2 });
        expect((await run(['scale', 'add', path])).stderr).toBe('Added version 2 of scale harbour\n');
        expect(JSON.parse(await readFile(join(lake, 'gauges_scales/harbour/1.json'), 'utf8'))).toEqual({ zero_mm: 1 });
    });

    test('reads again what was read by another version, and says how much', async () => {
        await run(['scale', 'add', await write('harbour.json', { zero_mm: 1 })]);
        await writeFile(join(folder, 'a.gauge'), GAUGE);
        expect(await run(['upload', '--kind', 'gauges', join(folder, 'a.gauge')])).toMatchObject({ exitCode: 0 });
        await write('harbour.json', { zero_mm: 2 });
        expect(await run(['scale', 'add', join(folder, 'harbour.json')])).toEqual({
            exitCode: 0,
            stdout: '',
            stderr: 'Added version 2 of scale harbour\nRead 1 source of 1 day again\n',
        });
        const [record] = await readdir(join(lake, 'ledger'));
        expect(JSON.parse(await readFile(join(lake, 'ledger', record!), 'utf8'))).toMatchObject({ inputs: { harbour: 2 } });
        expect(await run(['status'])).toMatchObject({ exitCode: 0 });
    });

    test('does not take what is no usable document, and names the fault', async () => {
        const path = await write('harbour.json', { zero_mm: 1.5 });
        const said = `flowlake: ${path} is no usable scale: zero_mm must be a whole number of millimetres\n`;
        for (const verb of ['add', 'check']) {
            expect(await run(['scale', verb, path])).toEqual({ exitCode: 1, stdout: '', stderr: said });
        }
        expect(await run(['scale', 'add', await write('broken.json', '{')])).toMatchObject({
            exitCode: 1,
            stderr: expect.stringContaining('broken.json is no JSON'),
        });
        expect(await run(['scale', 'add', join(folder, 'away.json')])).toMatchObject({
            exitCode: 1,
            stderr: expect.stringContaining('cannot read'),
        });
        expect(await rowsOf('scale', 'list')).toEqual([{ scale: 'basin', version: null, preset: 'not added' }]);
    });

    test('takes a preset by its name, and says the nearest where there is none', async () => {
        expect((await run(['scale', 'add', 'basin'])).stderr).toBe('Added version 1 of scale basin\n');
        expect(await run(['scale', 'add', 'basn'])).toMatchObject({
            exitCode: 1,
            stderr: expect.stringContaining('the nearest of the program are basin'),
        });
    });
});

describe('list', () => {
    test('tells how the presets of the program stand to the lake', async () => {
        const basin = await write('basin.json', { zero_mm: 7 });
        const listed = async () => (await run(['--output', 'csv', 'scale', 'list'])).stdout;
        expect(await listed()).toBe('scale,version,preset\r\nbasin,,not added\r\n'.replaceAll('\r', ''));
        await run(['scale', 'add', 'basin']);
        expect(await rowsOf('scale', 'list')).toEqual([{ scale: 'basin', version: 1, preset: 'equal' }]);
        await run(['scale', 'add', basin]);
        expect(await rowsOf('scale', 'list')).toEqual([{ scale: 'basin', version: 2, preset: 'changed' }]);
    });

    test('names those of which the program has another than any in the lake', async () => {
        await run(['scale', 'add', await write('basin.json', { zero_mm: 7 })]);
        const { stdout, stderr } = await run(['--output', 'json', 'scale', 'list']);
        expect(JSON.parse(stdout)).toEqual([{ scale: 'basin', version: 1, preset: 'differs' }]);
        expect(stderr).toContain('This program has another scale than the lake of basin: flowlake scale add <name> takes it');
    });
});

describe('show', () => {
    test('prints the version that holds, another one, or the preset, as JSON', async () => {
        expect(JSON.parse((await run(['scale', 'show', 'basin'])).stdout)).toEqual({ zero_mm: 100 });
        await run(['scale', 'add', 'basin']);
        await run(['scale', 'add', await write('basin.json', { zero_mm: 7 })]);
        expect(await run(['scale', 'show', 'basin'])).toEqual({
            exitCode: 0,
            stdout: '{\n    "zero_mm": 7\n}\n',
            stderr: 'version 2 of scale basin\n',
        });
        expect(JSON.parse((await run(['scale', 'show', 'basin', '1'])).stdout)).toEqual({ zero_mm: 100 });
        expect(await run(['scale', 'show', 'basin', '3'])).toMatchObject({
            exitCode: 1,
            stderr: 'flowlake: There is no version 3 of scale basin: the lake has versions 1 to 2\n',
        });
    });

    test('of one that is nowhere names the nearest', async () => {
        expect(await run(['scale', 'show', 'basn'])).toEqual({
            exitCode: 2,
            stdout: '',
            stderr: 'flowlake: There is no scale "basn": the nearest are basin (flowlake scale list shows all, flowlake scale add <file> adds one)\n',
        });
    });
});

describe('try', () => {
    const payload = 'instant,gauge,level\n2026-01-05T13:05:00Z,pier,10\nno reading\n';

    test('shows what comes of a payload by a file, by one of the lake, and by a preset', async () => {
        const row = { topic: 'sea/1', gauge: 'pier', problem: null };
        const problem = { topic: 'sea/1', gauge: null, level_mm: null, problem: 'unreadable' };
        const file = await write('mine.json', { zero_mm: 5 });
        const message = await write('message.csv', payload);
        expect(await rowsOf('scale', 'try', file, '--payload', message, '--topic', 'sea/1')).toEqual([{ ...row, level_mm: 15 }, problem]);
        await run(['scale', 'add', file]);
        expect(await rowsOf('scale', 'try', 'mine', '--payload', message, '--topic', 'sea/1')).toEqual([{ ...row, level_mm: 15 }, problem]);
        const { stdout } = await run(['--output', 'json', 'scale', 'try', 'basin', '--topic', 'sea/1'], { input: payload });
        expect(JSON.parse(stdout)).toEqual([{ ...row, level_mm: 110 }, problem]);
    });

    test('answers with exit code 1 where nothing of the payload can be used', async () => {
        expect(await run(['scale', 'try', 'basin'], { input: 'instant,gauge,level\nno reading\n' })).toMatchObject({ exitCode: 1 });
    });
});

describe('the word that the commands have in common', () => {
    test('shows them, with their own help behind', async () => {
        const { exitCode, stdout } = await run(['scale', '--help']);
        expect(exitCode).toBe(0);
        for (const verb of ['list', 'show', 'check', 'try', 'add']) {
            expect(stdout).toMatch(new RegExp(`^ +${verb} `, 'm'));
            expect((await run(['scale', verb, '--help'])).stdout).toContain(`flowlake scale ${verb}`);
        }
    });

    test('alone, or with one that is none of them, is used wrongly', async () => {
        expect(await run(['scale'])).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('add') });
        expect(await run(['scale', 'ad', 'x.json'])).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('Did you mean add?') });
    });
});

describe('an upload that names an input', () => {
    const words = async (...more: string[]) => {
        const text = 'instant,gauge,level\n2026-01-05T13:05:00Z,pier,10\n';
        return ['upload', '--kind', 'gauges', ...more, await write('a.gauge', text)];
    };
    const levelOf = async () => {
        const [record] = await readdir(join(lake, 'ledger'));
        const { lowest_reading: level, inputs } = JSON.parse(await readFile(join(lake, 'ledger', record!), 'utf8'));
        return { level, inputs };
    };

    test('is read by the one of the lake', async () => {
        await run(['scale', 'add', await write('mine.json', { zero_mm: 5 })]);
        expect(await run(await words('--scale', 'mine'))).toMatchObject({ exitCode: 0 });
        expect(await levelOf()).toEqual({ level: '15', inputs: { mine: 1 } });
    });

    test('adds a preset to the lake first and says so; one of the lake stays though the program has another', async () => {
        expect(await run(await words('--scale', 'basin'))).toMatchObject({
            exitCode: 0,
            stderr: expect.stringContaining('Added version 1 of scale basin to the lake, a preset of this program\n'),
        });
        expect(await levelOf()).toEqual({ level: '110', inputs: { basin: 1 } });
        await run(['scale', 'add', await write('basin.json', { zero_mm: 7 })]);
        expect(await levelOf()).toEqual({ level: '17', inputs: { basin: 2 } });
        expect((await run(await words('--scale', 'basin'))).stderr).not.toContain('Added');
        expect(await rowsOf('scale', 'list')).toEqual([{ scale: 'basin', version: 2, preset: 'changed' }]);
    });

    test('in a trial is read by the preset, and changes nothing', async () => {
        const { exitCode, stdout } = await run(['--output', 'json', ...(await words('--dry-run', '--scale', 'basin'))]);
        expect({ exitCode, rows: JSON.parse(stdout) }).toMatchObject({ exitCode: 0, rows: [{ lowest_reading: '110' }] });
        await expect(readdir(lake)).rejects.toThrow('ENOENT');
    });

    test('names one that is nowhere: exit code 2, the nearest, and nothing is changed', async () => {
        for (const more of [[], ['--dry-run']]) {
            expect(await run(await words('--scale', 'basn', ...more))).toMatchObject({
                exitCode: 2,
                stderr: expect.stringContaining('There is no scale "basn": the nearest are basin (flowlake scale list shows all'),
            });
        }
        await expect(readdir(lake)).rejects.toThrow('ENOENT');
    });
});
