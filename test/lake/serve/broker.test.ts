/** The broker against a real client: what is acknowledged is stored before, as the device's own or put aside, and only those come in who may. */
import { once } from 'node:events';
import { connect } from 'node:net';
import process from 'node:process';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { MqttClient } from 'mqtt';
import { addCertificate, revokeCredentials } from '#lake/credentials';
import { registerDevice } from '#lake/devices';
import { UsageError } from '#lake/errors';
import { ForwardIntake } from '#lake/live/forward-intake';
import { MAX_PAYLOAD_BYTES } from '#lake/live/inbox';
import { openBroker } from '#lake/serve/broker';
import { authorityFolder, type IssuedCertificate, openAuthority } from '#lake/serve/certificates';
import { type Fleet, openFleet } from '#test/support/device-fleet';
import { makeFolder } from '#test/support/temporary';

let fleet: Fleet;

beforeEach(async () => {
    fleet = await openFleet();
});

afterEach(() => fleet.close());

/** Waits for what comes without an event of its own. */
async function until(holds: () => boolean): Promise<void> {
    for (let tries = 0; !holds(); tries += 1) {
        if (tries > 2_000) {
            throw new Error(`it never came: ${fleet.lines.join('\n')}`);
        }
        await wait(5);
    }
}

const closeOf = (client: MqttClient) => new Promise<void>((resolve) => client.once('close', resolve));

const shown = () => fleet.inbox.messages.map(({ device, topic, refused, payload }) => ({ device, topic, refused, payload: `${payload}` }));

describe('a message', () => {
    test('is acknowledged once it is in the inbox, and not before', async () => {
        const client = await fleet.connect(await fleet.add('th-1'), { clientId: 'rack-7' });
        fleet.inbox.hold();
        let isAcknowledged = false;
        const sent = client.publishAsync('t/th-1', '{"temperature":21.30}', { qos: 1 }).then(() => {
            isAcknowledged = true;
        });
        await until(() => fleet.inbox.waiting === 1);
        // A round trip behind it: an acknowledgement would have been here by now.
        await client.subscribeAsync('t/th-1/x', { qos: 0 });
        expect(isAcknowledged).toBe(false);
        fleet.inbox.release();
        await sent;
        expect(fleet.inbox.messages).toEqual([
            {
                ...{ way: 'mqtt', device: 'th-1', topic: 't/th-1', session: 'rack-7', profile: 'thermostat', site: 'berlin' },
                ...{ arrivedMs: expect.any(Number), payload: Buffer.from('{"temperature":21.30}') },
            },
        ]);
    });

    test('that cannot be stored ends the connection without an acknowledgement, and comes again', async () => {
        const client = await fleet.connect(await fleet.add('th-1'), { reconnectPeriod: 20 });
        fleet.inbox.fail();
        const sent = client.publishAsync('t/th-1', 'again', { qos: 1 });
        await closeOf(client);
        expect(shown()).toEqual([]);
        fleet.inbox.fail(false);
        await sent;
        expect(shown().length).toBeGreaterThanOrEqual(1);
        expect(new Set(shown().map(({ payload }) => payload))).toEqual(new Set(['again']));
        expect(fleet.lines.join('\n')).toContain('The inbox cannot store messages');
        expect(fleet.lines.join('\n')).toContain('the disk is full');
    });

    test.each([0, 1, 2] as const)('of QoS %i comes with its neighbours in the order in which they were sent', async (qos) => {
        const client = await fleet.connect(await fleet.add('th-1'));
        const sent = Array.from({ length: 300 }, (_, at) => `${at}`);
        await Promise.all(sent.map((payload) => client.publishAsync('t/th-1/n', payload, { qos })));
        await until(() => fleet.inbox.messages.length === 300);
        expect(shown().map(({ payload }) => payload)).toEqual(sent);
    });

    test('is the device’s that its certificate names, whatever client id and password are given', async () => {
        const [one, other] = [await fleet.add('th-1'), await fleet.add('th-2')];
        const first = await fleet.connect(one, { clientId: 'th-2', username: 'th-2', password: 'x' });
        const second = await fleet.connect(other, { clientId: 'th-2' });
        await first.publishAsync('t/th-1', '1', { qos: 1 });
        await second.publishAsync('t/th-2', '2', { qos: 1 });
        expect(shown().map(({ device, payload }) => [device, payload])).toEqual([
            ['th-1', '1'],
            ['th-2', '2'],
        ]);
    });

    test('that was to be retained is a message like any other, and nothing is retained', async () => {
        const client = await fleet.connect(await fleet.add('th-1'));
        await client.publishAsync('t/th-1/state', 'on', { qos: 1, retain: true });
        expect(fleet.inbox.messages[0]).not.toHaveProperty('isRetained');
        const got: string[] = [];
        client.on('message', (topic) => got.push(topic));
        await client.subscribeAsync('t/th-1/#', { qos: 1 });
        await client.publishAsync('t/th-1/now', 'x', { qos: 1 });
        await until(() => got.length > 0);
        expect(got).toEqual(['t/th-1/now']);
    });
});

