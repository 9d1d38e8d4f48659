/**
 * The inbox of one machine: a table of an SQLite database whose row ids are the sequence numbers. What waits for the disk together is committed together:
 * a sync takes as long for a thousand messages as for one.
 */
import { existsSync, renameSync } from 'node:fs';
import { extname } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { Worker } from 'node:worker_threads';
import { StorageError, UsageError } from '#lake/errors';
import {
    type InboxReader,
    type InboxWriter,
    MAX_PAYLOAD_BYTES,
    type NewMessage,
    type Origin,
    type OriginWriter,
    type ReadOptions,
} from '#lake/live/inbox';
import type { ChainMessage } from '#lake/telemetry/chain-line';
import { formOf, holdInbox, messageIn, openInboxDatabase, prepareInbox, readNumber, readOrigins, wordsOf } from './inbox-database.ts';
import type { FromInbox, ToInbox } from './inbox-worker.ts';
import { toStorageError } from './sqlite-file.ts';

/** More than this is not one commit: those behind it would wait for long. */
const COMMIT_BYTES = 16 * 1024 * 1024;
const COMMIT_MESSAGES = 20_000;

/** What may wait for the disk. A flood that it does not keep up with must not fill the memory. */
const WAITING_BYTES = 64 * 1024 * 1024;

/** What a message takes in memory beside its payload and facts. */
const MESSAGE_BYTES = 500;

/** Rows of one deletion: more would hold up the messages that come meanwhile. */
const DISCARD_ROWS = 5_000;
const DISCARD_BYTES = 8 * 1024 * 1024;

export interface InboxOptions {
    now: () => Date;
    /** Answers where the chain of a stream ends; `0` for none. */
    endOfChain: (stream: string) => Promise<string>;
    /** Answers how far streams of other lakes stand in the chains of this one: for a new inbox, which knows it from nowhere else. */
    originsOfChains?: (() => Promise<readonly Origin[]>) | undefined;
    /** Called where the file was one whose numbers stand in the chain already, and a new one was begun. */
    onReplaced?: ((replaced: ReplacedInbox) => void) | undefined;
    /** The database does not grow beyond this: messages that do not fit are refused. */
    maxBytes?: number | undefined;
}

/** An inbox that was put aside: the chain goes beyond what it knows, so that it would give numbers twice. */
export interface ReplacedInbox {
    stream: string;
    /** Last number that it knows of, and the one that the chain ends with. */
    last: string;
    endOfChain: string;
    /** The path of its file now. */
    file: string;
}

/** The inbox while it is open. */
export interface Inbox extends InboxWriter, InboxReader, OriginWriter {
    /** Bytes of the messages that were stored since the file was opened. */
    appendedBytes(): number;
    /** Sequence number up to which messages have been discarded. */
    discardedTo(): string;
    /** Discards what stands in the chain: messages up to this number. What comes meanwhile is stored in between. */
    discardUpTo(sequence: string): Promise<void>;
    /** Why messages are being refused, and since when; undefined where the last commit went well. */
    problem(): { message: string; since: Date } | undefined;
    /** Stores what waits, and closes the file. */
    close(): Promise<void>;
}

/**
 * Opens the inbox, which is made where there is none. One whose counter is not beyond the end of its chain, as that of a restored database, is put aside
 * for a new one with another stream: its numbers would be taken for those that the chain has.
 * @throws StorageError where another process has it open, or the file is no inbox
 */
export async function openInbox(file: string, { onReplaced, ...options }: InboxOptions): Promise<Inbox> {
    const release = holdInbox(file);
    let open: OpenFile | undefined;
    try {
        open = await openFile(file, options);
        const end = await options.endOfChain(open.stream);
        if (BigInt(end) > open.last) {
            open.database.close();
            const replaced = { stream: open.stream, last: String(open.last), endOfChain: end, file: putAside(file, open.stream) };
            onReplaced?.(replaced);
            open = await openFile(file, options);
        }
        return new SqliteInbox(file, { ...open, now: options.now, maxBytes: options.maxBytes, release });
    } catch (error) {
        if (open?.database.isOpen) {
            open.database.close();
        }
        release();
        throw error;
    }
}

