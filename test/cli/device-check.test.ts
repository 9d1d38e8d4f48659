/** device check against a real broker and an API that knows what came: it proves the way, or says at which step it ends and what to do. */
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readCredentials, revokeCredentials } from '#lake/credentials';
import { readInput } from '#lake/inputs';
import { type CredentialIndex, openCredentialIndex } from '#lake/live/credential-index';
import { ForwardIntake } from '#lake/live/forward-intake';
import { Intake } from '#lake/live/intake';
import { type KnownDevices, openKnownDevices } from '#lake/live/known-devices';
import { type Broker, openBroker } from '#lake/serve/broker';
import { authorityFolder, openAuthority } from '#lake/serve/certificates';
import { openDirectoryStore } from '#lake/store/directory';
import type { ObjectStore } from '#lake/store/object-store';
import { parseProfile } from '#lake/telemetry/profile/profile';
import { runFlowlake } from '#test/support/flowlake';
import { type MemoryInbox, memoryInbox } from '#test/support/memory-inbox';
import { makeFolder } from '#test/support/temporary';
import { fakeWorld, runLine } from './fake-surroundings.ts';

let lake: string;
let out: string;
let store: ObjectStore;
let inbox: MemoryInbox;
let broker: Broker;
let credentials: CredentialIndex;
let devices: KnownDevices;
let api: Server;

const run = (...argv: string[]) => runLine(['--lake', lake, ...argv], { world: fakeWorld({ now: () => new Date() }) });

beforeEach(async () => {
    const folder = await makeFolder();
    [lake, out] = [join(folder, 'lake'), join(folder, 'devices')];
    store = openDirectoryStore(lake);
    await run('device', 'add', 'th-1', '--profile', 'sensor-telemetry', '--out', out);
    const authority = await openAuthority(authorityFolder(lake), { now: new Date() });
    const server = await authority.server({ names: ['localhost'], now: new Date() });
    const common = { store, now: Date.now, onTrouble: () => undefined, everyMs: 100 };
    [credentials, devices, inbox] = [await openCredentialIndex(common), await openKnownDevices(common), memoryInbox()];
    const intake = new Intake({ inbox, devices, now: Date.now, say: () => undefined });
    broker = await openBroker({
        ...{
            intake,
            forwards: new ForwardIntake({ inbox, devices }),
            credentials,
            devices,
            now: Date.now,
            say: () => undefined,
            host: '127.0.0.1',
            port: 0,
        },
        tls: { authority: authority.certificate, certificate: server.certificate, key: server.key },
    });
    api = createServer(async (request, response) => {
        const identity = credentials.authenticateToken((request.headers.authorization ?? '').replace('Bearer ', ''));
        if (!identity.ok) {
            response.writeHead(401).end('{}');
        } else if (request.method === 'POST') {
            const pieces: Buffer[] = [];
            for await (const piece of request) {
                pieces.push(piece);
            }
            await intake.take({ way: 'http', device: identity.device, payload: Buffer.concat(pieces) });
            response.end('{"accepted":1,"rejected":[]}');
        } else {
            response.end(JSON.stringify(await latestOf(identity.device)));
        }
    });
    await new Promise<void>((resolve) => {
        api.listen(0, '127.0.0.1', resolve);
    });
});

afterEach(async () => {
    await broker.close();
    await new Promise((resolve) => api.close(resolve));
    credentials.close();
    devices.close();
});

/** What the API says of a device, read from what is in the inbox by the lake's own profile. */
async function latestOf(device: string) {
    const last = inbox.messages.filter((message) => message.device === device && message.refused === undefined).at(-1);
    const profile = last && (await readInput(store, 'profiles/', last.profile ?? ''));
    const { readings = [], problems = [] } = last && profile ? parseProfile(profile.document).open().read(last) : {};
    const refused = inbox.messages.filter((message) => message.refused !== undefined).length;
    const lastRejected = readings.length === 0 && problems[0] ? { received_ms: last?.arrivedMs, ...problems[0] } : null;
    const metrics = readings.map(({ metric, units, unit }) => [
        metric,
        { value: Number(units) / 1e9, text: null, unit, received_ms: last?.arrivedMs },
    ]);
    return {
        device,
        last_received_ms: last?.arrivedMs ?? null,
        refused,
        last_rejected: lastRejected,
        metrics: Object.fromEntries(metrics),
    };
}

async function check(...argv: string[]) {
    const address = api.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const ports = ['--mqtt-port', `${broker.port}`, '--http-port', `${port}`];
    const { exitCode, stdout, stderr } = await run('--output', 'json', 'device', 'check', 'th-1', '--credentials', out, ...ports, ...argv);
    const rows: { step: string; result: string; note: string }[] = stdout === '' ? [] : JSON.parse(stdout);
    return { exitCode, stderr, steps: rows.map(({ step, result }) => `${step}: ${result}`), last: rows.at(-1)?.note ?? '' };
}

