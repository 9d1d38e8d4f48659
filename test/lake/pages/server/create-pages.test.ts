/** The server of the web application: who gets in, what is refused, and what every answer says to the browser. */
import { z } from '@hono/zod-openapi';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { ConflictError, NotFoundError, OverflowError, SqlError, StorageError, UsageError } from '#lake/errors';
import type { DirectoryLake } from '#lake/lake';
import { definePage, type Page, TooManyRowsError } from '#lake/pages/page';
import { createPages, type Pages } from '#lake/pages/server/create-pages';
import type { WebFiles } from '#lake/pages/server/web-files';
import type { QueryEngine, Value } from '#lake/query/query-engine';
import { openHttpServer } from '#lake/serve/http-server';

const TOKEN = 'a-token-that-nobody-guesses';
const ORIGIN = 'http://127.0.0.1:8123';

const CSP =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const bytes = (text: string) => new Uint8Array(Buffer.from(text));
const WEB: WebFiles = new Map([
    ['index.html', { bytes: bytes('<!doctype html>'), gzipped: bytes('packed'), type: 'text/html; charset=utf-8', etag: '"1"' }],
    ['main-ABC.js', { bytes: bytes('1'), gzipped: bytes('packed'), type: 'text/javascript; charset=utf-8', etag: '"2"' }],
]);

/** What page `fails` throws next, and what the engine is given. */
let failure: unknown;
let asked: { sql: string; parameters: readonly Value[] | undefined }[];
let rowsOfEngine: Value[][];
let nowMs: number;
let broken: unknown[];
let signals: AbortSignal[];

const echo = definePage({
    name: 'echo',
    parameters: z.strictObject({ day: z.iso.date(), site: z.string().optional() }),
    reads: () => [],
    answer: async ({ day, site }) => ({ day, site, big: '9007199254740993' }),
});
const rows = definePage({
    name: 'rows',
    parameters: z.strictObject({}),
    reads: () => [],
    async answer(_, { ask }) {
        const { columns, rows: found } = await ask('select ? as n', { parameters: [1n], maxRows: 3 });
        return { names: columns.map(({ name }) => name), rows: found.map((row) => row.map(String)) };
    },
});
const fails = definePage({
    name: 'fails',
    parameters: z.strictObject({}),
    reads: () => [],
    async answer() {
        throw failure;
    },
});
const waits = definePage({
    name: 'waits',
    parameters: z.strictObject({}),
    reads: () => [],
    answer: (_, { signal }) =>
        new Promise((_resolve, reject) => {
            signals.push(signal);
            signal.addEventListener('abort', () => reject(signal.reason));
        }),
});

function open(changes: Partial<Parameters<typeof createPages>[0]> = {}): Pages {
    const engine = {
        async query(sql, options) {
            asked.push({ sql, parameters: options?.parameters });
            const batches = (async function* () {
                yield rowsOfEngine;
            })();
            return { columns: [{ name: 'n', type: 'bigint' }], batches };
        },
        close: async () => undefined,
    } satisfies QueryEngine;
    return createPages({
        lake: { kind: 'directory', directory: '/lake', engine: async () => engine } as unknown as DirectoryLake,
        name: './my-lake',
        version: '1.2.3',
        live: undefined,
        hasApi: false,
        web: WEB,
        pages: [echo, rows, fails, waits] as Page[],
        authenticate: async (token) => (token === TOKEN ? 'ui' : undefined),
        isTokenInAddress: true,
        now: () => new Date(nowMs),
        onBroken: ({ error }) => broken.push(error),
        ...changes,
    });
}

let pages: Pages;

beforeEach(() => {
    [asked, broken, signals, nowMs] = [[], [], [], Date.UTC(2026, 0, 5)];
    rowsOfEngine = [[1n]];
    pages = open();
});

function ask(path: string, { headers = {}, ...init }: RequestInit & { headers?: Record<string, string> } = {}): Promise<Response> {
    return pages.fetch(new Request(`${ORIGIN}${path}`, { ...init, headers }));
}