describe('what is not the device’s to say is acknowledged and put aside', () => {
    const aside = async (client: MqttClient, topic: string, payload: string | Buffer = '{}') => {
        await client.publishAsync('t/th-1', 'before', { qos: 1 });
        await client.publishAsync(topic, payload, { qos: 1 });
        await client.publishAsync('t/th-1', 'after', { qos: 1 });
        expect(
            shown()
                .filter(({ refused }) => refused === undefined)
                .map((one) => one.payload),
        ).toEqual(['before', 'after']);
        return fleet.inbox.messages[1];
    };

    test.each(['t/th-2', 't/th-10', 't', 'T/th-1', '$SYS/x', '$aws/things/th-1/shadow/update', 'cmd/th-1', 'elsewhere'])(
        'topic %s',
        async (topic) => {
            const client = await fleet.connect(await fleet.add('th-1'));
            expect(await aside(client, topic)).toMatchObject({
                ...{ device: 'th-1', topic, profile: 'thermostat', site: 'berlin', payload: Buffer.from('{}') },
                refused: `topic "${topic}" is none of device th-1: it may write to t/th-1 and below it, and to topics of its profile with its id in them`,
            });
        },
    );

    test('a topic that none may publish to', async () => {
        const client = await fleet.connect(await fleet.add('th-1'));
        expect(await aside(client, 'a/'.repeat(200))).toMatchObject({
            topic: 'a/'.repeat(200),
            refused: 'its topic has 201 levels, of 100 at most',
        });
    });

    test('a payload that is too large, of which the beginning is kept', async () => {
        const client = await fleet.connect(await fleet.add('th-1'));
        const message = await aside(client, 't/th-1', Buffer.alloc(3_000_000, 'x'));
        expect(message).toMatchObject({ topic: 't/th-1', refused: 'its payload has 3000000 bytes, of 131072 at most' });
        expect(`${message?.payload}`).toBe('x'.repeat(4_096));
        await client.publishAsync('t/th-1', Buffer.alloc(MAX_PAYLOAD_BYTES, 'y'), { qos: 1 });
        expect(fleet.inbox.messages.at(-1)).toMatchObject({ payload: Buffer.alloc(MAX_PAYLOAD_BYTES, 'y') });
        expect(fleet.inbox.messages.at(-1)?.refused).toBeUndefined();
    });

    test('and nobody gets it: not even the device whose topic it was', async () => {
        const [one, other] = [await fleet.connect(await fleet.add('th-1')), await fleet.connect(await fleet.add('th-2'))];
        const got: string[] = [];
        other.on('message', (_, payload) => got.push(`${payload}`));
        await other.subscribeAsync(['t/th-2/#', 'cmd/th-2/#'], { qos: 1 });
        await one.publishAsync('t/th-2/x', 'forged', { qos: 1 });
        await one.publishAsync('cmd/th-2/x', 'forged', { qos: 1 });
        await other.publishAsync('t/th-2/x', 'own', { qos: 1 });
        await until(() => got.length > 0);
        expect(got).toEqual(['own']);
    });

    test('topics of its profile with its id in them are its own', async () => {
        const { addInput } = await import('#lake/inputs');
        await addInput(fleet.store, 'profiles/', 'plug', { name: 'plug', topics: ['tele/{device}/{event}'], device: { text: '{device}' } });
        const client = await fleet.connect(await fleet.add('plug-1', { profile: 'plug' }));
        await client.publishAsync('tele/plug-1/SENSOR', '1', { qos: 1 });
        await client.publishAsync('tele/plug-2/SENSOR', '2', { qos: 1 });
        expect(shown().map(({ refused }) => refused === undefined)).toEqual([true, false]);
    });

    test('of the 1,000 first in an hour; the others are counted, and their number is said', async () => {
        const client = await fleet.connect(await fleet.add('th-1'));
        await Promise.all(Array.from({ length: 1_203 }, () => client.publishAsync('elsewhere', '{}', { qos: 1 })));
        expect(fleet.inbox.messages).toHaveLength(1_000);
        expect(fleet.intake.counts).toEqual({ taken: 1_000, aside: 1_000, dropped: 203 });
        expect(fleet.lines.join('\n')).toContain('1000 messages of device th-1 were put aside in this hour');
        await fleet.intake.sayDropped({ all: true });
        expect(fleet.inbox.messages.at(-1)?.refused).toMatch(/^203 more messages of the hour from .*Z on were put aside, and not kept$/);
    });
});

