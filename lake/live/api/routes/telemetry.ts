/** POST /v1/telemetry: messages of a device. */
import { createRoute, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { StorageError } from '#lake/errors';
import { MAX_PAYLOAD_BYTES } from '#lake/live/inbox';
import { answerOnce } from '../answer.ts';
import { ANY_PROBLEMS, type ApiApp, type ApiEnv, answers, only } from '../app.ts';
import { readBody } from '../body.ts';
import { BODY_TYPES, type Cut, cutMessages } from '../cut-messages.ts';
import { keptHeaders } from '../kept-headers.ts';
import { Problem } from '../problem.ts';
import { type RejectReason, TakenBody, TelemetryQuery } from '../schemas.ts';
import type { ArrivedMessage } from '../services.ts';

const MAX_BODY_BYTES = 1024 * 1024;

const MAX_MESSAGES = 10_000;

const anyBody = z.any().openapi({ description: 'Whatever the device’s profile reads' });

const route = createRoute({
    method: 'post',
    path: '/v1/telemetry',
    summary: 'Send messages of the device whose token it is',
    description:
        'One message, a JSON array of messages, or one a line (NDJSON). The answer comes once they are stored durably; then they will not be lost. Messages of one request are ' +
        'stored in their order. A request may be sent again: repeats become one reading in the lake.',
    tags: ['telemetry'],
    middleware: only('device'),
    request: {
        query: TelemetryQuery,
        body: { required: true, content: Object.fromEntries(Object.keys(BODY_TYPES).map((type) => [type, { schema: anyBody }])) },
    },
    responses: answers(
        { 200: { description: 'What was taken, and what was not', content: { 'application/json': { schema: TakenBody } } } },
        [...ANY_PROBLEMS, 'bad_request', 'too_large', 'wrong_type', 'too_many', 'headers_too_large'],
    ),
});

/** Adds the route. */
export function addTelemetry(app: ApiApp): void {
    // The body is read by the handler: a validator would parse numbers.
    const { request, ...rest } = route;
    app.openAPIRegistry.registerPath(route);
    app.openapi({ ...rest, request: { query: request.query }, hide: true }, async (c) => {
        const { limiter, onTheirWay } = c.env.context;
        const caller = c.get('caller');
        const device = caller.is === 'device' ? caller.device : '';
        const waitMs = limiter.waitMs(device);
        if (waitMs > 0) {
            throw tooMany(waitMs);
        }
        const answer = await onTheirWay.run(device, () => takeRequest(c, { device, topic: c.req.valid('query').topic }));
        if (!answer) {
            throw tooMany(0);
        }
        return answer;
    });
}

async function takeRequest(c: Context<ApiEnv>, { device, topic }: { device: string; topic: string | undefined }): Promise<Response> {
    const { services, limiter } = c.env.context;
    // One is paid for whatever becomes of it, the others once they are known.
    limiter.take(device, 1);
    const cut = cutOf(c.req.header('content-type'));
    const headers = keptHeaders(c.req.raw.headers);
    const payloads = payloadsOf(await readBody(c.req.raw, { maxBytes: MAX_BODY_BYTES }), cut);
    limiter.take(device, Math.max(0, payloads.length - 1));

    const rejected: { index: number; reason: RejectReason; detail: string }[] = [];
    const fitting: number[] = [];
    const messages: ArrivedMessage[] = [];
    payloads.forEach((payload, index) => {
        if (payload.length > MAX_PAYLOAD_BYTES) {
            rejected.push({ index, reason: 'too_large', detail: sayTooLarge(payload) });
        } else {
            fitting.push(index);
            messages.push({ payload, topic, headers });
        }
    });
    const taken = messages.length === 0 ? [] : await services.accept(device, messages);
    if (taken.length !== messages.length) {
        throw new Error(`${messages.length} messages were to be stored, and of ${taken.length} it was told what became of them`);
    }
    const [first] = taken;
    if (first?.is === 'not_stored' && taken.every(({ is }) => is === 'not_stored')) {
        throw new StorageError(first.why);
    }
    taken.forEach((one, at) => {
        if (one.is !== 'stored') {
            rejected.push({ index: fitting[at] ?? at, reason: one.is, detail: one.why });
        }
    });
    rejected.sort((a, b) => a.index - b.index);
    return answerOnce({ accepted: payloads.length - rejected.length, rejected });
}

/** @throws Problem for a type that is not taken */
function cutOf(contentType: string | undefined): Cut {
    const [type = '', ...parameters] = (contentType ?? '').split(';').map((part) => part.trim().toLowerCase());
    const cut = Object.hasOwn(BODY_TYPES, type) ? BODY_TYPES[type] : undefined;
    if (cut === undefined) {
        const found = contentType === undefined ? 'Header Content-Type is missing' : `Content-Type ${type} is not taken`;
        throw new Problem(
            'wrong_type',
            `${found}: say application/json for one message or an array of them, application/x-ndjson for one a line, application/octet-stream for any bytes as one message`,
            { headers: { 'accept-post': Object.keys(BODY_TYPES).join(', ') } },
        );
    }
    const charset = parameters.find((parameter) => parameter.startsWith('charset='))?.slice('charset='.length);
    if (cut !== 'one' && charset !== undefined && !['utf-8', '"utf-8"', 'us-ascii'].includes(charset)) {
        throw new Problem('wrong_type', `JSON is UTF-8, not ${charset}`);
    }
    return cut;
}

/** @throws Problem for a body that cannot be cut, one message that is too large, or too many of them */
function payloadsOf(body: Buffer, cut: Cut): Buffer[] {
    const found = cutMessages(body, { cut, maxMessages: MAX_MESSAGES });
    if ('why' in found) {
        throw new Problem('bad_request', `The body cannot be cut into messages: ${found.why}. Nothing of it was taken`);
    }
    const { messages } = found;
    const [first] = messages;
    if (messages.length > MAX_MESSAGES) {
        throw new Problem('too_large', `A request has ${MAX_MESSAGES.toLocaleString('en')} messages at most. Nothing of it was taken`);
    }
    if (messages.length === 1 && first && first.length > MAX_PAYLOAD_BYTES) {
        throw new Problem(
            'too_large',
            `${sayTooLarge(first)}. An array of messages is of type application/json, lines of application/x-ndjson`,
        );
    }
    return messages;
}

function sayTooLarge({ length }: Buffer): string {
    return `The message has ${length.toLocaleString('en')} bytes, and ${MAX_PAYLOAD_BYTES.toLocaleString('en')} are taken`;
}

function tooMany(waitMs: number): Problem {
    const seconds = Math.max(1, Math.ceil(waitMs / 1000));
    return new Problem('too_many', `This device sent more messages than it may: go on in ${seconds} s`, {
        headers: { 'retry-after': String(seconds) },
    });
}
