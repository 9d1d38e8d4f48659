/**
 * Requests and answers as an HTTP API of API Gateway hands them to a Lambda and takes them back, payload format 2.0:
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 */
import { Problem } from '#lake/live/api/problem';

/** What is read of an event. API Gateway sends more. */
export interface HttpEvent {
    /** The path with its percent-encoding undone: `%2F` has become a slash. */
    rawPath: string;
    /** The question, encoded as it was sent. */
    rawQueryString: string;
    /** Names in lower case; several headers of one name are joined with commas. */
    headers: Readonly<Record<string, string | undefined>>;
    body?: string | undefined;
    isBase64Encoded: boolean;
    requestContext: { domainName: string; http: { method: string } };
}

export interface HttpResult {
    statusCode: number;
    headers: Record<string, string>;
    body: string;
    isBase64Encoded: boolean;
}

/** The request of the web that the event tells of. @throws Problem where it is none, or where API Gateway changed its body */
export function requestOf(event: HttpEvent): Request {
    const { rawPath, rawQueryString, headers, requestContext } = event;
    const { method } = requestContext.http;
    const query = rawQueryString === '' ? '' : `?${rawQueryString}`;
    const body = method === 'GET' || method === 'HEAD' ? undefined : bodyOf(event);
    try {
        return new Request(`https://${requestContext.domainName}${encodePath(rawPath)}${query}`, {
            method,
            headers: Object.entries(headers).flatMap(([name, value]): [string, string][] => (value === undefined ? [] : [[name, value]])),
            ...(body && body.length > 0 && { body }),
        });
    } catch (error) {
        throw isUnusable(error) ? new Problem('bad_request', 'The request’s address or headers cannot be read') : error;
    }
}

/** True for what `new Request` and `encodeURIComponent` throw. */
function isUnusable(error: unknown): boolean {
    return error instanceof Error && ['TypeError', 'URIError'].includes(error.name);
}

/** The answer as API Gateway takes it. All answers are text. @throws Problem for one that is larger than a Lambda may give */
async function resultOf(response: Response): Promise<HttpResult> {
    const body = await response.text();
    // JSON around it escapes quotes: a body of JSON grows by less than its half.
    if (Buffer.byteLength(JSON.stringify(body)) > MAX_RESULT_BYTES) {
        const detail = 'The page is larger than the 6 MB that can be answered at once: ask for fewer.';
        throw new Problem('bad_parameter', `limit: ${detail}`, { parameters: [{ in: 'query', name: 'limit', detail }] });
    }
    return { statusCode: response.status, headers: Object.fromEntries(response.headers), body, isBase64Encoded: false };
}

/** A Lambda answers 6 MB at most, with what is around the body: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const MAX_RESULT_BYTES = 6 * 1024 * 1024 - 64 * 1024;

/** Answers a request that came as an event. @throws what `answer` throws, but for problems */
export async function answerEvent(event: HttpEvent, answer: (request: Request) => Promise<Response>): Promise<HttpResult> {
    try {
        return await resultOf(await answer(requestOf(event)));
    } catch (error) {
        if (error instanceof Problem) {
            return resultOf(error.toResponse());
        }
        throw error;
    }
}

/**
 * The body's bytes. API Gateway decodes what says that it is text or JSON as UTF-8, and what is none becomes another text without a word; its length tells.
 * @throws Problem where the bytes are not those that were sent
 */
function bodyOf({ body = '', isBase64Encoded, headers }: HttpEvent): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8'));
    const sentBytes = headers['content-length'];
    if (!isBase64Encoded && sentBytes !== undefined && Number(sentBytes) !== bytes.length) {
        throw new Problem(
            'bad_request',
            'The body says that it is text, and is no UTF-8: its bytes were lost on the way. Send packed bodies as application/x-ndjson, and other bytes as application/octet-stream',
        );
    }
    return bytes;
}

/** The addresses of which a part may be anything: the id, and what stands behind it. */
const WITH_ID = /^(\/v1\/devices\/|\/v1\/alerts\/)(.*?)((?:\/readings|\/acknowledge)?)$/s;

/** The path with its encoding, which API Gateway has undone: what a client wrote as `a%2Fb` is one part of it again. */
function encodePath(path: string): string {
    const [, before = '', id = '', behind = ''] = WITH_ID.exec(path) ?? [];
    return before === '' ? path.split('/').map(encodePart).join('/') : `${before}${encodePart(id)}${behind}`;
}

/** API Gateway leaves `%25` alone as it is. */
function encodePart(part: string): string {
    return encodeURIComponent(part.replaceAll('%25', '%'));
}
