/** What SQS promises of a message and no more: it is delivered until one delivery of it ends well, perhaps several times at once. */

export interface Message {
    /** Raw key or day. */
    readonly subject: string;
    /** Deliveries that are under way. */
    deliveries: number;
    /** Whether a delivery has ended well. It is deleted then: whoever has it still may die, and nobody is told again. */
    isDone: boolean;
}

/** `isDone`: one that was done with long ago, and is delivered all the same. */
export function messageOf(subject: string, { isDone = false }: { isDone?: boolean } = {}): Message {
    return { subject, deliveries: 0, isDone };
}

/** A delivery ended well: the message is deleted, also where it waits to be delivered again. */
export function endWell(message: Message, queue: Message[]): void {
    message.deliveries -= 1;
    message.isDone = true;
    if (queue.includes(message)) {
        queue.splice(queue.indexOf(message), 1);
    }
}

/** A delivery died: the message comes back if that was the last one, and none has ended well. */
export function endBadly(message: Message, queue: Message[]): void {
    message.deliveries -= 1;
    if (!message.isDone && message.deliveries === 0 && !queue.includes(message)) {
        queue.push(message);
    }
}
