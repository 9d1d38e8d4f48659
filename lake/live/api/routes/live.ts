/** GET /v1/live: what happens, as server-sent events; and tickets for it. */
import { createRoute } from '@hono/zod-openapi';
import { answerOnce, chooseType } from '../answer.ts';
import { ANY_PROBLEMS, type ApiApp, answers, only } from '../app.ts';
import { Problem } from '../problem.ts';
import { EVENT_KINDS, EventBody, LAST_EVENT_ID, LiveQuery, NoQuery, TicketBody } from '../schemas.ts';

const liveRoute = createRoute({
    method: 'get',
    path: '/v1/live',
    summary: 'What happens, as server-sent events',
    description:
        'Each event has an id, a kind and one line of JSON. Header Last-Event-ID, or `after`, resumes behind an event; else the stream begins now, and says so by an event `ready`. ' +
        'An event `reset` says that events behind the id are no longer kept: ask for the state anew. A stream ends after an hour at the latest: come again with the last id.',
    tags: ['live'],
    security: [{ token: [] }, { ticket: [] }],
    middleware: only('reader'),
    request: { query: LiveQuery },
    responses: answers({ 200: { description: 'Events, as they happen', content: { 'text/event-stream': { schema: EventBody } } } }, [
        ...ANY_PROBLEMS,
        'not_found',
    ]),
});

const ticketRoute = createRoute({
    method: 'post',
    path: '/v1/live-tickets',
    summary: 'A ticket that opens GET /v1/live for a minute',
    description: 'For programs that cannot send headers, as browsers’ EventSource cannot: `/v1/live?ticket=...`.',
    tags: ['live'],
    middleware: only('reader'),
    request: { query: NoQuery },
    responses: answers({ 201: { description: 'The ticket', content: { 'application/json': { schema: TicketBody } } } }, ANY_PROBLEMS),
});

/** Adds the routes. */
export function addLive(app: ApiApp): void {
    app.openapi(liveRoute, async (c) => {
        const { services, streams } = c.env.context;
        if (!services.events || !streams) {
            throw new Problem('not_found', 'Events do not go this way here: docs/api.md says which way they go');
        }
        chooseType(c.req.header('accept'), ['text/event-stream']);
        const { after, device, kind } = c.req.valid('query');
        const kinds = kindsOf(kind);
        // A browser that dials again has the newer id in the header, and the one that it began with in the address.
        const resumed = c.req.header('last-event-id') || undefined;
        if (resumed !== undefined && !LAST_EVENT_ID.test(resumed)) {
            const detail = 'Expected the id of an event, in digits.';
            throw new Problem('bad_parameter', `Last-Event-ID: ${detail}`, {
                parameters: [{ in: 'header', name: 'Last-Event-ID', detail }],
            });
        }
        const headers = { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' };
        if (c.req.method === 'HEAD') {
            return new Response(null, { headers });
        }
        if (streams.isFull) {
            throw new Problem('unavailable', 'As many clients follow the events as may do so at once', {
                headers: { 'retry-after': '30' },
            });
        }
        const stream = streams.open({ after: resumed ?? after ?? (await services.events.last()), device, kinds });
        return new Response(stream, { headers });
    });

    app.openapi(ticketRoute, (c) => {
        const caller = c.get('caller');
        const { ticket, expiresMs } = c.env.context.tickets.issue(caller.is === 'reader' ? caller.name : '');
        return answerOnce({ ticket, expires_ms: expiresMs }, { status: 201 });
    });
}

/** The kinds that are listed, or all of them. @throws Problem for a kind that there is not */
export function kindsOf(listed: string | undefined): readonly string[] {
    const kinds = listed?.split(',') ?? EVENT_KINDS;
    const unknown = kinds.find((kind) => !EVENT_KINDS.some((known) => known === kind));
    if (unknown !== undefined) {
        const detail = `There is no kind ${JSON.stringify(unknown)}: there are ${EVENT_KINDS.join(', ')}.`;
        throw new Problem('bad_parameter', `kind: ${detail}`, { parameters: [{ in: 'query', name: 'kind', detail }] });
    }
    return kinds;
}
