/** Puts a sample's files into a folder, each whole or not at all. */
import { randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { StorageError } from '#lake/errors';

/** A file of a sample. */
export interface FileToWrite {
    /** Where it goes, below the sample's folder. */
    path: string;
    /** What stands in it: flows, messages. */
    rows: number;
    chunks: Iterable<Uint8Array>;
}

export interface SampleProgress {
    /** Files that are there. */
    files: number;
    /** Rows in them. */
    rows: number;
    /** Bytes written, those of a file that is not there yet included. */
    sizeBytes: number;
}

interface WriteControl {
    /** Called after each chunk and each file; the object is the caller's own. */
    onProgress?: ((progress: SampleProgress) => void) | undefined;
    signal?: AbortSignal | undefined;
}

const EXPLANATIONS: Record<string, string> = {
    EACCES: 'no permission to write there',
    EDQUOT: 'the disk quota is used up',
    EEXIST: 'a file stands where a folder is needed',
    EFBIG: 'the file would be larger than is allowed there',
    EIO: 'the disk reports a fault',
    EISDIR: 'a folder of that name is in the way',
    ENOENT: 'no folder can be made there',
    ENOSPC: 'no space left on the disk',
    ENOTDIR: 'a file stands where a folder is needed',
    EPERM: 'no permission to write there',
    EROFS: 'the disk can only be read',
};

/**
 * Writes each file below the folder, over what had that name before; folders are made as needed. A file gets its name when it is complete; when
 * the signal fires or writing fails, the unfinished one is removed and the finished ones stay.
 * @returns what was written.
 * @throws StorageError where the folder cannot be written; the signal's reason; what the files themselves throw.
 */
export async function writeFiles(
    directory: string,
    files: Iterable<FileToWrite>,
    { onProgress = () => {}, signal }: WriteControl = {},
): Promise<SampleProgress> {
    const progress: SampleProgress = { files: 0, rows: 0, sizeBytes: 0 };
    for (const file of files) {
        signal?.throwIfAborted();
        await writeWhole(join(directory, file.path), {
            file,
            signal,
            onBytes: (sizeBytes) => {
                progress.sizeBytes += sizeBytes;
                onProgress({ ...progress });
            },
        });
        progress.files++;
        progress.rows += file.rows;
        onProgress({ ...progress });
    }
    return progress;
}

async function writeWhole(
    path: string,
    { file, onBytes, signal }: { file: FileToWrite; onBytes: (sizeBytes: number) => void; signal: AbortSignal | undefined },
): Promise<void> {
    const folder = dirname(path);
    // Hidden, so that an upload of the folder meanwhile does not take it.
    const unfinished = join(folder, `.${basename(path)}.${randomUUID()}.part`);
    try {
        await makeFolder(folder);
        await writeChunks(unfinished, { chunks: file.chunks, onBytes, signal });
        await rename(unfinished, path);
    } catch (error) {
        // The first fault is the one to tell: a folder that vanished cannot be cleaned up either.
        await rm(unfinished, { force: true }).catch(() => {});
        signal?.throwIfAborted();
        throw explainFault(path, error);
    }
}

/** Makes a folder. Node's own `recursive: true` hides the cause (ENOENT for a disk that can only be read) and never ends below /proc. */
async function makeFolder(path: string): Promise<void> {
    try {
        await makeOneFolder(path);
    } catch (error) {
        if (codeOf(error) !== 'ENOENT' || dirname(path) === path) {
            throw error;
        }
        await makeFolder(dirname(path));
        await makeOneFolder(path);
    }
}

async function makeOneFolder(path: string): Promise<void> {
    try {
        await mkdir(path);
    } catch (error) {
        if (codeOf(error) !== 'EEXIST') {
            throw error;
        }
    }
}

/** Writes the chunks; one is made while the one before it is being written. */
async function writeChunks(
    path: string,
    { chunks, onBytes, signal }: { chunks: Iterable<Uint8Array>; onBytes: (sizeBytes: number) => void; signal: AbortSignal | undefined },
): Promise<void> {
    const handle = await open(path, 'wx');
    try {
        let written = Promise.resolve();
        for (const chunk of chunks) {
            await written;
            signal?.throwIfAborted();
            onBytes(chunk.length);
            written = handle.writeFile(chunk);
        }
        await written;
    } finally {
        await handle.close();
    }
}

/** A fault of the file system as a StorageError; any other error as it is. */
function explainFault(path: string, error: unknown): unknown {
    const code = codeOf(error);
    if (code === undefined || !(error instanceof Error)) {
        return error;
    }
    const text = `Cannot write ${path}: ${EXPLANATIONS[code] ?? error.message} (${code}). Mend that or give another folder.`;
    return new StorageError(text, { cause: error });
}

/** The errno name (ENOSPC, ...) of an error of the file system. */
function codeOf(error: unknown): string | undefined {
    return error instanceof Error && 'syscall' in error && 'code' in error ? String(error.code) : undefined;
}
