/** The commands of devices on a deployed lake, over the protocols of S3 and IoT Core: what is made where, how it ends, and where the three differ. */
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { openCloudState } from '#lake/cloud/state-store';
import { STATE_TABLE } from '#lake/cloud/state-table';
import { hashToken, readCredentials, whyNoProgram } from '#lake/credentials';
import { DEPLOYMENT_TAGS, TELEMETRY_TAGS } from '#lake/deployment';
import { readDevice } from '#lake/devices';
import type { ObjectStore } from '#lake/store/object-store';
import { openS3Store } from '#lake/store/s3';
import { createS3Client } from '#lake/store/s3-client';
import { type DynamoServer, startDynamoServer } from '#test/support/dynamo-server';
import { type IotServer, startIotServer } from '#test/support/iot-server';
import { MemoryDynamo } from '#test/support/memory-dynamo';
import { type S3Server, startS3Server } from '#test/support/s3-server';
import { makeFolder } from '#test/support/temporary';
import { fakeWorld, runLine } from './fake-surroundings.ts';

const BUCKET = 'lake';

/** Each of the deployment's names is the name of its part. */
const TAGS: Record<string, string> = Object.fromEntries(Object.entries(TELEMETRY_TAGS).map(([part, tag]) => [tag, part]));

let s3: S3Server;
let iot: IotServer;
let dynamo: DynamoServer;
let table: MemoryDynamo;
let environment: Record<string, string>;
let store: ObjectStore;
let out: string;

