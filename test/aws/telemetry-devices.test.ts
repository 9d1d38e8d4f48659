/**
 * Devices of a deployed lake against the local IoT Core: made by `device add`, held to the policy that is deployed, their messages handed on by the rule that is
 * deployed. Policy and rule come from the template; stream, queue and bucket are made here.
 */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { CreateTableCommand } from '@aws-sdk/client-dynamodb';
import { AttachPolicyCommand, CreateKeysAndCertificateCommand, CreatePolicyCommand, CreateTopicRuleCommand } from '@aws-sdk/client-iot';
import { CreateStreamCommand, GetRecordsCommand, GetShardIteratorCommand, ListShardsCommand } from '@aws-sdk/client-kinesis';
import { CreateBucketCommand, PutBucketTaggingCommand } from '@aws-sdk/client-s3';
import { CreateQueueCommand, GetQueueUrlCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { connect as connectMqtt, type MqttClient } from 'mqtt';
import { telemetryNamesOf } from '#cdk/config';
import { clientLines } from '#cli/commands/device/client-lines';
import { writeDeviceFiles } from '#cli/device-files';
import { openDeviceLookup } from '#lake/cloud/device-lookup';
import { readRecord } from '#lake/cloud/kinesis-record';
import type { StreamRecord } from '#lake/cloud/kinesis-stream';
import { openCloudState } from '#lake/cloud/state-store';
import { STATE_TABLE } from '#lake/cloud/state-table';
import { hexOf, readCredentials } from '#lake/credentials';
import { DEPLOYMENT_TAGS, TELEMETRY_TAGS } from '#lake/deployment';
import { LiveProfiles } from '#lake/live/live-profiles';
import { openS3Store } from '#lake/store/s3';
import { createS3Client } from '#lake/store/s3-client';
import { takeLatest } from '#lambdas/take-latest';
import { ofType, type Resources, synthesizeTelemetry, TELEMETRY } from '#test/cdk/synthesized';
import { fakeWorld, runLine } from '#test/cli/fake-surroundings';
import { CLIENTS_OF_DEVICES, PYTHON_FOLDER, ROOT } from '#test/live/support/live-clients';
import { makeFolder } from '#test/support/temporary';
import { type LocalCloud, openLocalCloud, waitUntil } from './support/local-cloud.ts';

const BUCKET = 'devices-lake';
const STAGE = 'dev';
const names = telemetryNamesOf({ stage: STAGE, telemetry: TELEMETRY });

let cloud: LocalCloud;
let out: string;
let rule: string;
const open: MqttClient[] = [];

const run = (...words: string[]) =>
    runLine(['--lake', `s3://${BUCKET}`, ...words], { world: fakeWorld({ environment: cloud.environment, now: () => new Date() }) });

beforeAll(async () => {
    const folder = await makeFolder();
    out = join(folder, 'devices');
    cloud = await openLocalCloud({ folder });
    Object.assign(process.env, cloud.environment);
    await cloud.s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
    const tags = new Map<string, string>([
        [DEPLOYMENT_TAGS.stage, STAGE],
        ...Object.entries(TELEMETRY_TAGS).flatMap(([part, tag]): [string, string][] => {
            const name = new Map(Object.entries(names)).get(part);
            return name === undefined ? [] : [[tag, name]];
        }),
    ]);
    const TagSet = [...tags].map(([Key, Value]) => ({ Key, Value }));
    await cloud.s3.send(new PutBucketTaggingCommand({ Bucket: BUCKET, Tagging: { TagSet } }));
    await cloud.kinesis.send(new CreateStreamCommand({ StreamName: names.stream, StreamModeDetails: { StreamMode: 'ON_DEMAND' } }));
    const { QueueUrl } = await cloud.sqs.send(new CreateQueueCommand({ QueueName: names.givenUpQueue }));
    await makeStateTable();
    rule = await deployIot(synthesizeTelemetry(), String(QueueUrl));
    for (const device of ['th-1', 'th-2']) {
        expect(await run('device', 'add', device, '--profile', 'plain-json', '--out', out)).toMatchObject({ exitCode: 0 });
    }
});

afterEach(async () => {
    await Promise.all(open.splice(0).map((client) => client.endAsync(true)));
});

afterAll(async () => {
    await cloud?.stop();
});

/** The table of latest state as the stack makes it. */
async function makeStateTable(): Promise<void> {
    const { partitionKey, sortKey, indexes } = STATE_TABLE;
    const keys = [partitionKey, sortKey, ...Object.values(indexes).flatMap((index) => [index.partitionKey, index.sortKey])];
    const attributes = new Map(keys.map(({ name, type }) => [name, type]));
    const schemaOf = (of: { partitionKey: { name: string }; sortKey: { name: string } }) => [
        { AttributeName: of.partitionKey.name, KeyType: 'HASH' as const },
        { AttributeName: of.sortKey.name, KeyType: 'RANGE' as const },
    ];
    await cloud.dynamodb.send(
        new CreateTableCommand({
            TableName: names.stateTable,
            BillingMode: 'PAY_PER_REQUEST',
            AttributeDefinitions: [...attributes].map(([AttributeName, AttributeType]) => ({ AttributeName, AttributeType })),
            KeySchema: schemaOf(STATE_TABLE),
            GlobalSecondaryIndexes: Object.entries(indexes).map(([IndexName, index]) => ({
                IndexName,
                KeySchema: schemaOf(index),
                Projection: { ProjectionType: 'ALL' as const },
            })),
        }),
    );
}

/** Brings what the stream has into latest state, as the function `latest` does, until it is told to stop. */
async function followStream(signal: AbortSignal): Promise<void> {
    const [store, now] = [openStore(), Date.now];
    const state = openCloudState({ client: cloud.dynamodb, table: names.stateTable, now });
    const profiles = new LiveProfiles({ store, monotonicMs: () => performance.now(), onFault: () => undefined });
    const devices = openDeviceLookup({ store, now });
    while (!signal.aborted) {
        for (const record of await records()) {
            const messages = await readRecord(record, { from: 'telemetry', devices });
            await takeLatest(messages, { stream: 'stream', state, profiles, clock: () => state.clock(), now });
        }
        await sleep(100);
    }
}

/** Makes policy and rule as the template has them, with what stands here in the place of its references. @returns the rule's name */
async function deployIot(resources: Resources, queueUrl: string): Promise<string> {
    const filled: Record<string, string> = {
        ...{ 'AWS::Partition': 'aws', 'AWS::Region': 'us-east-1', 'AWS::AccountId': '000000000000' },
        ...Object.fromEntries(ofType(resources, 'AWS::Kinesis::Stream').map(([id, { Properties }]) => [id, Properties.Name])),
        ...Object.fromEntries(ofType(resources, 'AWS::SQS::Queue').map(([id]) => [id, queueUrl])),
    };
    const fill = (value: any): any => {
        if (typeof value !== 'object' || value === null) {
            return value;
        }
        if (value['Fn::Join']) {
            return value['Fn::Join'][1].map(fill).join(value['Fn::Join'][0]);
        }
        if (value.Ref) {
            return filled[value.Ref] ?? value.Ref;
        }
        return value['Fn::GetAtt']
            ? 'arn:aws:iam::000000000000:role/any'
            : Array.isArray(value)
              ? value.map(fill)
              : Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, fill(inner)]));
    };
    const [[, policy] = []] = ofType(resources, 'AWS::IoT::Policy');
    const document = JSON.stringify(fill(policy?.Properties.PolicyDocument));
    await cloud.iot.send(new CreatePolicyCommand({ policyName: policy?.Properties.PolicyName, policyDocument: document }));
    const [[, found] = []] = ofType(resources, 'AWS::IoT::TopicRule');
    const payload = fill(found?.Properties.TopicRulePayload);
    const [{ Kinesis }] = payload.Actions;
    await cloud.iot.send(
        new CreateTopicRuleCommand({
            ruleName: found?.Properties.RuleName,
            topicRulePayload: {
                sql: payload.Sql,
                awsIotSqlVersion: payload.AwsIotSqlVersion,
                actions: [{ kinesis: { streamName: Kinesis.StreamName, partitionKey: Kinesis.PartitionKey, roleArn: Kinesis.RoleArn } }],
                errorAction: {
                    sqs: { queueUrl: payload.ErrorAction.Sqs.QueueUrl, roleArn: payload.ErrorAction.Sqs.RoleArn, useBase64: false },
                },
            },
        }),
    );
    return found?.Properties.RuleName;
}

