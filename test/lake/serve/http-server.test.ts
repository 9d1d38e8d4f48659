/** The HTTP server of one machine: who may call it, how it ends, what it does about slow and broken clients. */
import { createHash, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect, type Socket } from 'node:net';
import { UsageError } from '#lake/errors';
import type { Connection } from '#lake/live/api/app';
import { type HttpServer, type HttpServerOptions, openHttpServer } from '#lake/serve/http-server';

const servers: HttpServer[] = [];

afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function open(options: Partial<HttpServerOptions> = {}): Promise<HttpServer> {
    const server = await openHttpServer({ port: 0, fetch: async () => new Response('hello'), ...options });
    servers.push(server);
    return server;
}

/** What answers once it is told what. */
function heldBack() {
    let answer: (response: Response) => void = () => {};
    let reach: () => void = () => {};
    const isReached = new Promise<void>((resolve) => {
        reach = resolve;
    });
    return {
        isReached,
        answer: (response: Response) => answer(response),
        fetch: () => {
            reach();
            return new Promise<Response>((resolve) => {
                answer = resolve;
            });
        },
    };
}

/** A connection that has been answered once and stays open. */
async function keptOpen(server: HttpServer): Promise<Socket> {
    const socket = connect(server.port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await once(socket, 'data');
    return socket;
}

/** What a server says to bytes, until it closes the connection. */
async function say(server: HttpServer, bytes: string): Promise<string> {
    const socket = connect(server.port, '127.0.0.1');
    socket.write(bytes);
    return textOf(socket);
}

async function textOf(stream: Socket | IncomingMessage): Promise<string> {
    let text = '';
    for await (const chunk of stream) {
        text += chunk;
    }
    return text;
}

const problemIn = (text: string) => JSON.parse(text.slice(text.indexOf('\r\n\r\n'))).type.replace('urn:flowlake:problem:', '');

describe('it is called', () => {
    const call = (server: HttpServer, host: string) => say(server, `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);

    test.each(['localhost', 'LOCALHOST:80', '127.0.0.1:8080', '127.1.2.3', '[::1]:8080'])('%s', async (host) => {
        expect(await call(await open(), host)).toMatch(/^HTTP\/1\.1 200 /);
    });

    test.each(['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example', '10.0.0.1', 'a b'])(
        'not %s, which a page of the web could have lead here',
        async (host) => {
            let isReached = false;
            const server = await open({
                fetch: async () => {
                    isReached = true;
                    return new Response();
                },
            });
            expect(await call(server, host)).toMatch(/^HTTP\/1\.1 4(?:21|00) .*"type":"urn:flowlake:problem:/s);
            expect(isReached).toBe(false);
        },
    );

    test('by a name that it was given', async () => {
        const server = await open({ names: ['Gateway.local'] });
        expect(await call(server, 'gateway.LOCAL:8080')).toMatch(/^HTTP\/1\.1 200 /);
        expect(await call(server, 'other.local')).toMatch(/^HTTP\/1\.1 421 /);
    });

    test('whatever people like where it listens to all', async () => {
        expect(await call(await open({ host: '0.0.0.0' }), 'gateway.local')).toMatch(/^HTTP\/1\.1 200 /);
    });
});

describe('it says what to do', () => {
    test('where the port is taken', async () => {
        const { port } = await open();
        const error = await openHttpServer({ port, fetch: async () => new Response() }).catch((thrown) => thrown);
        expect(error).toBeInstanceOf(UsageError);
        expect(error.message).toBe(
            `Port ${port} of 127.0.0.1 is taken by another program: choose another one with --http-port, 0 for any free one`,
        );
    });

    test('where the address is none of this machine', async () => {
        const elsewhere = openHttpServer({ host: '192.0.2.1', port: 0, fetch: async () => new Response() });
        await expect(elsewhere).rejects.toThrow('192.0.2.1 is no address of this machine: choose one with --host');
    });
});

test('it is nowhere but on loopback, unless told otherwise', async () => {
    const { url, port } = await open();
    expect(url).toBe(`http://127.0.0.1:${port}`);
});

describe('it closes', () => {
    test('once answers on their way are there, and takes no more', async () => {
        const { fetch: answering, isReached, answer } = heldBack();
        const server = await open({ fetch: answering });
        const agent = new Agent({ keepAlive: true });
        const asked = httpRequest(server.url, { agent });
        asked.end();
        const answered = once(asked, 'response');
        await isReached;
        const closed = server.close();
        await expect(fetch(server.url)).rejects.toThrow();
        answer(new Response('late'));
        const [response] = await answered;
        expect(await textOf(response)).toBe('late');
        // Also where the client would keep the connection.
        await closed;
        agent.destroy();
    });

    test('with the streams that have no end, and idle connections', async () => {
        let end = () => {};
        const body = new ReadableStream({
            start(controller) {
                controller.enqueue(Buffer.from('begun'));
                end = () => controller.close();
            },
        });
        const server = await open({ fetch: async () => new Response(body), onClosing: () => end() });
        const idle = connect(server.port, '127.0.0.1');
        await once(idle, 'connect');
        const response = await fetch(server.url);
        const text = response.text();
        await server.close();
        expect(await text).toBe('begun');
        idle.destroy();
    });

    test('after a while in any case', async () => {
        const { fetch: answering, isReached } = heldBack();
        const server = await open({ fetch: answering, limits: { closeMs: 50 } });
        const asked = fetch(server.url).catch((error) => String(error));
        await isReached;
        await server.close();
        expect(await asked).toMatch(/TypeError|fetch failed/);
    });
});

describe('it answers with a problem', () => {
    test('to what is no HTTP', async () => {
        expect(problemIn(await say(await open(), 'hello\r\n\r\n'))).toBe('bad_request');
        expect(problemIn(await say(await open(), 'GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\nConnection: close\r\n\r\n'))).toBe(
            'bad_request',
        );
        const both = 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n';
        expect(problemIn(await say(await open(), both))).toBe('bad_request');
    });

    test('to headers without end', async () => {
        const header = `X-Flood: ${'a'.repeat(1000)}\r\n`;
        expect(problemIn(await say(await open(), `GET / HTTP/1.1\r\nHost: localhost\r\n${header.repeat(20)}\r\n`))).toBe(
            'headers_too_large',
        );
    });

    test('to headers and bodies that come drop by drop', async () => {
        const limits = { headersMs: 50, requestMs: 100 };
        expect(problemIn(await say(await open({ limits }), 'GET / HTTP/1.1\r\nHost: local'))).toBe('timeout');
        const server = await open({ limits, fetch: async (request) => new Response(await request.text()) });
        expect(problemIn(await say(server, 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n12'))).toBe('timeout');
    });
});

test('it closes the connection of a client that does not read', async () => {
    let isCancelled = false;
    let sent = 0;
    const chunk = new Uint8Array(1 << 16);
    const body = new ReadableStream(
        {
            pull(controller) {
                sent += chunk.length;
                controller.enqueue(chunk);
            },
            cancel: () => {
                isCancelled = true;
            },
        },
        { highWaterMark: 0 },
    );
    const server = await open({ fetch: async () => new Response(body), limits: { stillMs: 200 } });
    const socket = connect(server.port, '127.0.0.1');
    socket.pause();
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await until(() => isCancelled);
    // What the sockets of both ends hold, and no more.
    expect(sent).toBeLessThan(64 * 1024 * 1024);
    socket.destroy();
});

test('it takes so many connections, and no more', async () => {
    const refused: number[] = [];
    const server = await open({ limits: { maxConnections: 2 }, onFull: (most) => refused.push(most) });
    const kept = [await keptOpen(server), await keptOpen(server)];
    const third = connect(server.port, '127.0.0.1');
    third.on('error', () => {});
    await once(third, 'close');
    expect(refused).toEqual([2]);
    kept[0]?.destroy();
    // The server learns of it in its own time.
    await until(() =>
        fetch(server.url).then(
            ({ status }) => status === 200,
            () => false,
        ),
    );
    kept[1]?.destroy();
});

describe('with TLS', () => {
    const pem = (name: string) => readFile(new URL(`../../fixtures/tls/${name}`, import.meta.url), 'utf8');

    async function openTls(callerOf: (fingerprint: string) => Promise<Connection['caller']>, limits: HttpServerOptions['limits'] = {}) {
        const tls = { key: await pem('server.key'), cert: await pem('server.crt'), ca: await pem('ca.crt'), callerOf };
        return open({ tls, limits, fetch: async (_, { caller }) => Response.json(caller ?? null) });
    }

    async function ask(server: HttpServer, name?: string): Promise<unknown> {
        const identity = name === undefined ? {} : { key: await pem(`${name}.key`), cert: await pem(`${name}.crt`) };
        const asked = httpsRequest({
            host: '127.0.0.1',
            port: server.port,
            servername: 'localhost',
            ca: await pem('ca.crt'),
            agent: false,
            ...identity,
        });
        asked.end();
        const [response] = await once(asked, 'response');
        return JSON.parse(await textOf(response));
    }

    test('it knows a device by its certificate, of the right authority alone', async () => {
        const asked: string[] = [];
        const server = await openTls(async (fingerprint) => {
            asked.push(fingerprint);
            return { is: 'device', device: 'th-7' };
        });
        expect(server.url).toMatch(/^https:/);
        expect(await ask(server, 'device')).toEqual({ is: 'device', device: 'th-7' });
        expect(await ask(server)).toBeNull();
        expect(await ask(server, 'stranger')).toBeNull();
        expect(asked).toEqual([
            createHash('sha256')
                .update(new X509Certificate(await pem('device.crt')).raw)
                .digest('hex'),
        ]);
    });

    test('it ends connections whose handshake does not begin, or does not go on, and answers others meanwhile', async () => {
        const server = await openTls(async () => undefined, { headersMs: 100 });
        const silent = connect(server.port, '127.0.0.1');
        const halting = connect(server.port, '127.0.0.1');
        // The head of a handshake record, of which nothing follows.
        halting.write(Buffer.from([0x16, 0x03, 0x01, 0x01, 0x00, 0x01]));
        const ends = [silent, halting].map((socket) =>
            once(
                socket.on('error', () => undefined),
                'close',
            ),
        );
        expect(await ask(server)).toBeNull();
        await Promise.all(ends);
    });

    test('it forgets a certificate that was revoked while its connection is open', async () => {
        let caller: Connection['caller'] = { is: 'device', device: 'th-7' };
        const server = await openTls(async () => caller);
        expect(await ask(server, 'device')).toEqual(caller);
        caller = undefined;
        expect(await ask(server, 'device')).toBeNull();
    });
});

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
    while (!(await holds())) {
        await new Promise((resolve) => setTimeout(resolve, 5));
    }
}
