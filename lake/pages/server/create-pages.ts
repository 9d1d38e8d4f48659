/** The server of the web application: its files for anybody, its pages for who has a session. Which server carries the requests is not known here. */
import { randomUUID } from 'node:crypto';
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { ConflictError, NotFoundError, OverflowError, SqlError, StorageError, UsageError } from '#lake/errors';
import type { Lake } from '#lake/lake';
import type { Broken } from '#lake/live/api/app';
import { Problem } from '#lake/live/api/problem';
import { type LiveState, type Page, TooManyRowsError } from '#lake/pages/page';
import { answerPage, type PageCache, planPage } from '#lake/pages/page-cache';
import { PAGES } from '#lake/pages/pages';
import type { Plan } from '#lake/pages/plan';
import { refuseOtherSites, SECURITY_HEADERS } from './guard.ts';
import { pageContext } from './page-context.ts';
import { readParameters } from './page-parameters.ts';
import { sessionCookie, sessionIdIn } from './session-cookie.ts';
import { Sessions } from './sessions.ts';
import { INDEX, type WebFiles } from './web-files.ts';

export interface PagesOptions {
    lake: Lake;
    /** The lake's name, as it is shown. */
    name: string;
    version: string;
    live: LiveState | undefined;
    /** True where the API answers beside the pages: its events are followed, and alerts acknowledged. */
    hasApi: boolean;
    web: WebFiles;
    pages?: readonly Page[];
    /** Keeps answers where scanning is paid for. */
    cache?: PageCache | undefined;
    /** The name of the reader who has the token; undefined for one that nobody has. Compares in constant time. */
    authenticate(token: string): Promise<string | undefined>;
    /** True where the token may stand in the address that a program prints, which a browser then forgets. */
    isTokenInAddress: boolean;
    now: () => Date;
    onBroken(broken: Broken): void;
}

export interface Pages {
    /** Answers a request. Never rejects. */
    fetch(request: Request): Promise<Response>;
    /** The name in which the request's session was opened; undefined where it has none, or another site's page sends it. */
    readerOf(request: Request): string | undefined;
}

/** Letters of a token: longer ones are nobody's. */
const MAX_TOKEN = 200;

const MAX_LOG_IN_BYTES = 1000;

const YEAR_S = 31_536_000;

