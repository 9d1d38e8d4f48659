/** The file of an inbox as a database: how it is opened, by one process alone and with every commit on the disk, and what its errors mean. */
import { randomBytes } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { StorageError } from '#lake/errors';
import type { Origin } from '#lake/live/inbox';
import type { ChainMessage } from '#lake/telemetry/chain-line';
import { type FileWords, makePrivate, openDurableFile, openToRead, toStorageError } from './sqlite-file.ts';

const PAGE_BYTES = 4096;

/** The number of the tables' form, in the database's own header. */
const FORM = 2;

/** How far streams of other lakes were taken in; a file of form 1 has no such table. */
const ORIGINS = 'create table origins (stream text primary key, gateway text not null, sequence text not null) strict;';

/**
 * Opens the file, which is made where there is none, for reading and writing. What a connection commits is on the disk when its commit returns.
 * @throws StorageError
 */
export function openInboxDatabase(file: string, { maxBytes }: { maxBytes?: number | undefined } = {}): DatabaseSync {
    const database = openDurableFile(file, wordsOf(file));
    if (maxBytes !== undefined) {
        database.exec(`pragma max_page_count = ${Math.max(1, Math.floor(maxBytes / PAGE_BYTES))}`);
    }
    return database;
}

/** What errors of the inbox's file say. */
export function wordsOf(file: string, what = `cannot open the inbox ${file}`): FileWords {
    return {
        what,
        damaged:
            'It may hold messages that are not in the lake yet: bring it back from a backup, or move it away with its -wal and -shm to begin a new one',
        busy: 'another process has it open; one flowlake serves a lake',
    };
}

/** The number of the tables' form that the file has; 0 for a new one. */
export function formOf(database: DatabaseSync): number {
    return Number(readNumber(database, 'pragma user_version'));
}

/** Makes the tables where the file is new, and what an older one has not. @returns the name of the inbox's stream of numbers */
export function prepareInbox(
    database: DatabaseSync,
    { file, now, origins = [] }: { file: string; now: Date; origins?: readonly Origin[] },
): string {
    const form = formOf(database);
    if (form > FORM) {
        throw new StorageError(`${file} was written by a newer flowlake (form ${form}, this one knows ${FORM}): install that version`);
    }
    if (form === 0) {
        database.exec('begin immediate');
        // AUTOINCREMENT: without it SQLite counts from 1 again once all rows are deleted.
        database.exec(`
            create table stream (name text not null) strict;
            create table messages (id integer primary key autoincrement, facts text not null, payload blob not null) strict;
            ${ORIGINS}
            pragma user_version = ${FORM};`);
        database.prepare('insert into stream (name) values (?)').run(newStream(now));
        const note = database.prepare('insert into origins (stream, gateway, sequence) values (?, ?, ?)');
        for (const { stream, gateway, end } of origins) {
            note.run(stream, gateway, end);
        }
        database.exec('commit');
    }
    if (form === 1) {
        database.exec(`begin immediate; ${ORIGINS} pragma user_version = ${FORM}; commit`);
    }
    const name = database.prepare('select name from stream').get()?.name;
    if (typeof name !== 'string') {
        throw new StorageError(`${file} is no inbox: it does not tell the name of its stream`);
    }
    return name;
}

/** The messages of a file that nobody has open, in their order. Nothing is changed. @throws StorageError */
export function* readMessages(file: string, { now }: { now: () => Date }): Generator<ChainMessage> {
    const words = wordsOf(file, `cannot read the inbox ${file}`);
    const database = openToRead(file, words);
    try {
        const statement = database.prepare('select id, facts, payload from messages order by id');
        statement.setReadBigInts(true);
        for (const row of statement.iterate()) {
            yield messageIn(row, { file, now });
        }
    } catch (error) {
        throw toStorageError(error, words);
    } finally {
        database.close();
    }
}

/** The message of a row. Where a damaged disk has left no facts it is put aside, so that those behind it get through. @throws StorageError for what is no row */
export function messageIn({ id, facts, payload }: Record<string, unknown>, { file, now }: { file: string; now: () => Date }): ChainMessage {
    if (typeof id !== 'bigint' || typeof facts !== 'string' || !(payload instanceof Uint8Array)) {
        throw new StorageError(`the inbox ${file} is damaged: message ${id} is none`);
    }
    const whole = { sequence: String(id), payload: Buffer.from(payload.buffer, payload.byteOffset, payload.length) };
    try {
        return { ...JSON.parse(facts), ...whole };
    } catch {
        const refused = `the inbox is damaged where it says what this message is: ${JSON.stringify(facts.slice(0, 200))}`;
        return { arrivedMs: now().getTime(), way: 'mqtt', refused, ...whole };
    }
}

/** How far streams of other lakes were taken in. */
export function readOrigins(database: DatabaseSync): Origin[] {
    return database
        .prepare('select stream, gateway, sequence from origins')
        .all()
        .map(({ stream, gateway, sequence }) => ({ stream: String(stream), gateway: String(gateway), end: String(sequence) }));
}

/** A name that no other stream has: when it began, and chance. */
function newStream(at: Date): string {
    return `${at.toISOString().replace(/[-:]|\.\d+/g, '')}-${randomBytes(4).toString('hex')}`;
}

/** Holds the file for this process until what it returns is called; a process that was killed holds it no more. @throws StorageError where another one does */
export function holdInbox(file: string): () => void {
    let lock: DatabaseSync | undefined;
    try {
        makePrivate(`${file}.lock`);
        lock = new DatabaseSync(`${file}.lock`);
        lock.exec('begin exclusive');
        return () => lock?.close();
    } catch (error) {
        lock?.close();
        throw toStorageError(error, wordsOf(file));
    }
}

/** The first value of the first row as a number; undefined where it is null or there is none. */
export function readNumber(database: DatabaseSync, sql: string): bigint | undefined {
    const statement = database.prepare(sql);
    statement.setReadBigInts(true);
    const [value] = Object.values(statement.get() ?? {});
    return typeof value === 'bigint' ? value : undefined;
}
