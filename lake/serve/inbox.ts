/**
 * The inbox of one machine: a table of an SQLite database whose row ids are the sequence numbers. What waits for the disk together is committed together:
 * a sync takes as long for a thousand messages as for one.
 */
import { randomBytes } from 'node:crypto';
import { chmodSync, closeSync, existsSync, openSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { StorageError, UsageError } from '#lake/errors';
import type { InboxReader, InboxWriter, NewMessage, ReadOptions } from '#lake/live/inbox';
import { makeFolder } from '#lake/store/make-folder';
import { translate } from '#lake/store/system-errors';
import { type ChainMessage, compareSequences } from '#lake/telemetry/chain-line';

/** Largest payload of a message, as AWS IoT Core has it: https://docs.aws.amazon.com/general/latest/gr/iot-core.html */
export const MAX_PAYLOAD_BYTES = 128 * 1024;

/** What waits is committed once it is this much, without waiting for the end of the turn: so a flood fills the disk and not the memory. */
const COMMIT_AT_BYTES = 16 * 1024 * 1024;

/** Rows of one deletion: more would hold up the messages that come meanwhile. */
const DISCARD_ROWS = 5_000;
const DISCARD_BYTES = 8 * 1024 * 1024;

/** The write-ahead log is cut back to this size once it is in the database. */
const LOG_BYTES = 64 * 1024 * 1024;

const PAGE_BYTES = 4096;

/** The number of the tables' form, in the database's own header. */
const FORM = 1;

export interface InboxOptions {
    now: () => Date;
    /** Answers where the chain of a stream ends; `0` for none. */
    endOfChain: (stream: string) => Promise<string>;
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
    /** Where its file is now. */
    file: string;
}

/** The inbox while it is open. */
export interface Inbox extends InboxWriter, InboxReader {
    /** Bytes of the messages that were stored since the file was opened. */
    appendedBytes(): number;
    /** Sequence number up to which messages have been discarded. */
    discardedTo(): string;
    /** Discards what stands in the chain: messages up to this number. Others have their turns meanwhile. */
    discardUpTo(sequence: string): Promise<void>;
    /** Why messages are being refused, and since when; undefined where the last commit went well. */
    problem(): { message: string; since: Date } | undefined;
    /** Commits what waits, and closes the file. */
    close(): void;
}

/**
 * Opens the inbox, which is made where there is none. One whose counter is not beyond the end of its chain, as that of a restored database, is put aside
 * for a new one with another stream: its numbers would be taken for those that the chain has.
 * @throws StorageError where another process has it open, or the file is no inbox
 */
export async function openInbox(file: string, { now, endOfChain, onReplaced, maxBytes }: InboxOptions): Promise<Inbox> {
    const inbox = new SqliteInbox(file, { now, maxBytes });
    try {
        const end = await endOfChain(inbox.stream);
        if (compareSequences(inbox.last(), end) >= 0) {
            return inbox;
        }
        const { stream } = inbox;
        const last = inbox.last();
        inbox.close();
        const replaced = { stream, last, endOfChain: end, file: putAside(file, stream) };
        onReplaced?.(replaced);
    } catch (error) {
        inbox.close();
        throw error;
    }
    return new SqliteInbox(file, { now, maxBytes });
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

/** A message that waits for its commit. */
interface Waiting {
    facts: string;
    payload: Uint8Array;
    resolve: (sequence: string) => void;
    reject: (error: Error) => void;
}

class SqliteInbox implements Inbox {
    readonly stream: string;
    readonly #file: string;
    readonly #now: () => Date;
    readonly #database: DatabaseSync;
    readonly #begin: StatementSync;
    readonly #commit: StatementSync;
    readonly #insert: StatementSync;
    readonly #read: StatementSync;
    readonly #listeners = new Set<() => void>();
    #waiting: Waiting[] = [];
    #waitingBytes = 0;
    #appendedBytes = 0;
    #turn: NodeJS.Immediate | undefined;
    #last: bigint;
    #discardedTo: bigint;
    #problem: { message: string; since: Date } | undefined;
    #isOpen = true;

    constructor(file: string, { now, maxBytes }: Pick<InboxOptions, 'now' | 'maxBytes'>) {
        this.#file = file;
        this.#now = now;
        this.#database = openDatabase(file);
        try {
            this.stream = this.#prepareTables(maxBytes);
            this.#begin = this.#database.prepare('begin immediate');
            this.#commit = this.#database.prepare('commit');
            this.#insert = this.#database.prepare('insert into messages (facts, payload) values (?, ?)');
            this.#insert.setReadBigInts(true);
            this.#read = this.#database.prepare('select id, facts, payload from messages where id > ? order by id limit ?');
            this.#read.setReadBigInts(true);
            this.#last = this.#number("select seq as number from sqlite_sequence where name = 'messages'") ?? 0n;
            this.#discardedTo = (this.#number('select min(id) as number from messages') ?? this.#last + 1n) - 1n;
        } catch (error) {
            this.#database.close();
            throw asStorageError(error, `cannot open the inbox ${file}`);
        }
    }

    append(message: NewMessage): Promise<string> {
        const { payload, ...facts } = message;
        if (payload.length > MAX_PAYLOAD_BYTES) {
            return Promise.reject(new UsageError(`A message has ${payload.length} bytes, of ${MAX_PAYLOAD_BYTES}`));
        }
        if (!this.#isOpen) {
            return Promise.reject(new StorageError(`the inbox ${this.#file} is closed`));
        }
        return new Promise((resolve, reject) => {
            this.#waiting.push({ facts: JSON.stringify(facts), payload, resolve, reject });
            this.#waitingBytes += payload.length;
            if (this.#waitingBytes >= COMMIT_AT_BYTES) {
                this.#commitWaiting();
            } else {
                this.#turn ??= setImmediate(() => this.#commitWaiting());
            }
        });
    }

    read({ after, maxMessages, maxBytes }: ReadOptions): ChainMessage[] {
        const messages: ChainMessage[] = [];
        let bytes = 0;
        for (const { id, facts, payload } of this.#read.iterate(BigInt(after), maxMessages)) {
            if (typeof id !== 'bigint' || typeof facts !== 'string' || !(payload instanceof Uint8Array)) {
                throw new StorageError(`the inbox ${this.#file} is damaged: message ${id} is none`);
            }
            bytes += facts.length + payload.length;
            if (messages.length > 0 && bytes > maxBytes) {
                break;
            }
            messages.push({
                ...JSON.parse(facts),
                sequence: String(id),
                payload: Buffer.from(payload.buffer, payload.byteOffset, payload.length),
            });
        }
        return messages;
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
        while (this.#isOpen && this.#discardedTo < end) {
            const upTo = this.#endOfStep(end);
            try {
                this.#database.prepare('delete from messages where id <= ?').run(upTo);
            } catch (error) {
                throw asStorageError(error, `cannot discard messages of the inbox ${this.#file}`);
            }
            this.#discardedTo = upTo;
            await nextTurn();
        }
    }

    close(): void {
        if (!this.#isOpen) {
            return;
        }
        this.#commitWaiting();
        this.#isOpen = false;
        this.#database.close();
    }

    /** Commits all that waits as one transaction, and answers in the order of the calls. */
    #commitWaiting(): void {
        const [waiting, bytes] = [this.#waiting, this.#waitingBytes];
        clearImmediate(this.#turn);
        this.#turn = undefined;
        this.#waiting = [];
        this.#waitingBytes = 0;
        if (waiting.length === 0) {
            return;
        }
        let first: bigint;
        try {
            first = this.#store(waiting);
        } catch (error) {
            this.#refuse(waiting, error);
            return;
        }
        this.#problem = undefined;
        this.#appendedBytes += bytes;
        this.#last = first + BigInt(waiting.length) - 1n;
        for (const [at, { resolve }] of waiting.entries()) {
            resolve(String(first + BigInt(at)));
        }
        for (const listener of this.#listeners) {
            listener();
        }
    }

    /** @returns the number of the first message; those behind it have the numbers that follow */
    #store(waiting: readonly Waiting[]): bigint {
        const database = this.#database;
        const first = this.#last + 1n;
        this.#begin.run();
        try {
            let last: number | bigint = this.#last;
            for (const { facts, payload } of waiting) {
                last = this.#insert.run(facts, payload).lastInsertRowid;
            }
            if (last !== this.#last + BigInt(waiting.length)) {
                throw new StorageError(`the inbox ${this.#file} is damaged: behind ${this.#last} it gave the number ${last}`);
            }
            this.#commit.run();
        } catch (error) {
            // SQLite itself takes a transaction back that found the disk full.
            if (database.isTransaction) {
                database.exec('rollback');
            }
            throw error;
        }
        return first;
    }

    #refuse(waiting: readonly Waiting[], error: unknown): void {
        const problem = asStorageError(error, `the inbox ${this.#file} cannot store messages`);
        this.#problem = { message: problem.message, since: this.#problem?.since ?? this.#now() };
        for (const { reject } of waiting) {
            reject(problem);
        }
    }

    /** The number up to which the next step discards. */
    #endOfStep(end: bigint): bigint {
        const sizes = this.#database.prepare(
            'select id, length(payload) as bytes from messages where id > ? and id <= ? order by id limit ?',
        );
        sizes.setReadBigInts(true);
        let [upTo, bytes] = [end, 0n];
        for (const row of sizes.iterate(this.#discardedTo, end, DISCARD_ROWS)) {
            bytes += BigInt(Number(row.bytes));
            upTo = BigInt(Number(row.id));
            if (bytes >= DISCARD_BYTES) {
                break;
            }
        }
        return upTo;
    }

    /** Makes the tables where the file is new. @returns the stream's name */
    #prepareTables(maxBytes: number | undefined): string {
        const database = this.#database;
        const form = Number(this.#number('pragma user_version'));
        if (form > FORM) {
            throw new StorageError(
                `${this.#file} was written by a newer flowlake (form ${form}, this one knows ${FORM}): install that version`,
            );
        }
        if (form === 0) {
            // AUTOINCREMENT: without it SQLite counts from 1 again once all rows are deleted.
            database.exec(`
                begin immediate;
                create table stream (name text not null) strict;
                create table messages (id integer primary key autoincrement, facts text not null, payload blob not null) strict;
                pragma user_version = ${FORM};`);
            database.prepare('insert into stream (name) values (?)').run(newStream(this.#now()));
            database.exec('commit');
        }
        if (maxBytes !== undefined) {
            database.exec(`pragma max_page_count = ${Math.max(1, Math.floor(maxBytes / PAGE_BYTES))}`);
        }
        const name = database.prepare('select name from stream').get()?.name;
        if (typeof name !== 'string') {
            throw new StorageError(`${this.#file} is no inbox: it does not tell the name of its stream`);
        }
        return name;
    }

    /** The first value of the first row as a number; undefined where it is null or there is none. */
    #number(sql: string): bigint | undefined {
        const statement = this.#database.prepare(sql);
        statement.setReadBigInts(true);
        const [value] = Object.values(statement.get() ?? {});
        return typeof value === 'bigint' ? value : undefined;
    }
}

/** A name that no other stream has: when it began, and chance. */
function newStream(at: Date): string {
    return `${at.toISOString().replace(/[-:]|\.\d+/g, '')}-${randomBytes(4).toString('hex')}`;
}

/** Opens the file for this process alone, with every commit on the disk before it returns. @throws StorageError */
function openDatabase(file: string): DatabaseSync {
    let database: DatabaseSync | undefined;
    try {
        makeFolder(dirname(file));
        // What devices say is nobody else's business.
        closeSync(openSync(file, 'a', 0o600));
        chmodSync(file, 0o600);
        database = new DatabaseSync(file);
        database.exec(`
            pragma locking_mode = exclusive;
            pragma journal_mode = wal;
            pragma synchronous = full;
            pragma journal_size_limit = ${LOG_BYTES};`);
        const { journal_mode: journal } = database.prepare('pragma journal_mode').get() ?? {};
        const { synchronous } = database.prepare('pragma synchronous').get() ?? {};
        // 2 is FULL: https://www.sqlite.org/pragma.html#pragma_synchronous. A killed process does not tell it from OFF, only a power cut does.
        if (journal !== 'wal' || synchronous !== 2) {
            throw new StorageError(`the inbox ${file} would not be durable: journal ${journal}, synchronous ${synchronous}`);
        }
        return database;
    } catch (error) {
        database?.close();
        throw asStorageError(translate(error, { directory: dirname(file), doing: 'write' }), `cannot open the inbox ${file}`);
    }
}

/** Result codes of SQLite: https://www.sqlite.org/rescode.html */
const MEANINGS: Record<number, string> = {
    5: 'another process has it open; one flowlake serves a lake',
    8: 'it may not be written; check who owns the folder',
    10: 'the disk reports an input/output error',
    11: 'it is damaged. It may hold messages that are not in the lake yet: bring it back from a backup, or move it away to begin a new one',
    13: 'the disk is full, or the inbox has the size that it may have; free some space',
    26: 'it is no database. If it was an inbox, it may have held messages that are not in the lake yet: bring it back from a backup, or move it away to begin a new one',
};

function asStorageError(error: unknown, what: string): Error {
    if (error instanceof Error && 'errcode' in error && typeof error.errcode === 'number') {
        // The lower eight bits are the code, those above tell more of it.
        const meaning = MEANINGS[error.errcode & 0xff] ?? error.message;
        return new StorageError(`${what}: ${meaning}`, { cause: error });
    }
    return error instanceof Error ? error : new StorageError(`${what}: ${String(error)}`);
}
