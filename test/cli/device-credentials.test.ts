/** Certificates and tokens from the command line: what is written where, who may read it, and how it ends. */
import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { hashToken } from '#lake/credentials';
import { makeLiveFolder, writeServing } from '#lake/serve/live-files';
import { makeFolder } from '#test/support/temporary';
import { fakeWorld, runLine } from './fake-surroundings.ts';

let folder: string;
let lake: string;
let out: string;

beforeEach(async () => {
    folder = await makeFolder();
    [lake, out] = [join(folder, 'lake'), join(folder, 'devices')];
});

const run = (...argv: string[]) => runLine(['--lake', lake, ...argv], { world: fakeWorld() });
const add = (...argv: string[]) => run('device', 'add', ...argv, '--profile', 'plain-json');
const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;
const credentialsOf = async (device: string) => JSON.parse(await readFile(join(lake, `credentials/${device}.json`), 'utf8'));
const rowsOf = async (...argv: string[]) => JSON.parse((await run('--output', 'json', ...argv)).stdout);

describe('device add', () => {
    test('without --out and --token registers the device and nothing else', async () => {
        await add('boiler-7');
        expect((await readdir(lake)).sort()).toEqual(['.flowlake', 'devices', 'profiles']);
        expect(await readdir(join(lake, '.flowlake'))).not.toContain('live');
    });

    test('--out makes key and certificate for their owner alone, and lines that name them', async () => {
        const { exitCode, stdout, stderr } = await add('boiler-7', '--out', out);
        expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '' });
        const mine = join(out, 'boiler-7');
        expect((await readdir(mine)).sort()).toEqual(['ca.crt', 'device.crt', 'device.key']);
        expect([await modeOf(mine), await modeOf(join(mine, 'device.key'))]).toEqual([0o700, 0o600]);
        const certificate = new X509Certificate(await readFile(join(mine, 'device.crt')));
        expect(certificate.subject).toBe('CN=boiler-7');
        expect(certificate.verify(new X509Certificate(await readFile(join(mine, 'ca.crt'))).publicKey)).toBe(true);
        expect(await credentialsOf('boiler-7')).toMatchObject({
            device: 'boiler-7',
            certificates: [
                {
                    fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
                    not_after: '2031-01-31T12:00:00.000Z',
                    added: '2026-02-01T12:00:00.000Z',
                    revoked: null,
                },
            ],
            tokens: [],
        });
        for (const client of ['mosquitto_pub', 'paho-mqtt', 'AWSIoTPythonSDK', 'awsiotsdk', 'mqtt.js']) {
            expect(stderr).toContain(`# ${client} (`);
        }
        expect(stderr).not.toContain('curl');
        expect(stderr).toContain(`npx flowlake --lake ${lake} device check boiler-7 --credentials ${out}`);
        expect(stderr).not.toContain('PRIVATE');
    });

    test('--days says how long the certificate holds', async () => {
        await add('boiler-7', '--out', out, '--days', '30');
        expect((await credentialsOf('boiler-7')).certificates[0].not_after).toBe('2026-03-03T12:00:00.000Z');
    });

    test('overwrites nothing, and changes nothing then', async () => {
        await add('boiler-7', '--out', out);
        const key = await readFile(join(out, 'boiler-7/device.key'), 'utf8');
        const before = await credentialsOf('boiler-7');
        const { exitCode, stderr } = await run('device', 'add', 'boiler-7', '--site', 'elsewhere', '--out', out);
        expect({ exitCode, stderr }).toMatchObject({
            exitCode: 2,
            stderr: expect.stringContaining('device.crt is there already, and is not overwritten'),
        });
        expect(await readFile(join(out, 'boiler-7/device.key'), 'utf8')).toBe(key);
        expect(await credentialsOf('boiler-7')).toEqual(before);
        expect(await rowsOf('device', 'show', 'boiler-7')).toMatchObject([{ site: 'main' }]);
    });

    test('--token prints a token alone, once, and keeps its hash', async () => {
        const { stdout, stderr } = await add('till-2', '--token', '--label', 'shop');
        expect(stdout).toMatch(/^flt_dGlsbC0y\.[A-Za-z0-9_-]{43}\n$/);
        expect(stderr).not.toContain(stdout.trim());
        expect((await credentialsOf('till-2')).tokens).toEqual([
            { hash: hashToken(stdout.trim()), label: 'shop', added: '2026-02-01T12:00:00.000Z', revoked: null },
        ]);
        const { stdout: files } = await promisify(execFile)('grep', ['-rl', stdout.trim(), folder]).catch(() => ({ stdout: '' }));
        expect(files).toBe('');
    });

    test('--token with --out puts it into the folder, and shows it nowhere', async () => {
        const { stdout, stderr } = await add('till-2', '--token', '--out', out);
        const token = (await readFile(join(out, 'till-2/token'), 'utf8')).trim();
        expect(await modeOf(join(out, 'till-2/token'))).toBe(0o600);
        expect(`${stdout}${stderr}`).not.toContain(token);
        expect(stderr).toContain('curl --fail-with-body');
    });

    test('names the ports of the serve that runs', async () => {
        makeLiveFolder(lake);
        writeServing(lake, { host: 'gateway.local', mqttPort: 9883, httpPort: 9080, isHttps: true });
        const { stderr } = await add('till-2', '--token', '--out', out);
        expect(stderr).toContain('mosquitto_pub -h gateway.local -p 9883');
        expect(stderr).toContain(`--cacert ${out}/till-2/ca.crt https://gateway.local:9080/v1/telemetry`);
    });

    test('of a label without a token, or for a lake in S3, is refused', async () => {
        expect(await add('a', '--label', 'x')).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('give --token with it') });
    });
});

