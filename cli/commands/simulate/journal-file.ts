/** Writes the journal of a simulation: appended, in pieces of some hundred lines, and whole at the end. */
import { type FileHandle, open } from 'node:fs/promises';
import { StorageError, UsageError } from '#lake/errors';
import { encodeEvent, type JournalEvent } from '#lake/live/journal';

export interface JournalFile {
    note(event: JournalEvent): void;
    /** Writes what is still in memory. @throws StorageError where some of it could not be written */
    close(): Promise<void>;
}

/** Lines wait for this long at most. */
const FLUSH_MS = 200;

/** A new journal. @throws UsageError where there is a file of that name: a journal is never written over */
export async function createJournal(path: string): Promise<JournalFile> {
    const file = await open(path, 'wx').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'EEXIST') {
            throw new UsageError(`${path} is there: give the journal another name (--journal), or take the old one away`);
        }
        throw new StorageError(`Cannot write ${path}: ${error.message}`, { cause: error });
    });
    return openJournal(file, path);
}

function openJournal(file: FileHandle, path: string): JournalFile {
    let lines: string[] = [];
    let failure: Error | undefined;
    let writing = Promise.resolve();
    const flush = (): void => {
        const text = lines.join('');
        lines = [];
        if (text !== '') {
            writing = writing
                .then(() => file.appendFile(text))
                .catch((error: Error) => {
                    failure ??= error;
                });
        }
    };
    const timer = setInterval(flush, FLUSH_MS);
    return {
        note: (event) => {
            lines.push(encodeEvent(event));
        },
        async close() {
            clearInterval(timer);
            flush();
            await writing;
            await file.close();
            if (failure) {
                throw new StorageError(`The journal ${path} is not whole: ${failure.message}`, { cause: failure });
            }
        },
    };
}
