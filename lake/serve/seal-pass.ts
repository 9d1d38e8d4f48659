/** One pass of sealing: from the inbox into the chain, from the chain into the tables, and only then out of the inbox. */
import { setImmediate } from 'node:timers/promises';
import { finishUndone } from '#lake/commit/finish';
import { type Mark, markRunning, withMark } from '#lake/here/marks';
import { workInThreads } from '#lake/here/thread-workers';
import { openThreads, type Threads } from '#lake/here/threads';
import { chainPrefix, type TablePeriod } from '#lake/layout';
import { ChainWriter, listChain, readChainEnd } from '#lake/live/chain';
import { syncFolder } from '#lake/store/directory';
import type { ObjectStore } from '#lake/store/object-store';
import { type ChainMessage, compareSequences } from '#lake/telemetry/chain-line';
import type { Fault, Faults } from './faults.ts';
import type { Inbox } from './inbox.ts';
import { TableWork } from './table-work.ts';

/** The one shard of an embedded inbox. */
export const SHARD = '0';

/** Objects that are worked off together: an hour that several of them touch is merged once. */
const OBJECTS_AT_ONCE = 8;

/** Messages are read from the inbox in parts: in between, the thread answers devices. */
const PART_MESSAGES = 500;
const PART_BYTES = 1 << 19;

/** Threads stay for so long after a pass: the next one finds them warm where somebody asks again and again, and their memory is free where nobody does. */
const IDLE_MS = 10_000;

/** Faults of a pass, beside those of single objects, periods and days. */
const FINISH = 'finish what a command that was cut off has left';
const BEGIN = 'mark that the lake is being changed';
export const SEAL = 'append to the chain';
const DISCARD = 'discard what is sealed';

export interface SealPassOptions {
    inbox: Inbox;
    directory: string;
    store: ObjectStore;
    now: () => Date;
    /** Aborts the work at its next step; what is undone then, the next command finishes. */
    signal: AbortSignal;
    maxBytes: number;
    maxMessages: number;
    /** Sequence number up to which others have read the inbox: nothing behind it is discarded. */
    readTo?: (() => string) | undefined;
    faults: Faults;
}

/** What came of a pass. */
export interface Sealed {
    /** How many messages were appended to the chain, and the keys of the objects that hold them. */
    messages: number;
    objects: readonly string[];
    /** Objects that were read and of which nothing could be used: `flowlake history <object>` says why. */
    unreadable: readonly string[];
    /** Days of derived tables that were made of what was appended, or looked at for it. */
    derived: readonly TablePeriod[];
    /** All that could not be done, and is tried again. */
    faults: readonly Fault[];
}

/** Answers where the chain of an embedded inbox's stream ends: for `openInbox`. */
export function endOfChainIn(store: ObjectStore): (stream: string) => Promise<string> {
    return (stream) => readChainEnd(store, { stream, shard: SHARD });
}

export class SealPass {
    readonly #options: SealPassOptions;
    readonly #chain: ChainWriter;
    readonly #work: TableWork;
    /** The mark of work that failed: should this process be killed, the next command finishes it. */
    #undoneMark: Mark | undefined;
    #sealedTo: string | undefined;
    #inLakeTo: string;
    #threads: Threads | undefined;
    #untilIdle: NodeJS.Timeout | undefined;

    constructor(options: SealPassOptions) {
        const { inbox, store, now, faults } = options;
        this.#options = options;
        // Whoever has the inbox open is the only one who writes its chain, and a listing of a year's objects takes seconds.
        const isOnlyWriter = { believeMs: Number.POSITIVE_INFINITY };
        this.#chain = new ChainWriter(store, { stream: inbox.stream, shard: SHARD, now, atLeast: inbox.discardedTo(), ...isOnlyWriter });
        this.#work = new TableWork(faults);
        this.#inLakeTo = inbox.discardedTo();
    }

    /** Sequence number up to which messages stand in the chain, as far as it is known. */
    get sealedTo(): string {
        return this.#sealedTo ?? this.#inLakeTo;
    }

    /** Sequence number up to which messages were worked off into the tables; of what failed the faults tell. */
    get inLakeTo(): string {
        return this.#inLakeTo;
    }

