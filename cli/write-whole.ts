/** Writes a file whole or not at all: whoever opens it sees the old bytes or all of the new ones. */
import { randomBytes } from 'node:crypto';
import { open, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { StorageError } from '#lake/errors';

/**
 * Writes beside the file, brings the bytes to the disk and renames. What is no plain file (`/dev/null`, a named pipe) is written as
 * it is. After an error or an interruption nothing of it is left. @throws StorageError where the place cannot be written to.
 */
export async function writeWhole(path: string, bytes: Uint8Array, { signal }: { signal: AbortSignal }): Promise<void> {
    try {
        // Through a symbolic link, so that the link stays one.
        const target = await realpath(path).catch(() => path);
        const found = await stat(target).catch(() => undefined);
        if (found !== undefined && !found.isFile()) {
            await writeThrough(target, bytes, 'w');
            return;
        }
        const temporary = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString('hex')}.tmp`);
        try {
            await writeThrough(temporary, bytes, 'wx');
            signal.throwIfAborted();
            await rename(temporary, target);
        } catch (error) {
            await rm(temporary, { force: true });
            throw error;
        }
    } catch (error) {
        if (signal.aborted) {
            throw error;
        }
        throw new StorageError(`Cannot write ${path}: ${sayReason(error, dirname(path))}`, { cause: error });
    }
}

/** What Node says, but for the name of the file beside, which means nothing to whoever named another one. */
function sayReason(error: unknown, folder: string): string {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') {
        return `ENOENT: there is no folder ${folder}: make it, or name another place`;
    }
    return code === undefined ? String(message ?? error) : message.replace(/, \w+ '.*$/, '');
}

async function writeThrough(path: string, bytes: Uint8Array, flags: 'w' | 'wx'): Promise<void> {
    const file = await open(path, flags);
    try {
        await file.writeFile(bytes);
        if (flags === 'wx') {
            await file.sync();
        }
    } finally {
        await file.close();
    }
}
