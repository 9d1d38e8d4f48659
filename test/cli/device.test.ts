/** The registry of devices: what is kept of each, that past assignments stay as they were, and the rows that SQL sees. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
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

function run(argv: readonly string[], { input = '' } = {}) {
    return runLine(['--lake', lake, ...argv], { world: fakeWorld({ input }) });
}

async function rowsOf(...argv: string[]): Promise<Record<string, unknown>[]> {
    const { exitCode, stdout, stderr } = await run(['--output', 'json', ...argv]);
    expect({ argv, exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ argv, exitCode: 0, stderr: '' });
    return JSON.parse(stdout);
}

async function add(...words: string[]) {
    const { exitCode, stderr } = await run(['device', 'add', ...words]);
    expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' });
    return stderr;
}

const BOILER = {
    device: 'boiler-7',
    site: 'berlin',
    profile: 'plain-json',
    ip: '10.0.0.7',
    place: 'cellar',
    valid_from: null,
    valid_to: null,
};
const NEW = ['boiler-7', '--profile', 'plain-json', '--site', 'berlin', '--ip', '10.0.0.7', '--place', 'cellar'];

describe('device add', () => {
    test('registers a device from the beginning on, and takes a preset into the lake', async () => {
        expect(await add(...NEW)).toBe(
            'Added version 1 of profile plain-json to the lake, a preset of this program\n' +
                'Device boiler-7 is read by profile plain-json at site berlin (cellar), address 10.0.0.7, from the beginning on\n',
        );
        expect(await rowsOf('device', 'show', 'boiler-7')).toEqual([BOILER]);
        expect(await rowsOf('query', 'select * from devices')).toEqual([BOILER]);
    });

    test('of one that moved ends what was before on that day, and keeps what is not said', async () => {
        await add(...NEW);
        await add('boiler-7', '--site', 'hamburg', '--ip', '10.1.0.9', '--from', '2026-01-15');
        const rows = [
            { ...BOILER, valid_to: '2026-01-15' },
            { ...BOILER, site: 'hamburg', ip: '10.1.0.9', valid_from: '2026-01-15' },
        ];
        expect(await rowsOf('device', 'show', 'boiler-7')).toEqual(rows);
        expect(await rowsOf('query', 'select * from devices order by valid_from nulls first')).toEqual(rows);
        expect(await rowsOf('device', 'list')).toEqual(rows.slice(1));
        expect(await rowsOf('device', 'list', '--site', 'berlin')).toEqual([]);
        // A device that is registered has its next assignment from today.
        await add('boiler-7', '--place', 'roof');
        expect(
            (await rowsOf('device', 'show', 'boiler-7')).map(({ place, valid_from, valid_to }) => [place, valid_from, valid_to]),
        ).toEqual([
            ['cellar', null, '2026-01-15'],
            ['cellar', '2026-01-15', '2026-02-01'],
            ['roof', '2026-02-01', null],
        ]);
    });

    test('once more changes nothing; from the same day on it corrects', async () => {
        await add(...NEW);
        expect(await add(...NEW)).toMatch(/^Nothing to change: device boiler-7 is read by/);
        await add('boiler-7', '--site', 'hamburg', '--from', '2026-01-15');
        await add('boiler-7', '--site', 'bremen', '--from', '2026-01-15');
        expect((await rowsOf('device', 'show', 'boiler-7')).map(({ site, valid_to }) => [site, valid_to])).toEqual([
            ['berlin', '2026-01-15'],
            ['bremen', null],
        ]);
    });

    test('keeps IPv6 addresses in the short form that flows have', async () => {
        await add('cam:1', '--profile', 'plain-json', '--ip', '2001:0DB8:0:0:0:0:0:7');
        expect(await rowsOf('device', 'list')).toMatchObject([{ device: 'cam:1', site: 'main', ip: '2001:db8::7' }]);
        expect(await readdir(join(lake, 'devices'))).toEqual(['cam%3A1.json']);
    });

    test.each([
        ['an id that no device may have', ['-a/b'], 'device id'],
        [
            'an id of a gateway and a node',
            ['gw/node', '--profile', 'plain-json'],
            '. Register gw:node, and let the profile make that of what',
        ],
        ['a new device without a profile', ['new'], 'say how its messages are read with --profile'],
        ['no address', ['boiler-7', '--ip', '10.0.0.700'], '"10.0.0.700" is no address'],
        ['no site', ['boiler-7', '--site', 'a/b'], 'Site "a/b" is not usable'],
        ['no profile', ['boiler-7', '--profile', 'plain-jsn'], 'There is no profile "plain-jsn": the nearest are plain-json'],
        ['a day before the last one', ['boiler-7', '--site', 'x', '--from', '2025-12-31'], 'has an assignment from 2026-01-15 on'],
        ['no day', ['boiler-7', '--from', '2026-02-30'], 'Expected a day of the calendar'],
    ])('refuses %s, and changes nothing', async (_, words, said) => {
        await add(...NEW, '--from', '2026-01-15');
        const before = await rowsOf('query', 'select * from devices');
        expect(await run(['device', 'add', ...(words[0]?.startsWith('-') ? ['--'] : []), ...words])).toMatchObject({
            exitCode: 2,
            stderr: expect.stringContaining(said),
        });
        expect(await rowsOf('query', 'select * from devices')).toEqual(before);
        // No mark stays: there is nothing that the next command would have to finish.
        expect((await run(['status'])).stderr).not.toContain('cut off');
    });

    test('refuses an address that another device of the site has on one of the same days', async () => {
        await add(...NEW);
        const other = ['pump', '--profile', 'plain-json', '--ip', '10.0.0.7'];
        expect(await run(['device', 'add', ...other, '--site', 'berlin', '--from', '2026-01-20'])).toMatchObject({
            exitCode: 2,
            stderr: expect.stringContaining('Device pump cannot have address 10.0.0.7 at site berlin: device boiler-7 has it.'),
        });
        await add(...other, '--site', 'hamburg');
        await add('boiler-7', '--ip', '10.0.0.8', '--from', '2026-01-20');
        await add('pump', '--site', 'berlin', '--from', '2026-01-20');
        expect((await rowsOf('device', 'list', '--site', 'berlin')).map(({ device, ip }) => [device, ip])).toEqual([
            ['boiler-7', '10.0.0.8'],
            ['pump', '10.0.0.7'],
        ]);
        expect(await run(['device', 'list', '--site', 'berln'])).toEqual({
            exitCode: 1,
            stdout: '',
            stderr: 'flowlake: No device is registered at a site berln. The nearest: berlin, hamburg\n',
        });
    });
});

describe('device import', () => {
    const CSV =
        'device,site,profile,ip,place,from\nboiler-7,berlin,plain-json,10.0.0.7,"cellar, left",\npump,berlin,plain-json,,,\r\n\nboiler-7,hamburg,,10.1.0.9,,2026-01-15\n';

    test('registers a device for each line, in their order, and once more nothing', async () => {
        const path = join(folder, 'devices.csv');
        await writeFile(path, `\ufeff${CSV}`);
        const { exitCode, stdout } = await run(['--output', 'json', 'device', 'import', path]);
        expect({ exitCode, rows: JSON.parse(stdout) }).toEqual({
            exitCode: 0,
            rows: [
                { line: 2, device: 'boiler-7', result: 'added' },
                { line: 3, device: 'pump', result: 'added' },
                { line: 5, device: 'boiler-7', result: 'changed' },
            ],
        });
        expect(
            (await rowsOf('query', 'select device, site, place, ip, valid_to from devices order by 1, 5 nulls last')).map(Object.values),
        ).toEqual([
            ['boiler-7', 'berlin', 'cellar, left', '10.0.0.7', '2026-01-15'],
            ['boiler-7', 'hamburg', 'cellar, left', '10.1.0.9', null],
            ['pump', 'berlin', null, null, null],
        ]);
    });

    test.each([
        ['unknown columns', 'device,speed\na,1\n', 'found unknown "speed"'],
        ['no column of devices', 'site\nberlin\n', 'must name the columns'],
        ['nothing', '', 'must name the columns'],
        ['a line that is too short', 'device,profile\na,plain-json\nb\n', 'Line 3 has 1 fields, the header 2'],
        ['no day', 'device,profile,from\na,plain-json,today\n', 'Line 2: "today" is no day'],
        ['an open quote', 'device,profile\na,"plain-json\n', 'Line 2: a field in quotes does not end'],
        ['a bad id in a later line', 'device,profile\na,plain-json\n/b,plain-json\n', 'Line 3: The device id "/b" is not usable'],
        ['an address twice', 'device,profile,ip\na,plain-json,10.0.0.1\nb,plain-json,10.0.0.1\n', 'device b has it'],
        ['no profile', 'device,profile\na,plain-jsn\n', 'There is no profile "plain-jsn"'],
    ])('of %s says which line, and registers nothing', async (_, text, said) => {
        const { exitCode, stderr } = await run(['device', 'import', '-'], { input: text });
        expect([1, 2]).toContain(exitCode);
        expect(stderr).toContain(said);
        await expect(readdir(join(lake, 'devices'))).rejects.toThrow('ENOENT');
    });
});

test('device show of one that is not there names the nearest', async () => {
    await add(...NEW);
    expect(await run(['device', 'show', 'boiler-8'])).toMatchObject({
        exitCode: 1,
        stderr: 'flowlake: There is no device boiler-8. The nearest: boiler-7\n',
    });
});

test('a record that is damaged is an error that names it, never no device', async () => {
    await add(...NEW);
    const path = join(lake, 'devices/boiler-7.json');
    const text = await readFile(path, 'utf8');
    for (const damaged of [text.slice(0, -4), text.replace('"boiler-7"', '"boiler-8"'), text.replace('"berlin"', '7')]) {
        await writeFile(path, damaged);
        for (const words of [
            ['device', 'list'],
            ['device', 'show', 'boiler-7'],
            ['device', 'add', 'boiler-7', '--place', 'roof'],
        ]) {
            expect(await run(words)).toMatchObject({
                exitCode: 1,
                stderr: expect.stringContaining('devices/boiler-7.json is no record of device boiler-7'),
            });
        }
    }
});
