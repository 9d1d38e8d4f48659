/**
 * The HTTP API of live telemetry: one program for one machine and for AWS, over `ApiServices`. A request of the web comes in and a response goes out; which server
 * carries them is not known here.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import type { ApiContext, Broken, Connection } from './app.ts';
import { EventStreams, STREAM_LIMITS, type StreamLimits } from './event-streams.ts';
import { type RateLimit, RateLimiter, RequestsOnTheirWay } from './rate-limit.ts';
import { createApp } from './routes.ts';
import type { ApiServices } from './services.ts';
import { Tickets } from './tickets.ts';

export interface ApiOptions {
    /** UTC epoch milliseconds. */
    now?: () => number;
    /** Messages that a device may send by HTTP. */
    rateLimit?: RateLimit;
    /** Key that tickets are signed with; servers that shall take one another's tickets share it. */
    ticketKey?: Uint8Array;
    streamLimits?: Partial<StreamLimits>;
    onBroken?: (broken: Broken) => void;
}

export interface Api {
    /** Answers a request. Never rejects. */
    fetch(request: Request, connection?: Connection): Promise<Response>;
    /** Ends the streams of events; requests are answered as before. */
    endStreams(): void;
}

/** Half of what one core takes in by MQTT, for a device alone; far above what any device sends. */
const RATE_LIMIT: RateLimit = { perSecond: 1000, burst: 20_000 };

/** Requests with messages of one device at once: a connection waits for its answer, so few need two. */
const MAX_ON_THEIR_WAY = 32;

export function createApi(services: ApiServices, options: ApiOptions = {}): Api {
    const { now = Date.now, rateLimit = RATE_LIMIT, ticketKey = randomBytes(32), streamLimits = {}, onBroken = () => {} } = options;
    const limits = { ...STREAM_LIMITS, ...streamLimits };
    const onBrokenStream = (error: unknown) => onBroken({ instance: newInstance(), error, method: 'GET', path: '/v1/live' });
    const context: ApiContext = {
        services,
        now,
        limiter: new RateLimiter(rateLimit, { now }),
        onTheirWay: new RequestsOnTheirWay(MAX_ON_THEIR_WAY),
        tickets: new Tickets({ key: ticketKey, now }),
        streams: services.events && new EventStreams(services.events, { limits, onBroken: onBrokenStream }),
        onBroken,
    };
    const app = createApp();
    return {
        fetch: async (request, connection = {}) => app.fetch(request, { ...connection, context }),
        endStreams: () => context.streams?.close(),
    };
}

function newInstance(): string {
    return `urn:uuid:${randomUUID()}`;
}
