/**
 * An HTTP API of API Gateway on this machine: turns requests into events of payload format 2.0 as it does, asks the authorizer of a route and remembers what that said, and
 * answers by itself what it would. What it does to paths, bodies and headers is what it was seen to do on AWS; docs/deploy.md says what nobody has looked at there yet.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A Lambda: takes an event and gives a result, both as JSON. */
export type Lambda = (event: any) => Promise<any>;

export interface FrontRoute {
    /** `POST /v1/telemetry`, or `ANY /v1/{proxy+}`; the first that fits counts. */
    key: string;
    lambda: Lambda;
    /** Asked with header Authorization, which has to be there. */
    authorizer?: { lambda: Lambda; ttlSeconds: number } | undefined;
}

export interface HttpApiFront {
    url: string;
    /** How often an authorizer was asked. */
    asked(): number;
    close(): Promise<void>;
}

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html */
const MAX_BODY_BYTES = 10 * 1024 * 1024;

/** An event of a Lambda that is waited for: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const MAX_EVENT_BYTES = 6 * 1024 * 1024;

export async function openHttpApiFront({
    routes,
    now = Date.now,
}: {
    routes: readonly FrontRoute[];
    now?: () => number;
}): Promise<HttpApiFront> {
    const remembered = new Map<string, { untilMs: number; answer: any }>();
    let asked = 0;

    /** What the route's authorizer says of the identity, now or a moment ago. A failure is not remembered. */
    async function ask({ key, authorizer }: FrontRoute, { identity, event }: { identity: string; event: any }): Promise<any> {
        const name = `${key} ${identity}`;
        const known = remembered.get(name);
        if (!authorizer || (known && known.untilMs > now())) {
            return known?.answer;
        }
        asked += 1;
        const { body: _body, isBase64Encoded: _isEncoded, ...request } = event;
        const said = await invoke(authorizer.lambda, { ...request, type: 'REQUEST', identitySource: [identity] });
        remembered.set(name, { untilMs: now() + authorizer.ttlSeconds * 1000, answer: said });
        return said;
    }

    async function answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
        const say = (status: number, message: string) => {
            outgoing.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ message }));
        };
        const body = await bodyOf(incoming);
        const [rawPath = '', rawQueryString = ''] = splitUrl(incoming.url ?? '/');
        const route = routes.find(({ key }) => fits(key, { method: incoming.method ?? '', path: rawPath }));
        if (body === undefined) {
            say(413, 'Request Too Long');
            return;
        }
        if (!route) {
            say(404, 'Not Found');
            return;
        }
        const event = eventOf(incoming, { routeKey: route.key, rawPath, rawQueryString, body });
        const identity = incoming.headers.authorization;
        if (route.authorizer && !identity) {
            say(401, 'Unauthorized');
            return;
        }
        if (route.authorizer && identity) {
            try {
                const said = await ask(route, { identity, event });
                if (said.isAuthorized !== true) {
                    say(403, 'Forbidden');
                    return;
                }
                event.requestContext.authorizer = { lambda: said.context };
            } catch {
                say(500, 'Internal Server Error');
                return;
            }
        }
        if (Buffer.byteLength(JSON.stringify(event)) > MAX_EVENT_BYTES) {
            say(413, 'Request Too Long');
            return;
        }
        try {
            const { statusCode, headers, body: answered, isBase64Encoded } = await invoke(route.lambda, event);
            outgoing.writeHead(statusCode, headers);
            outgoing.end(incoming.method === 'HEAD' ? undefined : Buffer.from(answered, isBase64Encoded ? 'base64' : 'utf8'));
        } catch {
            say(500, 'Internal Server Error');
        }
    }

    const server = createServer((incoming, outgoing) => {
        answer(incoming, outgoing).catch(() => outgoing.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    return {
        url: `http://127.0.0.1:${port}`,
        asked: () => asked,
        close: () =>
            new Promise((resolve) => {
                server.closeAllConnections();
                server.close(() => resolve());
            }),
    };
}

/** What goes into a Lambda and comes out of it is JSON. */
async function invoke(lambda: Lambda, event: unknown): Promise<any> {
    return JSON.parse(JSON.stringify(await lambda(JSON.parse(JSON.stringify(event)))));
}

function splitUrl(url: string): [string, string] {
    const at = url.indexOf('?');
    return at < 0 ? [decodePath(url), ''] : [decodePath(url.slice(0, at)), url.slice(at + 1)];
}

/** Every escape is undone, but for that of the percent sign itself. */
function decodePath(path: string): string {
    return path.replace(/(?:%(?!25)[0-9A-Fa-f]{2})+/g, (run) => Buffer.from(run.replaceAll('%', ''), 'hex').toString());
}

function fits(key: string, { method, path }: { method: string; path: string }): boolean {
    const [wanted, pattern = ''] = key.split(' ');
    const isPath = pattern.endsWith('/{proxy+}') ? path.startsWith(pattern.slice(0, -'{proxy+}'.length)) : path === pattern;
    return isPath && (wanted === 'ANY' || wanted === method);
}

/** The body; undefined for one that is too long. */
async function bodyOf(incoming: IncomingMessage): Promise<Buffer | undefined> {
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of incoming) {
        length += chunk.length;
        if (length <= MAX_BODY_BYTES) {
            chunks.push(chunk);
        }
    }
    return length > MAX_BODY_BYTES ? undefined : Buffer.concat(chunks);
}

/** Types whose bodies are handed on as text, unless they are packed. */
const TEXT = /^(?:text\/|application\/(?:json|xml|javascript)$)/;

function eventOf(
    { method, headers, httpVersion }: IncomingMessage,
    { routeKey, rawPath, rawQueryString, body }: { routeKey: string; rawPath: string; rawQueryString: string; body: Buffer },
): any {
    const { host, connection: _, 'transfer-encoding': __, ...others } = headers;
    const domainName = host ?? '';
    const type = (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
    const isBase64Encoded = body.length > 0 && (!TEXT.test(type) || headers['content-encoding'] !== undefined);
    return {
        version: '2.0',
        routeKey,
        rawPath,
        rawQueryString,
        headers: {
            ...Object.fromEntries(Object.entries(others).map(([name, value]) => [name, Array.isArray(value) ? value.join(',') : value])),
            host,
            'content-length': String(body.length),
            'x-amzn-trace-id': 'Root=1-00000000-000000000000000000000000',
            'x-forwarded-for': '192.0.2.1',
            'x-forwarded-port': '443',
            'x-forwarded-proto': 'https',
        },
        requestContext: {
            domainName,
            http: { method, path: rawPath, protocol: `HTTP/${httpVersion}` },
            routeKey,
            stage: '$default',
            authorizer: undefined,
        },
        ...(body.length > 0 && { body: body.toString(isBase64Encoded ? 'base64' : 'utf8') }),
        isBase64Encoded,
    };
}
