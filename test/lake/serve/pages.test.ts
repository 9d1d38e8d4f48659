/** The web application of a served lake: the same port as the API, and one session for both. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { addToken } from '#lake/credentials';
import { registerDevice } from '#lake/devices';
import { addInput } from '#lake/inputs';
import type { DirectoryLake } from '#lake/lake';
import { openLake } from '#lake/open-lake';
import type { WebFiles } from '#lake/pages/server/web-files';
import { askServe } from '#lake/serve/control';
import { type Serving, serve } from '#lake/serve/serve';

const PROFILE = {
    name: 'room',
    device: { from: 'certificate' },
    time: ['arrival'],
    identity: [{ path: 'n' }],
    metrics: [{ name: 'temperature', path: 't', unit: 'Cel', digits: 1 }],
    alerts: [{ rule: 'hot', metric: 'temperature', above: { raise: 30, clear: 28 }, severity: 'warning', message: 'too warm' }],
};

const page = new Uint8Array(Buffer.from('<!doctype html>'));
const WEB: WebFiles = new Map([
    ['index.html', { bytes: page, gzipped: new Uint8Array(gzipSync(page)), type: 'text/html; charset=utf-8', etag: '"1"' }],
]);

let folder: string;
let lake: DirectoryLake;
let serving: Serving;
let deviceToken: string;
let cookie: string;

beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'flowlake-pages-'));
    const place = { kind: 'directory', name: folder, directory: folder } as const;
    lake = (await openLake(place, { environment: {}, signal: new AbortController().signal })) as DirectoryLake;
    const store = await lake.store();
    await addInput(store, 'profiles/', PROFILE.name, PROFILE);
    serving = await serve(lake, {
        ...{ host: '127.0.0.1', mqttPort: 0, httpPort: 0, names: [], isHttps: false, sealEveryMs: 1e9, hooks: [] },
        ...{ forwardTo: undefined, isNewToken: false, environment: {}, say: () => undefined, now: () => new Date() },
        pages: { name: './site', version: '1.2.3', web: WEB },
    });
    await registerDevice(store, { device: 'room-1', profile: 'room', site: 'berlin' }, { today: new Date().toISOString().slice(0, 10) });
    deviceToken = (await addToken(store, 'room-1', { now: new Date() })).token;
    await askServe(folder, 'refresh');
    const logged = await post('/session', { token: serving.readerToken }, {});
    expect(logged.status).toBe(204);
    cookie = (logged.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
});

afterAll(async () => {
    await serving.stop(new AbortController().signal);
    await lake.close();
    await rm(folder, { recursive: true });
});

function get(path: string, headers: Record<string, string> = { cookie }): Promise<Response> {
    return fetch(`${serving.httpUrl}${path}`, { headers, redirect: 'manual' });
}

function post(path: string, body: unknown, headers: Record<string, string> = { cookie }): Promise<Response> {
    const own = { 'content-type': 'application/json', origin: serving.httpUrl };
    return fetch(`${serving.httpUrl}${path}`, { method: 'POST', body: JSON.stringify(body), headers: { ...own, ...headers } });
}

test('anybody gets the page that asks for the token, and no more', async () => {
    expect(await (await get('/', {})).text()).toBe('<!doctype html>');
    for (const path of ['/pages/about', '/v1/devices', '/v1/live', '/v1/alerts']) {
        expect((await get(path, {})).status).toBe(401);
    }
});

test('the reader’s token opens a session by which the pages and the API answer', async () => {
    expect(await (await get('/pages/about')).json()).toMatchObject({ lake: './site', hasApi: true, hasLive: true, isPaid: false });
    expect((await get('/v1/devices')).status).toBe(200);
});

test('answers go out packed to who can unpack them: sites have slow ways', async () => {
    const packed = await get('/pages/about', { cookie, 'accept-encoding': 'gzip' });
    expect(packed.headers.get('content-encoding')).toBe('gzip');
    expect(await packed.json()).toMatchObject({ lake: './site' });
    const plain = await get('/pages/about', { cookie, 'accept-encoding': 'identity' });
    expect([plain.headers.get('content-encoding'), await plain.json()]).toEqual([null, expect.objectContaining({ lake: './site' })]);
});

test('the token does not stand in an address, and a device’s opens no session', async () => {
    const response = await get(`/?token=${serving.readerToken}`, {});
    expect([response.status, response.headers.get('set-cookie')]).toEqual([200, null]);
    expect((await post('/session', { token: deviceToken }, {})).status).toBe(401);
});

test('programs ask the API by their token as before, whatever cookie comes along', async () => {
    const authorization = `Bearer ${serving.readerToken}`;
    expect((await get('/v1/devices', { authorization })).status).toBe(200);
    expect((await get('/v1/devices', { authorization: 'Bearer wrong', cookie })).status).toBe(401);
    expect((await get('/v1/fleet', { authorization: `Bearer ${deviceToken}`, cookie })).status).toBe(403);
});

test.each([{ origin: 'http://other.example' }, { origin: 'null' }, { 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' }])(
    'a page of another site gets nothing of the API by the cookie: %p',
    async (headers) => {
        expect([401, 403]).toContain((await get('/v1/devices', { ...headers, cookie } as Record<string, string>)).status);
        expect([401, 403]).toContain((await get('/pages/about', { ...headers, cookie } as Record<string, string>)).status);
    },
);

test('events are followed and alerts acknowledged by the session, but for who does not say where it comes from', async () => {
    const leaving = new AbortController();
    const stream = await fetch(`${serving.httpUrl}/v1/live`, {
        headers: { cookie, accept: 'text/event-stream', 'sec-fetch-site': 'same-origin' },
        signal: leaving.signal,
    });
    expect(stream.headers.get('content-type')).toBe('text/event-stream');
    const sent = await fetch(`${serving.httpUrl}/v1/telemetry`, {
        method: 'POST',
        body: JSON.stringify({ n: 1, t: 40 }),
        headers: { authorization: `Bearer ${deviceToken}`, 'content-type': 'application/json' },
    });
    expect(sent.status).toBeLessThan(300);
    let said = '';
    for await (const piece of stream.body as unknown as AsyncIterable<Uint8Array>) {
        said += Buffer.from(piece).toString();
        if (said.includes('event: raised')) {
            break;
        }
    }
    leaving.abort();
    const { alerts } = (await (await get('/v1/alerts')).json()) as { alerts: { id: string }[] };
    const [{ id }] = alerts as [{ id: string }];
    const path = `/v1/alerts/${encodeURIComponent(id)}/acknowledge`;
    const silent = await fetch(`${serving.httpUrl}${path}`, { method: 'POST', body: '{}', headers: { cookie } });
    expect(silent.status).toBe(401);
    const said2 = await post(path, { note: 'window opened' });
    expect([said2.status, await said2.json()]).toEqual([
        200,
        expect.objectContaining({ acknowledged: expect.objectContaining({ note: 'window opened' }) }),
    ]);
});
