/** Profiles from the command line to the figures: presets, trials, and what a corrected profile changes, also of what was pruned. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { PRESETS } from '#lake/telemetry/presets';
import { makeFolder } from '#test/support/temporary';
import { fakeWorld, runLine } from './fake-surroundings.ts';

const PROFILE = {
    name: 'cold-room',
    device: { path: 'id' },
    time: { path: 't', unit: 's' },
    metrics: [{ name: 'temperature', path: 'temp', unit: 'Cel', digits: 1 }],
    gapLimit: '15m',
};
const ALERT = { rule: 'too-warm', metric: 'temperature', above: { raise: 30, clear: 28 }, severity: 'warning', message: 'too warm' };

let folder: string;
let lake: string;

beforeEach(async () => {
    folder = await makeFolder();
    lake = join(folder, 'lake');
});

async function write(name: string, value: unknown): Promise<string> {
    const path = join(folder, name);
    await writeFile(path, typeof value === 'string' ? value : JSON.stringify(value));
    return path;
}

function run(argv: readonly string[], { input = '' } = {}) {
    return runLine(['--lake', lake, ...argv], { world: fakeWorld({ input }) });
}

async function rowsOf(...argv: string[]): Promise<Record<string, unknown>[]> {
    const { exitCode, stdout, stderr } = await run(['--output', 'json', ...argv]);
    expect({ argv, exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ argv, exitCode: 0, stderr: '' });
    return JSON.parse(stdout);
}

describe('profile', () => {
    test('are listed where no lake is named', async () => {
        const { exitCode, stdout } = await runLine(['--output', 'json', 'profile', 'list'], { world: fakeWorld() });
        const rows: { profile: string; version: unknown; preset: string }[] = JSON.parse(stdout);
        expect(exitCode).toBe(0);
        expect(rows.map(({ profile }) => profile)).toEqual([...PRESETS.keys()].sort());
        expect(rows.every(({ version, preset }) => version === null && preset === 'not added')).toBe(true);
    });

    test('list names every preset of the program, and show prints what can be added again', async () => {
        expect((await rowsOf('profile', 'list')).map(({ profile, preset }) => [profile, preset])).toEqual(
            [...PRESETS.keys()].sort().map((name) => [name, 'not added']),
        );
        const path = await write('mine.json', (await run(['profile', 'show', 'plain-json'])).stdout);
        expect(await run(['profile', 'check', path])).toMatchObject({ exitCode: 0, stderr: `${path} is usable, as profile plain-json\n` });
        expect(await run(['profile', 'add', path])).toMatchObject({ exitCode: 0, stderr: 'Added version 1 of profile plain-json\n' });
        expect((await rowsOf('profile', 'list')).find(({ profile }) => profile === 'plain-json')).toMatchObject({
            version: 1,
            preset: 'equal',
        });
    });

    test('of the program is shown and tried without a lake, and one that is not there names those that are', async () => {
        const runWithout = (...argv: string[]) => runLine(argv, { world: fakeWorld({ input: '{}' }) });
        expect(JSON.parse((await runWithout('profile', 'show', 'tasmota')).stdout)).toEqual(PRESETS.get('tasmota'));
        for (const verb of ['show', 'try']) {
            expect(await runWithout('profile', verb, 'nope')).toEqual({
                exitCode: 2,
                stdout: '',
                stderr: `flowlake: The program has no profile "nope", only ${[...PRESETS.keys()].sort().join(', ')}. One of a lake needs --lake; a file is named with its ending, nope.json\n`,
            });
        }
    });

    test('try takes all that is known of a message besides its payload', async () => {
        const path = await write('by-way.json', {
            name: 'by-way',
            topics: ['t/{level}'],
            device: [{ header: 'ce-subject' }, { from: 'certificate' }, { from: 'key' }],
            time: 'arrival',
            metrics: [{ name: '{level}', from: { header: 'x-value' }, digits: 1 }],
        });
        const tried = async (...argv: string[]) => {
            const { stdout } = await run(['--output', 'json', 'profile', 'try', path, '--topic', 't/oven', ...argv], { input: '{}' });
            return JSON.parse(stdout);
        };
        const value = ['--header', 'X-Value: 21.5', '--arrived', '2026-01-05T10:00'];
        const row = { metric: 'oven', at: '2026-01-05T10:00:00.000Z', value: '21.5' };
        expect(await tried(...value, '--header', 'Ce-Subject: a7')).toMatchObject([{ device: 'a7', ...row }]);
        expect(await tried(...value, '--device', 'b8')).toMatchObject([{ device: 'b8', ...row }]);
        expect(await tried(...value, '--key', 'c9')).toMatchObject([{ device: 'c9', ...row }]);
        expect(await tried(...value, '--key', 'c9', '--retained')).toMatchObject([{ note: expect.stringContaining('retained') }]);
        expect(await run(['profile', 'try', path, '--header', 'x'])).toMatchObject({
            exitCode: 2,
            stderr: expect.stringContaining('Expected a header as curl takes it, "Name: value".'),
        });
    });

    test('check names every fault', async () => {
        const path = await write('bad.json', { ...PROFILE, metrics: [{ nmae: 'x' }], time: { path: 't', unit: 'hours' } });
        const { exitCode, stderr } = await run(['profile', 'check', path]);
        expect(exitCode).toBe(1);
        for (const fault of ['metrics[0] lacks "name"', 'metrics[0] has "nmae"', 'time.unit is "hours"']) {
            expect(stderr).toContain(fault);
        }
    });

    test('try shows each reading, or why there is none, and the fields that the profile does not name', async () => {
        const path = await write('cold-room.json', PROFILE);
        const payload = '{"id": "a7", "t": 1767225600, "temp": 21.30, "door": 1}';
        const { exitCode, stdout } = await run(['--output', 'json', 'profile', 'try', path], { input: payload });
        expect({ exitCode, rows: JSON.parse(stdout) }).toEqual({
            exitCode: 0,
            rows: [
                {
                    device: 'a7',
                    metric: 'temperature',
                    at: '2026-01-01T00:00:00.000Z',
                    value: '21.3',
                    unit: 'Cel',
                    note: null,
                },
                expect.objectContaining({ metric: null, note: expect.stringContaining('door') }),
            ],
        });
        expect(await run(['profile', 'try', path], { input: '{"id": "a7"}' })).toMatchObject({ exitCode: 1 });
    });

    test.each([
        ['{"id": "a7", "t": 1}\n{"id": "a7", "t": 2}\n', 'several messages, one on a line: try one of them'],
        ['{"topic": "a", "payload": "{}", "tst": 1}\n', 'a line of a log, with a payload in it: try the payload by itself, with --topic'],
        ['{"id": "a7",\n"t": {"x":\n[1]}}', undefined],
    ])('try of %j says what to try where that is no payload', async (input, hint) => {
        const path = await write('cold-room.json', PROFILE);
        const { exitCode, stdout } = await run(['profile', 'try', path], { input });
        expect(exitCode).toBe(1);
        expect(/this is (.*?)(?:$|;)/m.exec(stdout)?.[1]).toBe(hint);
    });
});

test('a corrected profile is read again by the command itself; what is derived of pruned days comes by its rules too', async () => {
    const profile = await write('cold-room.json', PROFILE);
    await run(['profile', 'add', profile]);
    for (const [name, at] of [
        ['one.json', 1767225600],
        ['two.json', 1767225600 + 86400],
    ] as const) {
        const lines = [20, 35, 35, 20].map((temp, step) => JSON.stringify({ id: 'a7', t: at + step * 600, temp }));
        const path = await write(name, `${lines.join('\n')}\n`);
        expect(await run(['upload', '--kind', 'telemetry', '--profile', 'cold-room', path])).toMatchObject({ exitCode: 0 });
    }
    const episodes = () => rowsOf('query', 'select day, device, rule from episodes order by day');
    expect(await episodes()).toEqual([]);
    await rm(join(lake, 'raw/kind=telemetry/one.json'));
    await write('cold-room.json', { ...PROFILE, alerts: [ALERT] });
    expect(await run(['profile', 'add', profile])).toEqual({
        exitCode: 0,
        stdout: '',
        stderr:
            'Added version 2 of profile cold-room\nRead 1 source of 1 day again\n' +
            '1 source of 1 day stays as read before: the raw files were pruned\n',
    });
    expect(await episodes()).toEqual([
        { day: '2026-01-01', device: 'a7', rule: 'too-warm' },
        { day: '2026-01-02', device: 'a7', rule: 'too-warm' },
    ]);
    expect(await run(['status'])).toMatchObject({ exitCode: 0 });
    expect(await rowsOf('history', 'one.json')).toMatchObject([{ state: 'live', inputs: 'cold-room@1' }]);
    expect((await rowsOf('history', 'two.json')).map(({ inputs }) => inputs)).toEqual(['cold-room@1', 'cold-room@2']);
    const record = JSON.parse(await readFile(join(lake, 'profiles/cold-room.json'), 'utf8'));
    expect(record).toEqual({ version: 2 });
}, 60_000);
