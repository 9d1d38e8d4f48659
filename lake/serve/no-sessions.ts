/**
 * What the broker keeps of sessions beyond a connection: nothing. Every connection begins a new session (CONNACK says so), no message is retained, none waits
 * for a device that is away, and so no client fills the memory with what nobody fetches. Of QoS 2 the ids are kept that are half acknowledged. This is the
 * interface of aedes-persistence, as far as the broker calls it.
 */
import { Readable } from 'node:stream';

interface Session {
    id: string;
}

interface WithId {
    messageId?: number;
}

export class NoSessions {
    /** Ids of messages of QoS 2 that wait for their PUBREL, by session. */
    readonly #incoming = new Map<string, Set<number>>();

    async setup(): Promise<void> {}

    async storeRetained(): Promise<void> {}

    createRetainedStreamCombi(): Readable {
        return Readable.from([]);
    }

    async addSubscriptions(): Promise<void> {}

    async removeSubscriptions(): Promise<void> {}

    async cleanSubscriptions(): Promise<void> {}

    async subscriptionsByClient(): Promise<unknown[]> {
        return [];
    }

    async subscriptionsByTopic(): Promise<unknown[]> {
        return [];
    }

    async outgoingEnqueueCombi(): Promise<void> {}

    async outgoingUpdate(): Promise<void> {}

    async outgoingClearMessageId(): Promise<void> {}

    outgoingStream(): Readable {
        return Readable.from([]);
    }

    async incomingStorePacket({ id }: Session, { messageId = 0 }: WithId): Promise<void> {
        const ids = this.#incoming.get(id) ?? new Set();
        this.#incoming.set(id, ids.add(messageId));
    }

    async incomingGetPacket({ id }: Session, { messageId = 0 }: WithId): Promise<WithId> {
        if (!this.#incoming.get(id)?.has(messageId)) {
            throw new Error('no such packet');
        }
        return { messageId };
    }

    async incomingDelPacket({ id }: Session, { messageId = 0 }: WithId): Promise<void> {
        this.#incoming.get(id)?.delete(messageId);
    }

    async cleanIncoming({ id }: Session): Promise<void> {
        this.#incoming.delete(id);
    }

    // Wills stand with their connections.
    async putWill(): Promise<void> {}

    async delWill(): Promise<void> {}

    streamWill(): Readable {
        return Readable.from([]);
    }
}
