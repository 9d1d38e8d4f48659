/** Finds out who asks: by the token of header Authorization, the connection's client certificate, or a ticket for live events. */
import type { Context, MiddlewareHandler } from 'hono';
import type { ApiEnv } from './app.ts';
import { Problem } from './problem.ts';
import type { Caller } from './services.ts';

/** What anybody may ask. */
const OPEN = ['/v1/health', '/v1/openapi.json'];

const LIVE = '/v1/live';

const REALM = 'Bearer realm="flowlake"';

/** Refuses who cannot be told, and pages of other sites: nobody's browser shall send in somebody's name. */
export const authenticate: MiddlewareHandler<ApiEnv> = async (c, next) => {
    refuseOtherOrigins(c);
    if (!OPEN.includes(c.req.path)) {
        c.set('caller', await callerOf(c));
    }
    await next();
};

async function callerOf(c: Context<ApiEnv>): Promise<Caller> {
    const { services, tickets } = c.env.context;
    const header = c.req.header('authorization');
    const ticket = c.req.path === LIVE ? c.req.query('ticket') : undefined;
    if (header !== undefined) {
        const token = bearerTokenIn(header);
        const caller = token === undefined ? undefined : await services.authenticate(token);
        if (!caller) {
            throw wrongToken('Nobody has this token, or it was revoked: header Authorization: Bearer TOKEN');
        }
        return caller;
    }
    if (ticket !== undefined) {
        const reader = tickets.readerOf(ticket);
        if (reader === undefined) {
            throw wrongToken('The ticket is over, or was never given: POST /v1/live-tickets gives one for a minute');
        }
        return { is: 'reader', name: reader };
    }
    if (c.env.caller) {
        return c.env.caller;
    }
    throw new Problem('no_token', 'Say who you are: header Authorization: Bearer TOKEN', { headers: { 'www-authenticate': REALM } });
}

/** The token in header Authorization; undefined where there is another thing. */
export function bearerTokenIn(header: string): string | undefined {
    return /^Bearer +([\w.~+/-]+=*) *$/i.exec(header)?.[1];
}

function wrongToken(detail: string): Problem {
    return new Problem('wrong_token', detail, { headers: { 'www-authenticate': `${REALM}, error="invalid_token"` } });
}

function refuseOtherOrigins(c: Context<ApiEnv>): void {
    const origin = c.req.header('origin');
    // `null` is what browsers say of pages that have none.
    if (origin !== undefined && (!URL.canParse(origin) || new URL(origin).host !== new URL(c.req.url).host)) {
        throw new Problem('not_allowed', 'Pages of other sites may not ask here');
    }
}
