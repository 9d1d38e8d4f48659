/** Messages by HTTP on AWS: from the token to the stream, through what API Gateway does in between. */
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openCallers } from '#lake/cloud/api-callers';
import { openCredentialLookup } from '#lake/cloud/credential-lookup';
import { openDeviceLookup } from '#lake/cloud/device-lookup';
import { openIntakeServices } from '#lake/cloud/intake-services';
import { openKinesisInbox } from '#lake/cloud/kinesis-inbox';
import { readRecord } from '#lake/cloud/kinesis-record';
import { createKinesisClient } from '#lake/cloud/kinesis-stream';
import { addToken, revokeCredentials } from '#lake/credentials';
import { registerDevice } from '#lake/devices';
import { StorageError } from '#lake/errors';
import { createApi } from '#lake/live/api/create-api';
import type { ObjectStore } from '#lake/store/object-store';
import { authorize } from '#lambdas/authorize/authorize';
import { takeMessages } from '#lambdas/intake/take-messages';
import { type HttpApiFront, openHttpApiFront } from '#test/support/http-api-front';
import { type KinesisServer, startKinesisServer } from '#test/support/kinesis-server';
import { memoryStore } from '#test/support/memory-store';

const T0 = Date.UTC(2026, 0, 5, 10);

let store: ObjectStore;
let kinesis: KinesisServer;
let front: HttpApiFront;
let token: string;
let client: ReturnType<typeof createKinesisClient>;
let isUnreadable: boolean;
const clock = { ms: T0 };
const now = () => clock.ms;

beforeEach(async () => {
    clock.ms = T0;
    isUnreadable = false;
    const memory = memoryStore();
    store = {
        ...memory,
        get: async (key) => {
            if (isUnreadable && key.startsWith('credentials/')) {
                throw new StorageError('S3 does not answer');
            }
            return memory.get(key);
        },
    };
    await registerDevice(store, { device: 'th-7', profile: 'thermostat', site: 'main' }, { today: '2026-01-05' });
    token = (await addToken(store, 'th-7', { now: new Date(T0) })).token;
    kinesis = await startKinesisServer({ now });
    process.env.AWS_ACCESS_KEY_ID = 'test';
    process.env.AWS_SECRET_ACCESS_KEY = 'test';
    kinesis.makeStream('telemetry');
    const environment = { AWS_ENDPOINT_URL: kinesis.endpoint };
    const devices = openDeviceLookup({ store, now });
    client = createKinesisClient({ environment, region: 'us-east-1' });
    const inbox = openKinesisInbox({ client, stream: 'telemetry', timeLimitMs: 300 });
    const api = createApi(openIntakeServices({ inbox, devices, now }), { now });
    const readers = { issuer: 'https://readers.example.com', audience: 'lake' };
    const callers = openCallers({ credentials: openCredentialLookup({ store }), readers });
    front = await openHttpApiFront({
        now,
        routes: [
            {
                key: 'POST /v1/telemetry',
                lambda: (event) => takeMessages(event, api),
                authorizer: { lambda: (event) => authorize(event, { callers, say: () => {} }), ttlSeconds: 60 },
            },
        ],
    });
});

afterEach(async () => {
    await front.close();
    client.destroy();
    await kinesis.stop();
});

const send = async (
    body: string | Uint8Array<ArrayBuffer>,
    { query = '', headers = {}, as = token }: { query?: string; headers?: Record<string, string>; as?: string } = {},
) => {
    const sent = { method: 'POST', headers: { authorization: `Bearer ${as}`, 'content-type': 'application/json', ...headers }, body };
    const answer = await fetch(`${front.url}/v1/telemetry${query}`, sent);
    return { status: answer.status, retryAfter: answer.headers.get('retry-after'), json: (await answer.json()) as any };
};

/** The messages of the stream, as who reads it has them. */
const inStream = async () => {
    const devices = openDeviceLookup({ store, now });
    const messages = await Promise.all(kinesis.records('telemetry').map((record) => readRecord(record, { from: 'telemetry', devices })));
    return messages.flat();
};

async function until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
        await turn();
    }
}

test('a message is in the stream under its device, byte by byte, with topic and headers', async () => {
    const body = '{"t": 1767607200000, "temperature": 21.30}';
    const { status, json } = await send(body, { query: '?topic=t/th-7/x', headers: { 'ce-id': '4711', 'x-api-key': 'secret' } });
    expect([status, json]).toEqual([200, { accepted: 1, rejected: [] }]);
    const [record] = kinesis.records('telemetry');
    expect(record?.key).toBe('th-7');
    expect(await inStream()).toMatchObject([
        {
            way: 'http',
            device: 'th-7',
            topic: 't/th-7/x',
            headers: { 'ce-id': '4711' },
            arrivedMs: T0,
            profile: 'thermostat',
            site: 'main',
            refused: undefined,
        },
    ]);
    expect((await inStream())[0]?.payload.toString()).toBe(body);
    expect(record?.data.toString()).not.toContain('secret');
    expect(record?.data.toString()).not.toContain(token);
});