beforeAll(async () => {
    Object.assign(process.env, { AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' });
    table = new MemoryDynamo({ shape: STATE_TABLE, table: 'stateTable' });
    [s3, iot, dynamo] = [await startS3Server(), await startIotServer({ policies: ['devicePolicy'] }), await startDynamoServer(table)];
});

afterAll(async () => {
    await s3.stop();
    await iot.stop();
    await dynamo.stop();
});

beforeEach(async () => {
    const folder = await makeFolder();
    out = join(folder, 'devices');
    environment = {
        ...{ AWS_ENDPOINT_URL_S3: s3.endpoint, AWS_ENDPOINT_URL_IOT: iot.endpoint, AWS_ENDPOINT_URL_IOT_DATA_PLANE: iot.endpoint },
        ...{ AWS_ENDPOINT_URL_DYNAMODB: dynamo.endpoint, XDG_CACHE_HOME: folder, HOME: folder },
    };
    iot.reset();
    table.clear();
    deploy(TAGS);
    store = openS3Store({ bucket: BUCKET, client: createS3Client({ environment }) });
});

function deploy(tags: Record<string, string>): void {
    s3.makeBucket(BUCKET, {
        [DEPLOYMENT_TAGS.stage]: 'test',
        ...tags,
        ...(tags === TAGS && { [TELEMETRY_TAGS.apiUrl]: 'https://api.example' }),
    });
}

const run = (...words: string[]) =>
    runLine(['--lake', `s3://${BUCKET}`, ...words], { world: fakeWorld({ environment, now: () => new Date() }) });
const add = (device: string, ...words: string[]) => run('device', 'add', device, '--profile', 'plain-json', ...words);
const rowsOf = async (...words: string[]) => {
    const { exitCode, stdout } = await run('--output', 'json', ...words);
    return { exitCode, rows: JSON.parse(stdout) };
};

describe('device add', () => {
    test('--out makes a key that stays here, and lines for each client with AWS’s endpoint', async () => {
        const { exitCode, stdout, stderr } = await add('boiler-7', '--site', 'berlin', '--ip', '10.0.0.7', '--out', out, '--token');
        expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '' });
        const mine = join(out, 'boiler-7');
        expect((await readdir(mine)).sort()).toEqual(['ca.crt', 'device.crt', 'device.key', 'token']);
        expect((await stat(join(mine, 'device.key'))).mode & 0o777).toBe(0o600);
        const [first] = iot.certificates.values();
        expect(await readFile(join(mine, 'device.crt'), 'utf8')).toBe(first?.pem);
        expect(first).toMatchObject({ status: 'ACTIVE', things: new Set(['boiler-7']), policies: new Set(['devicePolicy']) });
        expect(iot.things.get('boiler-7')).toEqual({ lake: BUCKET });
        expect(await readDevice(store, 'boiler-7')).toMatchObject([{ site: 'berlin', ip: '10.0.0.7', profile: 'plain-json' }]);
        const state = openCloudState({ client: table, table: 'stateTable', now: Date.now });
        expect((await state.read(['boiler-7'])).get('boiler-7')).toMatchObject({
            site: 'berlin',
            profile: 'plain-json',
            lastReceivedMs: null,
        });
        const { tokens } = await readCredentials(store, 'boiler-7');
        expect(tokens).toMatchObject([{ hash: hashToken((await readFile(join(mine, 'token'), 'utf8')).trim()), revoked: null }]);
        const host = 'a1b2c3-ats.iot.us-east-1.amazonaws.com';
        for (const line of [
            `mosquitto_pub -h ${host} -p 8883`,
            `client.connect("${host}", 8883)`,
            `configureEndpoint("${host}", 8883)`,
            `endpoint="${host}"`,
        ]) {
            expect(stderr).toContain(line);
        }
        expect(stderr).toContain(`mqtts://${host}:8883`);
        expect(stderr).toContain('https://api.example/v1/telemetry');
        expect(stderr).not.toContain('PRIVATE');
    });

    test('typed again finishes what the first one left, and else changes nothing', async () => {
        await add('d', '--out', out, '--token');
        const mine = join(out, 'd');
        const key = await readFile(join(mine, 'device.key'), 'utf8');
        await rm(join(mine, 'device.crt'));
        const [[id, stored] = ['', undefined]] = iot.certificates;
        Object.assign(stored ?? {}, { status: 'INACTIVE', policies: new Set() });
        expect(await add('d', '--out', out, '--token')).toMatchObject({ exitCode: 0 });
        expect(iot.certificates.get(id)).toMatchObject({ status: 'ACTIVE', policies: new Set(['devicePolicy']) });
        expect(await readFile(join(mine, 'device.key'), 'utf8')).toBe(key);
        const { certificates, tokens } = await readCredentials(store, 'd');
        expect([certificates.length, tokens.length, iot.certificates.size]).toEqual([1, 1, 1]);
        expect((await add('d', '--out', out, '--token')).stderr).toContain('as they were');
    });

    test('a token that was written and not yet made known is made known', async () => {
        await add('d', '--out', out, '--token');
        await store.delete('credentials/d.json');
        await add('d', '--out', out, '--token');
        const token = (await readFile(join(out, 'd/token'), 'utf8')).trim();
        expect((await readCredentials(store, 'd')).tokens).toMatchObject([{ hash: hashToken(token), label: 'token-1' }]);
    });

    test('--program lets programs write, and shows how; revoke ends it', async () => {
        const { exitCode, stderr } = await add('till-2', '--program');
        expect(exitCode).toBe(0);
        expect(stderr).toContain('aws kinesis put-record --stream-name programStream --partition-key till-2');
        expect(whyNoProgram(await readCredentials(store, 'till-2'), { atMs: Date.now() + 1_000 })).toBeUndefined();
        expect(await rowsOf('device', 'show', 'till-2', '--credentials')).toMatchObject({
            rows: [{ kind: 'program', name: null, revoked: null }],
        });
        expect(await run('device', 'revoke', 'till-2', '--program')).toMatchObject({
            exitCode: 0,
            stderr: expect.stringContaining('that programs may write'),
        });
        expect(whyNoProgram(await readCredentials(store, 'till-2'), { atMs: Date.now() + 1_000 })).toContain('no more since');
        expect(iot.calls.filter((call) => !call.startsWith('GET'))).toEqual([]);
    });

    test.each([
        [['th.1', '--out', 'x'], 'IoT Core has no things with a dot in their name'],
        [['d', '--out', 'x', '--days', '30'], 'Certificates that AWS signs hold until the end of 2049'],
    ])('%j is refused before anything is written', async (words, said) => {
        expect(await add(words[0] ?? '', ...words.slice(1))).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(said) });
        expect(await store.get(`devices/${words[0]}.json`)).toBeUndefined();
    });

    test('of a dotted id a token is made: HTTP takes any id', async () => {
        expect(await add('th.1', '--token')).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^flt_/) });
    });

    test('to a lake without live telemetry only registers', async () => {
        deploy({});
        expect(await add('d')).toMatchObject({ exitCode: 0 });
        expect(await add('d', '--out', out)).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('takes no live telemetry') });
        expect(await run('device', 'show', 'd')).toMatchObject({ exitCode: 0 });
        deploy({ ...TAGS, [TELEMETRY_TAGS.programStream]: '' });
        expect(await add('d', '--program')).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('say hasProgramStream') });
    });
});

test('device import makes a folder for each line, and takes up where it was cut off', async () => {
    const { writeFile, mkdir } = await import('node:fs/promises');
    await mkdir(out, { recursive: true });
    const file = join(out, 'devices.csv');
    await writeFile(file, 'device,profile\na,plain-json\nb,plain-json\n');
    await run('device', 'import', file, '--out', out);
    await rm(join(out, 'b'), { recursive: true });
    const { rows } = await rowsOf('device', 'import', file, '--out', out);
    expect(rows).toMatchObject([
        { device: 'a', credentials: 'kept' },
        { device: 'b', credentials: 'made' },
    ]);
});