/** Connects with the files of a device, as that device unless another client id is given; 3.1.1 unless said. */
async function connect(device: string, { clientId = device, will }: { clientId?: string; will?: string } = {}): Promise<MqttClient> {
    const [cert, key, ca] = await Promise.all([
        readFile(join(out, device, 'device.crt')),
        readFile(join(out, device, 'device.key')),
        fetch(`${cloud.endpoint}/_ministack/iot/ca.pem`).then((answer) => answer.text()),
    ]);
    const client = connectMqtt({
        ...{ protocol: 'mqtts', host: '127.0.0.1', port: cloud.mqttPort, ca, cert, key, clientId },
        ...{ protocolVersion: 4, reconnectPeriod: 0, connectTimeout: 5_000, clean: false },
        ...(will !== undefined && { will: { topic: will, payload: Buffer.from('gone'), qos: 1, retain: true } }),
    });
    open.push(client);
    await new Promise<void>((resolve, reject) => {
        client.once('connect', () => resolve());
        client.on('error', reject);
        client.once('close', () => reject(new Error('the connection was closed')));
    });
    return client;
}

/** True once the client's connection has ended. */
function watchEnd(client: MqttClient): () => boolean {
    let isOver = false;
    client.once('close', () => {
        isOver = true;
    });
    return () => isOver;
}

