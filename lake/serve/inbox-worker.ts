/**
 * Entry of the thread that writes an inbox, one thing after the other. Why a thread: a commit waits for the disk, for milliseconds or, on a busy one, for
 * hundreds; the thread that answers devices goes on meanwhile (docs/performance.md).
 */
import { statSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import type { Origin } from '#lake/live/inbox';
import { openInboxDatabase } from './inbox-database.ts';
import { resultCodeOf } from './sqlite-file.ts';

export type ToInbox =
    /** Stores messages in one transaction: a line of facts for each, and their payloads one behind the other. With them how far streams of other lakes are. */
    | { facts: string; payloads: Uint8Array<ArrayBuffer>; lengths: Uint32Array<ArrayBuffer>; origins: readonly Origin[] }
    /** Deletes messages up to this number. */
    | { discardUpTo: bigint }
    | 'close';

/** What came of it, in the order of the requests. */
export type FromInbox =
    /** Numbers of the first and the last message; 0 where nothing was stored. */
    { first: bigint; last: bigint } | { errcode: number | undefined; message: string };

const database = openInboxDatabase(workerData.file, { maxBytes: workerData.maxBytes });
const begin = database.prepare('begin immediate');
const commit = database.prepare('commit');
const insert = database.prepare('insert into messages (facts, payload) values (?, ?)');
insert.setReadBigInts(true);
const noteOrigin = database.prepare('insert or replace into origins (stream, gateway, sequence) values (?, ?, ?)');
const discard = database.prepare('delete from messages where id <= ?');
// The first read makes the log.
database.prepare('select count(*) from stream').get();
const files = [workerData.file, `${workerData.file}-wal`].map((path) => ({ path, identity: identityOf(path) }));

parentPort?.on('message', (request: ToInbox) => {
    try {
        answer(work(request));
    } catch (error) {
        answer({ errcode: resultCodeOf(error), message: error instanceof Error ? error.message : String(error) });
    }
    if (request === 'close') {
        parentPort?.close();
    }
});

function answer(message: FromInbox): void {
    parentPort?.postMessage(message);
}

function work(request: ToInbox): FromInbox {
    const nothing = { first: 0n, last: 0n };
    if (request === 'close') {
        database.close();
        return nothing;
    }
    if ('discardUpTo' in request) {
        discard.run(request.discardUpTo);
        return nothing;
    }
    return store(request);
}

function store({ facts, payloads, lengths, origins }: Extract<ToInbox, { facts: string }>): FromInbox {
    checkFiles();
    begin.run();
    try {
        let last = 0n;
        let at = 0;
        for (const [index, line] of facts.split('\n').entries()) {
            const length = lengths[index] ?? 0;
            last = BigInt(insert.run(line, payloads.subarray(at, at + length)).lastInsertRowid);
            at += length;
        }
        for (const { stream, gateway, end } of origins) {
            noteOrigin.run(stream, gateway, end);
        }
        commit.run();
        checkFiles();
        return { first: last - BigInt(lengths.length) + 1n, last };
    } catch (error) {
        // SQLite itself takes a transaction back that found the disk full.
        if (database.isTransaction) {
            database.exec('rollback');
        }
        throw error;
    }
}

/**
 * Looks whether the files still lie where the next start looks for them: what is written into one that was removed or moved away is on no disk once this process
 * ends, and must not be acknowledged.
 */
function checkFiles(): void {
    const gone = files.find(({ path, identity }) => identityOf(path) !== identity);
    if (gone) {
        throw new Error(
            `${gone.path} was removed, moved or replaced while it was open. Stop serve: it brings what it has acknowledged into the tables; the next start begins a new inbox`,
        );
    }
}

/** Which file lies there; undefined for none. */
function identityOf(path: string): string | undefined {
    const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
    return stat && `${stat.dev} ${stat.ino}`;
}
