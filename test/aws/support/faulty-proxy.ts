/** What stands between the SDK and the local cloud: counts requests, and lets some of them fail as networks and services do. */
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';

export interface Seen {
    method: string;
    /** Path and query. */
    url: string;
    headers: IncomingMessage['headers'];
    bodyBytes: number;
}

/** What happens to a request: it goes through, is answered with a status, or its answer breaks off in the middle. */
export type Fault = { status: number; code: string } | 'cut the answer' | 'lose the answer' | undefined;

export interface FaultyProxy {
    endpoint: string;
    /** Every request so far, in order. */
    seen: Seen[];
    close(): Promise<void>;
}

/** A proxy before `target`. `faultOf` decides on each request as it comes. */
export async function startFaultyProxy(target: string, faultOf: (seen: Seen) => Fault): Promise<FaultyProxy> {
    const seen: Seen[] = [];
    const server = createServer(async (incoming, answer) => {
        const body: Buffer[] = [];
        for await (const chunk of incoming) {
            body.push(chunk);
        }
        const bytes = Buffer.concat(body);
        const now = { method: incoming.method ?? '', url: incoming.url ?? '', headers: incoming.headers, bodyBytes: bytes.length };
        seen.push(now);
        const fault = faultOf(now);
        if (typeof fault === 'object') {
            answer.writeHead(fault.status, { 'content-type': 'application/xml' });
            answer.end(`<?xml version="1.0"?><Error><Code>${fault.code}</Code><Message>as the test wants it</Message></Error>`);
            return;
        }
        forward(target, { incoming, bytes, answer, fault });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    return {
        endpoint: `http://127.0.0.1:${port}`,
        seen,
        close: () =>
            new Promise((resolve) => {
                server.closeAllConnections();
                server.close(() => resolve());
            }),
    };
}

function forward(
    target: string,
    { incoming, bytes, answer, fault }: { incoming: IncomingMessage; bytes: Buffer; answer: ServerResponse; fault: Fault },
): void {
    const onward = request(`${target}${incoming.url}`, { method: incoming.method, headers: incoming.headers }, async (reply) => {
        const parts: Buffer[] = [];
        for await (const chunk of reply) {
            parts.push(chunk);
        }
        const whole = Buffer.concat(parts);
        if (fault === 'lose the answer') {
            answer.destroy();
            return;
        }
        answer.writeHead(reply.statusCode ?? 500, reply.headers);
        if (fault === 'cut the answer') {
            answer.write(whole.subarray(0, whole.length / 2), () => answer.destroy());
            return;
        }
        answer.end(whole);
    });
    onward.on('error', () => answer.destroy());
    onward.end(bytes);
}