describe('subscriptions', () => {
    test.each(['#', 't/#', 't/+/x', 't/th-2/#', 'cmd/th-2', '$SYS/#', '+/th-1/#'])(
        'to %s are not granted, and the client stays',
        async (filter) => {
            const client = await fleet.connect(await fleet.add('th-1'));
            await expect(client.subscribeAsync(filter, { qos: 1 })).rejects.toThrow('Unspecified error');
            await client.publishAsync('t/th-1', '1', { qos: 1 });
            expect(client.connected).toBe(true);
            expect(fleet.lines.join('\n')).toContain('may not subscribe to');
        },
    );
});

describe('a will', () => {
    test('is a message of the device, when its connection breaks', async () => {
        const client = await fleet.connect(await fleet.add('th-1'), {
            will: { topic: 't/th-1/state', payload: Buffer.from('gone'), qos: 1, retain: false },
        });
        client.stream.destroy();
        await until(() => fleet.inbox.messages.length === 1);
        expect(shown()).toEqual([{ device: 'th-1', topic: 't/th-1/state', refused: undefined, payload: 'gone' }]);
    });

    test('to another’s topic is put aside, and none comes of a certificate that was revoked', async () => {
        const will = { topic: 't/th-2', payload: Buffer.from('gone'), qos: 1 as const, retain: false };
        const certificate = await fleet.add('th-1');
        const client = await fleet.connect(certificate, { will });
        client.stream.destroy();
        await until(() => fleet.inbox.messages.length === 1);
        expect(shown()[0]?.refused).toContain('is none of device th-1');
        const again = await fleet.connect(certificate, { will });
        const gone = closeOf(again);
        await revokeCredentials(fleet.store, 'th-1', { what: 'all', now: new Date() });
        await fleet.credentials.refresh();
        await gone;
        await fleet.connect(await fleet.add('th-2'));
        expect(fleet.inbox.messages).toHaveLength(1);
    });
});

describe('a certificate that will not do never reaches CONNECT:', () => {
    /** Sends a CONNECT by hand, so that it would be seen if it arrived. @returns what came back */
    async function answerTo(certificate: Partial<IssuedCertificate>): Promise<Buffer> {
        const socket = await fleet.socket(certificate);
        const answer: Buffer[] = [];
        socket.on('data', (chunk: Buffer) => answer.push(chunk));
        socket.on('error', () => undefined);
        socket.write(Buffer.from([0x10, 16, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 60, 0, 4, 0x61, 0x62, 0x63, 0x64]));
        await once(socket, 'close');
        return Buffer.concat(answer);
    }

    test('one that is good does, by the same bytes', async () => {
        const socket = await fleet.socket(await fleet.add('th-1'));
        socket.write(Buffer.from([0x10, 16, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 60, 0, 4, 0x61, 0x62, 0x63, 0x64]));
        const [answer] = await once(socket, 'data');
        expect(answer).toEqual(Buffer.from([0x20, 2, 0, 0]));
        expect(fleet.broker.counts()).toEqual({ connections: 1, refused: 0, usedTwice: 0 });
    });

    test.each<[string, () => Promise<Partial<IssuedCertificate>>, RegExp]>([
        ['none', async () => ({}), /^Refused a connection from \S+: it shows no certificate$/],
        [
            'a foreign one',
            async () => {
                await fleet.add('th-1');
                const foreign = await openAuthority(authorityFolder(await makeFolder()), { now: new Date() });
                return foreign.issueDevice({ device: 'th-1', now: new Date() });
            },
            /certificate [0-9a-f]{64}\): its certificate is not one that this lake has signed/,
        ],
        ['one that has ended', async () => fleet.add('th-1', { days: -0.5 }), /device th-1, .*its certificate has ended/],
        [
            'one that was revoked',
            async () => {
                const certificate = await fleet.add('th-1');
                await revokeCredentials(fleet.store, 'th-1', { what: { certificate: certificate.fingerprint }, now: new Date() });
                await fleet.credentials.refresh();
                return certificate;
            },
            /device th-1, .*the certificate of device th-1 was revoked on/,
        ],
        [
            'one that the lake does not know',
            async () => fleet.authority.issueDevice({ device: 'th-1', now: new Date() }),
            /no device has this certificate/,
        ],
        [
            'one of a device that is not registered',
            async () => {
                const certificate = await fleet.add('th-1');
                await fleet.store.delete('devices/th-1.json');
                await fleet.devices.refresh();
                return certificate;
            },
            /device th-1 is not registered for today: flowlake device add th-1/,
        ],
        [
            'one of a device whose record is damaged',
            async () => {
                const certificate = await fleet.add('th-1');
                await fleet.store.put('devices/th-1.json', Buffer.from('{'));
                await fleet.devices.refresh();
                return certificate;
            },
            /devices\/th-1.json is no record of device th-1/,
        ],
    ])('%s', async (_, certificate, said) => {
        expect(await answerTo(await certificate())).toEqual(Buffer.alloc(0));
        expect(fleet.lines.filter((line) => line.startsWith('Refused'))).toEqual([expect.stringMatching(said)]);
        expect(fleet.broker.counts()).toEqual({ connections: 0, refused: 1, usedTwice: 0 });
    });

    test('the key of a private key stands in no line of the log', async () => {
        const certificate = await fleet.add('th-1');
        await fleet.connect(certificate, { password: 'secret-1', username: 'u' });
        expect(fleet.lines.join('\n')).not.toMatch(/PRIVATE|secret-1/);
    });
});

