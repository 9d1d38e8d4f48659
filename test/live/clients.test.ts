/** Each client that devices have, against a real server: what it sees acknowledged is in the lake, and nobody comes in who may not. */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { clientLines } from '#cli/commands/device/client-lines';
import { deviceFile, writeDeviceFiles } from '#cli/device-files';
import { addCertificate } from '#lake/credentials';
import { authorityFolder, openAuthority } from '#lake/serve/certificates';
import { askServe } from '#lake/serve/control';
import { openDirectoryStore } from '#lake/store/directory';
import { fakeWorld, runLine } from '#test/cli/fake-surroundings';
import { makeFolder } from '#test/support/temporary';
import { CLIENTS_OF_DEVICES, type LiveClient, PYTHON_FOLDER, ROOT, type Sending, type SendOptions } from './support/live-clients.ts';
import { type LiveServer, startServer } from './support/live-server.ts';

let lake: string;
let folder: string;
let server: LiveServer;
let devices = 0;
const running: Sending[] = [];

beforeAll(async () => {
    const home = await makeFolder();
    [lake, folder] = [join(home, 'lake'), join(home, 'devices')];
    await flowlake('device', 'add', 'first', '--profile', 'plain-json');
    server = await startServer(lake);
});

afterEach(() => {
    for (const sending of running.splice(0)) {
        sending.kill();
    }
});

afterAll(() => server.close());

async function flowlake(...argv: string[]): Promise<void> {
    const { exitCode, stderr } = await runLine(['--lake', lake, ...argv], { world: fakeWorld({ now: () => new Date() }) });
    expect({ argv, exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ argv, exitCode: 0, stderr: '' });
}

/** A new device with files to connect by. */
async function newDevice(): Promise<string> {
    devices += 1;
    const device = `d-${devices}`;
    await flowlake('device', 'add', device, '--profile', 'plain-json', '--out', folder, '--token');
    return device;
}

/** What the tables have of the device, once all that was taken is in them. */
async function readingsOf(device: string): Promise<unknown> {
    await askServe(lake, 'seal');
    const sql = `select metric, value::double as value, copies from readings where device = '${device}'`;
    const { stdout } = await runLine(['--lake', lake, '--output', 'json', 'query', sql], { world: fakeWorld({ now: () => new Date() }) });
    return JSON.parse(stdout);
}

function filesOf(device: string) {
    return {
        ca: deviceFile(folder, device, 'ca'),
        certificate: deviceFile(folder, device, 'certificate'),
        key: deviceFile(folder, device, 'key'),
    };
}

function send(client: LiveClient, device: string, options: Pick<SendOptions, 'messages'> & Partial<SendOptions>): Sending {
    const sending = client.send({ host: server.host, port: server.mqttPort, ...filesOf(device), clientId: device, ...options });
    running.push(sending);
    return sending;
}

async function until(holds: () => boolean | Promise<boolean>, why: () => string): Promise<void> {
    for (let tries = 0; !(await holds()); tries += 1) {
        if (tries > 600) {
            throw new Error(`it never came: ${why()}`);
        }
        await wait(50);
    }
}

const takenOf = async (device: string) => (await server.taken()).filter((message) => message.device === device);
const sayAll = (sending: Sending) => () => `${JSON.stringify(sending.said)}\n${server.log.slice(-20).join('\n')}`;

