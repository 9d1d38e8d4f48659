/**
 * Lets connections into their TLS handshake some at a time, in the order in which they came. A site whose power comes back connects thousands of devices in one
 * second: begun all together, all handshakes would end late, most beyond their time, and each holds memory while it is under way.
 */
import { createServer, type Server, type Socket } from 'node:net';
import type { Server as TlsServer } from 'node:tls';

/** Handshakes that are under way at once. */
const AT_ONCE = 100;

/** A handshake that takes longer goes on, and the next one begins: who connects and says nothing keeps nobody out. */
const HEAD_START_MS = 500;

export interface Entrance {
    /** The server that listens. */
    server: Server;
    /** Ends connections whose handshake has not begun. */
    endWaiting(): void;
}

/** Opens the way to `handshakes`, which itself listens nowhere. */
export function openEntrance(handshakes: TlsServer, { headStartMs = HEAD_START_MS } = {}): Entrance {
    const waiting = new Set<Socket>();
    /** What ends the head start of each handshake that has one, oldest first. */
    const begun = new Map<string, NodeJS.Timeout>();

    function beginNext(): void {
        for (const socket of waiting) {
            if (begun.size >= AT_ONCE) {
                return;
            }
            waiting.delete(socket);
            if (!socket.destroyed) {
                begin(socket);
            }
        }
    }

    function begin(socket: Socket): void {
        const peer = peerOf(socket);
        begun.set(
            peer,
            setTimeout(() => end(peer), headStartMs),
        );
        socket.once('close', () => end(peer));
        handshakes.emit('connection', socket);
    }

    function end(peer: string): void {
        clearTimeout(begun.get(peer));
        if (begun.delete(peer)) {
            beginNext();
        }
    }

    handshakes.on('secureConnection', (socket) => end(peerOf(socket)));
    const server = createServer({ pauseOnConnect: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 }, (socket) => {
        waiting.add(socket);
        // Nobody else listens to it yet, and without a listener its error would end the program.
        socket.on('error', () => undefined);
        socket.once('close', () => waiting.delete(socket));
        beginNext();
    });
    return {
        server,
        endWaiting() {
            for (const socket of waiting) {
                socket.destroy();
            }
        },
    };
}

/** No two connections that are open have the same. */
function peerOf({ remoteAddress, remotePort }: Pick<Socket, 'remoteAddress' | 'remotePort'>): string {
    return `${remoteAddress} ${remotePort}`;
}
