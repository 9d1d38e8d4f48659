/** What every route of the API works with. */
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { MiddlewareHandler } from 'hono';
import type { EventStreams } from './event-streams.ts';
import type { ProblemName } from './problem.ts';
import { PROBLEMS, Problem } from './problem.ts';
import type { RateLimiter, RequestsOnTheirWay } from './rate-limit.ts';
import { ProblemBody } from './schemas.ts';
import type { ApiServices, Caller } from './services.ts';
import type { Tickets } from './tickets.ts';

export interface ApiEnv {
    Bindings: Connection & { context: ApiContext };
    Variables: {
        caller: Caller;
    };
}

/** What the server knows of a connection. */
export interface Connection {
    /** Who its client certificate says it is. */
    caller?: Caller | undefined;
}

export type ApiApp = OpenAPIHono<ApiEnv>;

/** What went wrong in answering a request; nothing secret is in it. */
export interface Broken {
    /** Names the case: it stands in the answer too. */
    instance: string;
    error: unknown;
    method: string;
    path: string;
}

/** What the routes stand on. */
export interface ApiContext {
    services: ApiServices;
    limiter: RateLimiter;
    onTheirWay: RequestsOnTheirWay;
    tickets: Tickets;
    /** The streams that are open; undefined where events go another way. */
    streams: EventStreams | undefined;
    /** Called with what went wrong in answering. */
    onBroken(broken: Broken): void;
    /** UTC epoch milliseconds. */
    now: () => number;
}

/** Refuses who is none of these. */
export function only(...who: readonly Caller['is'][]): MiddlewareHandler<ApiEnv> {
    return async (c, next) => {
        const { is } = c.get('caller');
        if (!who.includes(is)) {
            const has =
                is === 'device' ? 'A device’s token sends messages and reads its own device' : 'A reader’s token reads and acknowledges';
            throw new Problem('not_allowed', `${has}: this needs one of a ${who[0]}`);
        }
        await next();
    };
}

/** Lets readers through, and the device that the address names. */
export const ownOnly: MiddlewareHandler<ApiEnv> = async (c, next) => {
    const caller = c.get('caller');
    if (caller.is === 'device' && c.req.param('id') !== caller.device) {
        throw new Problem('not_allowed', `This token is one of device ${caller.device}, and reads that device alone`);
    }
    await next();
};

interface AnswerDescription {
    description: string;
    content?: Record<string, { schema: unknown }>;
    headers?: Record<string, { description: string; schema: { type: 'string' | 'integer' } }>;
}

/**
 * Answers of a route as the document describes them: its own, and its problems by their names.
 * The type is a wide one on purpose: bodies are written with exact numbers, which no type of a JSON value can say.
 */
export function answers(own: Readonly<Record<number, AnswerDescription>>, problems: readonly ProblemName[]): Responses {
    const described: Record<string, AnswerDescription> = {};
    for (const name of problems) {
        const { status, title } = PROBLEMS[name];
        const before = described[status]?.description;
        described[status] = {
            description: before === undefined ? title : `${before}; ${title}`,
            content: { 'application/problem+json': { schema: ProblemBody } },
            ...(HEADERS[name] && { headers: HEADERS[name] }),
        };
    }
    return { ...described, ...own } as Responses;
}

type Responses = Parameters<ApiApp['openapi']>[0]['responses'];

const retryAfter = { 'Retry-After': { description: 'Seconds to wait', schema: { type: 'integer' as const } } };

/** Headers that a problem comes with. */
const HEADERS: Partial<Record<ProblemName, AnswerDescription['headers']>> = {
    too_many: retryAfter,
    unavailable: retryAfter,
    no_token: { 'WWW-Authenticate': { description: 'Bearer', schema: { type: 'string' } } },
};

/** Answer 200 with a state, and 304 where the client has it. */
export function stateAnswers(schema: unknown, description: string, more: Record<string, { schema: unknown }> = {}) {
    const text = { type: 'string' as const };
    const headers = {
        ETag: { description: 'Tag of this state, for If-None-Match', schema: text },
        Link: { description: 'Next page, rel="next"; not on the last page', schema: text },
    };
    return {
        200: { description, content: { 'application/json': { schema }, ...more }, headers },
        304: { description: 'Nothing has changed' },
    };
}

/** Problems that any route with a token can have. */
export const ANY_PROBLEMS = ['bad_parameter', 'no_token', 'wrong_token', 'not_allowed', 'not_acceptable', 'broken', 'unavailable'] as const;
