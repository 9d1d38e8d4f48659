/**
 * A queue of the world of histories, with what SQS promises and no more: a message is delivered until one delivery of it has ended well,
 * perhaps several times at once, in any order, after any delay; in a FIFO queue one message of a group is out at a time, and a send with the
 * deduplication id of one that was accepted moments ago is dropped. What was received too often is a dead letter.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html
 */

export interface Message {
    /** `<subject> #<n>`: the n-th of its subject. */
    readonly name: string;
    /** Raw key or day. */
    readonly subject: string;
    readonly sentAt: Date;
    /** Deduplication id; undefined for one of its own. */
    readonly id: string | undefined;
    /** It is held back until then. */
    readonly heldUntilMs: number;
    /** How often it was delivered. */
    receives: number;
    /** Deliveries that are under way. */
    deliveries: number;
    /** True if a delivery has ended well. The message is deleted then: whoever has it still may die, and nobody is told again. */
    isDone: boolean;
}

/** What the deployed queues are set to: the longest that SQS keeps a message. */
const RETENTION_MS = 14 * 24 * 60 * 60 * 1000;
/** Fewer than deployed, so that dead letters come about. */
const MAX_RECEIVES = 3;

/** How a queue holds messages back, and drops repeats. */
export interface Delay {
    delayMs: number;
    /** How long an id is remembered after the send that was accepted. */
    intervalMs: number;
    /** True if dead letters come back as messages of their own, held back as any; false: with their ids, at once. */
    redrivesAnew: boolean;
    now: () => Date;
}

export class ModelQueue {
    readonly #isFifo: boolean;
    readonly #delay: Delay | undefined;
    #delayMs: number;
    /** When each id was accepted last. */
    readonly #acceptedAtMs = new Map<string, number>();
    #waiting: Message[] = [];
    #deadLetters: Message[] = [];
    /** Messages of a FIFO queue that are out. */
    #out: Message[] = [];
    readonly #sent = new Map<string, number>();

    /** `isFifo`: with a subject for a group. */
    constructor({ isFifo = false, delay }: { isFifo?: boolean; delay?: Delay | undefined } = {}) {
        this.#isFifo = isFifo;
        this.#delay = delay;
        this.#delayMs = delay?.delayMs ?? 0;
    }

    /** `isDone`: one that was done with long ago, and is delivered all the same. */
    send(subject: string, { sentAt, isDone = false }: { sentAt: Date; isDone?: boolean }): Message {
        return this.#accept(subject, { sentAt, isDone, heldMs: isDone ? 0 : this.#delayMs });
    }

    /** Sends with a deduplication id. @returns whether it was accepted: else it was dropped as a repeat */
    sendOnce(subject: string, { sentAt, id }: { sentAt: Date; id: string }): boolean {
        const acceptedAtMs = this.#acceptedAtMs.get(id) ?? Number.NEGATIVE_INFINITY;
        if (sentAt.getTime() - acceptedAtMs < (this.#delay?.intervalMs ?? 0)) {
            return false;
        }
        this.#accept(subject, { sentAt, id, heldMs: this.#delayMs });
        return true;
    }

    #accept(
        subject: string,
        { sentAt, isDone = false, id, heldMs }: { sentAt: Date; isDone?: boolean; id?: string; heldMs: number },
    ): Message {
        const number = (this.#sent.get(subject) ?? 0) + 1;
        this.#sent.set(subject, number);
        if (id !== undefined) {
            this.#acceptedAtMs.set(id, sentAt.getTime());
        }
        const heldUntilMs = sentAt.getTime() + heldMs;
        const message = { name: `${subject} #${number}`, subject, sentAt, id, heldUntilMs, receives: 0, deliveries: 0, isDone };
        this.#waiting.push(message);
        return message;
    }

    /** Holds messages back for so long from now on, and those of a FIFO queue that are in it already. */
    changeDelay(delayMs: number): void {
        this.#delayMs = delayMs;
        this.#waiting = this.#waiting.map((message) =>
            message.receives > 0 ? message : { ...message, heldUntilMs: message.sentAt.getTime() + delayMs },
        );
    }

    /** When the first message that is held back may be delivered; undefined where none is held back. */
    get nextAtMs(): number | undefined {
        return this.#waiting.length === 0 ? undefined : Math.min(...this.#waiting.map(({ heldUntilMs }) => heldUntilMs));
    }

    /** Messages that may be delivered now. */
    receivable(): Message[] {
        if (!this.#isFifo) {
            return [...this.#waiting];
        }
        const nowMs = this.#delay?.now().getTime() ?? Number.POSITIVE_INFINITY;
        const groups = new Set(this.#out.map(({ subject }) => subject));
        const notHeld = this.#waiting.filter(({ heldUntilMs }) => heldUntilMs <= nowMs);
        return notHeld.filter(({ subject }) => {
            const isFirst = !groups.has(subject);
            groups.add(subject);
            return isFirst;
        });
    }

    /** `stays`: it waits to be delivered again while this delivery is under way; never so in a FIFO queue. */
    receive(message: Message, { stays = false }: { stays?: boolean } = {}): void {
        message.receives += 1;
        message.deliveries += 1;
        if (this.#isFifo) {
            this.#out.push(message);
        }
        if (!stays || this.#isFifo || message.isDone) {
            this.#waiting = without(this.#waiting, message);
        }
    }

    /** A delivery ended well: the message is deleted, also where it waits to be delivered again. */
    endWell(message: Message): void {
        message.deliveries -= 1;
        message.isDone = true;
        this.#waiting = without(this.#waiting, message);
        this.#out = without(this.#out, message);
    }

    /** A delivery died or failed: the message comes back if that was the last one, and none has ended well; or is dead. */
    endBadly(message: Message): void {
        message.deliveries -= 1;
        this.#out = without(this.#out, message);
        if (message.isDone || message.deliveries > 0) {
            return;
        }
        this.#waiting = without(this.#waiting, message);
        if (message.receives >= MAX_RECEIVES) {
            this.#deadLetters.push(message);
        } else {
            this.#waiting.unshift(message);
        }
    }

    get isEmpty(): boolean {
        return this.#waiting.length === 0;
    }

    get deadLetters(): readonly Message[] {
        return this.#deadLetters;
    }

    /** Sends all dead letters again. @returns how many they were */
    redrive(now: Date): number {
        const letters = this.#deadLetters;
        this.#deadLetters = [];
        for (const { subject, id } of letters) {
            if (this.#delay?.redrivesAnew === false && id !== undefined) {
                this.#accept(subject, { sentAt: now, id, heldMs: 0 });
            } else {
                this.send(subject, { sentAt: now });
            }
        }
        return letters.length;
    }

    /** Takes away what was sent too long ago, dead letters too. @returns how many they were */
    expire(now: Date): number {
        const isYoung = ({ sentAt }: Message): boolean => now.getTime() - sentAt.getTime() <= RETENTION_MS;
        const before = this.#waiting.length + this.#deadLetters.length;
        this.#waiting = this.#waiting.filter(isYoung);
        this.#deadLetters = this.#deadLetters.filter(isYoung);
        return before - this.#waiting.length - this.#deadLetters.length;
    }

    /** Takes away all that wait, dead letters too. */
    lose(): void {
        this.#waiting = [];
        this.#deadLetters = [];
    }
}

function without(messages: readonly Message[], message: Message): Message[] {
    return messages.filter((other) => other !== message);
}