describe('device revoke', () => {
    test('ends certificate and connection, also what a first call left, and what the lake did not know of', async () => {
        await add('d', '--out', out, '--token');
        const [[id, stored] = ['', undefined]] = iot.certificates;
        iot.certificates.set('ef'.repeat(32), {
            pem: stored?.pem ?? '',
            status: 'ACTIVE',
            things: new Set(['d']),
            policies: new Set(),
            createdAt: 0,
        });
        const { exitCode, stderr } = await run('device', 'revoke', 'd');
        expect({ exitCode, stderr }).toMatchObject({
            exitCode: 0,
            stderr: `Revoked of device d: certificate ${id}, token token-1\nIoT Core refuses it, and its connection is ended\n`,
        });
        expect([...iot.certificates.values()].map(({ status }) => status)).toEqual(['REVOKED', 'REVOKED']);
        expect(iot.calls).toContain('DELETE /connections/d');
        Object.assign(stored ?? {}, { status: 'ACTIVE' });
        expect(await run('device', 'revoke', 'd')).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('was revoked before') });
        expect(stored?.status).toBe('REVOKED');
    });

    test('of a token leaves the certificate', async () => {
        await add('d', '--out', out, '--token');
        expect(await run('device', 'revoke', 'd', '--token', 'token-1')).toMatchObject({
            exitCode: 0,
            stderr: 'Revoked of device d: token token-1\nThe API refuses it within a minute\n',
        });
        expect([...iot.certificates.values()].map(({ status }) => status)).toEqual(['ACTIVE']);
    });
});

describe('what registry, credentials and IoT Core say', () => {
    test('is shown of a device, and where they differ', async () => {
        await add('d', '--out', out);
        const [[id, stored] = ['', undefined]] = iot.certificates;
        expect((await rowsOf('device', 'show', 'd', '--credentials')).rows).toMatchObject([
            { kind: 'certificate', name: id, iot: 'ACTIVE' },
        ]);
        expect((await run('device', 'show', 'd')).stderr).toBe(`certificate ${id}, holds until 2049-12-31\n`);
        stored?.policies.clear();
        expect((await run('device', 'show', 'd')).stderr).toContain('at IoT Core it has not the policy of devices');
        stored?.things.clear();
        expect((await run('device', 'show', 'd')).stderr).toContain('at IoT Core it is not attached to the thing');
        iot.certificates.delete(id);
        iot.certificates.set('ef'.repeat(32), {
            pem: stored?.pem ?? '',
            status: 'ACTIVE',
            things: new Set(['d']),
            policies: new Set(),
            createdAt: 0,
        });
        const { stderr } = await run('device', 'show', 'd');
        expect(stderr).toContain('holds here, and is not there at IoT Core');
        expect(stderr).toContain(`aws iot update-certificate --certificate-id ${'ef'.repeat(32)} --new-status INACTIVE`);
    });

    test('is compared for all devices by device list --compare', async () => {
        for (const device of ['a', 'b', 'c', 'd', 'e']) {
            await add(device, '--out', out);
        }
        expect(await rowsOf('device', 'list', '--compare')).toEqual({ exitCode: 0, rows: [] });
        const [first, second] = [...iot.certificates.values()];
        await run('device', 'revoke', 'a');
        Object.assign(first ?? {}, { status: 'ACTIVE' });
        Object.assign(second ?? {}, { status: 'INACTIVE' });
        iot.things.set('stray', { lake: BUCKET });
        iot.things.set('foreign', { lake: 'other' });
        const { exitCode, rows } = await rowsOf('device', 'list', '--compare');
        expect({ exitCode, devices: rows.map((row: { device: string }) => row.device) }).toEqual({
            exitCode: 1,
            devices: ['a', 'b', 'stray'],
        });
        expect(rows[0]).toMatchObject({ what: expect.stringContaining('is ACTIVE at IoT Core: it can connect') });
    });

    test('device list tells of certificates near their end', async () => {
        await add('d', '--out', out);
        const { certificates, ...rest } = await readCredentials(store, 'd');
        const ending = certificates.map((one) => ({ ...one, not_after: '2026-01-01T00:00:00.000Z' }));
        await store.put('credentials/d.json', Buffer.from(JSON.stringify({ ...rest, certificates: ending })));
        expect((await run('device', 'list')).stderr).toContain(
            'The last certificate of device d ended on 2026-01-01: flowlake device add d --out DIR',
        );
    });
});

describe('device check', () => {
    const check = async (...words: string[]) => (await rowsOf('device', 'check', 'd', '--credentials', out, ...words)).rows.at(-1);

    test('stops where IoT Core does not let the device in, before it dials', async () => {
        await add('d', '--out', out);
        const [[, stored] = []] = iot.certificates;
        Object.assign(stored ?? {}, { status: 'INACTIVE' });
        expect(await check()).toMatchObject({
            step: 'credentials',
            result: 'failed',
            note: expect.stringContaining('at IoT Core it is INACTIVE'),
        });
        Object.assign(stored ?? {}, { status: 'ACTIVE', things: new Set() });
        expect(await check()).toMatchObject({ step: 'credentials', result: 'failed', note: expect.stringContaining('no thing has it') });
    });

    test('says that nobody listens where it dials', async () => {
        await add('d', '--out', out);
        expect(await check('--host', '127.0.0.1', '--mqtt-port', '1')).toMatchObject({
            step: 'connection',
            result: 'failed',
            note: expect.stringContaining('aws iot describe-endpoint'),
        });
    });

    test('by HTTP is for a lake that lets devices in', async () => {
        await add('d', '--token', '--out', out);
        deploy({ ...TAGS, [TELEMETRY_TAGS.apiUrl]: '' });
        expect(await check('--http')).toMatchObject({
            step: 'lake',
            result: 'failed',
            note: expect.stringContaining('lets no devices in'),
        });
    });
});