test('a request of many messages is in the stream in its order', async () => {
    const lines = Array.from({ length: 1200 }, (_, n) => `{"n":${n}}`).join('\n');
    expect((await send(lines, { headers: { 'content-type': 'application/x-ndjson' } })).json).toEqual({ accepted: 1200, rejected: [] });
    expect((await inStream()).map(({ payload }) => JSON.parse(payload.toString()).n)).toEqual(Array.from({ length: 1200 }, (_, n) => n));
    expect(kinesis.requests.map(({ length }) => length)).toEqual([500, 500, 200]);
});

test('the answer waits for the stream', async () => {
    let isHeld = true;
    kinesis.refuse(() => (isHeld ? 'InternalFailure' : undefined));
    let answered: unknown;
    const asked = send('{"a":1}').then((answer) => {
        answered = answer.status;
        return answer;
    });
    await Promise.race([asked, until(() => kinesis.requests.length > 1)]);
    expect(answered).toBeUndefined();
    isHeld = false;
    expect((await asked).status).toBe(200);
    expect(await inStream()).toHaveLength(1);
});

test('a topic that is another device’s is told, and kept as a reject', async () => {
    const { json } = await send('{"a":1}', { query: '?topic=t/th-8/x' });
    expect(json).toMatchObject({ accepted: 0, rejected: [{ index: 0, reason: 'refused', detail: expect.stringContaining('t/th-8/x') }] });
    expect(await inStream()).toMatchObject([{ device: 'th-7', refused: expect.stringContaining('t/th-8/x') }]);
});

describe('where the stream', () => {
    test.each(['ProvisionedThroughputExceededException', 'KMSThrottlingException'])(
        'takes no more (%s), the answer says when to go on',
        async (code) => {
            kinesis.refuse(() => code);
            expect(await send('{"a":1}')).toMatchObject({ status: 429, retryAfter: '1', json: { type: 'urn:flowlake:problem:too_many' } });
            expect(kinesis.records('telemetry')).toEqual([]);
            kinesis.refuse(undefined);
            expect((await send('{"a":1}')).status).toBe(200);
        },
    );

    test('is broken, the answer is to come again', async () => {
        kinesis.refuse(() => 'InternalFailure');
        expect(await send('{"a":1}')).toMatchObject({ status: 503, retryAfter: '5', json: { type: 'urn:flowlake:problem:unavailable' } });
    });

    test('takes a part, the others are named and none of them is there', async () => {
        let put = 0;
        kinesis.refuse(() => {
            put += 1;
            return put > 2 ? 'ProvisionedThroughputExceededException' : undefined;
        });
        const { status, json } = await send('[1,2,3,4]');
        expect({ status, accepted: json.accepted }).toEqual({ status: 200, accepted: 2 });
        expect(json.rejected.map(({ index, reason }: any) => `${index} ${reason}`)).toEqual(['2 not_stored', '3 not_stored']);
        expect((await inStream()).map(({ payload }) => payload.toString())).toEqual(['1', '2']);
    });
});

describe('a token', () => {
    test('is looked up once a minute, and a revoked one is nobody’s within that', async () => {
        await send('1');
        await send('2');
        expect(front.asked()).toBe(1);
        await revokeCredentials(store, 'th-7', { what: 'all', now: new Date(T0) });
        clock.ms += 60_000;
        expect(await send('3')).toMatchObject({ status: 401, json: { type: 'urn:flowlake:problem:wrong_token' } });
        expect(kinesis.records('telemetry')).toHaveLength(2);
    });

    test('that nobody has, or that names another device, is refused', async () => {
        const other = `flt_${Buffer.from('th-8').toString('base64url')}.${token.split('.')[1]}`;
        for (const as of ['nobodys', other, `${token}x`]) {
            expect(await send('1', { as })).toMatchObject({ status: 401, json: { type: 'urn:flowlake:problem:wrong_token' } });
        }
        expect(kinesis.records('telemetry')).toEqual([]);
    });

    test('that cannot be looked up is neither right nor wrong, and is looked up again', async () => {
        isUnreadable = true;
        expect(await send('1')).toMatchObject({ status: 500 });
        isUnreadable = false;
        expect(await send('1')).toMatchObject({ status: 200 });
    });

    test('is wanted', async () => {
        const answer = await fetch(`${front.url}/v1/telemetry`, { method: 'POST', body: '1' });
        expect([answer.status, await answer.json()]).toEqual([401, { message: 'Unauthorized' }]);
    });
});

test('more than API Gateway or a Lambda takes is refused, and nothing of it is taken', async () => {
    for (const sizeBytes of [5 * 1024 * 1024, 11 * 1024 * 1024]) {
        expect((await send(new Uint8Array(sizeBytes), { headers: { 'content-type': 'application/octet-stream' } })).status).toBe(413);
    }
    expect(kinesis.records('telemetry')).toEqual([]);
});

test('a request that came past the authorizer is nobody’s', async () => {
    const event = {
        rawPath: '/v1/telemetry',
        rawQueryString: '',
        headers: {},
        isBase64Encoded: false,
        requestContext: { domainName: 'h', http: { method: 'POST' } },
    };
    const api = { fetch: async () => new Response('taken'), endStreams: () => {} };
    expect(() => takeMessages(event, api)).toThrow('without the authorizer');
    for (const lambda of [null, 'device', {}, { is: 'device' }, { is: 'device', device: '' }, { is: 'admin' }]) {
        const given = { ...event, requestContext: { ...event.requestContext, authorizer: { lambda } } };
        expect(() => takeMessages(given, api)).toThrow('without the authorizer');
    }
});
