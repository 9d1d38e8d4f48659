/** A lake that is served, in this process: over real sockets of loopback, with the machine's clock. */
import { once } from 'node:events';
import { copyFileSync, mkdirSync, readFileSync, renameSync, rmdirSync, statSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { connect, type TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import mqtt from 'mqtt';
import { addCertificate, addToken } from '#lake/credentials';
import { registerDevice } from '#lake/devices';
import { StorageError, UsageError } from '#lake/errors';
import { addInput } from '#lake/inputs';
import type { DirectoryLake } from '#lake/lake';
import { forwardChain } from '#lake/live/forward';
import { openLake } from '#lake/open-lake';
import { authorityFolder, openAuthority } from '#lake/serve/certificates';
import { askServe } from '#lake/serve/control';
import type { ForwardTarget } from '#lake/serve/forwarding';
import { liveFile, makeLiveFolder, readServing } from '#lake/serve/live-files';
import { type ServeOptions, type Serving, serve } from '#lake/serve/serve';
import { openDirectoryStore } from '#lake/store/directory';
import type { ObjectStore } from '#lake/store/object-store';
import { runLine } from '#test/cli/fake-surroundings';
import { type ApiSubject, describeApi } from '#test/live-api/contract';
import { CONTRACT_PROFILE } from '#test/live-api/contract-profile';

const NOBODY_HURRIES = new AbortController().signal;
const folders: string[] = [];

async function newFolder(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'flowlake-serve-'));
    folders.push(folder);
    return folder;
}

afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

async function openDirectory(directory: string): Promise<DirectoryLake> {
    const lake = await openLake(
        { kind: 'directory', name: directory, directory },
        { environment: {}, signal: new AbortController().signal, mayBeNew: true },
    );
    if (lake.kind !== 'directory') {
        throw new Error('not a directory');
    }
    return lake;
}

function optionsOf(changes: Partial<ServeOptions> = {}): ServeOptions {
    return {
        ...{ host: '127.0.0.1', mqttPort: 0, httpPort: 0, names: [], isHttps: false, sealEveryMs: undefined, hooks: [] },
        ...{ forwardTo: undefined, isNewToken: false, environment: {}, now: () => new Date(), say: () => undefined },
        ...changes,
    };
}

/** A connection of TLS to a port, of a client that shows no certificate and looks at none. */
async function dial(port: number): Promise<TLSSocket> {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    socket.on('error', () => undefined);
    await once(socket, 'secureConnect');
    return socket;
}

/** Another lake in a store, as `--forward s3://other` has it. */
function toStore(open: () => Promise<ObjectStore>): ForwardTarget {
    return { name: 's3://other', forward: async (options) => forwardChain({ ...options, to: await open() }) };
}

const today = (): string => new Date().toISOString().slice(0, 10);

/** A profile whose temperature is too high from 30 on. */
const PROFILE = {
    name: 'room',
    device: { from: 'certificate' },
    time: ['arrival'],
    identity: [{ path: 'n' }],
    metrics: [{ name: 'temperature', path: 't', unit: 'Cel', digits: 1 }],
    alerts: [{ rule: 'hot', metric: 'temperature', above: { raise: 30, clear: 28 }, severity: 'warning', message: 'too warm' }],
};

async function register(store: ObjectStore, device: string): Promise<string> {
    await addInput(store, 'profiles/', PROFILE.name, PROFILE, { onlyFirst: true });
    await registerDevice(store, { device, profile: PROFILE.name, site: 'berlin' }, { today: today() });
    return (await addToken(store, device, { now: new Date() })).token;
}

async function openServed(): Promise<ApiSubject> {
    const lake = await openDirectory(await newFolder());
    const store = await lake.store();
    await addInput(store, 'profiles/', CONTRACT_PROFILE.name, CONTRACT_PROFILE);
    const serving = await serve(lake, optionsOf());
    return {
        baseUrl: serving.httpUrl,
        readerToken: serving.readerToken ?? '',
        async addDevice(device, { site }) {
            await registerDevice(store, { device, profile: CONTRACT_PROFILE.name, site }, { today: today() });
            const { token } = await addToken(store, device, { now: new Date() });
            await askServe(lake.directory, 'refresh');
            return token;
        },
        async untilSeen() {
            while (serving.status().latest.behindMs > 0) {
                await wait(10);
            }
        },
        untilSealed: async () => {
            await askServe(lake.directory, 'seal');
        },
        async close() {
            await serving.stop(NOBODY_HURRIES);
            await lake.close();
        },
    };
}