    /** Seals all that is in the inbox by now. `isAsked` tries again what failed, due or not. @throws the signal's reason */
    async run({ isAsked }: { isAsked: boolean }): Promise<Sealed> {
        const { inbox, directory, signal, faults } = this.#options;
        const sealed = { messages: 0, objects: [] as string[], unreadable: [] as string[], derived: [] as TablePeriod[] };
        const target = inbox.last();
        clearTimeout(this.#untilIdle);
        this.#threads ??= openThreads(directory, { signal, isServing: true });
        const threads = this.#threads;
        const finish = this.#finishOnce(threads, isAsked);
        const sealSome = async (): Promise<void> => {
            const { keys, messages } = await this.#append({ target, isAsked });
            sealed.messages += messages;
            sealed.objects.push(...keys);
            const { unreadable, derived } = await this.#workOff(keys, { threads, isAsked });
            sealed.unreadable.push(...unreadable);
            sealed.derived.push(...derived);
            await this.#discard();
        };
        try {
            // What others left is finished, and what failed is tried again, also where no message waits.
            do {
                await this.#trying(BEGIN, () => withMark(directory, { signal, finish }, sealSome));
            } while (compareSequences(this.#inLakeTo, target) < 0 && !faults.find(SEAL) && !faults.find(BEGIN));
        } finally {
            this.#untilIdle = setTimeout(() => this.close(), IDLE_MS).unref();
        }
        return { ...sealed, faults: faults.list() };
    }

    /** Ends the threads; the next pass would begin with new ones. */
    async close(): Promise<void> {
        clearTimeout(this.#untilIdle);
        const threads = this.#threads;
        this.#threads = undefined;
        await threads?.close();
    }

    /** Finishes what killed commands left; at most once in a pass, and not before it is due where it failed. */
    #finishOnce(threads: Threads, isAsked: boolean): () => Promise<void> {
        const { store, directory, now, signal, faults } = this.#options;
        let hasTried = !isAsked && !faults.mayTry(FINISH);
        return async () => {
            if (!hasTried) {
                hasTried = true;
                await this.#trying(FINISH, async () => {
                    const { errors } = await finishUndone(store, { now, workers: workInThreads(directory, { threads, signal }) });
                    if (errors[0]) {
                        throw errors[0];
                    }
                });
            }
            const fault = faults.find(FINISH);
            if (fault) {
                throw new Error(fault.message);
            }
        };
    }

    /** Appends what is in the inbox to the chain, some objects at most. The first time it finds those too that were not worked off before. */
    async #append({ target, isAsked }: { target: string; isAsked: boolean }): Promise<{ keys: string[]; messages: number }> {
        const appended = { keys: [] as string[], messages: 0 };
        if (!isAsked && !this.#options.faults.mayTry(SEAL)) {
            return appended;
        }
        await this.#trying(SEAL, async () => {
            if (this.#sealedTo === undefined) {
                const { inbox, store } = this.#options;
                const end = await this.#chain.end();
                appended.keys.push(...(await listChain(store, { stream: inbox.stream, shard: SHARD, behind: inbox.discardedTo() })));
                this.#sealedTo = end;
            }
            // What comes meanwhile is for the next pass: it would be an object of its own, of a few messages.
            while (appended.keys.length < OBJECTS_AT_ONCE && compareSequences(this.#sealedTo, target) < 0) {
                const { end, key, appended: count } = await this.#chain.append(await this.#take(this.#sealedTo));
                this.#sealedTo = end;
                appended.messages += count;
                appended.keys.push(...(key === undefined ? [] : [key]));
            }
        });
        return appended;
    }

    /** The next messages of the inbox, as many as an object holds. */
    async #take(after: string): Promise<ChainMessage[]> {
        const { inbox, maxBytes, maxMessages } = this.#options;
        const messages: ChainMessage[] = [];
        let bytes = 0;
        while (messages.length < maxMessages && bytes < maxBytes) {
            const last = messages.at(-1)?.sequence ?? after;
            const part = inbox.read({
                after: last,
                maxMessages: Math.min(PART_MESSAGES, maxMessages - messages.length),
                maxBytes: PART_BYTES,
            });
            if (part.length === 0) {
                break;
            }
            messages.push(...part);
            bytes += part.reduce((sum, { payload }) => sum + payload.length, 0);
            await setImmediate();
        }
        return messages;
    }

    async #workOff(keys: readonly string[], options: { threads: Threads; isAsked: boolean }): ReturnType<TableWork['workOff']> {
        const { directory, signal } = this.#options;
        const end = this.sealedTo;
        const done = await this.#work.workOff(keys, { ...options, signal });
        if (this.#work.isAnyUndone()) {
            this.#undoneMark ??= await markRunning(directory);
        } else {
            await this.#undoneMark?.clearOwn();
            this.#undoneMark = undefined;
        }
        this.#inLakeTo = end;
        return done;
    }

    /** Discards what stands in the chain and was read by all: its objects stay, whatever fails of them. */
    async #discard(): Promise<void> {
        const { inbox, directory, readTo } = this.#options;
        await this.#trying(DISCARD, async () => {
            const read = readTo?.() ?? this.#inLakeTo;
            const end = compareSequences(read, this.#inLakeTo) < 0 ? read : this.#inLakeTo;
            if (compareSequences(end, inbox.discardedTo()) > 0) {
                await syncFolder(directory, chainPrefix({ kind: 'telemetry', stream: inbox.stream, shard: SHARD }));
                await inbox.discardUpTo(end);
            }
        });
    }

    /** Keeps what fails as a fault. @throws the signal's reason */
    async #trying(what: string, work: () => Promise<void>): Promise<void> {
        const { signal, faults } = this.#options;
        try {
            await work();
            faults.mended(what);
        } catch (error) {
            signal.throwIfAborted();
            faults.failed(what, error);
        }
    }
}
