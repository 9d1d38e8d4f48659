/** The HTTP server of one machine: carries requests to the API and its answers back, over loopback unless told otherwise, with bounds for whoever is slow. */
import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse, STATUS_CODES } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, isIPv4, isIPv6, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type SecureContextOptions, TLSSocket, Server as TlsServer } from 'node:tls';
import { getRequestListener } from '@hono/node-server';
import type { Connection } from '#lake/live/api/app';
import { PROBLEMS, Problem, type ProblemName } from '#lake/live/api/problem';
import type { Caller } from '#lake/live/api/services';
import { whyNotListening } from './listening.ts';

export interface HttpServerOptions {
    /** Address to listen on. */
    host?: string;
    /** 0 for any free one. */
    port: number;
    /** The option that chooses the port, for what is said where it is taken. */
    portFlag?: '--http-port' | '--port';
    fetch(request: Request, connection: Connection): Promise<Response>;
    tls?: HttpTls | undefined;
    /**
     * Names by which clients may call this server, beside those of loopback; undefined: whatever they call it, where it does not listen on loopback alone. A page of the web
     * can have a name of its own lead to this machine (DNS rebinding), and comes to nothing by this.
     */
    names?: readonly string[] | undefined;
    /** Called when the server closes, before it waits for answers that are on their way: end those that have no end. */
    onClosing?: () => void;
    /** Called for each connection that is refused because so many are open. */
    onFull?: (most: number) => void;
    limits?: Partial<HttpLimits>;
}

export interface HttpTls {
    /** PEM. */
    key: string;
    cert: string;
    /** Certificates that those of clients must come from. */
    ca?: string;
    /** Who has the client certificate with that fingerprint, SHA-256 in hex digits of lower case; left out where none are asked for. */
    callerOf?: (fingerprint: string) => Promise<Caller | undefined>;
}

export interface HttpLimits {
    maxConnections: number;
    maxHeaderBytes: number;
    /** Until the headers of a request are there, and until all of it is. */
    headersMs: number;
    requestMs: number;
    /** A connection on which nothing moves for so long is closed: also that of a client that does not read what it asked for. */
    stillMs: number;
    /** A connection may wait so long for its next request. */
    keepAliveMs: number;
    /** Answers on their way have so long when the server closes. */
    closeMs: number;
}

const LIMITS: HttpLimits = {
    maxConnections: 2000,
    maxHeaderBytes: 16 * 1024,
    headersMs: 10_000,
    requestMs: 30_000,
    stillMs: 120_000,
    keepAliveMs: 75_000,
    closeMs: 10_000,
};

export interface HttpServer {
    /** The address to ask, `http://127.0.0.1:8080`. */
    url: string;
    port: number;
    /** Takes another certificate of the server: connections that are open stay. Nothing over plain HTTP. */
    useCertificate(certificate: Pick<HttpTls, 'key' | 'cert'>): void;
    /** Takes no more requests, and waits for answers that are on their way. Safe to call twice. */
    close(): Promise<void>;
}

/** Listens. @throws UsageError where the address cannot be had, with what to do */
export async function openHttpServer(options: HttpServerOptions): Promise<HttpServer> {
    const { host = '127.0.0.1', port, portFlag = '--http-port', tls, onClosing = () => {}, onFull } = options;
    const limits = { ...LIMITS, ...options.limits };
    const isCalledRightly = nameCheck({ host, names: options.names });
    let isClosing = false;
    const answer = getRequestListener(
        // Never rejects: the API answers its own faults.
        async (request, { incoming }) => {
            if (namesOf(incoming).length !== 1) {
                return new Problem('bad_request', 'A request has one header Host').toResponse();
            }
            if (!isCalledRightly(incoming.headers.host)) {
                return new Problem(
                    'misdirected',
                    `This server is not called ${incoming.headers.host ?? ''}: call it by its own name, or start it with --name`,
                ).toResponse();
            }
            return options.fetch(request, { caller: await callerOf(incoming as IncomingMessage, tls) });
        },
        {
            overrideGlobalObjects: false,
            errorHandler: () => new Problem('bad_request', 'The request’s address or Host cannot be read').toResponse(),
        },
    );
    /** All connections; those that may ask, which of TLS are those with its handshake behind them; and those of them on which an answer is on its way. */
    const [connections, asking, busy] = [new Set<Socket>(), new Set<Socket>(), new Set<Socket>()];
    const listener = (incoming: IncomingMessage, outgoing: ServerResponse) => {
        const { socket } = incoming;
        busy.add(socket);
        outgoing.once('close', () => {
            busy.delete(socket);
            if (isClosing) {
                socket.end();
            }
        });
        void answer(incoming, outgoing);
    };
    const server = createServerOf(listener, { tls, limits });
    server.maxConnections = limits.maxConnections;
    server.on('drop', () => onFull?.(limits.maxConnections));
    server.timeout = limits.stillMs;
    server.on('clientError', answerUnreadable);
    server.on('connection', (socket: Socket) => keepWhileOpen(connections, socket));
    server.on(tls ? 'secureConnection' : 'connection', (socket: Socket) => keepWhileOpen(asking, socket));
    await listen(server, { host, port, flag: portFlag });
    const { port: actual } = server.address() as AddressInfo;

    let closed: Promise<void> | undefined;
    const close = () => {
        closed ??= new Promise((resolve) => {
            isClosing = true;
            const timer = setTimeout(() => destroyAll(connections), limits.closeMs);
            server.close(() => {
                clearTimeout(timer);
                resolve();
            });
            onClosing();
            // Node's own closing leaves connections alone that have not asked for anything yet.
            destroyAll([...asking].filter((socket) => !busy.has(socket)));
        });
        return closed;
    };
    const useCertificate = (certificate: Pick<HttpTls, 'key' | 'cert'>): void => {
        if (tls && server instanceof TlsServer) {
            server.setSecureContext(contextOf({ ...tls, ...certificate }));
        }
    };
    return { url: `${tls ? 'https' : 'http'}://${isIPv6(host) ? `[${host}]` : host}:${actual}`, port: actual, useCertificate, close };
}

