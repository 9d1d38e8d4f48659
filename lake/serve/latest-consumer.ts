/**
 * Follows the inbox into latest state: reads behind its place, has each message read by its profile, and writes what that changes together with its new place. It
 * waits for nobody and holds up nobody; what it cannot do now it says, and tries again.
 */
import type { InboxReader } from '#lake/live/inbox';
import { devicesOf, followMessages } from '#lake/live/latest';
import type { LiveProfiles } from '#lake/live/live-profiles';
import type { Cursor, StateStore } from '#lake/live/state-store';
import { compareSequences } from '#lake/telemetry/chain-line';

/** A batch is so small that it is over in some milliseconds: who waits for latest state shares a thread with it. */
const MAX_MESSAGES = 500;
const MAX_BYTES = 1024 * 1024;

/** Messages are awaited for this long after one has come, so that a flood makes few writes. */
const GATHER_MS = 5;

/** Time until another try, after the first fault and at most. */
const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 5_000;

export interface LatestConsumerOptions {
    inbox: InboxReader;
    store: StateStore & { cursor(): Cursor | undefined };
    profiles: Pick<LiveProfiles, 'read'>;
    /** The machine's clock, UTC epoch milliseconds. */
    now: () => number;
    /** Milliseconds of a clock that never goes back. */
    monotonicMs: () => number;
    /** Is told what does not work, and that it works again. */
    onFault: (what: string) => void;
}

/** How far latest state is. */
export interface Progress {
    /** All that arrived before is in latest state; UTC epoch milliseconds. */
    watermarkMs: number;
    /** How long ago all that was in the inbox was in latest state, by a clock that never goes back. */
    behindMs: number;
    /** Why it does not go on, where that is known. */
    fault: string | undefined;
}

export class LatestConsumer {
    readonly #options: LatestConsumerOptions;
    #stopListening: (() => void) | undefined;
    #timer: NodeJS.Timeout | undefined;
    #running: Promise<void> | undefined;
    #isWoken = false;
    #isStopped = false;
    #cursor: Cursor | undefined;
    #watermarkMs: number;
    /** Monotonic time at which nothing was left in the inbox. */
    #caughtUpMs: number;
    #fault: string | undefined;
    #retryMs = FIRST_RETRY_MS;
    /** Messages without a device, since the start. */
    unassigned = 0;

    constructor(options: LatestConsumerOptions) {
        this.#options = options;
        this.#cursor = options.store.cursor();
        this.#watermarkMs = options.now();
        this.#caughtUpMs = options.monotonicMs();
    }

    /** Follows the inbox from now on. */
    start(): void {
        this.#stopListening = this.#options.inbox.onAppended(() => this.#wake(GATHER_MS));
        this.#wake(0);
    }

    /** Ends what is under way; what is left in the inbox is taken after the next start. */
    async stop(): Promise<void> {
        this.#isStopped = true;
        this.#stopListening?.();
        clearTimeout(this.#timer);
        await this.#running;
    }

    /** Sequence number of the last message that is in latest state, `0` for none: what stands behind it is not to be discarded. */
    takenTo(): string {
        return this.#place().sequence;
    }

    /** How far it is, now. */
    progress(): Progress {
        const { inbox, now, monotonicMs } = this.#options;
        if (this.#fault === undefined && compareSequences(inbox.last(), this.#place().sequence) <= 0) {
            this.#watermarkMs = now();
            this.#caughtUpMs = monotonicMs();
        }
        return { watermarkMs: this.#watermarkMs, behindMs: monotonicMs() - this.#caughtUpMs, fault: this.#fault };
    }

    /** Takes all that is in the inbox now. For who cannot wait, and for tests. @throws StorageError */
    async takeAll(): Promise<void> {
        while (await this.#takeBatch()) {
            // On to the next one.
        }
    }

    #wake(inMs: number): void {
        this.#isWoken = true;
        if (this.#running === undefined && this.#timer === undefined && !this.#isStopped) {
            this.#timer = setTimeout(() => {
                this.#timer = undefined;
                this.#running = this.#run().finally(() => {
                    this.#running = undefined;
                    if (this.#isWoken) {
                        this.#wake(this.#fault === undefined ? GATHER_MS : this.#retryMs);
                    }
                });
            }, inMs);
        }
    }

    async #run(): Promise<void> {
        try {
            this.#isWoken = false;
            while (!this.#isStopped && (await this.#takeBatch())) {
                // Whoever shares the thread goes first.
                await new Promise((resolve) => setImmediate(resolve));
            }
            if (this.#fault !== undefined) {
                this.#options.onFault('latest state goes on');
            }
            this.#fault = undefined;
            this.#retryMs = FIRST_RETRY_MS;
        } catch (error) {
            const fault = error instanceof Error ? error.message : String(error);
            if (fault !== this.#fault) {
                this.#options.onFault(`latest state stands still, and is tried again: ${fault}`);
            }
            this.#fault = fault;
            this.#retryMs = Math.min(this.#retryMs * 2, MAX_RETRY_MS);
            this.#isWoken = true;
        }
    }

    /** @returns false once nothing is left */
    async #takeBatch(): Promise<boolean> {
        const { inbox, store, profiles, now, monotonicMs } = this.#options;
        const before = this.#cursor;
        const place = this.#place();
        const [readAtMs, lookedMs, end] = [now(), monotonicMs(), inbox.last()];
        const messages = inbox.read({ after: place.sequence, maxMessages: MAX_MESSAGES, maxBytes: MAX_BYTES });
        const last = messages.at(-1);
        if (!last) {
            this.#watermarkMs = readAtMs;
            this.#caughtUpMs = lookedMs;
            return false;
        }
        const read = await profiles.read(messages);
        const items = await store.read(devicesOf(read));
        const nowMs = now();
        const { changes, unassigned } = followMessages(items, read, { stream: place.stream, nowMs });
        const after = { stream: place.stream, sequence: last.sequence };
        if (!(await store.write({ changes, cursor: { before, after }, nowMs }))) {
            // Another writer was faster: with what it has written the batch is merged again.
            this.#cursor = store.cursor();
            return true;
        }
        this.#cursor = after;
        this.#watermarkMs = last.arrivedMs;
        if (compareSequences(last.sequence, end) >= 0) {
            this.#watermarkMs = readAtMs;
            this.#caughtUpMs = lookedMs;
        }
        this.unassigned += unassigned;
        return true;
    }

    /** The place in this inbox: a stream of numbers that is new begins at 0. */
    #place(): Cursor {
        const { stream } = this.#options.inbox;
        return this.#cursor?.stream === stream ? this.#cursor : { stream, sequence: '0' };
    }
}
