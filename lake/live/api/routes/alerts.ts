/** Alerts, and acknowledging one. */
import { createRoute } from '@hono/zod-openapi';
import { bodyLimit } from 'hono/body-limit';
import { answerOnce, answerState, nextPage } from '../answer.ts';
import { ANY_PROBLEMS, type ApiApp, answers, only, stateAnswers } from '../app.ts';
import { alertBody } from '../bodies.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import { Problem } from '../problem.ts';
import { AlertBody, AlertPath, AlertsBody, AlertsQuery, NoQuery, NoteBody } from '../schemas.ts';

const listRoute = createRoute({
    method: 'get',
    path: '/v1/alerts',
    summary: 'Alerts and silences of devices, newest beginning first',
    tags: ['alerts'],
    middleware: only('reader'),
    request: { query: AlertsQuery },
    responses: answers(stateAnswers(AlertsBody, 'A page of alerts'), ANY_PROBLEMS),
});

const MAX_NOTE_BYTES = 16 * 1024;

const acknowledgeRoute = createRoute({
    method: 'post',
    path: '/v1/alerts/{id}/acknowledge',
    summary: 'Say that somebody sees to an alert',
    description: 'Safe to repeat. An alert that somebody else has acknowledged, or with another note, is left as it is.',
    tags: ['alerts'],
    middleware: [
        only('reader'),
        bodyLimit({
            maxSize: MAX_NOTE_BYTES,
            onError: () => {
                throw new Problem('too_large', `A note with what is around it has ${MAX_NOTE_BYTES.toLocaleString('en')} bytes at most`);
            },
        }),
    ],
    request: { params: AlertPath, query: NoQuery, body: { required: true, content: { 'application/json': { schema: NoteBody } } } },
    responses: answers({ 200: { description: 'The alert, acknowledged', content: { 'application/json': { schema: AlertBody } } } }, [
        ...ANY_PROBLEMS,
        'bad_request',
        'not_found',
        'taken',
        'too_large',
        'wrong_type',
    ]),
});

/** Adds the routes. */
export function addAlerts(app: ApiApp): void {
    app.openapi(listRoute, async (c) => {
        const { after, ...asked } = c.req.valid('query');
        const place = after === undefined ? undefined : decodeCursor('alerts', ['number', 'string'], after);
        const { answer, version } = await c.env.context.services.alerts({ ...asked, after: place && { beganMs: place[0], id: place[1] } });
        const last = answer.items.at(-1);
        const next = answer.hasMore && last ? nextPage(c, encodeCursor('alerts', [last.began_ms, last.id])) : null;
        return answerState(c, { version, next, write: () => JSON.stringify({ alerts: answer.items.map(alertBody), next }) });
    });

    app.openapi(acknowledgeRoute, async (c) => {
        const { id } = c.req.valid('param');
        const caller = c.get('caller');
        const by = caller.is === 'reader' ? caller.name : '';
        const done = await c.env.context.services.acknowledge({ id, by, note: c.req.valid('json').note });
        if (done.is === 'missing') {
            throw new Problem('not_found', `There is no alert ${id}: GET /v1/alerts lists those that there are`);
        }
        if (done.is === 'taken') {
            const who = done.alert.acknowledged?.by ?? 'somebody';
            throw new Problem('taken', `${who} has acknowledged it before, with another note: GET /v1/alerts shows it`);
        }
        return answerOnce(alertBody(done.alert));
    });
}
