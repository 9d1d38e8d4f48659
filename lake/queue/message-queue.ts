/**
 * The port to a queue between workers. It promises what SQS promises and no more: each message is handed out at least once, in any order
 * (in order within a group where the queue has groups), and comes back when it was not deleted in time.
 */

export interface Message {
    body: string;
    /** One group is worked on by one worker at a time. Required where the queue has groups, not allowed where it has none. */
    group?: string | undefined;
    /**
     * A message with the id of one that the queue took less than five minutes ago is dropped, whatever has become of that one; only where the queue
     * has groups. Default: an id of its own, so that nothing is dropped.
     */
    deduplicationId?: string | undefined;
}

export interface ReceivedMessage extends Omit<Message, 'deduplicationId'> {
    /** Stays the same each time the message is handed out. */
    id: string;
    /** Names this handing-out for `delete` and `changeVisibility`. */
    receipt: string;
    /** How many times it was handed out, this one included. */
    receiveCount: number;
    sentAt: Date;
}

/** Counts of messages; approximate, as SQS counts. */
export interface QueueDepth {
    /** Waiting to be handed out, those that the queue still holds back among them. */
    waiting: number;
    /** Handed out and not deleted. */
    inFlight: number;
}

export interface MessageQueue {
    name: string;
    /** Sends all of them, in order. @throws StorageError where one was not taken; others may have been. */
    send(messages: readonly Message[]): Promise<void>;
    /** Up to `max` (10 at most) messages, after waiting up to `waitSeconds` (20 at most) for the first one; none where none came. */
    receive(options?: { max?: number; waitSeconds?: number; visibilitySeconds?: number }): Promise<ReceivedMessage[]>;
    /** Deletes a message that is done with. Fine where it is gone. */
    delete(receipt: string): Promise<void>;
    /**
     * Hands the message out again in `visibilitySeconds` from now instead of when its time is over; 0: at once. Fine where its time is over
     * already: then it is left as it is. SQS lets a message stay away for 12 hours in all.
     */
    changeVisibility(receipt: string, visibilitySeconds: number): Promise<void>;
    depth(): Promise<QueueDepth>;
}