describe('device revoke', () => {
    test('ends one certificate, one token, or all, and device show says so', async () => {
        await add('d', '--out', out, '--token');
        const { certificates } = await credentialsOf('d');
        const begins = certificates[0].fingerprint.slice(0, 10);
        expect(await run('device', 'revoke', 'd', '--certificate', begins)).toEqual({
            exitCode: 0,
            stdout: '',
            stderr: `Revoked of device d: certificate ${certificates[0].fingerprint}. Connections that are open end within seconds\n`,
        });
        expect(await rowsOf('device', 'show', 'd', '--credentials')).toEqual([
            {
                kind: 'certificate',
                name: certificates[0].fingerprint,
                added: '2026-02-01T12:00:00.000Z',
                ends: '2031-01-31T12:00:00.000Z',
                revoked: '2026-02-01T12:00:00.000Z',
            },
            { kind: 'token', name: 'token-1', added: '2026-02-01T12:00:00.000Z', ends: null, revoked: null },
        ]);
        expect((await run('device', 'show', 'd')).stderr).toBe(
            `certificate ${certificates[0].fingerprint}, revoked on 2026-02-01\ntoken token-1, given on 2026-02-01\n`,
        );
        await run('device', 'revoke', 'd');
        expect((await run('device', 'revoke', 'd')).stderr).toBe('Nothing to revoke: that of device d was revoked before\n');
    });

    test.each([
        [['other'], 'Device other has no credentials'],
        [['d', '--token', 'x'], 'Device d has no token x, but certificate'],
        [['d', '--certificate', 'ffff', '--token', 'x'], 'Give --certificate or --token'],
    ])('%j is refused', async (words, said) => {
        await add('d', '--out', out);
        expect(await run('device', 'revoke', ...words)).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(said) });
    });
});

test('device import --out gives each device its folder, and goes on where one was cut off', async () => {
    const csv = join(folder, 'devices.csv');
    await writeFile(csv, 'device,profile\na,plain-json\nb,plain-json\n');
    await rowsOf('device', 'import', csv, '--out', join(folder, 'certificates'));
    expect((await rowsOf('device', 'import', csv, '--out', join(folder, 'certificates'), '--token'))[0]).toMatchObject({
        credentials: 'made',
    });
    expect((await credentialsOf('a')).certificates).toHaveLength(1);
    expect((await readdir(join(folder, 'certificates/a'))).sort()).toEqual(['ca.crt', 'device.crt', 'device.key', 'token']);
    const first = await rowsOf('device', 'import', csv, '--out', out, '--token');
    expect(first.map(({ device, result, credentials }: Record<string, string>) => [device, result, credentials])).toEqual([
        ['a', 'unchanged', 'made'],
        ['b', 'unchanged', 'made'],
    ]);
    expect((await readdir(join(out, 'b'))).sort()).toEqual(['ca.crt', 'device.crt', 'device.key', 'token']);
    const before = await credentialsOf('a');
    await writeFile(csv, 'device,profile\na,plain-json\nb,plain-json\nc,plain-json\n');
    const again = await rowsOf('device', 'import', csv, '--out', out, '--token');
    expect(again.map(({ credentials }: Record<string, string>) => credentials)).toEqual(['kept', 'kept', 'made']);
    expect(await credentialsOf('a')).toEqual(before);
    await rm(join(out, 'b/device.key'));
    expect(await run('device', 'import', csv, '--out', out)).toMatchObject({
        exitCode: 2,
        stderr: expect.stringContaining('one is missing'),
    });
    expect(await run('device', 'import', csv, '--token')).toMatchObject({
        exitCode: 2,
        stderr: expect.stringContaining('give --out DIR with it'),
    });
});
