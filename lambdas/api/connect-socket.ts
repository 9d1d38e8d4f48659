/** Lets a reader's WebSocket connection in: by a token in header Authorization, or by a ticket in the address for programs that cannot send headers. */
import type { Callers } from '#lake/cloud/api-callers';
import type { Sockets } from '#lake/cloud/sockets';
import { bearerTokenIn } from '#lake/live/api/authenticate';
import { Problem } from '#lake/live/api/problem';
import type { Tickets } from '#lake/live/api/tickets';

/** What is read of the event of route $connect: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-route-keys-connect-disconnect.html */
export interface ConnectEvent {
    requestContext: { connectionId: string; eventType: string };
    /** Names as the client wrote them. */
    headers?: Readonly<Record<string, string | undefined>>;
    queryStringParameters?: Readonly<Record<string, string | undefined>> | null;
}

interface ConnectServices {
    callers: Callers;
    tickets: Tickets;
    sockets: Sockets;
    /** Called with why somebody was not let in. */
    say: (why: string) => void;
}

/** True for an event of a connection that begins, and false for a request. */
export function isConnect(event: unknown): event is ConnectEvent {
    const context = typeof event === 'object' && event !== null && 'requestContext' in event ? event.requestContext : undefined;
    return typeof context === 'object' && context !== null && 'eventType' in context && context.eventType === 'CONNECT';
}

/** Status 200 lets the connection be, any other one refuses it. */
export async function connectSocket(event: ConnectEvent, services: ConnectServices): Promise<{ statusCode: number; body?: string }> {
    try {
        const reader = await readerOf(event, services);
        await services.sockets.open({ id: event.requestContext.connectionId, reader });
        return { statusCode: 200 };
    } catch (error) {
        if (!(error instanceof Problem)) {
            throw error;
        }
        services.say(error.message);
        return { statusCode: error.toResponse().status, body: error.toText() };
    }
}

/** @throws Problem for who is no reader */
async function readerOf({ headers = {}, queryStringParameters }: ConnectEvent, { callers, tickets }: ConnectServices): Promise<string> {
    const header = Object.entries(headers).find(([name]) => name.toLowerCase() === 'authorization')?.[1];
    const { ticket, ...unknown } = queryStringParameters ?? {};
    const [stranger] = Object.keys(unknown);
    if (stranger !== undefined) {
        const detail = 'There is no such parameter: what to follow is said by the first message, and `ticket` alone stands in the address.';
        throw new Problem('bad_parameter', `${stranger.slice(0, 100)}: ${detail}`);
    }
    if (header !== undefined) {
        const token = bearerTokenIn(header);
        const called = token === undefined ? undefined : await callers.of(token);
        if (!called?.ok) {
            throw new Problem('wrong_token', `Nobody has this token, or it was revoked${called ? `: ${called.why}` : ''}`);
        }
        if (called.caller.is !== 'reader') {
            throw new Problem('not_allowed', 'A device’s token sends messages and reads its own device: this needs one of a reader');
        }
        return called.caller.name;
    }
    if (ticket === undefined) {
        throw new Problem('no_token', 'Say who you are: header Authorization: Bearer TOKEN, or ?ticket= from POST /v1/live-tickets');
    }
    const reader = tickets.readerOf(ticket);
    if (reader === undefined) {
        throw new Problem('wrong_token', 'The ticket is over, or was never given: POST /v1/live-tickets gives one for a minute');
    }
    return reader;
}
