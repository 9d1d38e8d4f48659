/** What the local AWS was taught of IoT Core: who is let in, how long a session lasts, and what becomes of a message that a rule cannot hand on. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
    AttachPolicyCommand,
    AttachThingPrincipalCommand,
    CreateKeysAndCertificateCommand,
    CreatePolicyCommand,
    CreateThingCommand,
    CreateTopicRuleCommand,
    DisableTopicRuleCommand,
    UpdateCertificateCommand,
} from '@aws-sdk/client-iot';
import { GetRecordsCommand, GetShardIteratorCommand, ListShardsCommand } from '@aws-sdk/client-kinesis';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { connect as connectMqtt, type MqttClient } from 'mqtt';
import { makeFolder } from '#test/support/temporary';
import { type LocalCloud, openLocalCloud, ROLE, waitUntil } from './support/local-cloud.ts';

let cloud: LocalCloud;
let ca: string;
const open: MqttClient[] = [];

const POLICY = `policy-${randomUUID()}`;
/** What IoT Core itself puts in the place of a name. */
const filledWith = (name: string) => `$\{${name}}`;
const OWN = filledWith('iot:Connection.Thing.ThingName');
const SQL = `SELECT encode(*, 'base64') AS data, topic() AS topic, timestamp() AS at, clientid() AS client, principal() AS principal FROM 'devices/+/telemetry'`;

beforeAll(async () => {
    cloud = await openLocalCloud({ folder: await makeFolder() });
    ca = await (await fetch(`${cloud.endpoint}/_ministack/iot/ca.pem`)).text();
    const arn = (what: string) => `arn:aws:iot:us-east-1:000000000000:${what}`;
    const Statement = [
        { Effect: 'Allow', Action: 'iot:Connect', Resource: arn(`client/${OWN}`) },
        { Effect: 'Allow', Action: 'iot:Publish', Resource: arn(`topic/devices/${OWN}/telemetry`) },
    ];
    const policyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
    await cloud.iot.send(new CreatePolicyCommand({ policyName: POLICY, policyDocument }));
});

afterEach(async () => {
    await Promise.all(open.splice(0).map((client) => client.endAsync(true)));
});

afterAll(async () => {
    await cloud.stop();
});

/** A thing with a certificate. */
async function makeDevice() {
    const thingName = `device-${randomUUID()}`;
    await cloud.iot.send(new CreateThingCommand({ thingName }));
    const { certificateArn, certificateId, certificatePem, keyPair } = await cloud.iot.send(
        new CreateKeysAndCertificateCommand({ setAsActive: true }),
    );
    await cloud.iot.send(new AttachThingPrincipalCommand({ thingName, principal: String(certificateArn) }));
    await cloud.iot.send(new AttachPolicyCommand({ policyName: POLICY, target: String(certificateArn) }));
    return { thingName, certificateId: String(certificateId), cert: certificatePem, key: keyPair?.PrivateKey };
}

interface Connecting {
    cert?: string | undefined;
    key?: string | undefined;
    clientId: string;
    keepalive?: number;
}

async function connect({ cert, key, clientId, keepalive = 60 }: Connecting): Promise<MqttClient> {
    const client = connectMqtt({
        protocol: 'mqtts',
        host: '127.0.0.1',
        port: cloud.mqttPort,
        ca,
        ...(cert !== undefined && { cert }),
        ...(key !== undefined && { key }),
        clientId,
        keepalive,
        protocolVersion: 4,
        reconnectPeriod: 0,
        connectTimeout: 5000,
    });
    open.push(client);
    // Who is refused in TLS 1.3 learns of it when the handshake is over: by an alert, or by a connection that ends.
    await new Promise<void>((resolve, reject) => {
        client.once('connect', () => resolve());
        client.on('error', reject);
        client.once('close', () => reject(new Error('the connection was closed')));
    });
    return client;
}

/** True once the connection of a client has ended. */
function watchEnd(client: MqttClient): () => boolean {
    let isOver = false;
    client.once('close', () => {
        isOver = true;
    });
    return () => isOver;
}

async function makeRule(actions: object[], errorAction?: object): Promise<string> {
    const ruleName = `rule_${randomUUID().replaceAll('-', '_')}`;
    await cloud.iot.send(
        new CreateTopicRuleCommand({
            ruleName,
            topicRulePayload: { sql: SQL, actions: actions as never, ...(errorAction && { errorAction: errorAction as never }) },
        }),
    );
    return ruleName;
}

/** All that stands in a stream, as what its records hold. */
async function recordsOf(StreamName: string) {
    const { Shards = [] } = await cloud.kinesis.send(new ListShardsCommand({ StreamName }));
    const records = await Promise.all(
        Shards.map(async ({ ShardId }) => {
            const begin = await cloud.kinesis.send(new GetShardIteratorCommand({ StreamName, ShardId, ShardIteratorType: 'TRIM_HORIZON' }));
            return (await cloud.kinesis.send(new GetRecordsCommand({ ShardIterator: begin.ShardIterator }))).Records ?? [];
        }),
    );
    return records.flat().map(({ PartitionKey, Data }) => ({ key: PartitionKey, said: JSON.parse(Buffer.from(Data ?? []).toString()) }));
}