describe('device check', () => {
    test('follows a message of its profile from the certificate to latest state, and leaves no token behind', async () => {
        const { steps, last, exitCode } = await check();
        expect({ exitCode, steps }).toEqual({
            exitCode: 0,
            steps: [
                'registered: ok',
                'credentials: ok',
                'name: ok',
                'connection: ok',
                'TLS: ok',
                'API: ok',
                'connected, sent: ok',
                'latest state: ok',
            ],
        });
        expect(last).toBe('temp 21.3 [degF]');
        expect(inbox.messages).toMatchObject([{ device: 'th-1', topic: 'dt/th-1/telemetry' }]);
        expect((await readCredentials(store, 'th-1')).tokens).toEqual([]);
    });

    test('is proven by the built program too, with all that is bundled into it', async () => {
        const address = api.address();
        const ports = ['--mqtt-port', `${broker.port}`, '--http-port', `${typeof address === 'object' ? address?.port : 0}`];
        const { exitCode, stdout } = await runFlowlake(
            ['--lake', lake, '--output', 'csv', 'device', 'check', 'th-1', '--credentials', out, ...ports],
            { folder: lake },
        );
        expect({ exitCode, last: stdout.trim().split('\n').at(-1) }).toEqual({ exitCode: 0, last: 'latest state,ok,temp 21.3 [degF]' });
    });

    test('by token goes over HTTP', async () => {
        const { stdout } = await run('device', 'add', 'th-1', '--token');
        const payload = '{"deviceId":"th-1","timestamp":1769947200,"temp":70}';
        const { exitCode, steps, last } = await check('--http', '--token', stdout.trim(), '--payload', payload);
        expect({ exitCode, steps: steps.slice(-3) }).toEqual({ exitCode: 0, steps: ['API: ok', 'sent: ok', 'latest state: ok'] });
        expect(last).toBe('temp 70 [degF]');
        expect(inbox.messages).toMatchObject([{ way: 'http' }]);
    });

    test.each<[string, () => Promise<unknown>, string[], string, string]>([
        [
            'a certificate that was revoked',
            () => revokeCredentials(store, 'th-1', { what: 'all', now: new Date() }),
            [],
            'credentials',
            'was revoked on',
        ],
        ['a folder without files', async () => undefined, ['--credentials', '/nowhere'], 'credentials', 'device add th-1 --out /nowhere'],
        ['a name that is none', async () => undefined, ['--host', 'nowhere.invalid'], 'name', 'no address is known of nowhere.invalid'],
        [
            'a port on which nothing listens',
            async () => undefined,
            ['--mqtt-port', '1'],
            'connection',
            'start flowlake serve, or say its port: --mqtt-port',
        ],
        ['a name that the server does not have', async () => undefined, ['--host', '127.0.0.1'], 'TLS', 'start serve with --name'],
        ['a token of nobody', async () => undefined, ['--http', '--token', 'x'], 'credentials', 'the lake knows no such token'],
        ['an API that is not there', async () => undefined, ['--http-port', '1'], 'API', 'is serve running there?'],
    ])('of %s ends there, and says what to do', async (_, prepare, argv, step, note) => {
        await prepare();
        const { exitCode, steps, last } = await check(...argv);
        expect({ exitCode, step: steps.at(-1) }).toEqual({ exitCode: 1, step: `${step}: failed` });
        expect(last).toContain(note);
        expect(inbox.messages).toEqual([]);
    });

    test('of an unknown device says how to add it', async () => {
        const { exitCode, stdout } = await run('--output', 'json', 'device', 'check', 'th-2', '--credentials', out);
        expect({ exitCode, row: JSON.parse(stdout)[0] }).toMatchObject({
            exitCode: 1,
            row: { step: 'registered', result: 'failed', note: expect.stringContaining('device add th-2') },
        });
    });

    test('of an inbox that stores nothing says so', async () => {
        inbox.fail();
        const { exitCode, steps, last } = await check();
        expect({ exitCode, step: steps.at(-1) }).toEqual({ exitCode: 1, step: 'connected, sent: failed' });
        expect(last).toContain('the inbox cannot store');
    });

    test('of a topic that is not its own says so', async () => {
        const { exitCode, last } = await check('--topic', 'elsewhere');
        expect({ exitCode, last }).toEqual({ exitCode: 1, last: 'it was acknowledged, and put aside: flowlake rejects says why' });
    });

    test('of a message that does not come says so', async () => {
        devices.close();
        api.removeAllListeners('request');
        api.on('request', (_, response) => response.end('{"last_received_ms":null,"metrics":{}}'));
        const { exitCode, last } = await check('--wait', '1');
        expect(exitCode).toBe(1);
        expect(last).toContain('did not come to latest state within 1 s');
    });

    test('of a message that the profile does not read says how to try it', async () => {
        const { exitCode, last } = await check('--payload', '{"hello":1}');
        expect(exitCode).toBe(1);
        expect(last).toContain('and is a reject: ');
        expect(last).toContain(`echo '{"hello":1}' | flowlake profile try NAME --topic dt/th-1/telemetry --device th-1`);
    });
});