/** All records of the stream. */
async function records(): Promise<StreamRecord[]> {
    const { Shards = [] } = await cloud.kinesis.send(new ListShardsCommand({ StreamName: names.stream }));
    const found = await Promise.all(
        Shards.map(async ({ ShardId }) => {
            const asked = { StreamName: names.stream, ShardId, ShardIteratorType: 'TRIM_HORIZON' as const };
            const { ShardIterator } = await cloud.kinesis.send(new GetShardIteratorCommand(asked));
            return (await cloud.kinesis.send(new GetRecordsCommand({ ShardIterator }))).Records ?? [];
        }),
    );
    return found.flat().map(({ SequenceNumber, PartitionKey, Data, ApproximateArrivalTimestamp }) => ({
        sequence: String(SequenceNumber),
        key: String(PartitionKey),
        data: Buffer.from(Data ?? []),
        arrivedMs: ApproximateArrivalTimestamp?.getTime() ?? 0,
    }));
}

/** The record of a topic: what the rule wrote, and what the lake's readers make of it. */
async function recordOf(topic: string) {
    const find = async () => (await records()).find(({ data }) => JSON.parse(data.toString()).topic === topic);
    await waitUntil(async () => (await find()) !== undefined, `a message of ${topic} in the stream`);
    const record = await find();
    if (!record) {
        throw new Error(`no record of ${topic}`);
    }
    const devices = openDeviceLookup({ store: openStore(), now: Date.now });
    const [message] = await readRecord(record, { from: 'telemetry', devices });
    return { key: record.key, envelope: JSON.parse(record.data.toString()), message };
}

async function topics(): Promise<string[]> {
    return (await records()).map(({ data }) => JSON.parse(data.toString()).topic);
}

function openStore() {
    return openS3Store({ bucket: BUCKET, client: createS3Client({ environment: cloud.environment }) });
}

