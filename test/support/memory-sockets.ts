/** WebSocket connections in memory, as API Gateway has them: what each was sent, and which are gone or slow. */
import type { Posted, SocketPost } from '#lake/cloud/socket-post';

export interface Received {
    id: string;
    event: string;
    data: any;
}

export class MemorySockets implements SocketPost {
    /** Messages by connection, as they were sent. */
    readonly sent = new Map<string, string[]>();
    /** Connections that answer otherwise. */
    readonly fates = new Map<string, Exclude<Posted, 'sent'>>();
    readonly disconnected: string[] = [];
    /** Waited for before each message. */
    pause: () => Promise<void> = async () => {};

    async post(id: string, text: string): Promise<Posted> {
        await this.pause();
        const fate = this.fates.get(id);
        if (fate) {
            return fate;
        }
        if (Buffer.byteLength(text) > 128 * 1024) {
            throw new Error('A message of more than 128 KB');
        }
        this.sent.set(id, [...(this.sent.get(id) ?? []), text]);
        return 'sent';
    }

    async disconnect(id: string): Promise<void> {
        this.disconnected.push(id);
    }

    /** What the connection was told, one after the other. */
    received(id: string): Received[] {
        return (this.sent.get(id) ?? []).flatMap((text) => JSON.parse(text));
    }
}