function keepWhileOpen(sockets: Set<Socket>, socket: Socket): void {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
}

function destroyAll(sockets: Iterable<Socket>): void {
    for (const socket of sockets) {
        socket.destroy();
    }
}

type Listener = (incoming: IncomingMessage, outgoing: ServerResponse) => void;

function createServerOf(listener: Listener, { tls, limits }: { tls: HttpTls | undefined; limits: HttpLimits }): Server {
    const settings: ServerOptions = {
        maxHeaderSize: limits.maxHeaderBytes,
        headersTimeout: limits.headersMs,
        requestTimeout: limits.requestMs,
        keepAliveTimeout: limits.keepAliveMs,
        // How often it is looked for requests that take too long; half a minute where nothing is said.
        connectionsCheckingInterval: Math.min(2000, limits.headersMs),
    };
    if (!tls) {
        return createServer(settings, listener);
    }
    return createTlsServer(
        {
            ...settings,
            ...contextOf(tls),
            handshakeTimeout: limits.headersMs,
            requestCert: tls.callerOf !== undefined,
            // A client without a certificate has a token. A certificate that is not sound counts for nothing.
            rejectUnauthorized: false,
        },
        listener,
    );
}

function contextOf({ key, cert, ca }: HttpTls): SecureContextOptions {
    return { key, cert, ...(ca !== undefined && { ca }), minVersion: 'TLSv1.2' };
}

async function callerOf({ socket }: IncomingMessage, tls: HttpTls | undefined): Promise<Caller | undefined> {
    if (!tls?.callerOf || !(socket instanceof TLSSocket) || !socket.authorized) {
        return undefined;
    }
    // Asked for each request: a certificate may have been revoked since the connection began.
    return tls.callerOf(socket.getPeerCertificate().fingerprint256.replaceAll(':', '').toLowerCase());
}

/** @throws UsageError */
function listen(server: Server, place: Parameters<typeof whyNotListening>[1]): Promise<void> {
    return new Promise((resolve, reject) => {
        server.once('error', (error: NodeJS.ErrnoException) => reject(whyNotListening(error, place)));
        server.listen({ host: place.host, port: place.port }, resolve);
    });
}

/** What a request says in headers Host. Node takes the first of several, and some proxy may have looked at another one. */
function namesOf({ rawHeaders }: { rawHeaders: readonly string[] }): string[] {
    return rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === 'host');
}

/** True for names that a client may call this server by. */
function nameCheck({ host, names }: { host: string; names: readonly string[] | undefined }): (called: string | undefined) => boolean {
    if (names === undefined && !isLoopback(host)) {
        return () => true;
    }
    const known = new Set((names ?? []).map((name) => name.toLowerCase()));
    return (called) => {
        const name = (called ?? '').replace(/:\d+$/, '').toLowerCase();
        return isLoopback(name.replace(/^\[(.*)\]$/, '$1')) || known.has(name);
    };
}

function isLoopback(name: string): boolean {
    return name === 'localhost' || name === '::1' || (isIPv4(name) && name.startsWith('127.'));
}

/** Answers what is no HTTP, or took too long, as far as anybody is there to read it. */
function answerUnreadable(error: NodeJS.ErrnoException, socket: Duplex): void {
    // Behind a handshake that failed nothing can be written, and nothing would end the connection.
    if (!socket.writable || error.code === 'ECONNRESET' || error.code === 'ERR_TLS_HANDSHAKE_TIMEOUT') {
        socket.destroy();
        return;
    }
    const [name, detail]: [ProblemName, string] =
        error.code === 'HPE_HEADER_OVERFLOW'
            ? ['headers_too_large', 'The headers are larger than this server takes']
            : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
              ? ['timeout', 'The request did not come in time']
              : ['bad_request', 'This is no sound HTTP'];
    const { status } = PROBLEMS[name];
    const body = new Problem(name, detail).toText();
    socket.end(
        `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/problem+json\r\nconnection: close\r\n` +
            `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
}