describe('a device', () => {
    test('is let in with a certificate that is registered and active, as the thing that it is of', async () => {
        const device = await makeDevice();
        const client = await connect({ ...device, clientId: device.thingName });
        await client.publishAsync(`devices/${device.thingName}/telemetry`, '{}', { qos: 1 });
        const other = await makeDevice();
        await expect(connect({ clientId: device.thingName })).rejects.toThrow();
        await expect(connect({ ...device, clientId: other.thingName })).rejects.toThrow();
        await cloud.iot.send(new UpdateCertificateCommand({ certificateId: other.certificateId, newStatus: 'INACTIVE' }));
        await expect(connect({ ...other, clientId: other.thingName })).rejects.toThrow();
    });

    test('is held to its policy whether AUTH is on or not', async () => {
        const device = await makeDevice();
        const client = await connect({ ...device, clientId: device.thingName });
        const isOver = watchEnd(client);
        client.publish('devices/somebody-else/telemetry', '{}', { qos: 1 });
        await waitUntil(isOver, 'the connection is closed');
    });

    test('is cut off when its certificate is switched off', async () => {
        const device = await makeDevice();
        const isOver = watchEnd(await connect({ ...device, clientId: device.thingName }));
        await cloud.iot.send(new UpdateCertificateCommand({ certificateId: device.certificateId, newStatus: 'INACTIVE' }));
        await waitUntil(isOver, 'the session is cut');
    });

    test('is cut off when it is silent for longer than its keepalive, and not before', async () => {
        const device = await makeDevice();
        const silent = await connect({ ...device, clientId: device.thingName, keepalive: 2 });
        const isOver = watchEnd(silent);
        // It pings by itself.
        await sleep(4000);
        expect(isOver()).toBe(false);
        silent.keepaliveManager?.destroy();
        await waitUntil(isOver, 'the silence is noticed');
    });

    test('is cut off when it sends more than 128 KB', async () => {
        const device = await makeDevice();
        const client = await connect({ ...device, clientId: device.thingName });
        const isOver = watchEnd(client);
        await client.publishAsync(`devices/${device.thingName}/telemetry`, Buffer.alloc(128 * 1024), { qos: 1 });
        expect(isOver()).toBe(false);
        client.publish(`devices/${device.thingName}/telemetry`, Buffer.alloc(128 * 1024 + 1), { qos: 1 });
        await waitUntil(isOver, 'the connection is closed');
    });
});

describe('a rule', () => {
    const kinesis = (streamName: string) => ({ kinesis: { streamName, partitionKey: filledWith('clientid()'), roleArn: ROLE } });
    const sqs = (queueUrl: string) => ({ sqs: { queueUrl, roleArn: ROLE, useBase64: false } });

    async function publish(payload: Buffer | string) {
        const device = await makeDevice();
        const client = await connect({ ...device, clientId: device.thingName });
        await client.publishAsync(`devices/${device.thingName}/telemetry`, payload, { qos: 1 });
        return device;
    }

    test('puts every byte of a message into a stream, with who sent it', async () => {
        const { name } = await cloud.makeStream();
        await makeRule([kinesis(name)]);
        const payloads = [Buffer.from('{"t": 21.30}'), Buffer.from([0xff, 0x00, 0xfe]), Buffer.from('')];
        for (const payload of payloads) {
            const device = await publish(payload);
            const { key, said } = (await recordsOf(name)).find((record) => record.key === device.thingName) ?? {};
            expect(key).toBe(device.thingName);
            expect(said).toEqual({
                data: payload.toString('base64'),
                topic: `devices/${device.thingName}/telemetry`,
                at: expect.any(Number),
                client: device.thingName,
                principal: device.certificateId,
            });
        }
    });

    test('tells its error action of what could not be handed on: a stream that is not there, is full, or an action that is not known', async () => {
        const { name } = await cloud.makeStream();
        const queue = await cloud.makeQueue();
        const told = async () => (await cloud.receive(queue.url)).map((body) => JSON.parse(body));
        const rule = await makeRule([kinesis('none-there')], sqs(queue.url));
        const device = await publish('{"t": 1}');
        expect(await told()).toEqual([
            expect.objectContaining({
                ruleName: rule,
                topic: `devices/${device.thingName}/telemetry`,
                clientId: device.thingName,
                base64OriginalPayload: Buffer.from('{"t": 1}').toString('base64'),
                failures: [expect.objectContaining({ failedAction: 'KinesisAction', failedResource: 'none-there' })],
            }),
        ]);
        await cloud.iot.send(new DisableTopicRuleCommand({ ruleName: rule }));
        const full = await makeRule([kinesis(name)], sqs(queue.url));
        const reasons = async () => (await told()).map(({ failures }) => failures[0].errorMessage);
        await cloud.levers({ 'kinesis.throttle_every': 1 });
        await publish('{"t": 2}');
        await cloud.levers({ 'kinesis.throttle_every': 0 });
        expect(await reasons()).toEqual([expect.stringContaining('ProvisionedThroughputExceededException')]);
        await cloud.act('fail-rule', { rule: full, fails: true });
        await publish('{"t": 3}');
        expect(await reasons()).toEqual([expect.stringContaining('as the test wants it')]);
        await cloud.iot.send(new DisableTopicRuleCommand({ ruleName: full }));
        await makeRule([{ timestream: { databaseName: 'a', tableName: 'b', dimensions: [], roleArn: ROLE } }], sqs(queue.url));
        await publish('{"t": 4}');
        expect(await reasons()).toEqual([expect.stringContaining('not taught')]);
    });

    test('is refused with a function of SQL that is not known', async () => {
        await expect(
            cloud.iot.send(
                new CreateTopicRuleCommand({
                    ruleName: 'unknown_sql',
                    topicRulePayload: { sql: "SELECT md5(x) AS y FROM 'a'", actions: [] },
                }),
            ),
        ).rejects.toThrow('md5');
    });
});