describe.each(CLIENTS_OF_DEVICES)('$name', (client) => {
    const run = client.missing === undefined ? test : test.skip;
    const why = client.missing === undefined ? '' : ` (${client.missing})`;

    run(`sends by the lines of docs/devices.md${why}`, async () => {
        const device = await newDevice();
        const message = { topic: `t/${device}`, payload: '{"temperature":21.3}' };
        const options = {
            device,
            directory: folder,
            host: server.host,
            mqttPort: server.mqttPort,
            httpBase: server.httpBase,
            message,
        };
        const lines = clientLines(options).find((one) => one.client === client.name);
        const { stdout } = await promisify(execFile)('sh', ['-c', lines?.text ?? 'exit 1'], {
            cwd: ROOT,
            env: { ...process.env, PATH: `${PYTHON_FOLDER}:${join(ROOT, 'node_modules/.bin')}:${process.env.PATH}` },
        });
        expect(stdout).toContain('acknowledged');
        expect(stdout).not.toContain('not acknowledged');
        expect(await takenOf(device)).toEqual([{ device, ...message, refused: undefined }]);
    });

    run(`loses nothing that it saw acknowledged when the server is killed and started again${why}`, async () => {
        const device = await newDevice();
        const messages = Array.from({ length: 40 }, (_, at) => ({ topic: `t/${device}`, payload: `{"n":${at}}` }));
        const sending = send(client, device, { messages, pauseMs: 100, timeoutMs: 40_000 });
        await until(async () => (await takenOf(device)).length > 10, sayAll(sending));
        await server.kill();
        await wait(1_500);
        await server.start();
        const exitCode = await sending.ended;
        const taken = new Set((await takenOf(device)).map(({ payload }) => payload));
        expect(sending.acknowledged().filter((at) => !taken.has(`{"n":${at}}`))).toEqual([]);
        expect({ exitCode, acknowledged: sending.acknowledged().length, said: exitCode === 0 ? [] : sending.said }).toEqual({
            exitCode: 0,
            acknowledged: 40,
            said: [],
        });
    });

    run(`sends what is not its to send, or too large, and everything behind it gets through${why}`, async () => {
        const device = await newDevice();
        const messages = [
            { topic: `t/${device}`, payload: '1' },
            { topic: 't/first', payload: '2' },
            { topic: `t/${device}`, bytes: 200_000 },
            { topic: `t/${device}`, payload: '3' },
        ];
        const sending = send(client, device, { messages, timeoutMs: 20_000 });
        expect({ exitCode: await sending.ended, acknowledged: sending.acknowledged() }).toEqual({
            exitCode: 0,
            acknowledged: [0, 1, 2, 3],
        });
        const taken = await takenOf(device);
        expect(taken.map(({ payload, refused }) => [payload.length, refused?.split(':')[0]])).toEqual([
            [1, undefined],
            [1, `topic "t/first" is none of device ${device}`],
            [4_096, 'its payload has 200000 bytes, of 131072 at most'],
            [1, undefined],
        ]);
        expect(sending.said.filter(({ is }) => is === 'disconnected').length).toBeLessThanOrEqual(1);
    });

    run(`may send the same twice${why}`, async () => {
        const device = await newDevice();
        const message = { topic: `t/${device}`, payload: JSON.stringify({ at: new Date().toISOString(), n: 1 }) };
        const sending = send(client, device, { messages: [message, message] });
        expect(await sending.ended).toBe(0);
        expect(await takenOf(device)).toHaveLength(2);
        expect(await readingsOf(device)).toEqual([{ metric: 'n', value: 1, copies: 2 }]);
    });

    const bad: [string, (device: string) => Promise<Partial<SendOptions>>, RegExp][] = [
        ['none', async () => ({ certificate: undefined, key: undefined }) as unknown as Partial<SendOptions>, /it shows no certificate/],
        [
            'a foreign one',
            async (device) => {
                const other = await openAuthority(authorityFolder(await makeFolder()), { now: new Date() });
                const { certificate, key } = await other.issueDevice({ device, now: new Date() });
                writeDeviceFiles(folder, `foreign-${device}`, { certificate, key });
                return {
                    certificate: deviceFile(folder, `foreign-${device}`, 'certificate'),
                    key: deviceFile(folder, `foreign-${device}`, 'key'),
                };
            },
            /is not one that this lake has signed/,
        ],
        [
            'one that has ended',
            async (device) => {
                const authority = await openAuthority(authorityFolder(lake), { now: new Date() });
                const { certificate, key, fingerprint, serial, notAfter } = await authority.issueDevice({
                    device,
                    days: -0.5,
                    now: new Date(),
                });
                await addCertificate(openDirectoryStore(lake), device, {
                    ...{ fingerprint, serial, not_after: notAfter.toISOString(), added: new Date().toISOString() },
                });
                writeDeviceFiles(folder, `ended-${device}`, { certificate, key });
                return {
                    certificate: deviceFile(folder, `ended-${device}`, 'certificate'),
                    key: deviceFile(folder, `ended-${device}`, 'key'),
                };
            },
            /its certificate has ended/,
        ],
        [
            'one that was revoked',
            async (device) => {
                await flowlake('device', 'revoke', device);
                await wait(3_500);
                return {};
            },
            /was revoked on/,
        ],
    ];
    run.each(client.needsCertificate ? bad.slice(1) : bad)(
        `is not let in with a certificate that will not do: %s${why}`,
        async (_, prepare, said) => {
            const device = await newDevice();
            const options = await prepare(device);
            // The same line is said once a minute: of a connection without a certificate nothing tells which client it was.
            const lines = options.certificate === undefined && 'certificate' in options ? 0 : server.log.length;
            const sending = send(client, device, { messages: [{ topic: `t/${device}`, payload: 'bad' }], timeoutMs: 3_000, ...options });
            await until(() => server.log.slice(lines).some((line) => said.test(line)), sayAll(sending));
            await Promise.race([sending.ended, wait(8_000, undefined, { ref: false })]);
            expect(sending.acknowledged()).toEqual([]);
            expect((await takenOf(device)).filter(({ payload }) => payload === 'bad')).toEqual([]);
        },
    );

    run(`is cut off within seconds when it is revoked${why}`, async () => {
        const device = await newDevice();
        const messages = Array.from({ length: 300 }, (_, at) => ({ topic: `t/${device}`, payload: `${at}` }));
        const sending = send(client, device, { messages, pauseMs: 100, timeoutMs: 2_000 });
        await until(async () => (await takenOf(device)).length > 5, sayAll(sending));
        await flowlake('device', 'revoke', device);
        await until(() => server.log.some((line) => line.includes(`device ${device} was revoked on`)), sayAll(sending));
        // What was on its way into the inbox by then is taken still.
        await wait(500);
        const taken = (await takenOf(device)).length;
        await wait(2_000);
        expect(await takenOf(device)).toHaveLength(taken);
        sending.kill();
    });

    (client.missing === undefined && client.speaks5 ? test : test.skip)(`is told that MQTT 5 is not spoken${why}`, async () => {
        const device = await newDevice();
        const sending = send(client, device, { version: 5, messages: [{ topic: `t/${device}`, payload: '1' }], timeoutMs: 10_000 });
        await until(() => sending.said.some(({ is }) => is === 'refused'), sayAll(sending));
        expect(sending.said.find(({ is }) => is === 'refused')?.reason).toMatch(/unsupported.?protocol.?version/i);
        expect(server.log.join('\n')).toContain(`device ${device}`);
    });
});