/** The file as it was found. The connection is for reading. */
interface OpenFile {
    database: DatabaseSync;
    stream: string;
    /** Number of the last message that it ever held. */
    last: bigint;
}

async function openFile(file: string, { now, originsOfChains }: Pick<InboxOptions, 'now' | 'originsOfChains'>): Promise<OpenFile> {
    const database = openInboxDatabase(file);
    try {
        // With them it is made, or not at all: one that did not know them would take again what came before.
        const origins = formOf(database) === 0 ? ((await originsOfChains?.()) ?? []) : [];
        const stream = prepareInbox(database, { file, now: now(), origins });
        return { database, stream, last: readNumber(database, "select seq from sqlite_sequence where name = 'messages'") ?? 0n };
    } catch (error) {
        database.close();
        throw toStorageError(error, wordsOf(file));
    }
}

/** @returns the file's new path */
function putAside(file: string, stream: string): string {
    let path = `${file}.of-${stream}`;
    for (let again = 2; existsSync(path); again += 1) {
        path = `${file}.of-${stream}-${again}`;
    }
    renameSync(file, path);
    // A log that its database did not take up would be taken for that of the new one; SQLite itself deletes the log of a file that is empty.
    if (existsSync(`${file}-wal`)) {
        renameSync(`${file}-wal`, `${path}-wal`);
    }
    return path;
}

/** Messages that wait for their commit: all of them are in one. */
interface Waiting {
    messages: readonly { facts: string; payload: Uint8Array }[];
    /** How far the stream of another lake is with them. */
    origin: Origin | undefined;
    sizeBytes: number;
    /** Gets the number of the first. */
    resolve: (sequence: string) => void;
    reject: (error: Error) => void;
}

class SqliteInbox implements Inbox {
    readonly stream: string;
    readonly #file: string;
    readonly #now: () => Date;
    readonly #release: () => void;
    readonly #writer: InboxThread;
    readonly #database: DatabaseSync;
    readonly #read: StatementSync;
    readonly #sizes: StatementSync;
    readonly #listeners = new Set<() => void>();
    readonly #origins: Map<string, Origin>;
    #waiting: Waiting[] = [];
    /** Bytes of what waits, and of what is being committed. */
    #waitingBytes = 0;
    #appendedBytes = 0;
    #turn: NodeJS.Immediate | undefined;
    #committing: Promise<void> | undefined;
    #last: bigint;
    #discardedTo: bigint;
    #problem: { message: string; since: Date } | undefined;
    #closing: Promise<void> | undefined;

