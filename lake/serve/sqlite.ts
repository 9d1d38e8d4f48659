/** Opens a database of `serve` that two processes can have open, and runs its statements. */
import { existsSync } from 'node:fs';
import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite';
import { StorageError } from '#lake/errors';
import { type FileWords, mayWriteBeside, openDurableFile, openToRead, resultCodeOf, toStorageError } from './sqlite-file.ts';

/** How long a write waits for another process's. */
const BUSY_MS = 5_000;

/** Pages of the write-ahead log after which it is taken into the database, which the writer waits for: 16 MB, four times what SQLite does by itself. */
const LOG_PAGES = 4_000;

export type Row = Record<string, SQLOutputValue>;

export interface Database {
    /** Runs a statement, which is prepared once for its text. @throws StorageError */
    run(sql: string, ...values: SQLInputValue[]): { changes: number; id: number };
    /** The first row. @throws StorageError */
    get(sql: string, ...values: SQLInputValue[]): Row | undefined;
    /** All rows. @throws StorageError */
    all(sql: string, ...values: SQLInputValue[]): Row[];
    /** Does all of it or nothing: where it throws, or answers `false`, nothing is written. It is on the disk when this returns. */
    transaction<T>(work: () => T): T;
    /**
     * Does the work as `transaction` does, without waiting for the disk: a process that is killed takes nothing of it; a power cut may take it, with all that was written so since the last
     * `transaction` or `run`, and leaves what was before.
     */
    quickTransaction<T>(work: () => T): T;
    /** Safe to call twice. */
    close(): void;
}

export interface OpenDatabaseOptions {
    /** Statements that make its tables. */
    schema: string;
    /** Number of the schema. A file with a higher one is of a newer program. */
    version: number;
    /** What errors of the file say. */
    words: FileWords;
}

/** Opens the database, and makes it where it is not there. Where this user may not write to it, it is there to be read. @throws StorageError where it is damaged, of a newer program, or cannot be made durable */
export function openDatabase(file: string, { schema, version, words }: OpenDatabaseOptions): Database {
    const told = <T>(work: () => T): T => {
        try {
            return work();
        } catch (error) {
            throw resultCodeOf(error) === undefined ? error : toStorageError(error, words);
        }
    };
    const isToRead = existsSync(file) && !mayWriteBeside(file);
    const database = isToRead ? openToRead(file, words) : openDurableFile(file, words, { busyMs: BUSY_MS });
    try {
        told(() => (isToRead ? checkVersion(database, { file, version }) : prepare(database, { file, schema, version })));
        return statementsOf(database, told);
    } catch (error) {
        database.close();
        throw error;
    }
}

/** Makes the tables where there are none. */
function prepare(database: DatabaseSync, { file, schema, version }: { file: string; schema: string; version: number }): void {
    database.exec(`pragma wal_autocheckpoint = ${LOG_PAGES}`);
    database.exec('begin immediate');
    try {
        if (checkVersion(database, { file, version }) === 0) {
            database.exec(schema);
            database.exec(`pragma user_version = ${version}`);
        }
        database.exec('commit');
    } catch (error) {
        database.exec('rollback');
        throw error;
    }
}

/** @returns the schema's number in the file; 0 for a new one. @throws StorageError for one of a newer program */
function checkVersion(database: DatabaseSync, { file, version }: { file: string; version: number }): number {
    const found = Number(database.prepare('pragma user_version').get()?.user_version);
    if (found > version) {
        throw new StorageError(
            `${file} was written by a newer version of flowlake (schema ${found}, this one has ${version}): install that one`,
        );
    }
    return found;
}

function statementsOf(database: DatabaseSync, told: <T>(work: () => T) => T): Database {
    const statements = new Map<string, StatementSync>();
    const statement = (sql: string): StatementSync => {
        const known = statements.get(sql) ?? database.prepare(sql);
        statements.set(sql, known);
        return known;
    };
    const transaction = <T>(work: () => T): T =>
        told(() => {
            database.exec('begin immediate');
            try {
                const result = work();
                database.exec(result === false ? 'rollback' : 'commit');
                return result;
            } catch (error) {
                if (database.isTransaction) {
                    database.exec('rollback');
                }
                throw error;
            }
        });
    return {
        run: (sql, ...values) =>
            told(() => {
                const { changes, lastInsertRowid } = statement(sql).run(...values);
                return { changes: Number(changes), id: Number(lastInsertRowid) };
            }),
        get: (sql, ...values) => told(() => statement(sql).get(...values)),
        all: (sql, ...values) => told(() => statement(sql).all(...values)),
        transaction,
        quickTransaction(work) {
            told(() => database.exec('pragma synchronous = normal'));
            try {
                return transaction(work);
            } finally {
                told(() => database.exec('pragma synchronous = full'));
            }
        },
        close: () => (database.isOpen ? database.close() : undefined),
    };
}