describeApi('a served lake', { open: openServed, hasEvents: true });

describe('a served lake', () => {
    let directory: string;
    let lake: DirectoryLake;
    let store: ObjectStore;
    let serving: Serving | undefined;
    let said: string[];

    beforeEach(async () => {
        directory = await newFolder();
        lake = await openDirectory(directory);
        store = await lake.store();
        said = [];
    });

    afterEach(async () => {
        await serving?.stop(NOBODY_HURRIES);
        await lake.close();
    });

    async function start(changes: Partial<ServeOptions> = {}): Promise<Serving> {
        serving = await serve(lake, optionsOf({ say: (line) => said.push(line), ...changes }));
        return serving;
    }

    async function stop(): Promise<void> {
        await serving?.stop(NOBODY_HURRIES);
        serving = undefined;
    }

    async function post(token: string, messages: readonly object[]): Promise<unknown> {
        const answer = await fetch(`${serving?.httpUrl}/v1/telemetry`, {
            method: 'POST',
            headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
            body: JSON.stringify(messages),
        });
        return answer.json();
    }

    /** A client of room-1, once that is registered; serving begins by it. */
    async function connect(): Promise<mqtt.MqttClient> {
        const authority = await openAuthority(authorityFolder(directory), { now: new Date() });
        const { certificate, key, fingerprint, serial, notAfter } = await authority.issueDevice({ device: 'room-1', now: new Date() });
        const record = { fingerprint, serial, not_after: notAfter.toISOString(), added: new Date().toISOString() };
        await addCertificate(store, 'room-1', record);
        const { mqttPort: port } = await start();
        return mqtt.connectAsync({
            ...{ protocol: 'mqtts', host: 'localhost', port, ca: authority.certificate, cert: certificate, key },
        });
    }

    async function rows(sql: string): Promise<unknown[][]> {
        const { batches } = await (await lake.engine()).query(sql);
        const found: unknown[][] = [];
        for await (const batch of batches) {
            found.push(...batch);
        }
        return found;
    }

    test('has a message in latest state, raises its alert, and has it in the tables once it is sealed', async () => {
        const token = await register(store, 'room-1');
        const { httpUrl, readerToken } = await start();
        expect(
            await post(token, [
                { n: 1, t: 21.3 },
                { n: 2, t: 31 },
                { n: 2, t: 31 },
            ]),
        ).toEqual({ accepted: 3, rejected: [] });
        const read = async (path: string): Promise<any> =>
            (await fetch(`${httpUrl}${path}`, { headers: { authorization: `Bearer ${readerToken}` } })).json();
        let device = await read('/v1/devices/room-1');
        while (device.metrics.temperature?.message !== '2') {
            await wait(10);
            device = await read('/v1/devices/room-1');
        }
        expect(device).toMatchObject({ site: 'berlin', open_alerts: 1 });
        expect((await read('/v1/alerts?state=open')).alerts).toMatchObject([{ device: 'room-1', rule: 'hot' }]);

        await askServe(directory, 'seal');
        expect(await rows('select device, message, value, copies from readings order by message')).toEqual([
            ['room-1', '1', '21.300000000', 1n],
            ['room-1', '2', '31.000000000', 2n],
        ]);
        expect(await rows('select rule from all_episodes where ended_ms is null')).toEqual([['hot']]);
    });

    test('has everything in the tables when it was stopped, and goes on behind it', async () => {
        const token = await register(store, 'room-1');
        await start();
        await post(token, [{ n: 1, t: 20 }]);
        await stop();
        expect(await rows('select message from readings')).toEqual([['1']]);
        await start();
        await post(token, [{ n: 2, t: 20 }]);
        await stop();
        expect(await rows('select message from readings order by message')).toEqual([['1'], ['2']]);
        expect(said).toEqual([]);
    });

    test('renews the certificate of its servers before it ends, while connections stay', async () => {
        let days = 0;
        const { mqttPort, httpUrl } = await start({ isHttps: true, now: () => new Date(Date.now() + days * 86_400_000) });
        const ports = [mqttPort, Number(new URL(httpUrl).port)];
        const open = await dial(ports[1] ?? 0);
        const endsOf = async (): Promise<Date[]> =>
            Promise.all(
                ports.map(async (port) => {
                    const socket = await dial(port);
                    const { valid_to: end } = socket.getPeerCertificate();
                    socket.destroy();
                    return new Date(end);
                }),
            );
        const [first] = await endsOf();
        days = 366;
        await askServe(directory, 'refresh');
        expect(await endsOf()).toEqual([first, first]);
        days = 368;
        await askServe(directory, 'refresh');
        const [renewed] = await endsOf();
        expect(Math.round(((renewed?.getTime() ?? 0) - (first?.getTime() ?? 0)) / 86_400_000)).toBe(368);
        expect(await endsOf()).toEqual([renewed, renewed]);
        expect(said.filter((line) => line.includes('was renewed'))).toHaveLength(1);
        expect(open.readyState).toBe('open');
        open.destroy();
    });

    test('says that its certificate cannot be renewed, and goes on with the one it has', async () => {
        const token = await register(store, 'room-1');
        let days = 0;
        await start({ now: () => new Date(Date.now() + days * 86_400_000) });
        await chmod(join(authorityFolder(directory), 'server.key'), 0o644);
        days = 380;
        await askServe(directory, 'refresh');
        await askServe(directory, 'refresh');
        expect(said.filter((line) => line.includes('cannot be renewed'))).toEqual([
            expect.stringMatching(/ends on .*: Others than its owner can read/),
        ]);
        expect(await post(token, [{ n: 1, t: 20 }])).toEqual({ accepted: 1, rejected: [] });
        await chmod(join(authorityFolder(directory), 'server.key'), 0o600);
    });

    test('leaves what it has taken in to the next start where somebody hurries', async () => {
        const token = await register(store, 'room-1');
        const hurry = new AbortController();
        hurry.abort();
        await start();
        await post(token, [{ n: 1, t: 20 }]);
        await serving?.stop(hurry.signal);
        serving = undefined;
        expect(await rows('select message from readings')).toEqual([]);
        await start();
        await askServe(directory, 'seal');
        expect(await rows('select message from readings')).toEqual([['1']]);
    });

    test('takes MQTT and HTTP into one inbox', async () => {
        const token = await register(store, 'room-1');
        const client = await connect();
        await client.publishAsync('t/room-1/telemetry', '{"n":1,"t":20}', { qos: 1 });
        await client.publishAsync('t/room-2/telemetry', '{"n":7,"t":20}', { qos: 1 });
        await post(token, [{ n: 2, t: 20.5 }]);
        await client.endAsync();
        await askServe(directory, 'seal');
        expect(await rows('select message from readings order by message')).toEqual([['1'], ['2']]);
        expect(await rows('select reason from messages_rejected')).toEqual([['refused']]);
        expect(serving?.status().messages).toEqual({ taken: 3, aside: 1, dropped: 0 });
    });

    test('has what it acknowledged in the tables when it is stopped, also where its inbox was moved away, and takes nothing more before', async () => {
        const token = await register(store, 'room-1');
        const client = await connect();
        await post(token, [{ n: 1, t: 20 }]);
        // One more than are kept in an hour: a stop would note the number of the others in the inbox.
        await Promise.all(Array.from({ length: 1_001 }, () => client.publishAsync('t/room-2', '{}', { qos: 1 })));
        await client.endAsync();
        renameSync(join(directory, '.flowlake/live'), join(directory, '.flowlake/away'));
        expect(await post(token, [{ n: 2, t: 20 }])).toMatchObject({ status: 503 });
        await stop();
        expect(await rows('select message from readings')).toEqual([['1']]);
        expect(await rows('select count(*) from messages_rejected')).toEqual([[1_000n]]);
        expect(said.join('\n')).toMatch(/was removed, moved or replaced/);
        expect(said.join('\n')).toMatch(/put aside and not kept is told by this log alone \(1\)/);
    });

    test('that cannot write down where it listens holds nothing, and says why', async () => {
        makeLiveFolder(directory);
        mkdirSync(`${liveFile(directory, 'serve.json')}.new`);
        await expect(start()).rejects.toThrow(StorageError);
        expect(await askServe(directory, 'status')).toBeUndefined();
        rmdirSync(`${liveFile(directory, 'serve.json')}.new`);
        await start();
    });

    test('shows a device that has never sent', async () => {
        await register(store, 'room-1');
        const { httpUrl, readerToken } = await start();
        const answer = await fetch(`${httpUrl}/v1/devices`, { headers: { authorization: `Bearer ${readerToken}` } });
        const { devices } = (await answer.json()) as { devices: object[] };
        expect(devices).toMatchObject([{ device: 'room-1', site: 'berlin', profile: 'room', state: 'unknown', last_at_ms: null }]);
    });

    test('is served by one process', async () => {
        await start();
        await expect(serve(lake, optionsOf())).rejects.toThrow(StorageError);
        await expect(serve(lake, optionsOf())).rejects.toThrow('another process has it open');
    });

    test('says of a port that is taken what to do, and holds nothing then', async () => {
        const { mqttPort } = await start();
        const other = await openDirectory(await newFolder());
        await expect(serve(other, optionsOf({ mqttPort }))).rejects.toThrow(/--mqtt-port/);
        const httpPort = Number(new URL(serving?.httpUrl ?? '').port);
        await expect(serve(other, optionsOf({ httpPort }))).rejects.toThrow(UsageError);
        await (await serve(other, optionsOf())).stop(NOBODY_HURRIES);
        await other.close();
    });

    test('shows the token of readers once, and keeps its hash', async () => {
        const { readerToken = '' } = await start();
        const file = liveFile(directory, 'reader-token.json');
        expect(readFileSync(file, 'utf8')).not.toContain(readerToken);
        expect(statSync(file).mode & 0o077).toBe(0);
        expect(statSync(join(directory, '.flowlake/live')).mode & 0o077).toBe(0);
        await stop();
        expect((await start()).readerToken).toBeUndefined();
        await stop();
        const { readerToken: next, httpUrl } = await start({ isNewToken: true });
        const status = async (token = '') => (await fetch(`${httpUrl}/v1/fleet`, { headers: { authorization: `Bearer ${token}` } })).status;
        expect([await status(readerToken), await status(next)]).toEqual([401, 200]);
    });

    test('shows people what is now, and notes who knows of an alert', async () => {
        const token = await register(store, 'room-1');
        await start();
        await post(token, [{ n: 1, t: 31 }]);
        const run = (...argv: string[]) => runLine(['--lake', directory, '--output', 'json', ...argv]);
        let shown = await run('latest', 'room-1');
        while (!shown.stdout.includes('temperature')) {
            await wait(10);
            shown = await run('latest', 'room-1');
        }
        expect(JSON.parse(shown.stdout)).toMatchObject([{ metric: 'temperature', value: '31.0', unit: 'Cel' }]);
        expect(shown.stderr).toMatch(
            /^room-1 is unknown \(its profile names no dueEvery\), read by profile room at site berlin\nwarning since .*: too warm/,
        );
        expect(JSON.parse((await run('latest', '--state', 'unknown')).stdout)).toMatchObject([{ device: 'room-1', open_alerts: 1 }]);
        expect(JSON.parse((await run('latest', '--state', 'silent')).stdout)).toEqual([]);
        expect(await run('latest', 'room-2')).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('The nearest: room-1') });

        const [alert] = JSON.parse((await run('alert', 'list', '--state', 'open')).stdout);
        expect(alert).toMatchObject({ device: 'room-1', rule: 'hot', acknowledged_by: null });
        const events = await fetch(`${serving?.httpUrl}/v1/live?kind=acknowledged`, {
            headers: { authorization: `Bearer ${serving?.readerToken}` },
        });
        expect((await run('alert', 'acknowledge', alert.id, '--by', 'anna', '--note', 'fan')).exitCode).toBe(0);
        let told = '';
        for await (const piece of events.body ?? []) {
            told += Buffer.from(piece).toString();
            if (told.includes('event: acknowledged')) {
                break;
            }
        }
        expect(told).toContain('"note":"fan"');
        expect(JSON.parse((await run('alert', 'list')).stdout)).toMatchObject([{ id: alert.id, acknowledged_by: 'anna', note: 'fan' }]);
        expect(await run('alert', 'acknowledge', 'nobody~hot~1', '--by', 'anna', '--note', 'fan')).toMatchObject({
            exitCode: 1,
            stderr: expect.stringContaining('There is no alert nobody~hot~1'),
        });
    });

    test('of messages that the profile cannot read status says what helps: nobody can upload them corrected', async () => {
        const token = await register(store, 'room-1');
        await start();
        await post(token, [{ n: 1, t: 'warm' }]);
        await askServe(directory, 'seal');
        const { exitCode, stderr } = await runLine(['--lake', directory, 'status']);
        expect(exitCode).toBe(1);
        expect(stderr).toMatch(
            /1 source of which not one row counts .* tells why; what devices have sent is read again by a corrected profile/,
        );
        expect(stderr).not.toContain('--replace');
    });

    test('a minute in which all was put aside is a good source, and status has nothing to say', async () => {
        await register(store, 'room-1');
        const client = await connect();
        await client.publishAsync('t/room-2', '{"n":1,"t":20}', { qos: 1 });
        await client.endAsync();
        await askServe(directory, 'seal');
        expect(await rows('select state, rows_read, rejected  from sources')).toEqual([['done', 1n, 'refused 1']]);
        expect(await rows('select reason from messages_rejected')).toEqual([['refused']]);
        expect(await runLine(['--lake', directory, 'status'])).toMatchObject({ exitCode: 0 });
        expect(await runLine(['--lake', directory, 'verify'])).toMatchObject({ exitCode: 0 });
    });

    test('of an object of the chain that was taken out it is said what brings it back, which it does', async () => {
        const token = await register(store, 'room-1');
        await start();
        await post(token, [{ n: 1, t: 20 }]);
        await askServe(directory, 'seal');
        const [[source]] = (await rows('select source from sources')) as [[string]];
        const { stderr } = await runLine(['--lake', directory, 'retract', source]);
        expect(stderr).toMatch(/under another name: flowlake upload --kind telemetry --as back.jsonl.gz FILE/);
        expect(await rows('select message from readings')).toEqual([]);
        const words = ['upload', '--kind', 'telemetry', '--as', 'back.jsonl.gz', join(directory, source)];
        expect(await runLine(['--lake', directory, ...words])).toMatchObject({ exitCode: 0 });
        expect(await rows('select message from readings')).toEqual([['1']]);
    });

    test('serves while the lake that it hands the chain on to cannot be opened, and hands it on once it can', async () => {
        const token = await register(store, 'room-1');
        const other = openDirectoryStore(await newFolder());
        let isAway = true;
        const open = () => (isAway ? Promise.reject(new StorageError('the network is down')) : Promise.resolve(other));
        await start({ forwardTo: toStore(open) });
        expect(await post(token, [{ n: 1, t: 20 }])).toEqual({ accepted: 1, rejected: [] });
        await askServe(directory, 'seal');
        while (serving?.status().forwarding?.objectsBehind !== 1) {
            await wait(10);
        }
        expect(serving?.status().forwarding).toMatchObject({ lastError: 'the network is down' });
        expect(said.filter((line) => line.includes('the network is down'))).toHaveLength(1);
        isAway = false;
        await post(token, [{ n: 2, t: 20 }]);
        await askServe(directory, 'seal');
        while (serving?.status().forwarding?.objectsBehind !== 0) {
            await wait(10);
        }
        expect(serving?.status().forwarding).toMatchObject({ lastError: null });
    });

    test.each([
        ['127.0.0.1', [], 'localhost'],
        ['0.0.0.0', [], 'localhost'],
        // Nothing listens at localhost, which is 127.0.0.1 for most clients.
        ['127.0.0.2', [], '127.0.0.2'],
        ['::1', [], '::1'],
        ['127.0.0.1', ['gateway.local'], 'gateway.local'],
    ])('that listens on %s, by the names %j, tells devices to dial %s', async (host, names, dialled) => {
        const { httpUrl } = await start({ host, names });
        const { port } = new URL(httpUrl);
        const named = dialled === '::1' ? '[::1]' : dialled;
        expect(readServing(directory)).toMatchObject({ host: dialled, httpBase: `http://${named}:${port}` });
    });

    test('follows an inbox that is an older copy from its beginning: what comes under a number that was given before is in latest state too', async () => {
        const token = await register(store, 'room-1');
        const copy = join(directory, 'copy.sqlite');
        const hurry = AbortSignal.abort();
        const untilLatest = async (value: number): Promise<void> => {
            for (let found = Number.NaN; found !== value; await wait(10)) {
                const answer = await fetch(`${serving?.httpUrl}/v1/devices/room-1`, { headers: { authorization: `Bearer ${token}` } });
                const { metrics } = (await answer.json()) as { metrics: Record<string, { value: number }> };
                found = Number(metrics.temperature?.value);
            }
        };
        await start({ sealEveryMs: 1e9 });
        await post(token, [{ n: 1, t: 20 }]);
        await untilLatest(20);
        await serving?.stop(hurry);
        copyFileSync(liveFile(directory, 'inbox.sqlite'), copy);
        await start({ sealEveryMs: 1e9 });
        await post(token, [{ n: 2, t: 21 }]);
        await untilLatest(21);
        // It ends before anything more is sealed: the chain is not beyond the copy.
        await serving?.stop(hurry);
        copyFileSync(copy, liveFile(directory, 'inbox.sqlite'));
        await start({ sealEveryMs: 1e9 });
        expect(said.join('\n')).toMatch(/The inbox is an older copy than latest state is of/);
        await post(token, [{ n: 3, t: 22 }]);
        await untilLatest(22);
        await askServe(directory, 'seal');
        expect(await rows("select message from readings where message = '3'")).toEqual([['3']]);
    });

    test('makes the token of readers with the first start that succeeds, and ends the one before with one that succeeds', async () => {
        const { mqttPort } = await start();
        const other = await openDirectory(await newFolder());
        await expect(serve(other, optionsOf({ mqttPort }))).rejects.toThrow(/--mqtt-port/);
        const first = await serve(other, optionsOf());
        const { readerToken = '' } = first;
        expect(readerToken).toMatch(/^flr_/);
        await first.stop(NOBODY_HURRIES);
        await expect(serve(other, optionsOf({ mqttPort, isNewToken: true }))).rejects.toThrow(/--mqtt-port/);
        const second = await serve(other, optionsOf());
        const answer = await fetch(`${second.httpUrl}/v1/fleet`, { headers: { authorization: `Bearer ${readerToken}` } });
        expect([second.readerToken, answer.status]).toEqual([undefined, 200]);
        await second.stop(NOBODY_HURRIES);
        await other.close();
    });

    test('hands the chain on to another lake, keeps it while that cannot be reached, and hands it on once', async () => {
        const token = await register(store, 'room-1');
        const other = openDirectoryStore(await newFolder());
        let isAway = true;
        const store2: ObjectStore = {
            ...other,
            put: (key, body, options) => (isAway ? Promise.reject(new StorageError('the line is down')) : other.put(key, body, options)),
        };
        await start({ forwardTo: toStore(async () => store2) });
        await post(token, [{ n: 1, t: 20 }]);
        await askServe(directory, 'seal');
        while (serving?.status().forwarding?.lastError === null) {
            await wait(10);
        }
        expect(serving?.status().forwarding).toMatchObject({ to: 's3://other', lastError: 'the line is down' });
        isAway = false;
        await post(token, [{ n: 2, t: 20 }]);
        await askServe(directory, 'seal');
        while (serving?.status().forwarding?.objectsBehind !== 0) {
            await wait(10);
        }
        const keysOf = async (one: ObjectStore): Promise<string[]> => {
            const keys: string[] = [];
            for await (const { key } of one.list('raw/')) {
                keys.push(key);
            }
            return keys;
        };
        expect(await keysOf(other)).toEqual(await keysOf(store));
        expect((await keysOf(other)).length).toBe(2);
        expect(said).toEqual([
            'Nothing can be handed on to s3://other; it is kept, and tried again: the line is down',
            's3://other has everything again',
        ]);
    });
});