test('revoking a certificate ends its connections, and those of the device’s other certificate stay', async () => {
    const [old, next] = [await fleet.add('th-1'), await fleet.add('th-1')];
    const [gone, stays] = [await fleet.connect(old), await fleet.connect(next)];
    const closed = closeOf(gone);
    expect(await revokeCredentials(fleet.store, 'th-1', { what: { certificate: old.fingerprint.slice(0, 12) }, now: new Date() })).toEqual([
        `certificate ${old.fingerprint}`,
    ]);
    await fleet.credentials.refresh();
    await closed;
    await stays.publishAsync('t/th-1', '1', { qos: 1 });
    expect(shown()).toHaveLength(1);
    expect(fleet.lines.join('\n')).toContain('was revoked on');
});

test('a client of MQTT 5 is told that the version is not supported, and the log says what to do', async () => {
    const client = fleet.dial(await fleet.add('th-1'), { protocolVersion: 5 });
    const error = await new Promise((resolve) => client.once('error', resolve));
    expect(error).toMatchObject({ code: 0x84, message: expect.stringContaining('Unsupported Protocol Version') });
    expect(fleet.lines.join('\n')).toContain('it speaks MQTT 5, and this broker MQTT 3.1 and 3.1.1');
});

test('two programs with one client id in turns are said to a person, once', async () => {
    const certificate = await fleet.add('th-1');
    for (let turn = 0; turn < 8; turn += 1) {
        await fleet.connect(certificate, { clientId: 'th-1' });
    }
    expect(fleet.lines.filter((line) => line.startsWith('Certificate used twice'))).toHaveLength(1);
    expect(fleet.broker.counts().usedTwice).toBe(1);
});

test('a client that floods waits, is not thrown out, and holds up no other', async () => {
    await fleet.close();
    fleet = await openFleet({ limits: { messagesPerSecond: 200 } });
    const [flooding, other] = [await fleet.connect(await fleet.add('th-1')), await fleet.connect(await fleet.add('th-2'))];
    const began = performance.now();
    let acknowledged = 0;
    const flood = Array.from({ length: 1_000 }, () =>
        flooding.publishAsync('t/th-1', Buffer.alloc(2_000, 'x'), { qos: 1 }).then(() => {
            acknowledged += 1;
        }),
    );
    await until(() => acknowledged > 0);
    await other.publishAsync('t/th-2', 'calm', { qos: 1 });
    expect(acknowledged).toBeLessThan(1_000);
    await Promise.all(flood);
    // 200 at once, then 200 a second; what one piece of the stream holds is taken whole.
    expect(performance.now() - began).toBeGreaterThan(2_500);
    expect(fleet.inbox.messages).toHaveLength(1_001);
});