describe('what a device publishes', () => {
    test('comes into the stream as its own, with every byte, by its certificate', async () => {
        const client = await connect('th-1');
        const bytes = Buffer.from([0, 255, 254, 10, 13, 0x7b, 0xc3, 0x28]);
        await client.publishAsync('t/th-1/raw', bytes, { qos: 1 });
        const { key, envelope, message } = await recordOf('t/th-1/raw');
        expect({ key, client: envelope.client, at: typeof envelope.at }).toEqual({ key: 'th-1', client: 'th-1', at: 'number' });
        expect(message).toMatchObject({ device: 'th-1', topic: 't/th-1/raw', profile: 'plain-json', refused: undefined });
        expect(message?.payload).toEqual(bytes);
        const { certificates } = await readCredentials(openStore(), 'th-1');
        expect(hexOf(envelope.principal)).toBe(certificates[0]?.fingerprint);
    });

    test('in the name of another is put aside as its own, and its connection stays', async () => {
        const client = await connect('th-1');
        await client.publishAsync('t/th-2/forged', '{"device":"th-2"}', { qos: 1 });
        const { key, message } = await recordOf('t/th-2/forged');
        expect(key).toBe('th-1');
        expect(message).toMatchObject({ device: 'th-1', refused: expect.stringContaining('is none of device th-1') });
        expect(client.connected).toBe(true);
    });

    test('by a certificate that the lake does not know is put aside, whatever its policy lets it do', async () => {
        const policyName = 'of-another-application';
        const Statement = [{ Effect: 'Allow', Action: 'iot:*', Resource: '*' }];
        await cloud.iot.send(new CreatePolicyCommand({ policyName, policyDocument: JSON.stringify({ Version: '2012-10-17', Statement }) }));
        const { certificateArn, certificatePem, keyPair } = await cloud.iot.send(
            new CreateKeysAndCertificateCommand({ setAsActive: true }),
        );
        await cloud.iot.send(new AttachPolicyCommand({ policyName, target: certificateArn }));
        writeDeviceFiles(out, 'stranger', { certificate: certificatePem ?? '', key: keyPair?.PrivateKey ?? '' });
        const client = await connect('stranger', { clientId: 'th-1' });
        await client.publishAsync('t/th-1/stranger', '{"temperature":99}', { qos: 1 });
        const { key, message } = await recordOf('t/th-1/stranger');
        expect(key).toBe('th-1');
        expect(message?.refused).toMatch(/^the lake knows no certificate [0-9a-f]{12}\.\.\. of device th-1$/);
    });

    test('to topics of makers, retained, empty, and as its will, comes too', async () => {
        const client = await connect('th-1', { will: 'tele/th-1/LWT' });
        await client.publishAsync('zigbee2mqtt/lamp/state', '{"on":21.30}', { qos: 1, retain: true });
        await client.publishAsync('tele/th-1/SENSOR', '', { qos: 0 });
        expect((await recordOf('zigbee2mqtt/lamp/state')).message?.payload?.toString()).toBe('{"on":21.30}');
        expect((await recordOf('tele/th-1/SENSOR')).envelope.data).toBe('');
        client.stream.destroy();
        // The local AWS names no client of a will; then it is nobody's, and put aside.
        expect(['th-1', 'n/a']).toContain((await recordOf('tele/th-1/LWT')).key);
    });

    test.each(['cmd/th-2/restart', '$aws/things/th-2/shadow/update'])('to %s ends its connection, and comes nowhere', async (topic) => {
        const client = await connect('th-1');
        const isOver = watchEnd(client);
        client.publish(topic, '{}', { qos: 1 });
        await waitUntil(isOver, `the end of the connection after a message to ${topic}`);
        expect(await topics()).not.toContain(topic);
    });

    test('waits in the queue for what is given up where the stream cannot take it', async () => {
        const client = await connect('th-1');
        await cloud.act('fail-rule', { rule, fails: true });
        await client.publishAsync('t/th-1/late', '{"a":21.30}', { qos: 1 });
        const { QueueUrl } = await cloud.sqs.send(new GetQueueUrlCommand({ QueueName: names.givenUpQueue }));
        const { Messages = [] } = await cloud.sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 10 }));
        await cloud.act('fail-rule', { rule, fails: false });
        const told = JSON.parse(Messages[0]?.Body ?? '{}');
        expect(told).toMatchObject({ ruleName: rule, topic: 't/th-1/late', clientId: 'th-1' });
        expect(Buffer.from(told.base64OriginalPayload, 'base64').toString()).toBe('{"a":21.30}');
    });
});

describe('a device', () => {
    test.each(['th-2', 'anybody'])('connects by no other name: %s', async (clientId) => {
        await expect(connect('th-1', { clientId })).rejects.toThrow();
    });

    test('hears commands for itself, and of nobody else', async () => {
        const client = await connect('th-1');
        expect(await client.subscribeAsync('cmd/th-1/#', { qos: 1 })).toMatchObject([{ qos: 1 }]);
        for (const filter of ['cmd/th-2/#', 't/#', '#', '$aws/events/presence/#']) {
            const asking = await connect('th-1');
            const isOver = watchEnd(asking);
            const granted = await Promise.race([
                asking.subscribeAsync(filter, { qos: 1 }).catch(() => []),
                waitUntil(isOver, `an answer to a subscription to ${filter}`).then(() => []),
            ]);
            expect(granted.filter(({ qos }) => qos < 128)).toEqual([]);
        }
    });

    test('that was revoked is out at once, comes in no more, and its connection that was ended is told', async () => {
        expect(await run('device', 'add', 'lost', '--profile', 'plain-json', '--out', out)).toMatchObject({ exitCode: 0 });
        const client = await connect('lost');
        const isOver = watchEnd(client);
        expect(await run('device', 'revoke', 'lost')).toMatchObject({
            exitCode: 0,
            stderr: expect.stringContaining('IoT Core refuses it, and its connection is ended'),
        });
        await waitUntil(isOver, 'the end of the connection of a revoked device', 5_000);
        await expect(connect('lost')).rejects.toThrow();
        expect(await run('device', 'list', '--compare')).toMatchObject({ exitCode: 0 });
    });

    test('is given up by IoT Core when it is asked to end its connection', async () => {
        const { createIotClients, openIotRegistry } = await import('#lake/cloud/iot-registry');
        const registry = openIotRegistry({
            clients: createIotClients({ environment: cloud.environment }),
            policy: names.devicePolicy,
            lake: BUCKET,
        });
        const client = await connect('th-2');
        const isOver = watchEnd(client);
        expect(await registry.disconnect('th-2', { isSessionKept: false })).toBe(true);
        await waitUntil(isOver, 'the end of a connection that was deleted');
        await sleep(100);
        expect(await registry.disconnect('th-2', { isSessionKept: false })).toBe(false);
    });
});

