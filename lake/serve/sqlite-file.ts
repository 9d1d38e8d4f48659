/** A file of SQLite from which a power cut takes no commit that was answered: how each database of `serve` is opened, and what SQLite's errors mean. */
import { accessSync, chmodSync, closeSync, constants, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { StorageError } from '#lake/errors';
import { makeFolder } from '#lake/store/make-folder';
import { translate } from '#lake/store/system-errors';

/** The write-ahead log is cut back to this size once it is in the database. */
const LOG_BYTES = 64 * 1024 * 1024;

/** What `pragma synchronous` answers where each commit is synced to the disk before it returns: https://www.sqlite.org/pragma.html#pragma_synchronous */
const FULL = 2;

/** What the errors of a file say to people. */
export interface FileWords {
    /** What could not be done: `cannot open the inbox FILE`. */
    what: string;
    /** What to do where it is damaged, or no database. */
    damaged: string;
    /** Who it is that has it open, or holds it for long. */
    busy: string;
}

/**
 * Opens the file, which is made where there is none, readable by its owner alone. What is committed is on the disk when the commit returns.
 * For `busyMs` it waits for another process that writes. @throws StorageError where it cannot be opened, is no database, or would not be durable
 */
export function openDurableFile(file: string, words: FileWords, { busyMs = 0 }: { busyMs?: number } = {}): DatabaseSync {
    let database: DatabaseSync | undefined;
    try {
        makePrivate(file);
        database = new DatabaseSync(file, { timeout: busyMs });
        database.exec(`pragma journal_mode = wal; pragma synchronous = full; pragma journal_size_limit = ${LOG_BYTES}`);
        const journal = database.prepare('pragma journal_mode').get()?.journal_mode;
        const synchronous = database.prepare('pragma synchronous').get()?.synchronous;
        // A killed process does not tell FULL from OFF, only a power cut does.
        if (journal !== 'wal' || synchronous !== FULL) {
            throw new StorageError(
                `${file} cannot be made durable here: journal_mode is ${journal} and synchronous ${synchronous}, not wal and ${FULL}. Put the lake on a local disk`,
            );
        }
        return database;
    } catch (error) {
        database?.close();
        throw toStorageError(error, words);
    }
}

/** Opens a file that is there, to be read alone. @throws StorageError where it cannot be opened, or is no database */
export function openToRead(file: string, words: FileWords): DatabaseSync {
    try {
        const url = pathToFileURL(file);
        // SQLite makes files beside a database with a log also for those who only read it: not where it is told that nothing changes.
        // What a process that was killed has left in the log counts.
        if (!statSync(`${file}-wal`, { throwIfNoEntry: false })?.size) {
            url.searchParams.set('immutable', '1');
        }
        return new DatabaseSync(url, { readOnly: true });
    } catch (error) {
        throw toStorageError(error, words);
    }
}

/** True if this user may write into the file and its folder. */
export function mayWriteBeside(file: string): boolean {
    try {
        accessSync(dirname(file), constants.W_OK);
        accessSync(file, constants.W_OK);
        return true;
    } catch {
        return false;
    }
}

/** Makes the file where there is none: what devices say is nobody else's business. @throws StorageError */
export function makePrivate(file: string): void {
    try {
        makeFolder(dirname(file));
        closeSync(openSync(file, 'a', 0o600));
        chmodSync(file, 0o600);
    } catch (error) {
        throw translate(error, { directory: dirname(file), doing: 'write' });
    }
}

/** The result code of an error of SQLite (https://www.sqlite.org/rescode.html); undefined for any other. */
export function resultCodeOf(error: unknown): number | undefined {
    // The lower eight bits are the code, those above tell more of it.
    return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : undefined;
}

/** The StorageError that says what could not be done, and why. One that says so already stays as it is. */
export function toStorageError(error: unknown, words: FileWords): StorageError {
    if (error instanceof StorageError) {
        return error;
    }
    const meaning = meaningOf(resultCodeOf(error), words) ?? (error instanceof Error ? error.message : String(error));
    return new StorageError(`${words.what}: ${meaning}`, { cause: error });
}

function meaningOf(code: number | undefined, { damaged, busy }: FileWords): string | undefined {
    switch (code) {
        case 5:
            return busy;
        case 8:
            return 'it may not be written; check who owns the folder';
        case 10:
            return 'the disk reports an input/output error';
        case 11:
            return `it is damaged. ${damaged}`;
        case 13:
            return 'the disk is full, or the file has the size that it may have; free some space';
        case 14:
            return 'it cannot be opened; check who owns the folder';
        case 26:
            return `it is no database. ${damaged}`;
        default:
            return undefined;
    }
}
