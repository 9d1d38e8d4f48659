/** What the API does about clients that are careless or mean, and about trouble behind it. */
import { once } from 'node:events';
import { request } from 'node:http';
import { setImmediate as turn } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import type { Broken } from '#lake/live/api/app';
import { type Api, type ApiOptions, createApi } from '#lake/live/api/create-api';
import type { ApiServices } from '#lake/live/api/services';
import { type HttpServer, openHttpServer } from '#lake/serve/http-server';
import { openCloudFront, TOKEN_REMEMBERED_S } from './cloud-front.ts';
import { readEvents } from './event-client.ts';
import { MemoryServices } from './memory-services.ts';

const T0 = 1_767_607_200_000;

interface World {
    services: MemoryServices;
    api: Api;
    server: Pick<HttpServer, 'url' | 'close'>;
    broken: Broken[];
    send(body: string | Uint8Array<ArrayBuffer>, headers?: Record<string, string>): Promise<Response>;
    read(path: string, headers?: Record<string, string>): Promise<Response>;
}

const servers: Pick<HttpServer, 'close'>[] = [];

/** What carries requests to the API: the server of one machine, or API Gateway and the Lambdas behind it. */
type Home = 'one machine' | 'AWS';

const HOMES: readonly Home[] = ['one machine', 'AWS'];

afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function open(options: ApiOptions = {}, home: Home = 'one machine'): Promise<World> {
    const services = new MemoryServices();
    const broken: Broken[] = [];
    const all = { onBroken: (one: Broken) => broken.push(one), ...options };
    const api = createApi(services, all);
    const server =
        home === 'AWS'
            ? await openCloudFront(services, all)
            : await openHttpServer({ port: 0, fetch: api.fetch, onClosing: api.endStreams });
    servers.push(server);
    services.addDevice('th-7');
    services.addToken('device-token', { is: 'device', device: 'th-7' });
    services.addToken('reader-token', { is: 'reader', name: 'anna' });
    const send: World['send'] = (body, headers = {}) =>
        fetch(`${server.url}/v1/telemetry`, {
            method: 'POST',
            headers: { authorization: 'Bearer device-token', 'content-type': 'application/json', ...headers },
            body,
        });
    const read: World['read'] = (path, headers = {}) =>
        fetch(server.url + path, { headers: { authorization: 'Bearer reader-token', ...headers } });
    return { services, api, server, broken, send, read };
}

const nameOf = async (response: Response) =>
    `${response.status} ${((await response.json()) as { type: string }).type.replace('urn:flowlake:problem:', '')}`;