    constructor(file: string, options: OpenFile & Pick<InboxOptions, 'now' | 'maxBytes'> & { release: () => void }) {
        this.stream = options.stream;
        this.#file = file;
        this.#now = options.now;
        this.#release = options.release;
        this.#database = options.database;
        this.#read = this.#database.prepare('select id, facts, payload from messages where id > ? order by id limit ?');
        this.#read.setReadBigInts(true);
        this.#sizes = this.#database.prepare(
            'select id, length(payload) as bytes from messages where id > ? and id <= ? order by id limit ?',
        );
        this.#sizes.setReadBigInts(true);
        this.#last = options.last;
        this.#origins = new Map(readOrigins(this.#database).map((origin) => [origin.stream, origin]));
        this.#discardedTo = (readNumber(this.#database, 'select min(id) from messages') ?? this.#last + 1n) - 1n;
        this.#writer = new InboxThread({ file, maxBytes: options.maxBytes });
    }

    append(message: NewMessage): Promise<string> {
        return this.#append([message]);
    }

    findOrigin(stream: string): Origin | undefined {
        return this.#origins.get(stream);
    }

    async appendOf(origin: Origin, messages: readonly NewMessage[]): Promise<void> {
        await this.#append(messages, origin);
    }

    #append(messages: readonly NewMessage[], origin?: Origin): Promise<string> {
        const large = messages.find(({ payload }) => payload.length > MAX_PAYLOAD_BYTES);
        if (large) {
            return Promise.reject(new UsageError(`A message has ${large.payload.length} bytes, of ${MAX_PAYLOAD_BYTES}`));
        }
        if (this.#closing) {
            return Promise.reject(new StorageError(`the inbox ${this.#file} is closed`));
        }
        if (this.#waitingBytes > WAITING_BYTES) {
            return Promise.reject(
                this.#noteProblem(new StorageError(`the disk does not keep up with what comes into the inbox ${this.#file}`)),
            );
        }
        return new Promise((resolve, reject) => {
            const encoded = messages.map(({ payload, ...facts }) => ({ facts: JSON.stringify(facts), payload }));
            const sizeBytes = encoded.reduce((sum, { facts, payload }) => sum + facts.length + payload.length + MESSAGE_BYTES, 0);
            this.#waiting.push({ messages: encoded, origin, sizeBytes, resolve, reject });
            this.#waitingBytes += sizeBytes;
            if (!this.#committing) {
                // All that comes in this turn is one commit; what comes while it is on its way is the next one.
                this.#turn ??= setImmediate(() => this.#commitNext());
            }
        });
    }

    read(options: ReadOptions): ChainMessage[] {
        const messages: ChainMessage[] = [];
        try {
            this.#readInto(messages, options);
        } catch (error) {
            // What stands before the damage gets into the lake.
            if (messages.length === 0) {
                throw toStorageError(error, wordsOf(this.#file, `cannot read the inbox ${this.#file}`));
            }
        }
        return messages;
    }

    #readInto(messages: ChainMessage[], { after, maxMessages, maxBytes }: ReadOptions): void {
        let bytes = 0;
        for (const { id, facts, payload } of this.#read.iterate(BigInt(after), maxMessages)) {
            const message = messageIn({ id, facts, payload }, { file: this.#file, now: this.#now });
            bytes += String(facts).length + message.payload.length;
            if (BigInt(message.sequence) > this.#last || (messages.length > 0 && bytes > maxBytes)) {
                break;
            }
            messages.push(message);
        }
    }

    last(): string {
        return String(this.#last);
    }

    appendedBytes(): number {
        return this.#appendedBytes;
    }

    discardedTo(): string {
        return String(this.#discardedTo);
    }

    onAppended(listener: () => void): () => void {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
    }

    problem(): { message: string; since: Date } | undefined {
        return this.#problem;
    }

    async discardUpTo(sequence: string): Promise<void> {
        const end = BigInt(sequence) < this.#last ? BigInt(sequence) : this.#last;
        while (!this.#closing && this.#discardedTo < end) {
            const upTo = this.#endOfStep(end);
            await this.#writer.ask({ discardUpTo: upTo }).catch((error: unknown) => {
                throw toStorageError(error, wordsOf(this.#file, `cannot discard messages of the inbox ${this.#file}`));
            });
            this.#discardedTo = upTo;
        }
    }

    close(): Promise<void> {
        this.#closing ??= this.#close();
        return this.#closing;
    }

    async #close(): Promise<void> {
        while (this.#waiting.length > 0 || this.#committing) {
            this.#commitNext();
            await this.#committing;
        }
        await this.#writer.close();
        this.#database.close();
        this.#release();
    }

    /** Commits what waits as one transaction, unless one is on its way; what comes until it is done is the next one. */
    #commitNext(): void {
        clearImmediate(this.#turn);
        this.#turn = undefined;
        if (this.#committing || this.#waiting.length === 0) {
            return;
        }
        const batch = takeBatch(this.#waiting);
        const bytes = batch.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
        const done = (): void => {
            this.#committing = undefined;
            this.#waitingBytes -= bytes;
            // Before those that wait for this one are answered: the disk is what takes longest.
            this.#commitNext();
        };
        this.#committing = this.#writer.ask(...encodeBatch(batch)).then(
            ({ first, last }) => {
                done();
                this.#last = last;
                this.#appendedBytes += bytes;
                this.#problem = undefined;
                let next = first;
                for (const { messages, origin, resolve } of batch) {
                    if (origin) {
                        this.#origins.set(origin.stream, origin);
                    }
                    resolve(String(next));
                    next += BigInt(messages.length);
                }
                for (const listener of this.#listeners) {
                    listener();
                }
            },
            (error: unknown) => {
                done();
                const problem = this.#noteProblem(
                    toStorageError(error, wordsOf(this.#file, `the inbox ${this.#file} cannot store messages`)),
                );
                for (const { reject } of batch) {
                    reject(problem);
                }
            },
        );
    }

    #noteProblem(error: Error): Error {
        this.#problem = { message: error.message, since: this.#problem?.since ?? this.#now() };
        return error;
    }

    /** The number up to which the next step discards. */
    #endOfStep(end: bigint): bigint {
        let [upTo, bytes] = [end, 0];
        for (const row of this.#sizes.iterate(this.#discardedTo, end, DISCARD_ROWS)) {
            bytes += Number(row.bytes);
            upTo = BigInt(Number(row.id));
            if (bytes >= DISCARD_BYTES) {
                break;
            }
        }
        return upTo;
    }
}

/** Takes the first out of those that wait, as many as one commit has. */
function takeBatch(waiting: Waiting[]): Waiting[] {
    let [bytes, count] = [0, 0];
    const end = waiting.findIndex(({ sizeBytes, messages }, at) => {
        bytes += sizeBytes;
        count += messages.length;
        return at > 0 && (count > COMMIT_MESSAGES || bytes > COMMIT_BYTES);
    });
    return waiting.splice(0, end < 0 ? waiting.length : end);
}

/** The request, and what of it is handed over without a copy. */
function encodeBatch(batch: readonly Waiting[]): [ToInbox, ArrayBuffer[]] {
    const messages = batch.flatMap((waiting) => waiting.messages);
    const lengths = Uint32Array.from(messages, ({ payload }) => payload.length);
    const payloads = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0));
    let at = 0;
    for (const { payload } of messages) {
        payloads.set(payload, at);
        at += payload.length;
    }
    const origins = batch.flatMap(({ origin }) => origin ?? []);
    return [{ facts: messages.map(({ facts }) => facts).join('\n'), payloads, lengths, origins }, [payloads.buffer, lengths.buffer]];
}

