/** What stands between the SDK and the local cloud: counts requests, and lets some of them fail as networks and services do. */
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';

export interface Seen {
    method: string;
    /** Path and query. */
    url: string;
    headers: IncomingMessage['headers'];
    bodyBytes: number;
    /** The client's end of the connection: it tells which process asks. */
    port: number;
}

/**
 * What happens to a request: it goes through, is answered with a status, never arrives, or its answer is lost or breaks off in the
 * middle. `afterwards` is called once it was done, and then its answer is lost.
 */
export type Fault =
    | { status: number; code: string }
    | { afterwards: () => void }
    | 'cut the answer'
    | 'lose the answer'
    | 'lose the request'
    | undefined;

export interface FaultyProxy {
    endpoint: string;
    /** Every request so far, in order. */
    seen: Seen[];
    close(): Promise<void>;
}

/** A proxy before `target`. `faultOf` decides on each request as it comes; of one that goes through, `rewrite` gives the body to send on. */
export async function startFaultyProxy(
    target: string,
    faultOf: (seen: Seen, body: Buffer) => Fault | Promise<Fault>,
    { rewrite = (_, body) => body }: { rewrite?: (seen: Seen, body: Buffer) => Buffer } = {},
): Promise<FaultyProxy> {
    const seen: Seen[] = [];
    const server = createServer(async (incoming, answer) => {
        const bytes = await readWhole(incoming);
        if (bytes === undefined) {
            return;
        }
        const { method = '', url = '', headers } = incoming;
        const now = { method, url, headers, bodyBytes: bytes.length, port: incoming.socket.remotePort ?? 0 };
        seen.push(now);
        const fault = await faultOf(now, bytes);
        if (fault === 'lose the request') {
            answer.destroy();
            return;
        }
        if (typeof fault === 'object' && 'status' in fault) {
            // SQS speaks JSON, and says by this header what it is asked for.
            const isJson = headers['x-amz-target'] !== undefined;
            answer.writeHead(fault.status, { 'content-type': isJson ? 'application/x-amz-json-1.0' : 'application/xml' });
            answer.end(isJson ? JSON.stringify({ __type: fault.code, message: MESSAGE }) : errorXml(fault.code));
            return;
        }
        forward(target, { incoming, bytes: rewrite(now, bytes), answer, fault });
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

const MESSAGE = 'as the test wants it';

function errorXml(code: string): string {
    return `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${MESSAGE}</Message></Error>`;
}

/** The body; undefined where whoever sent it went away in the middle. */
async function readWhole(incoming: IncomingMessage): Promise<Buffer | undefined> {
    const body: Buffer[] = [];
    try {
        for await (const chunk of incoming) {
            body.push(chunk);
        }
        return Buffer.concat(body);
    } catch {
        return undefined;
    }
}

function forward(
    target: string,
    { incoming, bytes, answer, fault }: { incoming: IncomingMessage; bytes: Buffer; answer: ServerResponse; fault: Fault },
): void {
    const { method, url, headers: asSent } = incoming;
    const headers = { ...asSent, ...(asSent['content-length'] !== undefined && { 'content-length': String(bytes.length) }) };
    const onward = request(`${target}${url}`, { method, headers }, async (reply) => {
        const whole = await readWhole(reply);
        if (typeof fault === 'object' && 'afterwards' in fault) {
            fault.afterwards();
        }
        if (whole === undefined || fault === 'lose the answer' || typeof fault === 'object') {
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