describe.each(CLIENTS_OF_DEVICES)('$name', (client) => {
    const run = client.missing === undefined ? test : test.skip;

    run(`sends by the lines that device add prints${client.missing === undefined ? '' : ` (${client.missing})`}`, async () => {
        const ca = await (await fetch(`${cloud.endpoint}/_ministack/iot/ca.pem`)).text();
        await writeFile(join(out, 'th-1', 'ca.crt'), ca);
        const message = { topic: `t/th-1/${client.name}`, payload: '{"temperature":21.3}' };
        const where = { host: 'localhost', mqttPort: cloud.mqttPort, httpBase: 'https://api.example' };
        const lines = clientLines({ device: 'th-1', directory: out, message, ...where }).find((one) => one.client === client.name);
        const { stdout } = await promisify(execFile)('sh', ['-c', lines?.text ?? 'exit 1'], {
            cwd: ROOT,
            env: { ...process.env, PATH: `${PYTHON_FOLDER}:${join(ROOT, 'node_modules/.bin')}:${process.env.PATH}` },
        });
        expect(stdout).toContain('acknowledged');
        expect(stdout).not.toContain('not acknowledged');
        expect((await recordOf(message.topic)).message).toMatchObject({ device: 'th-1', refused: undefined });
    });
});

test('device check follows a message to latest state, by the device’s own certificate', async () => {
    const over = new AbortController();
    const following = followStream(over.signal);
    try {
        const ca = await (await fetch(`${cloud.endpoint}/_ministack/iot/ca.pem`)).text();
        await writeFile(join(out, 'th-2', 'ca.crt'), ca);
        const { exitCode, stdout } = await run(
            ...['--output', 'json', 'device', 'check', 'th-2', '--credentials', out],
            ...['--host', '127.0.0.1', '--mqtt-port', `${cloud.mqttPort}`],
        );
        const steps: { step: string; result: string; note: string }[] = JSON.parse(stdout);
        expect({ exitCode, steps: steps.map(({ step, result }) => `${step}: ${result}`) }).toEqual({
            exitCode: 0,
            steps: ['registered', 'credentials', 'name', 'connection', 'TLS', 'table', 'connected, sent', 'latest state'].map(
                (step) => `${step}: ok`,
            ),
        });
        expect(steps[1]?.note).toContain('ACTIVE at IoT Core');
        expect(steps.at(-1)?.note).toContain('temperature');
    } finally {
        over.abort();
        await following;
    }
});

test('doctor finds IoT Core as it should be, and what was changed past the lake', async () => {
    const { gatherDevices } = await import('#lake/doctor/device-facts');
    const { judgeDevices } = await import('#lake/doctor/device-findings');
    const store = openStore();
    const look = async (policyName: string) => {
        const facts = await gatherDevices(store, { environment: cloud.environment, region: 'us-east-1', bucket: BUCKET, policyName });
        return judgeDevices(facts, { now: new Date(), redeploy: 'npx cdk deploy' }).filter(({ result }) => result !== 'ok');
    };
    expect(await look(names.devicePolicy)).toEqual([]);
    expect(await look('no-policy')).toMatchObject([{ check: 'device policy', result: 'problem' }]);
});

test('what is written for the device has AWS’s own authorities, and an endpoint', async () => {
    expect(await readFile(join(out, 'th-1', 'ca.crt'), 'utf8')).toContain('BEGIN CERTIFICATE');
    const { stderr } = await run('device', 'add', 'th-1', '--out', out);
    expect(stderr).toMatch(/mosquitto_pub -h \S+-ats\.iot\.us-east-1\.\S+ -p 8883/);
});