describe.each(HOMES)('%s', (home) => {
    describe('a body', () => {
        test('of ten thousand levels is a message like any other', async () => {
            const { services, send } = await open({}, home);
            const deep = `${'['.repeat(10_000)}${']'.repeat(10_000)}`;
            expect(await (await send(`[${deep},{"a":${deep}}]`)).json()).toEqual({ accepted: 2, rejected: [] });
            expect(services.inbox.map(({ payload }) => payload.toString())).toEqual([deep, `{"a":${deep}}`]);
            const open_ = '['.repeat(100_000);
            expect(await nameOf(await send(open_))).toBe('400 bad_request');
        });

        test('that unpacks to more than is taken costs no more than is taken', async () => {
            const { services, send } = await open({}, home);
            const bomb = new Uint8Array(gzipSync(Buffer.alloc(64 * 1024 * 1024)));
            const before = process.memoryUsage().arrayBuffers;
            expect(await nameOf(await send(bomb, { 'content-encoding': 'gzip' }))).toBe('413 too_large');
            expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 1024 * 1024);
            expect(services.inbox).toEqual([]);
        });
    });

    describe('a question', () => {
        test.each(['__proto__=1', 'constructor=1', 'toString=1', 'limit[]=1', 'limit[a]=1', '%FF=1'])(
            'with parameter %s is refused',
            async (query) => {
                expect(await nameOf(await (await open({}, home)).read(`/v1/devices?${query}`))).toBe('400 bad_parameter');
            },
        );

        test('with an endless name of a parameter is refused in short', async () => {
            const answer = await (await open({}, home)).read(`/v1/devices?${'a'.repeat(5000)}`);
            expect(answer.status).toBe(400);
            expect((await answer.text()).length).toBeLessThan(1000);
        });

        test.each(['constructor', 'toString', 'hasOwnProperty'])('about a device called %s is one like any other', async (id) => {
            expect(await nameOf(await (await open({}, home)).read(`/v1/devices/${id}`))).toBe('404 not_found');
        });

        test('with a token that is endless, or odd, is one without a token', async () => {
            const { read } = await open({}, home);
            for (const token of ['x'.repeat(10_000), 'reader-token,reader-token', 'reader-token ; x', "' or 1=1", 'Ü', '']) {
                expect(await nameOf(await read('/v1/fleet', { authorization: `Bearer ${token}` }))).toBe('401 wrong_token');
            }
            expect(await nameOf(await read('/v1/fleet', { authorization: 'Basic cmVhZGVyLXRva2Vu' }))).toBe('401 wrong_token');
        });
    });

    test('messages of requests side by side stand in the order of each request', async () => {
        const { services, send } = await open({}, home);
        const batch = (request: number) => `[${Array.from({ length: 50 }, (_, n) => `{"mode":"${request}","t":${T0 + n}}`)}]`;
        const answers = await Promise.all(Array.from({ length: 20 }, (_, request) => send(batch(request))));
        expect(await Promise.all(answers.map((answer) => answer.json()))).toEqual(answers.map(() => ({ accepted: 50, rejected: [] })));
        const stored = services.inbox.map(({ payload }) => JSON.parse(payload.toString()));
        for (let request = 0; request < 20; request += 1) {
            const times = stored.filter(({ mode }) => mode === String(request)).map(({ t }) => t - T0);
            expect(times).toEqual(Array.from({ length: 50 }, (_, n) => n));
        }
    });

    test('a device that sends more than it may is told when to go on, and nobody else', async () => {
        const clock = { ms: T0 };
        const { services, server, send } = await open({ rateLimit: { perSecond: 10, burst: 20 }, now: () => clock.ms }, home);
        services.addDevice('th-8');
        services.addToken('other-token', { is: 'device', device: 'th-8' });
        expect((await send(`[${'1,'.repeat(49)}1]`)).status).toBe(200);
        const refused = await send('1');
        expect(refused.headers.get('retry-after')).toBe('4');
        expect(await nameOf(refused)).toBe('429 too_many');
        const other = { method: 'POST', headers: { authorization: 'Bearer other-token', 'content-type': 'text/plain' }, body: '1' };
        expect((await fetch(`${server.url}/v1/telemetry`, other)).status).toBe(200);
        clock.ms += 4000;
        expect((await send('1')).status).toBe(200);
    });

    test('a device has so many requests on their way, and no more', async () => {
        const { services, send } = await open({}, home);
        let store = () => {};
        const isStored = new Promise<void>((resolve) => {
            store = resolve;
        });
        const accept = services.accept.bind(services);
        let waiting = 0;
        services.accept = async (device, messages) => {
            waiting += 1;
            await isStored;
            return accept(device, messages);
        };
        const begun = Array.from({ length: 32 }, () => send('1'));
        while (waiting < 32) {
            await turn();
        }
        const beyond = await send('1');
        expect(beyond.headers.get('retry-after')).toBe('1');
        expect(await nameOf(beyond)).toBe('429 too_many');
        store();
        expect((await Promise.all(begun)).map(({ status }) => status)).toEqual(begun.map(() => 200));
        expect((await send('1')).status).toBe(200);
    });

    test('requests that come to nothing are counted too', async () => {
        const { send } = await open({ rateLimit: { perSecond: 0.001, burst: 2 } }, home);
        expect((await send('[')).status).toBe(400);
        expect((await send('[')).status).toBe(400);
        expect((await send('1')).status).toBe(429);
    });

    test('an answer that does not tell of every message is none', async () => {
        const { services, send } = await open({}, home);
        services.accept = async () => [{ is: 'stored' }];
        expect((await send('[1,2]')).status).toBe(500);
    });

    describe('where the inbox cannot store', () => {
        test('the answer is to come again, and nothing was taken', async () => {
            const { services, server, send, broken } = await open({}, home);
            services.isBroken = true;
            const answer = await send('{"temperature":1}');
            expect(answer.headers.get('retry-after')).toBe('5');
            expect(answer.headers.get('cache-control')).toBe('no-store');
            expect(await nameOf(answer)).toBe('503 unavailable');
            expect(broken).toMatchObject([{ method: 'POST', path: '/v1/telemetry', error: { message: 'The disk is full' } }]);
            const health = await fetch(`${server.url}/v1/health`);
            expect({ status: health.status, body: await health.json() }).toEqual({ status: 503, body: { status: 'not_taking' } });
            services.isBroken = false;
            expect((await send('{"temperature":1}')).status).toBe(200);
            expect(services.inbox).toHaveLength(1);
        });

        test('some of a request, those are named', async () => {
            const { services, send } = await open({}, home);
            services.judge = (_, index) =>
                index === 1
                    ? { is: 'not_stored', why: 'the disk is full' }
                    : index === 2
                      ? { is: 'refused', why: 'the topic is another device’s' }
                      : { is: 'stored' };
            expect(await (await send('[1,2,3,4]')).json()).toEqual({
                accepted: 2,
                rejected: [
                    { index: 1, reason: 'not_stored', detail: 'the disk is full' },
                    { index: 2, reason: 'refused', detail: 'the topic is another device’s' },
                ],
            });
            services.judge = () => ({ is: 'not_stored', why: 'the disk is full' });
            expect(await nameOf(await send('[1,2]'))).toBe('503 unavailable');
        });
    });

    test('what breaks is told to the log, and of it only a name to the client', async () => {
        const { services, read, broken } = await open({}, home);
        services.fleet = async () => {
            throw new TypeError('secret place /var/lib/lake');
        };
        const answer = await read('/v1/fleet');
        const text = await answer.text();
        expect(answer.status).toBe(500);
        expect(text).not.toContain('secret place');
        expect(broken).toMatchObject([
            { instance: JSON.parse(text).instance, path: '/v1/fleet', error: { message: 'secret place /var/lib/lake' } },
        ]);
        expect(JSON.stringify(broken)).not.toContain('reader-token');
    });

    test('a token that was revoked is nobody’s, at once at home and within a minute on AWS', async () => {
        const clock = { ms: T0 };
        const { services, send } = await open({ now: () => clock.ms }, home);
        expect((await send('1')).status).toBe(200);
        services.revoke('device-token');
        expect(TOKEN_REMEMBERED_S).toBeLessThanOrEqual(60);
        clock.ms += home === 'AWS' ? TOKEN_REMEMBERED_S * 1000 : 0;
        expect(await nameOf(await send('1'))).toBe('401 wrong_token');
    });
});