type Stored = Extract<FromInbox, { first: bigint }>;

/** The thread that writes; one that has ended is followed by another. */
class InboxThread {
    readonly #workerData: { file: string; maxBytes: number | undefined };
    #worker: Worker | undefined;
    /** Callers that wait for an answer, in the order of their requests. */
    #asked: { resolve: (stored: Stored) => void; reject: (error: Error) => void }[] = [];

    constructor(workerData: { file: string; maxBytes: number | undefined }) {
        this.#workerData = workerData;
        this.#worker = this.#start();
    }

    ask(request: ToInbox, transfer: ArrayBuffer[] = []): Promise<Stored> {
        this.#worker ??= this.#start();
        this.#worker.postMessage(request, transfer);
        return new Promise((resolve, reject) => {
            this.#asked.push({ resolve, reject });
        });
    }

    async close(): Promise<void> {
        await this.ask('close');
        await this.#worker?.terminate();
    }

    #start(): Worker {
        // In the sources this is inbox-worker.ts beside this file, in the built package inbox-worker.js beside the bundle.
        const worker = new Worker(new URL(`inbox-worker${extname(import.meta.url)}`, import.meta.url), { workerData: this.#workerData });
        let failure = new Error('the thread that writes it has ended');
        worker.on('message', (message: FromInbox) => {
            const { resolve, reject } = this.#asked.shift() ?? {};
            if ('first' in message) {
                resolve?.(message);
            } else {
                reject?.(Object.assign(new Error(message.message), message.errcode !== undefined && { errcode: message.errcode }));
            }
        });
        worker.on('error', (error) => {
            failure = error;
        });
        worker.on('exit', () => {
            this.#worker = undefined;
            for (const { reject } of this.#asked.splice(0)) {
                reject(failure);
            }
        });
        return worker;
    }
}
