/** A lake that hands its messages on to another one by MQTT: each is there once, in order and as it was, whatever happens to the line. */
import { cpSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import mqtt from 'mqtt';
import { addCertificate } from '#lake/credentials';
import { registerDevice } from '#lake/devices';
import { readForwarded } from '#lake/forwarded';
import { addInput } from '#lake/inputs';
import type { DirectoryLake } from '#lake/lake';
import { listChain, readChainEnd } from '#lake/live/chain';
import { messagesOf } from '#lake/live/chain-object';
import { listStreams } from '#lake/live/chain-origins';
import { partsOf, partTopic } from '#lake/live/forward-part';
import { openLake } from '#lake/open-lake';
import { authorityFolder, openAuthority } from '#lake/serve/certificates';
import { askServe } from '#lake/serve/control';
import { type ForwardBroker, forwardByMqtt } from '#lake/serve/forward-mqtt';
import { openInbox } from '#lake/serve/inbox';
import { liveFile } from '#lake/serve/live-files';
import { type ServeOptions, type Serving, serve } from '#lake/serve/serve';
import type { ObjectStore } from '#lake/store/object-store';
import type { ChainMessage } from '#lake/telemetry/chain-line';
import { type CuttableLine, openLine } from '#test/support/cuttable-line';
import { makeFolder } from '#test/support/temporary';

const HURRY = AbortSignal.abort();
const PROFILE = {
    name: 'room',
    device: { from: 'certificate' },
    time: ['arrival'],
    identity: [{ path: 'n' }],
    metrics: [{ name: 'temperature', path: 't', unit: 'Cel', digits: 1 }],
};

let edge: Site;
let central: Site;
let line: CuttableLine;
let broker: ForwardBroker;

interface Site {
    directory: string;
    lake: DirectoryLake;
    store: ObjectStore;
    said: string[];
    serving: Serving | undefined;
    start(changes?: Partial<ServeOptions>): Promise<Serving>;
    stop(): Promise<void>;
    /** Everything that its chains hold, in order. */
    chain(): Promise<ChainMessage[]>;
}

beforeEach(async () => {
    edge = await openSite();
    central = await openSite();
    line = await openLine({ to: () => central.serving?.mqttPort ?? 1 });
    for (const site of [edge, central]) {
        await register(site, 'room-1', 'berlin');
        await register(site, 'room-2', 'berlin');
    }
    broker = await addGateway('gw-1', 'berlin');
});

afterEach(async () => {
    for (const site of [edge, central]) {
        await site.stop();
        await site.lake.close();
    }
    await line.close();
});

async function openSite(): Promise<Site> {
    const directory = join(await makeFolder(), 'lake');
    const lake = (await openLake(
        { kind: 'directory', name: directory, directory },
        { environment: {}, signal: new AbortController().signal, mayBeNew: true },
    )) as DirectoryLake;
    const store = await lake.store();
    const site: Site = {
        ...{ directory, lake, store, said: [], serving: undefined },
        async start(changes = {}) {
            site.serving = await serve(lake, {
                ...{ host: '127.0.0.1', mqttPort: 0, httpPort: 0, names: [], isHttps: false, sealEveryMs: 1e9, hooks: [] },
                ...{ forwardTo: undefined, isNewToken: false, environment: {}, now: () => new Date() },
                say: (text) => site.said.push(text),
                ...changes,
            });
            return site.serving;
        },
        async stop() {
            await site.serving?.stop(HURRY);
            site.serving = undefined;
        },
        async chain() {
            const found: ChainMessage[] = [];
            for (const stream of await listStreams(store)) {
                for (const key of await listChain(store, { stream, shard: '0', behind: '0' })) {
                    for await (const message of messagesOf(store, key)) {
                        found.push(message);
                    }
                }
            }
            return found;
        },
    };
    return site;
}

async function register({ store }: Site, device: string, site: string): Promise<void> {
    await addInput(store, 'profiles/', PROFILE.name, PROFILE, { onlyFirst: true });
    await registerDevice(store, { device, profile: PROFILE.name, site }, { today: new Date().toISOString().slice(0, 10) });
}

async function issue({ directory, store }: Site, device: string, gateway?: true) {
    const authority = await openAuthority(authorityFolder(directory), { now: new Date() });
    const { certificate, key, fingerprint, serial, notAfter } = await authority.issueDevice({ device, now: new Date() });
    const record = { fingerprint, serial, not_after: notAfter.toISOString(), added: new Date().toISOString() };
    await addCertificate(store, device, { ...record, ...(gateway && { gateway }) });
    return { certificate, key, authority: authority.certificate };
}

async function addGateway(gateway: string, site: string): Promise<ForwardBroker> {
    await register(central, gateway, site);
    return { host: '127.0.0.1', port: line.port, gateway, ...(await issue(central, gateway, true)) };
}

const forwardTo = (to = broker) => ({
    forwardTo: { name: 'mqtts://central', forward: (options: Parameters<typeof forwardByMqtt>[1]) => forwardByMqtt(to, options) },
});

/** Publishes to the edge as the device, and has it sealed. */
async function publish(device: string, payloads: readonly (string | Buffer)[], topic = `t/${device}`): Promise<void> {
    const { certificate, key, authority } = await issue(edge, device);
    await askServe(edge.directory, 'refresh');
    const client = await mqtt.connectAsync(`mqtts://localhost:${edge.serving?.mqttPort}`, { cert: certificate, key, ca: authority });
    for (const payload of payloads) {
        await client.publishAsync(topic, payload, { qos: 1 });
    }
    await client.endAsync();
    await askServe(edge.directory, 'seal');
}

/** Resolves once the other lake has everything. */
async function untilForwarded(): Promise<void> {
    const streams = await listStreams(edge.store);
    const ends = await Promise.all(streams.map((stream) => readChainEnd(edge.store, { stream, shard: '0' })));
    for (let known: string[] = []; known.join() !== ends.join(); await wait(10)) {
        known = (await readForwarded(edge.store)).map(({ end }) => end);
    }
    while (edge.serving?.status().forwarding?.lastError !== null) {
        await wait(10);
    }
}

async function untilTrouble(expression: RegExp): Promise<void> {
    while (!expression.test(edge.serving?.status().forwarding?.lastError ?? '')) {
        await wait(10);
    }
}

const numbered = (from: number, count: number): string[] =>
    Array.from({ length: count }, (_, index) => JSON.stringify({ n: from + index, t: 20, room: 'x'.repeat(100) }));

/** What must be the same at both ends, and where a message comes from. */
const contentOf = ({ sequence: _, origin: __, ...rest }: ChainMessage) => rest;

async function expectSame(gateway = 'gw-1'): Promise<void> {
    await askServe(central.directory, 'seal');
    const [sent, received] = [await edge.chain(), await central.chain()];
    expect(received.map(contentOf)).toEqual(sent.map(contentOf));
    expect(new Set(received.map(({ origin }) => origin)).size).toBe(sent.length);
    const [stream = ''] = await listStreams(edge.store);
    expect(received[0]?.origin).toBe(`${gateway}/${stream}/${sent[0]?.sequence}`);
}

describe('serve --forward mqtts://', () => {
    test('hands on every byte, device, arrival, topic and profile, also of what was put aside', async () => {
        await central.start();
        await edge.start(forwardTo());
        await publish('room-1', ['{"n":1,"t":20.5}', Buffer.from([0, 1, 254, 255]), 'nothing', '']);
        await publish('room-2', ['{"n":1,"t":21}'], 't/room-2/ünter');
        await publish('room-2', ['{"n":2,"t":99}'], 't/room-1');
        await publish('room-1', [Buffer.alloc(131_072, 7), Buffer.alloc(131_073, 7)]);
        await untilForwarded();
        await expectSame();
        const { batches } = await (await central.lake.engine()).query('select device, message, value from readings order by device');
        const rows: unknown[] = [];
        for await (const batch of batches) {
            rows.push(...batch);
        }
        expect(rows).toEqual([
            ['room-1', '1', '20.500000000'],
            ['room-2', '1', '21.000000000'],
        ]);
        expect(central.serving?.status().messages).toMatchObject({ taken: 8, aside: 0 });
    });

    test('keeps messages while the line is down, and hands them on once, wherever in a part it is cut', async () => {
        await central.start();
        const bytes = [0, 700, 1_500, 2_000, 2_500, 4_000, 9_000, 30_000];
        line.cut();
        await edge.start({ ...forwardTo() });
        await publish('room-1', numbered(0, 1_200));
        await untilTrouble(/no connection as gateway gw-1/);
        for (const [at, byte] of bytes.entries()) {
            line.restore();
            line.cutAfter(byte);
            await publish('room-1', numbered(10_000 + at * 10, 10));
            await wait(50);
        }
        line.restore();
        await publish('room-2', ['{"n":1,"t":21}']);
        await untilForwarded();
        await expectSame();
        expect(edge.said.at(-1)).toBe('mqtts://central has everything again');
    });

    test('takes a part that comes again, late, or beside another one once, and none that leaves out what is before it', async () => {
        const { mqttPort: port } = await central.start();
        const { certificate: cert, key, authority: ca } = broker;
        const dial = () => mqtt.connectAsync(`mqtts://localhost:${port}`, { cert, key, ca, reconnectPeriod: 0 }, false);
        const messages = Array.from(
            { length: 30 },
            (_, at): ChainMessage => ({
                sequence: `${at + 1}`,
                arrivedMs: 1_767_607_200_000 + at,
                way: 'mqtt',
                device: 'room-1',
                topic: 't/room-1',
                profile: 'room',
                site: 'berlin',
                payload: Buffer.from(`{"n":${at},"t":20}`),
            }),
        );
        const send = async (client: mqtt.MqttClient, from: number, to: number): Promise<void> => {
            const [part] = partsOf(messages.slice(from, to));
            await client.publishAsync(partTopic({ gateway: 'gw-1', stream: 's', after: `${from}` }), part?.payload ?? Buffer.alloc(0), {
                qos: 1,
            });
        };
        const [one, other] = [await dial(), await dial()];
        await Promise.all([send(one, 0, 10), send(one, 10, 20), send(other, 0, 10), send(other, 5, 15), send(other, 10, 20)]);
        await send(one, 0, 3);
        await send(one, 15, 25);
        const gone = new Promise<void>((resolve) => one.once('close', () => resolve()));
        one.publish(
            partTopic({ gateway: 'gw-1', stream: 's', after: '27' }),
            [...partsOf(messages.slice(27))][0]?.payload ?? '',
            { qos: 1 },
            () => undefined,
        );
        await gone;
        await send(other, 25, 30);
        await other.endAsync();
        await askServe(central.directory, 'seal');
        expect((await central.chain()).map(({ origin }) => origin)).toEqual(messages.map(({ sequence }) => `gw-1/s/${sequence}`));
        expect(central.said.join('\n')).toMatch(/a part of stream s begins behind 27, and of it only what is up to 25 has come/);
    });

    test('hands on nothing twice to a lake whose inbox was lost, and again what was lost with it', async () => {
        await central.start();
        await edge.start(forwardTo());
        await publish('room-1', numbered(0, 10));
        await untilForwarded();
        await askServe(central.directory, 'seal');
        await publish('room-1', numbered(10, 10));
        await untilForwarded();
        await central.stop();
        rmSync(liveFile(central.directory, 'inbox.sqlite'));
        await central.start();
        await publish('room-2', ['{"n":1,"t":21}']);
        await untilForwarded();
        await expectSame();
    });

    test('says what is wrong with a lake that is an older copy of itself, and goes on with a new inbox', async () => {
        await central.start();
        await edge.start(forwardTo());
        await publish('room-1', numbered(0, 10));
        await untilForwarded();
        await edge.stop();
        const copy = join(await makeFolder(), 'copy');
        cpSync(edge.directory, copy, { recursive: true });
        await edge.start(forwardTo());
        await publish('room-1', numbered(10, 10));
        await untilForwarded();
        await edge.stop();
        rmSync(edge.directory, { recursive: true });
        renameSync(copy, edge.directory);
        await edge.start(forwardTo());
        await publish('room-1', numbered(20, 5));
        await untilTrouble(/it has stream \S+ up to 20, and this lake up to 15 only: this lake is an older copy of itself/);
        await edge.stop();
        rmSync(liveFile(edge.directory, 'inbox.sqlite'));
        await edge.start(forwardTo());
        await publish('room-1', numbered(30, 5));
        while ((await central.chain()).length < 25) {
            await wait(50);
            await askServe(central.directory, 'seal');
        }
        expect((await central.chain()).map(({ payload }) => JSON.parse(payload.toString()).n)).toEqual([
            ...Array.from({ length: 20 }, (_, n) => n),
            ...[30, 31, 32, 33, 34],
        ]);
        expect(edge.serving?.status().forwarding).toMatchObject({ lastError: null });
    });

    test('is told why nothing is taken: of another gateway’s stream, without the right to hand on, of a broker that is no serve', async () => {
        await central.start();
        await edge.start(forwardTo());
        await publish('room-1', numbered(0, 3));
        await untilForwarded();
        await edge.stop();
        const other = await addGateway('gw-2', 'berlin');
        await askServe(central.directory, 'refresh');
        await edge.start(forwardTo(other));
        await untilTrouble(/stream \S+ is handed on by gateway gw-1, not by gw-2.*move its \.flowlake\/live\/inbox\.sqlite away/);
        await edge.stop();
        const device = { ...broker, ...(await issue(central, 'gw-1')) };
        await edge.start({
            forwardTo: { name: 'mqtts://central', forward: (options) => forwardByMqtt(device, options, { answerMs: 300 }) },
        });
        await untilTrouble(/it is no flowlake serve, or the certificate is no gateway's there \(device add gw-1 --gateway --out DIR\)/);
    });

    test('takes messages of its site alone: of devices that stood there when they came, and of those that nobody knows', async () => {
        await register(central, 'room-2', 'hamburg');
        await register(edge, 'room-3', 'main');
        await central.start();
        await edge.start(forwardTo());
        const before = Date.now() - 30 * 86_400_000;
        await publish('room-2', ['{"n":1,"t":21}']);
        await publish('room-3', ['{"n":2,"t":21}']);
        await publish('room-1', ['{"n":3,"t":21}']);
        await edge.stop();
        await edge.start({ ...forwardTo(), now: () => new Date(before) });
        await publish('room-2', ['{"n":4,"t":21}']);
        await untilForwarded();
        await askServe(central.directory, 'seal');
        const refused = 'gateway gw-1 of site berlin hands on a message of device room-2, which stood at site hamburg then';
        expect((await central.chain()).map(({ device, site, refused: why }) => [device, site, why])).toEqual([
            ['gw-1', 'berlin', refused],
            ['room-3', 'berlin', undefined],
            ['room-1', 'berlin', undefined],
            ['room-2', 'berlin', undefined],
        ]);
        expect(central.serving?.status().messages).toMatchObject({ taken: 4, aside: 1 });
    });
});

test('an inbox of before streams of other lakes were known learns of them', async () => {
    const directory = await makeFolder();
    const file = join(directory, 'inbox.sqlite');
    const options = { now: () => new Date(), endOfChain: async () => '0' };
    const inbox = await openInbox(file, options);
    await inbox.append({ arrivedMs: 1, way: 'mqtt', device: 'd', payload: Buffer.from('1') });
    await inbox.close();
    const { DatabaseSync } = await import('node:sqlite');
    const old = new DatabaseSync(file);
    old.exec('drop table origins; pragma user_version = 1');
    old.close();
    const again = await openInbox(file, options);
    await again.appendOf({ stream: 's', gateway: 'g', end: '7' }, [{ arrivedMs: 2, way: 'mqtt', device: 'd', payload: Buffer.from('2') }]);
    await again.close();
    const last = await openInbox(file, options);
    expect([last.last(), last.findOrigin('s')]).toEqual(['2', { stream: 's', gateway: 'g', end: '7' }]);
    await last.close();
});
