/**
 * A lake whose workers stop before every single call to the store or a queue, so that a test decides who goes on, who dies there and
 * whose call fails. The workers are the real use cases; store and queues promise what S3 and SQS do, and no more.
 */

import { setImmediate } from 'node:timers/promises';
import { consolidate } from '#lake/commit/consolidate';
import { derive, deriveOnward } from '#lake/commit/derive';
import { listDerivedDays } from '#lake/commit/periods';
import { prune } from '#lake/commit/prune';
import { findUnconsolidated, findUnderived, findUnread, readAllRecords, removeDeadObjects } from '#lake/commit/reconcile';
import { retract } from '#lake/commit/retract';
import { type Summarized, summarize } from '#lake/commit/summarize';
import { HOURS_DELAY_SECONDS } from '#lake/deployment';
import { ConflictError, StorageError } from '#lake/errors';
import type { ReadingOptions } from '#lake/kind';
import { daysBuiltOn } from '#lake/kinds';
import { dayOf, LEDGER_PREFIX, type TablePeriod } from '#lake/layout';
import type { LedgerRecord } from '#lake/ledger';
import { readContains, readMadeOfAtEnd } from '#lake/parquet';
import { shortHash } from '#lake/source-id';
import type { ObjectStore } from '#lake/store/object-store';
import { deduplicationIdOf } from '#lake/work/messages';
import { daysOf, metadataOf, ofDay, PAIR_DAYS_PREFIX } from '#test/support/flow-tables';
import { memoryStore } from '#test/support/memory-store';
import type { SmallFile } from '#test/support/small-files';
import { stepwiseStore } from '#test/support/stepwise-store';
import { DerivedTruth, derivedOf, derivedSubject, publishLimit } from './derived-tables.ts';
import { isOfQueue, type Kind, QUEUE_KINDS, type QueueKind } from './kinds.ts';
import { asOlderRelease } from './older-release.ts';
import { type Message, ModelQueue } from './queue.ts';
import { Truth, type Upload } from './truth.ts';
import { type Rule, withoutRule } from './without-rule.ts';

/** How a call comes out. `loses its answer`: it took effect, and the client that sent it again was told that it came too late. */
export const FATES = ['works', 'dies before', 'dies after', 'fails before', 'fails after', 'loses its answer'] as const;
export type Fate = (typeof FATES)[number];

export interface Worker {
    /** `<kind> <subject> #<n>`: the n-th of its kind and subject. */
    readonly name: string;
    readonly kind: Kind;
    /** Raw key or day. */
    readonly subject: string;
    /** What it is about to do next; undefined once it has ended. */
    readonly call: Call | undefined;
    /** All that it is about to do: a worker may ask for several objects side by side. They come out one by one, in turn. */
    calls: Call[];
    /** True if it is of the release before, which reads files otherwise. */
    readonly isOld: boolean;
    /** Upload that was there when the retraction was asked for. */
    target?: Upload | undefined;
    /** What it was told by; a command has none. */
    message?: Message | undefined;
}

interface Call {
    what: string;
    isConditional: boolean;
    effect: () => Promise<unknown>;
    answer: (value: unknown) => void;
    refuse: (error: Error) => void;
}

/** Tells a day to the queue of those who work on it. */
type Tell = (subject: string) => Promise<void>;

async function tellAll(periods: readonly TablePeriod[], tell: Tell): Promise<void> {
    for (const of of periods) {
        await tell(derivedSubject(of));
    }
}

/** How far the clock of a worker is off, up to seven and a half minutes: the same for the same worker. */
function skewOf(worker: string): number {
    return ((Number.parseInt(shortHash(worker).slice(0, 8), 16) % 901) - 450) * 1000;
}

/** More than any history takes. */
const MAX_STEPS = 20_000;

export type DelayedBy = 'nothing' | 'window' | 'period';

