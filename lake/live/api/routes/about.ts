/** What anybody may ask: how it goes, and what can be asked. */
import { createRoute } from '@hono/zod-openapi';
import { answerOnce, answerState } from '../answer.ts';
import { type ApiApp, answers } from '../app.ts';
import { documentOf } from '../document.ts';
import { HealthBody, NoQuery } from '../schemas.ts';

const healthRoute = createRoute({
    method: 'get',
    path: '/v1/health',
    summary: 'Whether messages are taken and seen',
    tags: ['about'],
    security: [],
    request: { query: NoQuery },
    responses: answers(
        {
            200: { description: 'Messages are taken', content: { 'application/json': { schema: HealthBody } } },
            503: { description: 'Messages are not taken', content: { 'application/json': { schema: HealthBody } } },
        },
        ['bad_parameter', 'broken'],
    ),
});

const documentRoute = createRoute({
    method: 'get',
    path: '/v1/openapi.json',
    summary: 'This document',
    tags: ['about'],
    security: [],
    request: { query: NoQuery },
    responses: answers(
        { 200: { description: 'OpenAPI 3.1', content: { 'application/json': {} as never } }, 304: { description: 'Nothing has changed' } },
        ['bad_parameter'],
    ),
});

/** Adds the routes. The document is that of the routes that the app has when it is first asked for. */
export function addAbout(app: ApiApp): void {
    app.openapi(healthRoute, async (c) => {
        const { isTaking, isPipelineLate } = await c.env.context.services.health();
        const status = !isTaking ? 'not_taking' : isPipelineLate ? 'pipeline_late' : 'ok';
        return answerOnce({ status }, { status: isTaking ? 200 : 503 });
    });
    let document: string | undefined;
    app.openapi(documentRoute, (c) => {
        document ??= JSON.stringify(documentOf(app));
        const text = document;
        return answerState(c, { version: undefined, write: () => text });
    });
}
