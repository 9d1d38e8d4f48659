/** The deployed API on the local AWS: the contract that it holds at home and in memory, live events by WebSocket, and who is let in. */

import { gzipSync } from 'node:zlib';
import { createDynamoClient, openCloudState } from '#lake/cloud/state-store';
import { addToken, readCredentials, revokeCredentials } from '#lake/credentials';
import { registerDevice } from '#lake/devices';
import { addInput } from '#lake/inputs';
import { noteRegistered } from '#lake/live/note-registered';
import { describeApi } from '#test/live-api/contract';
import { CONTRACT_PROFILE } from '#test/live-api/contract-profile';
import { faultsOfEvent } from '#test/live-api/document-check';
import { type DeployedApi, openDeployedApi } from './support/deployed-api.ts';
import { followSocket, type ToldEvent } from './support/socket-client.ts';
import { startTelemetryCloud, type TelemetryCloud, waitFor } from './support/telemetry-cloud.ts';

/** 2026-01-05 10:00 UTC. */
const T0 = 1_767_607_200_000;

const PACKED_JSON = 'a body of application/json with Content-Encoding: gzip comes as text here, and is refused';

/** What of the contract the local AWS does not carry, and why: each of these tests must fail here, and passes over API Gateway's events in memory (test/live-api/cloud-contract.test.ts). */
const NOT_CARRIED: Readonly<Record<string, string>> = {
    'takes gzip': PACKED_JSON,
    'answers 413 to one message that is too large, and to a body that is': PACKED_JSON,
};

let opening: Promise<{ telemetry: TelemetryCloud; api: DeployedApi }> | undefined;

/** One deployment for all tests. */
function open(): NonNullable<typeof opening> {
    opening ??= (async () => {
        const telemetry = await startTelemetryCloud();
        await addInput(telemetry.store, 'profiles/', CONTRACT_PROFILE.name, CONTRACT_PROFILE);
        return { telemetry, api: await openDeployedApi(telemetry) };
    })();
    return opening;
}

beforeAll(open, 300_000);

afterAll(async () => {
    const { telemetry, api } = (await opening?.catch(() => undefined)) ?? {};
    await api?.stop();
    await telemetry?.stop();
});

/** As `device add --token` does it. @returns its token */
async function addDevice(device: string, { site = 'main' } = {}): Promise<string> {
    const { telemetry } = await open();
    const { store, names, cloud } = telemetry;
    const entry = { device, site, profile: CONTRACT_PROFILE.name };
    await registerDevice(store, entry, { today: '2026-01-01' });
    const state = openCloudState({
        client: createDynamoClient({ environment: cloud.environment }),
        table: names.stateTable,
        now: Date.now,
    });
    await noteRegistered(state, [entry], { nowMs: Date.now() });
    return (await addToken(store, device, { now: new Date() })).token;
}

async function ask(method: string, path: string, { token, body }: { token?: string | undefined; body?: string } = {}) {
    const { api } = await open();
    const response = await fetch(api.baseUrl + path, {
        method,
        headers: { 'content-type': 'application/json', ...(token !== undefined && { authorization: `Bearer ${token}` }) },
        ...(body !== undefined && { body }),
    });
    const text = await response.text();
    return { status: response.status, json: text === '' ? undefined : JSON.parse(text) };
}

const send = (token: string, message: object) => ask('POST', '/v1/telemetry', { token, body: JSON.stringify(message) });

describeApi('the deployed stage', {
    hasEvents: false,
    notCarried: NOT_CARRIED,
    async open() {
        const { api } = await open();
        const { baseUrl, readerToken, untilSeen, untilSealed } = api;
        return { ...{ baseUrl, readerToken, untilSeen, untilSealed, addDevice }, close: async () => undefined };
    },
});

describe('packed bodies', () => {
    const post = async (token: string, text: string, type: string) => {
        const { api } = await open();
        const headers = { authorization: `Bearer ${token}`, 'content-type': type, 'content-encoding': 'gzip' };
        const response = await fetch(`${api.baseUrl}/v1/telemetry`, { method: 'POST', headers, body: new Uint8Array(gzipSync(text)) });
        return { status: response.status, json: (await response.json()) as Record<string, unknown> };
    };

    test('are taken as application/x-ndjson, and refused with a reason where their bytes are lost on the way', async () => {
        const token = await addDevice('packed-1');
        expect(await post(token, `{"t":${T0},"temperature":1.5}`, 'application/x-ndjson')).toMatchObject({
            status: 200,
            json: { accepted: 1 },
        });
        expect(await post(token, `{"t":${T0},"temperature":1.5}`, 'application/json')).toMatchObject({
            status: 400,
            json: { detail: expect.stringContaining('Send packed bodies as application/x-ndjson') },
        });
        expect(await post(token, 'x'.repeat(2 ** 21), 'application/x-ndjson')).toMatchObject({ status: 413 });
        expect(await ask('POST', '/v1/telemetry', { token, body: `[${'1,'.repeat(10_000)}1]` })).toMatchObject({ status: 413 });
    });
});