/** What the deployed queue is set to, and what SQS says of ids. */
const DELAY_MS = HOURS_DELAY_SECONDS * 1000;
const INTERVAL_MS = 5 * 60 * 1000;
/** A delay that the interval outlasts. */
const SHORT_DELAY_MS = 4 * 60 * 1000;

export interface WorldOptions {
    /** The rule that is taken out. */
    broken?: Rule | undefined;
    /** True if workers are of the release before until `upgrade`. */
    isOld?: boolean;
    /** True if the days' queue is FIFO with the day as group, as deployed; else several workers are told of one day at once. */
    isFifo?: boolean;
    /** How days are held back, as periods by the hour are where they are deployed: not at all, or with ids of period and window, or of the period alone. */
    delay?: DelayedBy;
    /** False leaves the derived tables as they are: nobody is told of them. */
    isDerived?: boolean;
}

export class World {
    now = new Date('2026-03-01T00:00:00Z');
    readonly store = memoryStore({ now: () => this.now });
    readonly queues: Record<QueueKind, ModelQueue>;
    running: Worker[] = [];
    readonly truth = new Truth();
    readonly #derivedTruth = new DerivedTruth();
    /** True if a command died or a message was lost, so that only `reconcile` knows what is left to do. */
    needsReconcile = false;
    isOld: boolean;
    /** Whether a worker that derives a day goes on to the next one itself: every second one does. */
    goesOn = (worker: string): boolean => /[02468]$/.test(worker);
    readonly #broken: Rule | undefined;
    readonly #isDerived: boolean;
    readonly #delay: DelayedBy;
    #attempts = 0;
    readonly #started = new Map<string, number>();
    #onPause: () => void = () => undefined;

    constructor({ broken, isOld = false, isFifo = false, delay = 'nothing', isDerived = true }: WorldOptions = {}) {
        this.#delay = delay;
        this.#isDerived = isDerived;
        this.#broken = broken;
        this.isOld = isOld;
        const held = {
            delayMs: broken === 'delay-outlasts-interval' ? SHORT_DELAY_MS : DELAY_MS,
            intervalMs: INTERVAL_MS,
            redrivesAnew: broken !== 'redrive-anew',
            now: () => this.now,
        };
        this.queues = {
            summarize: new ModelQueue(),
            consolidate: new ModelQueue({ isFifo, delay: delay === 'nothing' ? undefined : held }),
            derive: new ModelQueue({ isFifo }),
        };
    }

    async upload(key: string, file: SmallFile, options: ReadingOptions = {}): Promise<void> {
        const { generation, etag } = await this.store.put(key, Buffer.from(file.text), { metadata: metadataOf(options) });
        this.truth.uploaded({ key, file, options, generation, etag, isRetracted: false });
    }

    /** Makes workers be of this release from now on. What files the one before has read, `reconcile` has read once more. */
    upgrade(): void {
        this.needsReconcile ||= this.isOld;
        this.isOld = false;
    }

    /** Sends messages. */
    send(kind: QueueKind, ...subjects: string[]): void {
        for (const subject of subjects) {
            this.queues[kind].send(subject, { sentAt: this.now });
        }
    }

    /** Starts a worker on a delivery of a message, up to its first call. */
    deliver(kind: QueueKind, message: Message, options?: { stays?: boolean }): Promise<Worker> {
        this.queues[kind].receive(message, options);
        return this.#start(kind, { subject: message.subject, message });
    }

    /** Starts a worker, up to its first call: a command, or one that was told by a message of its own. */
    start(kind: Kind, subject: string): Promise<Worker> {
        return isOfQueue(kind) ? this.deliver(kind, this.queues[kind].send(subject, { sentAt: this.now })) : this.#start(kind, { subject });
    }