describe('a body that comes piece by piece', () => {
    test('without a length is read no further than is taken', async () => {
        const { services, server } = await open();
        const headers = { authorization: 'Bearer device-token', 'content-type': 'text/plain' };
        const asked = request(`${server.url}/v1/telemetry`, { method: 'POST', headers });
        asked.on('error', () => {});
        const answered = once(asked, 'response');
        for (let n = 0; n < 17; n += 1) {
            asked.write(Buffer.alloc(65_536));
        }
        const [response] = await answered;
        expect(response.statusCode).toBe(413);
        asked.destroy();
        expect(services.inbox).toEqual([]);
    });

    test('that ends too early is not taken', async () => {
        const { services, api } = await open();
        const body = new ReadableStream({
            start(controller) {
                controller.enqueue(Buffer.from('21.30'));
                controller.error(new Error('aborted'));
            },
        });
        const headers = { authorization: 'Bearer device-token', 'content-type': 'text/plain' };
        const sent = { method: 'POST', headers, body, duplex: 'half' } as RequestInit;
        expect(await nameOf(await api.fetch(new Request('http://localhost/v1/telemetry', sent)))).toBe('400 bad_request');
        expect(services.inbox).toEqual([]);
    });
});

describe('live events', () => {
    test('of the last thousand come at once to who comes late, and those of a slow reader wait in the log', async () => {
        const { services, read } = await open();
        const tell = (n: number) => services.events.add({ kind: 'pipeline_late', since_ms: n, why: 'no reason' });
        for (let n = 1; n <= 1000; n += 1) {
            tell(n);
        }
        const client = readEvents(await read('/v1/live?after=0'));
        await client.next();
        expect((await client.take(1000)).map(({ id }) => Number(id))).toEqual(Array.from({ length: 1000 }, (_, n) => n + 1));
        for (let n = 1001; n <= 6000; n += 1) {
            tell(n);
        }
        expect((await client.take(5000)).at(-1)?.id).toBe('6000');
        await client.close();
        while (services.events.followers > 0) {
            await turn();
        }
    });

    test('are followed by so many at once, and no more', async () => {
        const { read } = await open({ streamLimits: { maxStreams: 1 } });
        const client = readEvents(await read('/v1/live'));
        await client.next();
        const second = await read('/v1/live');
        expect(second.headers.get('retry-after')).toBe('30');
        expect(await nameOf(second)).toBe('503 unavailable');
        await client.close();
    });

    test('end where the server does', async () => {
        const { server, read } = await open();
        const client = readEvents(await read('/v1/live'));
        await client.next();
        const end = client.next();
        await server.close();
        expect(await end).toBeUndefined();
    });

    test('go another way where there is no log of them', async () => {
        const services = new MemoryServices();
        services.addToken('reader-token', { is: 'reader', name: 'anna' });
        const { fetch: ask } = createApi({
            authenticate: services.authenticate.bind(services),
            events: undefined,
        } as Partial<ApiServices> as ApiServices);
        const answer = await ask(new Request('http://localhost/v1/live', { headers: { authorization: 'Bearer reader-token' } }));
        expect(await nameOf(answer)).toBe('404 not_found');
    });
});