test('closing acknowledges what is on its way into the inbox, and tells no wills', async () => {
    const will = { topic: 't/th-1', payload: Buffer.from('gone'), qos: 1 as const, retain: false };
    const client = await fleet.connect(await fleet.add('th-1'), { will });
    fleet.inbox.hold();
    const sent = client.publishAsync('t/th-1', '1', { qos: 1 });
    await until(() => fleet.inbox.waiting === 1);
    const closed = fleet.broker.close();
    fleet.inbox.release();
    await Promise.all([sent, closed]);
    expect(shown().map(({ payload }) => payload)).toEqual(['1']);
});

test('a device that another process has just added is let in at once', async () => {
    const { fingerprint, serial, notAfter, ...files } = await fleet.authority.issueDevice({ device: 'new', now: new Date() });
    await registerDevice(fleet.store, { device: 'new', profile: 'thermostat' }, { today: '2026-01-01' });
    await addCertificate(fleet.store, 'new', { fingerprint, serial, not_after: notAfter.toISOString(), added: new Date().toISOString() });
    const client = await fleet.connect({ ...files, fingerprint, serial, notAfter });
    await client.publishAsync('t/new', '1', { qos: 1 });
    expect(shown()).toHaveLength(1);
});

test('a connection that does not get through its handshake is closed in time', async () => {
    await fleet.close();
    fleet = await openFleet({ limits: { connectTimeoutMs: 100 } });
    const socket = connect(fleet.broker.port, '127.0.0.1');
    await once(socket, 'close');
    expect(fleet.lines.join('\n')).toContain('A TLS handshake with 127.0.0.1 failed');
});

test('a broker that finds its port taken holds nothing that keeps the process alive', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((one) => one === 'Timeout').length;
    const { intake, inbox, credentials, devices, broker, authority } = fleet;
    const server = await authority.server({ names: ['localhost'], now: new Date() });
    const tls = { authority: authority.certificate, certificate: server.certificate, key: server.key };
    const before = timers();
    const second = openBroker({
        intake,
        forwards: new ForwardIntake({ inbox, devices }),
        credentials,
        devices,
        tls,
        host: '127.0.0.1',
        port: broker.port,
        say: () => undefined,
        now: Date.now,
    });
    await expect(second).rejects.toThrow(UsageError);
    expect(timers()).toBe(before);
});

describe('memory stays bounded', () => {
    /** A connection by hand, which has sent CONNECT. */
    async function connectByHand(certificate: IssuedCertificate) {
        const socket = await fleet.socket(certificate);
        socket.on('error', () => undefined);
        socket.write(Buffer.from([0x10, 16, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 60, 0, 4, 0x61, 0x62, 0x63, 0x64]));
        await once(socket, 'data');
        return socket;
    }

    test('under a subscriber that does not read: it is disconnected, and nobody waits for it', async () => {
        await fleet.close();
        fleet = await openFleet({ limits: { slowSubscriberMs: 500, messagesPerSecond: 100_000 } });
        const certificate = await fleet.add('th-1');
        const reader = await connectByHand(certificate);
        const filter = Buffer.from('t/th-1/#');
        reader.write(Buffer.concat([Buffer.from([0x82, 5 + filter.length, 0, 1, 0, filter.length]), filter, Buffer.from([0])]));
        await once(reader, 'data');
        reader.pause();
        const [flooding, other] = [await fleet.connect(certificate), await fleet.connect(await fleet.add('th-2'))];
        const flood = Promise.all(
            Array.from({ length: 600 }, () => flooding.publishAsync('t/th-1/x', Buffer.alloc(50_000, 'x'), { qos: 1 })),
        );
        await other.publishAsync('t/th-2', 'calm', { qos: 1 });
        await flood;
        expect(fleet.inbox.messages).toHaveLength(601);
        expect(fleet.lines.join('\n')).toContain('Device th-1 (client id "abcd") does not read what it has subscribed to');
        await until(() => fleet.lines.some((line) => line.includes('ended: drain timeout')));
    });

    test('under a client that sends on while the inbox stores nothing: little is read of it, and all comes once it does', async () => {
        const client = await fleet.connect(await fleet.add('th-1'));
        fleet.inbox.hold();
        const sent = Array.from({ length: 200 }, () => client.publishAsync('t/th-1', Buffer.alloc(100_000, 'x'), { qos: 1 }));
        await until(() => fleet.inbox.waiting >= 10);
        // A second device goes through all of it meanwhile: what could be read has been.
        const other = await fleet.connect(await fleet.add('th-2'));
        await other.subscribeAsync('t/th-2/#', { qos: 0 });
        expect(fleet.inbox.waiting).toBeLessThan(16);
        fleet.inbox.release();
        await Promise.all(sent);
        expect(fleet.inbox.messages).toHaveLength(200);
    });
});