describe('curl', () => {
    const message = { topic: 't/x', payload: '{"temperature":21.3}' };

    async function curl(
        device: string,
        { payload = message.payload }: { payload?: string } = {},
    ): Promise<{ isTaken: boolean; said: string }> {
        const options = { device, directory: folder, host: server.host, mqttPort: server.mqttPort, httpBase: server.httpBase };
        const line =
            clientLines({ ...options, message: { topic: message.topic, payload } }).find(({ client }) => client === 'curl')?.text ?? '';
        return promisify(execFile)('sh', ['-c', line]).then(
            ({ stdout }) => ({ isTaken: stdout.includes('"accepted":1'), said: stdout }),
            ({ stdout, stderr }) => ({ isTaken: false, said: `${stdout}${stderr}` }),
        );
    }

    /** Sends until it is taken: a device that was just added is known within seconds. */
    async function sendAgain(device: string, options: { payload?: string } = {}): Promise<void> {
        let said = '';
        await until(
            async () => {
                const answer = await curl(device, options);
                said = answer.said;
                return answer.isTaken;
            },
            () => said,
        );
    }

    test('sends by the lines of docs/devices.md, also the same twice, which is one reading', async () => {
        const device = await newDevice();
        const payload = JSON.stringify({ at: new Date().toISOString(), temperature: 21.3 });
        await sendAgain(device, { payload });
        expect((await curl(device, { payload })).isTaken).toBe(true);
        expect((await takenOf(device)).map((taken) => [taken.payload, taken.refused])).toEqual([
            [payload, undefined],
            [payload, undefined],
        ]);
        expect(await readingsOf(device)).toEqual([{ metric: 'temperature', value: 21.3, copies: 2 }]);
    });

    test('loses nothing that was accepted when the server is killed and started again', async () => {
        const device = await newDevice();
        await sendAgain(device, { payload: '{"n":0}' });
        await server.kill();
        expect(await curl(device, { payload: '{"n":1}' })).toMatchObject({ isTaken: false, said: expect.stringContaining('curl:') });
        await server.start();
        await sendAgain(device, { payload: '{"n":1}' });
        expect((await takenOf(device)).map(({ payload }) => payload)).toEqual(['{"n":0}', '{"n":1}']);
    });

    test('is told that its token is nobody’s, or was revoked', async () => {
        const device = await newDevice();
        await sendAgain(device);
        await flowlake('device', 'revoke', device, '--token', 'token-1');
        await until(
            async () => !(await curl(device)).isTaken,
            () => server.log.join('\n'),
        );
        expect((await curl(device)).said).toMatch(/wrong_token.*or it was revoked/);
        await writeFile(deviceFile(folder, device, 'token'), 'flt_nobody');
        expect((await curl(device)).said).toMatch(/wrong_token.*Nobody has this token/);
    });

    test('is told what is too large, which is not kept, and gets through with what comes behind it', async () => {
        const device = await newDevice();
        await sendAgain(device);
        const large = join(folder, 'large.json');
        await writeFile(large, JSON.stringify({ x: 'y'.repeat(200_000) }));
        const token = await readFile(deviceFile(folder, device, 'token'), 'utf8');
        const headers = ['-H', `Authorization: Bearer ${token.trim()}`, '-H', 'Content-Type: application/json'];
        const address = `${server.httpBase}/v1/telemetry`;
        const { stdout } = await promisify(execFile)('curl', ['--silent', ...headers, '--data-binary', `@${large}`, address]);
        expect(JSON.parse(stdout)).toMatchObject({ status: 413, detail: expect.stringContaining('131,072 are taken') });
        expect((await curl(device)).isTaken).toBe(true);
        expect((await takenOf(device)).map(({ payload, refused }) => [payload, refused])).toEqual([
            [message.payload, undefined],
            [message.payload, undefined],
        ]);
    });
});