    async #start(kind: Kind, { subject, message }: { subject: string; message?: Message }): Promise<Worker> {
        const calls: Call[] = [];
        const title = `${kind} ${subject}`.trim();
        const number = (this.#started.get(title) ?? 0) + 1;
        this.#started.set(title, number);
        const worker: Worker = {
            name: `${title} #${number}`,
            kind,
            subject,
            message,
            calls,
            isOld: this.isOld,
            get call() {
                return calls[0];
            },
        };
        this.running.push(worker);
        const paused = this.#pause();
        this.#work(worker).then(
            () => this.#ended(worker),
            (error: Error) => this.#ended(worker, error),
        );
        await paused;
        return worker;
    }

    /** Lets the worker's call come out as `fate` says, and lets it work up to the next one. */
    async advance(worker: Worker, fate: Fate): Promise<void> {
        const call = worker.calls.shift();
        if (!call) {
            throw new Error(`${worker.name} has ended`);
        }
        if (fate === 'dies before') {
            this.#giveUp(worker);
            return;
        }
        const outcome =
            fate === 'fails before'
                ? { error: new StorageError('the store cannot be reached') }
                : await call.effect().then(
                      (value) => ({ value }),
                      (error: Error) => ({ error }),
                  );
        if (!this.running.includes(worker)) {
            return;
        }
        if (fate === 'dies after') {
            this.#giveUp(worker);
            return;
        }
        // A worker that waits for another call already lets whatever follows from this answer have its turn in the meantime.
        const paused = worker.calls.length > 0 ? setImmediate() : this.#pause();
        if ('error' in outcome) {
            call.refuse(outcome.error);
        } else if (fate === 'fails after') {
            call.refuse(new StorageError('the answer was lost'));
        } else if (fate === 'loses its answer' && call.isConditional) {
            call.refuse(new ConflictError('the answer was lost, and the second try came too late'));
        } else {
            call.answer(outcome.value);
        }
        await paused;
    }

    /** Lets the worker go on until it is about to do what begins so. */
    async runUntil(worker: Worker, what: string): Promise<void> {
        while (worker.call?.what.startsWith(what) === false) {
            await this.advance(worker, 'works');
        }
        if (!worker.call) {
            throw new Error(`${worker.name} never came to ${what}`);
        }
    }

    /** Lets the worker do all its work. */
    async finish(worker: Worker): Promise<void> {
        while (this.running.includes(worker)) {
            await this.advance(worker, 'works');
        }
    }

    /** One worker after the other until nothing waits; `fateOf` is asked before every call. */
    async drain(fateOf: (worker: Worker) => Fate = () => 'works'): Promise<void> {
        for (let step = 0; !this.isQuiet; step += 1) {
            if (step > MAX_STEPS) {
                throw new Error(`never quiet: ${this.running.map(({ name, call }) => `${name} is to ${call?.what}`)}`);
            }
            if (this.running.length === 0) {
                for (const kind of QUEUE_KINDS) {
                    const [message] = this.running.length > 0 ? [] : this.queues[kind].receivable();
                    if (message) {
                        await this.deliver(kind, message);
                    }
                }
            }
            this.passUntilNext();
            const [worker] = this.running;
            if (worker) {
                await this.advance(worker, fateOf(worker));
            }
        }
    }

    /** Where nobody works and all that waits is held back, lets time pass until one is not. @returns whether it did */
    passUntilNext(): boolean {
        const nexts = QUEUE_KINDS.map((kind) => this.queues[kind].nextAtMs).filter((next) => next !== undefined);
        if (this.running.length > 0 || nexts.length === 0 || Math.min(...nexts) <= this.now.getTime()) {
            return false;
        }
        this.now = new Date(Math.min(...nexts));
        return true;
    }

    /** Sends all dead letters again. @returns how many they were */
    redrive(): number {
        return QUEUE_KINDS.reduce((letters, kind) => letters + this.queues[kind].redrive(this.now), 0);
    }

    /** True if nobody works and nothing waits. Dead letters do not: nobody works on them. */
    get isQuiet(): boolean {
        return this.running.length === 0 && QUEUE_KINDS.every((kind) => this.queues[kind].isEmpty);
    }

    get hasDeadLetters(): boolean {
        return QUEUE_KINDS.some((kind) => this.queues[kind].deadLetters.length > 0);
    }

    #work(worker: Worker): Promise<unknown> {
        const { kind, subject } = worker;
        const end = (): void => this.#endWell(worker);
        const { store: inner, tells } = withoutRule({ rule: this.#broken, kind, store: this.#observed(worker), end });
        const release = worker.isOld ? asOlderRelease(inner, { stops: this.#broken !== 'newer-format' }) : inner;
        const store = stepwiseStore(release, (what, effect, options) => this.#call(worker, what, { effect, ...options }));
        const tellDay = async (day: string): Promise<void> => {
            if (tells(day)) {
                await this.#call(worker, `tell ${day}`, { effect: async () => this.#sendDay(worker, day) });
            }
        };
        const tellDerived = async (subject: string): Promise<void> => {
            if (!this.#isDerived) {
                return;
            }
            await this.#call(worker, `tell ${subject}`, { effect: async () => this.send('derive', subject) });
        };
        const newAttempt = (): string => this.#newAttempt();
        const options = { store, newAttempt, now: () => this.now };
        const tell = async ({ periods }: Summarized): Promise<void> => {
            for (const day of daysOf(periods)) {
                await tellDay(day);
            }
        };
        switch (kind) {
            case 'summarize':
                return summarize(subject, options).then(tell);
            case 'consolidate':
            case 'rebuild':
            case 'rebuild anew':
                return this.#consolidate(subject, { store, anew: kind === 'rebuild anew', tellDerived });
            case 'derive':
                return this.#derive(worker, { store, tellDerived });
            case 'publish':
                return publishLimit(store, { days: () => listDerivedDays(store), tell: tellDerived });
            case 'retract':
                return retract(subject, options).then(tell);
            case 'prune':
                return this.#prune(store);
            default:
                return this.#reconcile(worker, { store, tellDay, tellDerived });
        }
    }

    /** Sends a day, with the deduplication id that the worker's own clock gives it where days are held back. */
    #sendDay({ name }: Worker, day: string): void {
        if (this.#delay === 'nothing') {
            this.send('consolidate', day);
            return;
        }
        const window = deduplicationIdOf(ofDay(day), { now: new Date(this.now.getTime() + skewOf(name)) });
        this.queues.consolidate.sendOnce(day, { sentAt: this.now, id: this.#delay === 'window' ? window : day });
    }

    /** Name of an attempt, equal in every run, so that listings have one order; without the rule every attempt has one name. */
    #newAttempt(): string {
        this.#attempts += this.#broken === 'own-keys' ? 0 : 1;
        return shortHash(`${this.#attempts}`);
    }

    async #prune(store: ObjectStore): Promise<void> {
        for await (const _ of prune(store, { before: '9999-12-31', now: this.now })) {
            // Each goes when its turn comes.
        }
    }

    /** What the command does on AWS: it sends the messages that are missing. */
    async #reconcile(
        worker: Worker,
        { store, tellDay, tellDerived }: { store: ObjectStore; tellDay: Tell; tellDerived: Tell },
    ): Promise<void> {
        for (const key of await findUnread(store, await readAllRecords(store))) {
            await this.#call(worker, `send ${key}`, { effect: async () => this.send('summarize', key) });
        }
        await removeDeadObjects(store, { records: await readAllRecords(store), now: this.now });
        for (const of of await findUnconsolidated(store)) {
            await tellDay(of.period);
        }
        for (const of of this.#isDerived ? await findUnderived(store) : []) {
            await tellDerived(derivedSubject(of));
        }
    }

    async #consolidate(day: string, { store, anew, tellDerived }: { store: ObjectStore; anew: boolean; tellDerived: Tell }): Promise<void> {
        if (this.#broken === 'tell-derived-after') {
            await tellAll(daysBuiltOn(ofDay(day)), tellDerived);
        }
        const { derived, writes } = await consolidate(ofDay(day), { store, anew });
        if (this.#broken !== 'tell-derived-after' && (this.#broken !== 'tell-derived-always' || writes > 0)) {
            await tellAll(derived, tellDerived);
        }
    }

    async #derive({ subject, name }: Worker, { store, tellDerived }: { store: ObjectStore; tellDerived: Tell }): Promise<void> {
        const [table = '', day = ''] = subject.split(' ');
        if (this.goesOn(name)) {
            const tell = this.#broken === 'walker-tells' ? undefined : (of: TablePeriod) => tellDerived(derivedSubject(of));
            for await (const done of deriveOnward(table, [day], { store, tell })) {
                if ('error' in done) {
                    throw done.error;
                }
            }
            return;
        }
        const { next } = await derive({ table, period: day }, { store });
        await tellAll(next ? [next] : [], tellDerived);
    }

    #call<T>(
        worker: Worker,
        what: string,
        { effect, isConditional = false }: { effect: () => Promise<T>; isConditional?: boolean },
    ): Promise<T> {
        return new Promise<T>((resolve, reject) => {
            worker.calls.push({ what, isConditional, effect, answer: (value) => resolve(value as T), refuse: reject });
            this.#onPause();
        });
    }

    #pause(): Promise<void> {
        return new Promise((resolve) => {
            this.#onPause = resolve;
        });
    }

    #ended(worker: Worker, error?: Error): void {
        if (error && !(error instanceof StorageError)) {
            this.truth.faults.push(`${worker.name} failed: ${error.stack ?? error.message}`);
        }
        if (error) {
            this.#giveUp(worker);
        } else {
            this.#endWell(worker);
        }
        this.#onPause();
    }

    #endWell(worker: Worker): void {
        const { kind, message } = worker;
        if (this.#forget(worker) && isOfQueue(kind) && message) {
            this.queues[kind].endWell(message);
        }
    }

    /** A command is not repeated. */
    #giveUp(worker: Worker): void {
        const { kind, message } = worker;
        if (!this.#forget(worker)) {
            return;
        }
        if (isOfQueue(kind) && message) {
            this.queues[kind].endBadly(message);
        } else {
            this.needsReconcile = true;
        }
    }

    /** Forgets a worker. @returns whether it was running still */
    #forget(worker: Worker): boolean {
        const wasRunning = this.running.includes(worker);
        this.running = this.running.filter((other) => other !== worker);
        return wasRunning;
    }

    /** The store itself, under the eyes of the test. */
    #observed(worker: Worker): ObjectStore {
        const { store } = this;
        return {
            ...store,
            head: async (key) => {
                if (worker.kind === 'retract' && !('target' in worker)) {
                    worker.target = this.truth.latest(key);
                }
                return store.head(key);
            },
            put: async (key, body, options) => {
                const isDay = key.startsWith(PAIR_DAYS_PREFIX);
                const before = isDay ? await store.get(key) : undefined;
                const info = await store.put(key, body, options);
                const after = await store.get(key);
                if (key.startsWith(LEDGER_PREFIX)) {
                    const record: LedgerRecord = JSON.parse(Buffer.from(after?.bytes ?? []).toString());
                    this.truth.committed(record);
                    if (worker.kind === 'retract' && record.state === 'retracted' && worker.target) {
                        worker.target.isRetracted = true;
                    }
                } else if (isDay && after) {
                    await this.#derivedTruth.merged(dayOf(key) ?? '', { etag: info.etag, bytes: after.bytes });
                    await this.truth.checkDay(dayOf(key) ?? '', {
                        bytes: after.bytes,
                        before: before ? readContains(before.bytes) : [],
                        store,
                    });
                } else if (derivedOf(key) && after) {
                    await this.#checkDerived(key, after.bytes);
                }
                return info;
            },
        };
    }

    async #checkDerived(key: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
        const madeOf = JSON.parse(readMadeOfAtEnd(bytes, { sizeBytes: bytes.length }) ?? '{}');
        const wrong = await this.#derivedTruth.findWrong(key, { bytes, madeOf, store: this.store });
        this.truth.faults.push(...(wrong === undefined ? [] : [wrong]));
    }
}