describe('who is let in', () => {
    test('a reader by her JWT, and nobody by one that was tampered with', async () => {
        const { api } = await open();
        expect(await ask('GET', '/v1/fleet', { token: api.readerToken })).toMatchObject({ status: 200 });
        const [head = '', , signature = ''] = api.readerToken.split('.');
        const [, claims = ''] = api.readerToken.split('.');
        const others = { ...JSON.parse(Buffer.from(claims, 'base64url').toString()), email: 'eve@example.com' };
        const forged = [head, Buffer.from(JSON.stringify(others)).toString('base64url'), signature].join('.');
        const unsigned = [Buffer.from('{"alg":"none"}').toString('base64url'), claims, ''].join('.');
        for (const token of [forged, unsigned]) {
            expect(await ask('GET', '/v1/fleet', { token })).toMatchObject({
                status: 401,
                json: { type: 'urn:flowlake:problem:wrong_token' },
            });
        }
    });

    test('an acknowledgement is signed by who she is', async () => {
        const { api } = await open();
        const token = await addDevice('signed-1');
        await send(token, { t: T0, temperature: 35 });
        await api.untilSeen();
        const { json } = await ask('GET', '/v1/alerts?device=signed-1', { token: api.readerToken });
        const path = `/v1/alerts/${encodeURIComponent(json.alerts[0].id)}/acknowledge`;
        expect(await ask('POST', path, { token: api.readerToken, body: '{"note":"seen"}' })).toMatchObject({
            status: 200,
            json: { acknowledged: { by: 'anna@example.com', note: 'seen' } },
        });
    });

    test('a device by its token, until that is revoked', async () => {
        const { telemetry } = await open();
        const token = await addDevice('revoked-1');
        expect(await send(token, { t: T0, temperature: 1 })).toMatchObject({ status: 200, json: { accepted: 1 } });
        const [{ label = '' } = {}] = (await readCredentials(telemetry.store, 'revoked-1')).tokens;
        await revokeCredentials(telemetry.store, 'revoked-1', { what: { token: label }, now: new Date() });
        const refused = async () => (await send(token, { t: T0 + 1, temperature: 2 })).status === 401;
        await waitFor(refused, { what: 'the token is refused', withinMs: 75_000 });
    }, 120_000);
});

describe('live events by WebSocket', () => {
    const ticketUrl = async (): Promise<string> => {
        const { api } = await open();
        const { json } = await ask('POST', '/v1/live-tickets', { token: api.readerToken });
        return `${api.liveUrl}?ticket=${encodeURIComponent(json.ticket)}`;
    };
    const idsOf = (events: readonly ToldEvent[]) => events.map(({ id }) => BigInt(id));
    const expectInOrder = (events: readonly ToldEvent[]) => {
        const ids = idsOf(events);
        expect(ids).toEqual([...new Set(ids)].sort((a, b) => (a < b ? -1 : 1)));
        expect(events.flatMap(({ data }) => faultsOfEvent(JSON.stringify(data)))).toEqual([]);
    };

    test('a value and an alert are told in order and once, and a client goes on behind its last id', async () => {
        const device = 'live-1';
        const token = await addDevice(device);
        const first = await followSocket(await ticketUrl(), { device });
        expect(await first.take(1)).toMatchObject([{ event: 'ready' }]);
        await send(token, { t: T0, temperature: 31.5 });
        const raised = [...(await first.take(2)), ...(await first.rest())];
        expect(raised.map(({ event }) => event).sort()).toEqual(['latest', 'raised']);
        expect(raised.find(({ event }) => event === 'latest')?.data).toMatchObject({
            device,
            metrics: { temperature: { value: 31.5, at_ms: T0 } },
        });
        expect(raised.find(({ event }) => event === 'raised')?.data).toMatchObject({ alert: { device, rule: 'hot', ended_ms: null } });
        await first.close();
        for (const n of [1, 2]) {
            await send(token, { t: T0 + n * 1000, temperature: 20 + n });
            await (await open()).api.untilSeen();
        }
        const last = raised.at(-1)?.id ?? '';
        const again = await followSocket(await ticketUrl(), { device, after: last });
        expect(await again.take(1)).toMatchObject([{ event: 'ready', id: last }]);
        const missed = [...(await again.take(3)), ...(await again.rest())];
        expect(missed.map(({ event }) => event).sort()).toEqual(['cleared', 'latest', 'latest']);
        expect(missed.filter(({ event }) => event === 'latest').map(({ data }) => data.metrics.temperature.value)).toEqual([21, 22]);
        await send(token, { t: T0 + 3000, temperature: 23 });
        const next = [...(await again.take(1)), ...(await again.rest())];
        expect(next).toMatchObject([{ event: 'latest', data: { metrics: { temperature: { value: 23 } } } }]);
        expectInOrder([...raised, ...missed, ...next]);
        await again.close();
    }, 120_000);

    test('a reader comes in by her JWT, too; a device, a stranger and a made-up ticket do not', async () => {
        const { api } = await open();
        const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
        const client = await followSocket(api.liveUrl, { kind: 'raised' }, bearer(api.readerToken));
        expect(await client.take(1)).toMatchObject([{ event: 'ready' }]);
        await client.close();
        for (const [url, options] of [
            [api.liveUrl, bearer(await addDevice('live-2'))],
            [api.liveUrl, bearer('nobodys')],
            [api.liveUrl, {}],
            [`${api.liveUrl}?ticket=nobodys`, {}],
        ] as const) {
            await expect(followSocket(url, {}, options)).rejects.toThrow('the connection is refused');
        }
    }, 60_000);
});