export function createPages(options: PagesOptions): Pages {
    const { lake, web, authenticate, now, onBroken, pages = PAGES } = options;
    const sessions = new Sessions(() => now().getTime());
    const byName = new Map(pages.map((page) => [page.name, page]));
    const app = new Hono();

    app.use(async (c, next) => {
        await next();
        for (const [name, value] of Object.entries(SECURITY_HEADERS)) {
            c.res.headers.set(name, value);
        }
    });
    app.onError((error, c) => problemOf(error, c).toResponse());

    app.use('/pages/*', async (c, next) => {
        refuseOtherSites(c.req.raw);
        refuseNoSession(c.req.raw);
        refuseOtherMethods(c, ['GET', 'HEAD']);
        await next();
    });
    app.get('/pages/about', () => {
        const { name, version, live, hasApi } = options;
        const about = { lake: name, kind: lake.kind, version, isPaid: lake.kind === 's3', hasLive: live !== undefined, hasApi };
        return answer({ ...about, nowMs: now().getTime() });
    });
    app.get('/pages/:name', async (c) => {
        const page = pageOf(c);
        const parameters = readParameters(page, new URL(c.req.url).searchParams);
        const context = pageContext({ ...options, signal: c.req.raw.signal });
        return answer((await answerPage(page, parameters, context, options.cache)).answer);
    });
    app.get('/pages/:name/plan', async (c) => {
        const page = pageOf(c);
        const parameters = readParameters(page, new URL(c.req.url).searchParams);
        return answer({ plan: planAnswer(await planPage(page, parameters, options, options.cache)) });
    });

    app.post('/session', bodyLimit({ maxSize: MAX_LOG_IN_BYTES, onError: refuseLargeBody }), async (c) => {
        refuseOtherSites(c.req.raw);
        const { token } = await c.req.json<{ token?: unknown }>().catch(() => ({ token: undefined }));
        return openSession(c, await readerWith(token));
    });
    app.delete('/session', (c) => {
        refuseOtherSites(c.req.raw);
        sessions.end(sessionIdIn(c.req.raw) ?? '');
        return new Response(null, { status: 204, headers: { 'set-cookie': sessionCookie(undefined, c.req.raw) } });
    });

    app.get('/web/:file', (c) => fileAnswer(c, c.req.param('file'), { isForever: true }));
    app.get('*', async (c) => {
        const url = new URL(c.req.url);
        const token = url.searchParams.get('token');
        if (options.isTokenInAddress && token !== null) {
            url.searchParams.delete('token');
            const reader = await readerWith(token).catch(() => undefined);
            // Another site's page that guesses, or an address that was printed long ago: the page says how to log in.
            const cookie = reader === undefined ? undefined : sessionCookie(sessions.open(reader), c.req.raw);
            // Two slashes at the beginning would name another host.
            const location = `${url.pathname.replace(/^\/+/, '/')}${url.search}`;
            const headers = { location, 'cache-control': 'no-store' };
            return new Response(null, { status: 303, headers: { ...headers, ...(cookie !== undefined && { 'set-cookie': cookie }) } });
        }
        return fileAnswer(c, INDEX, { isForever: false });
    });
    app.all('*', (c) => {
        refuseOtherMethods(c, c.req.path === '/session' ? ['POST', 'DELETE'] : ['GET', 'HEAD']);
        throw new Problem('not_found', `There is nothing at ${c.req.path}`);
    });

    function pageOf(c: Context): Page {
        const name = c.req.param('name') ?? '';
        const page = byName.get(name);
        if (!page) {
            throw new Problem(
                'not_found',
                `There is no page ${name.slice(0, 100)}: there are ${[...byName.keys(), 'about'].sort().join(', ')}`,
            );
        }
        return page;
    }

    async function readerWith(token: unknown): Promise<string> {
        const reader = typeof token === 'string' && token.length <= MAX_TOKEN ? await authenticate(token) : undefined;
        if (reader === undefined) {
            throw new Problem('wrong_token', 'Nobody has this token, or it is over');
        }
        return reader;
    }

    function openSession(c: Context, reader: string): Response {
        const headers = { 'set-cookie': sessionCookie(sessions.open(reader), c.req.raw), 'cache-control': 'no-store' };
        return new Response(null, { status: 204, headers });
    }

    function readerOf(request: Request): string | undefined {
        const id = sessionIdIn(request);
        return id === undefined ? undefined : sessions.use(id);
    }

    function refuseNoSession(request: Request): void {
        if (readerOf(request) === undefined) {
            throw new Problem('no_token', 'There is no session, or it is over: log in again');
        }
    }

    function fileAnswer(c: Context, name: string, { isForever }: { isForever: boolean }): Response {
        const file = web.get(name);
        if (!file) {
            throw new Problem('not_found', `There is nothing at ${c.req.path}`);
        }
        const { bytes, gzipped, type, etag } = file;
        const headers = {
            'content-type': type,
            // Names of files have a hash of what is in them.
            'cache-control': isForever ? `public, max-age=${YEAR_S}, immutable` : 'no-cache',
            etag,
            vary: 'accept-encoding',
        };
        if (c.req.header('if-none-match') === etag) {
            return new Response(null, { status: 304, headers });
        }
        const isGzipped = /\bgzip\b/.test(c.req.header('accept-encoding') ?? '');
        return new Response(isGzipped ? gzipped : bytes, { headers: { ...headers, ...(isGzipped && { 'content-encoding': 'gzip' }) } });
    }

    function problemOf(error: unknown, c: Context): Problem {
        if (error instanceof Problem) {
            return error;
        }
        if (error instanceof UsageError || error instanceof SqlError || error instanceof OverflowError) {
            return new Problem('bad_parameter', error.message);
        }
        if (error instanceof NotFoundError) {
            return new Problem('not_found', error.message);
        }
        if (error instanceof TooManyRowsError) {
            return new Problem('too_large', error.message);
        }
        const instance = `urn:uuid:${randomUUID()}`;
        if (!c.req.raw.signal.aborted) {
            onBroken({ instance, error, method: c.req.method, path: c.req.path });
        }
        if (error instanceof StorageError || error instanceof ConflictError) {
            return new Problem('unavailable', error.message, { instance });
        }
        return new Problem('broken', `The server’s log says more, at ${instance}`, { instance });
    }

    return {
        fetch: async (request) => app.fetch(request),
        readerOf(request) {
            try {
                refuseOtherSites(request);
            } catch {
                return undefined;
            }
            return readerOf(request);
        },
    };
}

/** The plan as an answer has it; null where nothing will have to be paid. */
function planAnswer(plan: Plan | undefined): { bytes: string; costUsd: number; unknown: readonly string[] } | null {
    const isFree = plan === undefined || (plan.costUsd === 0 && plan.unknown.length === 0);
    return isFree ? null : { bytes: String(plan.bytes), costUsd: plan.costUsd, unknown: plan.unknown };
}

function answer(body: unknown): Response {
    return new Response(JSON.stringify(body), { headers: { 'content-type': 'application/json', 'cache-control': 'no-store' } });
}

function refuseLargeBody(): never {
    throw new Problem('too_large', `A token has ${MAX_TOKEN} letters at most`);
}

function refuseOtherMethods(c: Context, known: readonly string[]): void {
    if (!known.includes(c.req.method)) {
        const allow = known.join(', ');
        throw new Problem('wrong_method', `${c.req.method} is not known at ${c.req.path}: ${allow}`, { headers: { allow } });
    }
}
