/** GET /v1/devices/{id}/readings: what a device measured, out of the lake. */
import { createRoute } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { csvLine } from '#lake/csv';
import type { Value } from '#lake/query/query-engine';
import { STEPS } from '#lake/telemetry/steps';
import { answerState, chooseType, nextPage } from '../answer.ts';
import { ANY_PROBLEMS, type ApiApp, type ApiEnv, answers, ownOnly, stateAnswers } from '../app.ts';
import { readingRow, rowBody, stepRow } from '../bodies.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import { noDevice, Problem } from '../problem.ts';
import { DevicePath, ReadingsBody, ReadingsQuery, textSchema } from '../schemas.ts';
import type { ReadingsQuestion } from '../services.ts';

const TYPES = ['application/json', 'text/csv'] as const;

const route = createRoute({
    method: 'get',
    path: '/v1/devices/{id}/readings',
    summary: 'What a device measured, newest first: its readings, or steps of time',
    description:
        'Out of the lake: a message is there once it was sealed, a minute after it arrived by default. With `every` a page spans `limit` steps of time, and says something of those ' +
        'that have a reading; it may be an empty one, and a link `next` leads on.',
    tags: ['devices'],
    middleware: ownOnly,
    request: { params: DevicePath, query: ReadingsQuery },
    responses: answers(
        stateAnswers(ReadingsBody, 'A page of readings or steps', {
            'text/csv': { schema: textSchema('The same as CSV with a header line') },
        }),
        [...ANY_PROBLEMS, 'not_found'],
    ),
});

/** Adds the route. */
export function addReadings(app: ApiApp): void {
    app.openapi(route, async (c) => {
        const { id } = c.req.valid('param');
        const { metric, site, from, to, every, after, limit } = c.req.valid('query');
        if (from !== undefined && to !== undefined && from >= to) {
            throw wrongParameter('from', 'It is not before `to`.');
        }
        const question = { device: id, metric, site, fromMs: from, toMs: to };
        const stepMs = every === undefined ? undefined : STEPS.get(every);
        return stepMs === undefined ? listReadings(c, { question, after, limit }) : listSteps(c, { question, stepMs, after, limit });
    });
}

interface Asked {
    question: ReadingsQuestion;
    after: string | undefined;
    limit: number;
}

async function listReadings(c: Context<ApiEnv>, { question, after, limit }: Asked): Promise<Response> {
    const type = chooseType(c.req.header('accept'), TYPES);
    const place = after === undefined ? undefined : decodeCursor('readings', ['number', 'string', 'string', 'string'], after);
    const found = await c.env.context.services.readings({
        ...question,
        limit,
        after: place && { atMs: place[0], metric: place[1], message: place[2], site: place[3] },
    });
    if (!found) {
        throw noDevice(question.device);
    }
    const { answer, version } = found;
    const last = answer.items.at(-1);
    const next = answer.hasMore && last ? nextPage(c, encodeCursor('readings', [last.atMs, last.metric, last.message, last.site])) : null;
    const rows = () => answer.items.map(readingRow);
    const write = () => (type === 'text/csv' ? toCsv(READING_COLUMNS, rows()) : JSON.stringify({ readings: rows().map(rowBody), next }));
    return answerState(c, { version, type, next, write });
}

async function listSteps(c: Context<ApiEnv>, { question, stepMs, after, limit }: Asked & { stepMs: number }): Promise<Response> {
    const type = chooseType(c.req.header('accept'), TYPES);
    const { fromMs, toMs = c.env.context.now() } = question;
    if (fromMs === undefined) {
        throw wrongParameter('from', 'With `every` a beginning is needed: `from=2026-01-05`.');
    }
    // A page ends where the one before began.
    const endMs = after === undefined ? toMs : Math.min(toMs, decodeCursor('steps', ['number'], after)[0]);
    const firstStepMs = (Math.ceil(endMs / stepMs) - limit) * stepMs;
    const pageFromMs = Math.max(fromMs, firstStepMs);
    const found = await c.env.context.services.steps({ ...question, fromMs: pageFromMs, toMs: endMs, stepMs });
    if (!found) {
        throw noDevice(question.device);
    }
    const next = pageFromMs > fromMs ? nextPage(c, encodeCursor('steps', [pageFromMs])) : null;
    const rows = () => found.answer.map(stepRow);
    const write = () => (type === 'text/csv' ? toCsv(STEP_COLUMNS, rows()) : JSON.stringify({ steps: rows().map(rowBody), next }));
    return answerState(c, { version: found.version, type, next, write });
}

const READING_COLUMNS = ['site', 'device', 'metric', 'at_ms', 'value', 'text', 'clock', 'received_ms', 'message', 'copies'] as const;

const STEP_COLUMNS = ['site', 'device', 'metric', 'from_ms', 'n', 'min', 'max', 'mean'] as const;

function toCsv<const C extends string>(columns: readonly C[], rows: readonly Readonly<Record<C, Value>>[]): string {
    return [columns, ...rows.map((row) => columns.map((column) => row[column]))].map(csvLine).join('');
}

function wrongParameter(name: string, detail: string): Problem {
    return new Problem('bad_parameter', `${name}: ${detail}`, { parameters: [{ in: 'query', name, detail }] });
}
