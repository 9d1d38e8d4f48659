/** Connections on their way into their TLS handshakes: many at once, silent ones, and the end of those that wait. */
import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { connect as connectTls, createServer, type Server as TlsServer } from 'node:tls';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { openAuthority } from '#lake/serve/certificates';
import { type Entrance, openEntrance } from '#lake/serve/entrance';
import { makeFolder } from '#test/support/temporary';

const AT_ONCE = 100;

let authority: string;
let handshakes: TlsServer;
let entrance: Entrance;
let begun: number;
let clients: Socket[];
let port: number;

beforeEach(async () => {
    const now = new Date();
    const opened = await openAuthority(join(await makeFolder(), 'ca'), { now });
    const { certificate, key } = await opened.server({ names: ['localhost'], now });
    authority = opened.certificate;
    handshakes = createServer({ cert: certificate, key });
    [begun, clients] = [0, []];
    handshakes.on('connection', () => {
        begun += 1;
    });
    handshakes.on('tlsClientError', () => undefined);
    handshakes.on('secureConnection', (socket) => socket.on('error', () => undefined).end('in'));
});

afterEach(async () => {
    for (const client of clients) {
        client.destroy();
    }
    entrance.endWaiting();
    entrance.server.close();
    await once(entrance.server, 'close');
});

async function open(options?: { headStartMs: number }): Promise<void> {
    entrance = openEntrance(handshakes, options);
    entrance.server.listen(0, '127.0.0.1');
    await once(entrance.server, 'listening');
    port = (entrance.server.address() as AddressInfo).port;
}

async function connectSilently(count: number): Promise<void> {
    const accepted = new Promise<void>((resolve) => {
        let left = count;
        entrance.server.on('connection', () => {
            left -= 1;
            if (left === 0) {
                resolve();
            }
        });
    });
    for (let index = 0; index < count; index += 1) {
        clients.push(connect(port, '127.0.0.1').on('error', () => undefined));
    }
    await accepted;
}

async function greeted(): Promise<string> {
    const socket = connectTls({ port, host: '127.0.0.1', servername: 'localhost', ca: authority });
    clients.push(socket);
    const [text] = await once(socket, 'data');
    return String(text);
}

test('handshakes are a hundred at once, and those behind them have their turn when others are over', async () => {
    await open({ headStartMs: 60_000 });
    await connectSilently(AT_ONCE + 20);
    expect(begun).toBe(AT_ONCE);
    for (const client of clients.slice(0, 5)) {
        client.destroy();
    }
    while (begun < AT_ONCE + 5) {
        await wait(5);
    }
});

test('whoever connects and says nothing keeps nobody out', async () => {
    await open();
    await connectSilently(AT_ONCE * 2);
    expect(await greeted()).toBe('in');
    expect(begun).toBe(AT_ONCE * 2 + 1);
});

test('many come in one behind the other', async () => {
    await open({ headStartMs: 60_000 });
    expect(await Promise.all(Array.from({ length: AT_ONCE + 50 }, greeted))).toEqual(Array.from({ length: AT_ONCE + 50 }, () => 'in'));
});

test('those that wait can be ended', async () => {
    await open({ headStartMs: 60_000 });
    await connectSilently(AT_ONCE + 1);
    const last = clients.at(-1);
    entrance.endWaiting();
    await (last && once(last, 'close'));
    expect(begun).toBe(AT_ONCE);
});