/** The cookie that an answer sets, as a browser sends it. */
function cookieIn(response: Response): string {
    return (response.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
}

async function problemIn(response: Response): Promise<{ detail: string; instance: string }> {
    return (await response.json()) as { detail: string; instance: string };
}

async function logIn(): Promise<string> {
    return cookieIn(await ask(`/?token=${TOKEN}`));
}

describe('logging in', () => {
    test('the token of the address becomes a cookie that no script reads and no other site sends, and leaves the address', async () => {
        const response = await ask(`/pairs?site=berlin&token=${TOKEN}&from=2026-01-05`);
        expect(response.status).toBe(303);
        expect(response.headers.get('location')).toBe('/pairs?site=berlin&from=2026-01-05');
        expect(response.headers.get('set-cookie')).toMatch(/^flowlake-8123=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/);
        expect(response.headers.get('set-cookie')).not.toContain(TOKEN);
        const about = await ask('/pages/about', { headers: { cookie: cookieIn(response) } });
        expect(await about.json()).toMatchObject({ lake: './my-lake', kind: 'directory', version: '1.2.3', isPaid: false });
    });

    test('over TLS the cookie is for TLS alone', async () => {
        const response = await pages.fetch(new Request(`https://lake.local/?token=${TOKEN}`));
        expect(response.headers.get('set-cookie')).toMatch(/^__Host-flowlake-web=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Secure$/);
    });

    test('a token that nobody has opens nothing, and leaves the address all the same', async () => {
        const response = await ask('/?token=wrong');
        expect([response.status, response.headers.get('location'), response.headers.get('set-cookie')]).toEqual([303, '/', null]);
    });

    test.each(['//other.example/x', '///other.example', '//'])('%s leads to no other host', async (path) => {
        const location = (await ask(`${path}?token=${TOKEN}`)).headers.get('location') ?? '';
        expect(new URL(location, ORIGIN).origin).toBe(ORIGIN);
    });

    test('where tokens do not belong into addresses they open nothing', async () => {
        pages = open({ isTokenInAddress: false });
        expect((await ask(`/?token=${TOKEN}`)).headers.get('set-cookie')).toBeNull();
    });

    test('the page of who has no session takes the token, and says no to another one', async () => {
        const headers = { origin: ORIGIN, 'content-type': 'application/json' };
        const no = await ask('/session', { method: 'POST', headers, body: JSON.stringify({ token: 'wrong' }) });
        expect([no.status, no.headers.get('set-cookie')]).toEqual([401, null]);
        expect(await no.json()).toMatchObject({ type: 'urn:flowlake:problem:wrong_token' });
        const none = await ask('/session', { method: 'POST', headers, body: 'no JSON' });
        expect(none.status).toBe(401);
        const much = await ask('/session', { method: 'POST', headers, body: JSON.stringify({ token: 'x'.repeat(2000) }) });
        expect(much.status).toBe(413);
        const yes = await ask('/session', { method: 'POST', headers, body: JSON.stringify({ token: TOKEN }) });
        expect(yes.status).toBe(204);
        expect((await ask('/pages/about', { headers: { cookie: cookieIn(yes) } })).status).toBe(200);
    });

    test('a session that is ended, or was not used for half a day, opens nothing more', async () => {
        const [left, unused, used] = [await logIn(), await logIn(), await logIn()];
        await ask('/session', { method: 'DELETE', headers: { origin: ORIGIN, cookie: left } });
        expect((await ask('/pages/about', { headers: { cookie: left } })).status).toBe(401);
        nowMs += 8 * 3_600_000;
        expect((await ask('/pages/about', { headers: { cookie: used } })).status).toBe(200);
        nowMs += 8 * 3_600_000;
        expect((await ask('/pages/about', { headers: { cookie: unused } })).status).toBe(401);
        expect((await ask('/pages/about', { headers: { cookie: used } })).status).toBe(200);
    });

    test.each(['', 'flowlake-8123=', 'flowlake-8123=made-up', 'flowlake-9999=other', 'other=1; flowlake-8123=x'])(
        'without a session (%p) nothing of the lake is told',
        async (cookie) => {
            for (const path of ['/pages/about', '/pages/echo?day=2026-01-05', '/pages/echo/plan?day=2026-01-05', '/pages/none']) {
                const response = await ask(path, { headers: { cookie } });
                expect(response.status).toBe(401);
                expect(response.headers.get('content-type')).toBe('application/problem+json');
            }
        },
    );
});

describe('a page of another site', () => {
    const foreign: [string, Record<string, string>][] = [
        ['of another host', { origin: 'http://other.example' }],
        ['of another port of this machine', { origin: 'http://127.0.0.1:9999' }],
        ['without an origin, as a file or a frame in a sandbox', { origin: 'null' }],
        ['that cannot be read', { origin: 'no address' }],
        ['that the browser calls cross-site', { 'sec-fetch-site': 'cross-site' }],
        ['that the browser calls same-site: another port', { 'sec-fetch-site': 'same-site' }],
    ];

    test.each(foreign)('%s gets nothing with the cookie', async (_, headers) => {
        const cookie = await logIn();
        expect((await ask('/pages/about', { headers: { ...headers, cookie } })).status).toBe(403);
        const end = await ask('/session', { method: 'DELETE', headers: { ...headers, cookie } });
        expect(end.status).toBe(403);
        expect((await ask('/pages/about', { headers: { cookie } })).status).toBe(200);
    });

    test.each(foreign)('%s has no reader', async (_, headers) => {
        const cookie = await logIn();
        expect(pages.readerOf(new Request(`${ORIGIN}/v1/live`, { headers: { cookie } }))).toBe('ui');
        expect(pages.readerOf(new Request(`${ORIGIN}/v1/live`, { headers: { ...headers, cookie } }))).toBeUndefined();
    });

    test('our own page is let in, and an address that somebody has typed', async () => {
        const cookie = await logIn();
        for (const headers of [{ origin: ORIGIN }, { 'sec-fetch-site': 'same-origin' }, { 'sec-fetch-site': 'none' }]) {
            expect((await ask('/pages/about', { headers: { ...headers, cookie } as Record<string, string> })).status).toBe(200);
        }
    });

    test('who changes something and does not say where it comes from changes nothing', async () => {
        const cookie = await logIn();
        expect((await ask('/session', { method: 'DELETE', headers: { cookie } })).status).toBe(403);
        expect(pages.readerOf(new Request(`${ORIGIN}/v1/alerts`, { method: 'POST', headers: { cookie } }))).toBeUndefined();
    });

    test('is never told that it may read', async () => {
        const cookie = await logIn();
        for (const method of ['OPTIONS', 'GET']) {
            const headers = { cookie, origin: 'http://other.example', 'access-control-request-method': 'GET' };
            const response = await ask('/pages/about', { method, headers });
            expect([...response.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
        }
    });
});

describe('every answer', () => {
    test('forbids all that our page does not need', async () => {
        const cookie = await logIn();
        const answers = [
            await ask('/'),
            await ask('/pairs'),
            await ask('/web/main-ABC.js'),
            await ask('/web/none.js'),
            await ask(`/?token=${TOKEN}`),
            await ask('/pages/about'),
            await ask('/pages/about', { headers: { cookie } }),
            await ask('/pages/echo?day=nonsense', { headers: { cookie } }),
            await ask('/pages/about', { method: 'POST', headers: { cookie, origin: ORIGIN } }),
            await ask('/anything', { method: 'PUT', headers: { cookie, origin: ORIGIN } }),
        ];
        for (const { headers } of answers) {
            expect(headers.get('content-security-policy')).toBe(CSP);
            expect(headers.get('x-content-type-options')).toBe('nosniff');
            expect(headers.get('referrer-policy')).toBe('no-referrer');
            expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
            expect(headers.get('cross-origin-opener-policy')).toBe('same-origin');
        }
    });

    test('about the lake is kept by nobody, and files by their hash', async () => {
        const cookie = await logIn();
        expect((await ask('/pages/about', { headers: { cookie } })).headers.get('cache-control')).toBe('no-store');
        expect((await ask('/web/main-ABC.js')).headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
        expect((await ask('/')).headers.get('cache-control')).toBe('no-cache');
        expect((await ask('/', { headers: { 'if-none-match': '"1"' } })).status).toBe(304);
    });

    test.each(['POST', 'PUT', 'PATCH', 'DELETE'])('to %s is no, anywhere but where sessions begin and end', async (method) => {
        const cookie = await logIn();
        for (const path of ['/pages/echo?day=2026-01-05', '/', '/web/main-ABC.js']) {
            expect((await ask(path, { method, headers: { cookie, origin: ORIGIN } })).status).toBe(405);
        }
    });
});

test.each(['/web/..%2findex.html', '/web/%2e%2e%2fpackage.json', '/web/main-ABC.js%00.html', '/web/'])(
    'no file is found at %s but those that were built',
    async (path) => {
        const response = await ask(path);
        expect([200, 404]).toContain(response.status);
        expect(await response.text()).toMatch(/^(<!doctype html>$|\{"type":"urn:flowlake:problem:not_found")/);
    },
);

test('a file goes out packed to who can unpack it', async () => {
    expect(await (await ask('/web/main-ABC.js', { headers: { 'accept-encoding': 'gzip, br' } })).text()).toBe('packed');
    const plain = await ask('/web/main-ABC.js');
    expect([plain.headers.get('content-encoding'), await plain.text()]).toEqual([null, '1']);
});

describe('a page', () => {
    let cookie: string;

    beforeEach(async () => {
        cookie = await logIn();
    });

    const get = (path: string) => ask(path, { headers: { cookie } });

    test('answers with every digit', async () => {
        const response = await get('/pages/echo?day=2026-01-05&site=berlin');
        expect(response.headers.get('content-type')).toBe('application/json');
        expect(await response.text()).toBe('{"day":"2026-01-05","site":"berlin","big":"9007199254740993"}');
    });

    test.each([
        ['day=nonsense', 'day'],
        ['', 'day'],
        ['day=2026-01-05&more=1', 'more'],
        ['day=2026-01-05&day=2026-01-06', 'day'],
    ])('refuses parameters that it does not know or cannot read: %p', async (search, name) => {
        const response = await get(`/pages/echo?${search}`);
        expect(response.status).toBe(400);
        expect(await response.json()).toMatchObject({ type: 'urn:flowlake:problem:bad_parameter', parameters: [{ in: 'query', name }] });
        expect((await get(`/pages/echo/plan?${search}`)).status).toBe(400);
    });

    test('that there is not is said, with those that there are', async () => {
        const response = await get('/pages/none');
        expect([response.status, (await problemIn(response)).detail]).toEqual([
            404,
            'There is no page none: there are about, echo, fails, rows, waits',
        ]);
    });

    test('asks with parameters, and fails rather than leave rows out', async () => {
        expect(await (await get('/pages/rows')).json()).toEqual({ names: ['n'], rows: [['1']] });
        expect(asked).toEqual([{ sql: 'select ? as n', parameters: [1n] }]);
        rowsOfEngine = [[1n], [2n], [3n], [4n]];
        const response = await get('/pages/rows');
        expect([response.status, (await problemIn(response)).detail]).toEqual([413, expect.stringContaining('more than 3 rows')]);
    });

    test.each([
        [new UsageError('what to type'), 400, 'what to type'],
        [new SqlError('at line 1'), 400, 'at line 1'],
        [new OverflowError('too large'), 400, 'too large'],
        [new NotFoundError('no such pair'), 404, 'no such pair'],
        [new TooManyRowsError('too many'), 413, 'too many'],
        [new StorageError('the disk is gone'), 503, 'the disk is gone'],
        [new ConflictError('somebody was faster'), 503, 'somebody was faster'],
    ])('that fails by %p says so', async (error, status, detail) => {
        failure = error;
        const response = await get('/pages/fails');
        expect([response.status, await response.json()]).toEqual([status, expect.objectContaining({ status, detail })]);
        expect(broken).toEqual(status === 503 ? [error] : []);
    });

    test('that is broken tells the log why, and the browser where in the log', async () => {
        failure = new TypeError('secret of the program');
        const response = await get('/pages/fails');
        const { detail, instance } = await problemIn(response);
        expect([response.status, broken]).toEqual([500, [failure]]);
        expect(detail).toContain(instance);
        expect(detail).not.toContain('secret');
    });
});

describe('over HTTP', () => {
    test('a name that leads to this machine is not a name of this server: DNS rebinding comes to nothing', async () => {
        const cookie = await logIn();
        const http = await openHttpServer({ port: 0, fetch: pages.fetch });
        try {
            for (const host of ['rebound.example', `rebound.example:${http.port}`, '']) {
                const said = await sayHttp(
                    http.port,
                    `GET /pages/about HTTP/1.1\r\nHost: ${host}\r\nCookie: ${cookie}\r\nConnection: close\r\n\r\n`,
                );
                expect(said).toMatch(/^HTTP\/1\.1 4(21|00) /);
                expect(said).not.toContain('my-lake');
            }
            const two = await sayHttp(http.port, 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: rebound.example\r\nConnection: close\r\n\r\n');
            expect(two).toMatch(/^HTTP\/1\.1 400 /);
            const own = await sayHttp(http.port, `GET / HTTP/1.1\r\nHost: localhost:${http.port}\r\nConnection: close\r\n\r\n`);
            expect(own).toMatch(/^HTTP\/1\.1 200 /);
        } finally {
            await http.close();
        }
    });

    test('who leaves before the answer is there ends the question', async () => {
        const http = await openHttpServer({ port: 0, fetch: pages.fetch });
        try {
            const logged = await fetch(`${http.url}/?token=${TOKEN}`, { redirect: 'manual' });
            const leaving = new AbortController();
            const answer = fetch(`${http.url}/pages/waits`, { headers: { cookie: cookieIn(logged) }, signal: leaving.signal });
            while (signals.length === 0) {
                await new Promise((resolve) => setImmediate(resolve));
            }
            leaving.abort();
            await expect(answer).rejects.toThrow();
            while (!signals[0]?.aborted) {
                await new Promise((resolve) => setImmediate(resolve));
            }
            expect(broken).toEqual([]);
        } finally {
            await http.close();
        }
    });
});

/** What the server answers to these bytes, until it ends the connection. */
async function sayHttp(port: number, text: string): Promise<string> {
    const { connect } = await import('node:net');
    return new Promise((resolve, reject) => {
        const socket = connect(port, '127.0.0.1', () => socket.end(text));
        let said = '';
        socket.setEncoding('utf8').on('data', (piece: string) => {
            said += piece;
        });
        socket.on('end', () => resolve(said)).on('error', reject);
    });
}
