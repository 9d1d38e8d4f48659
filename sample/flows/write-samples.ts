/** Puts a sample's files into a folder, each whole or not at all. */
import { randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { StorageError } from '#lake/errors';
import { type SampleFile, sampleFiles } from './sample-files.ts';
import type { Tool } from './tools/tool.ts';
import type { SampleOptions } from './traffic.ts';

export interface SampleProgress {
    /** Files that are there. */
    files: number;
    /** Flows in them. */
    flows: number;
    /** Bytes written, those of a file that is not there yet included. */
    sizeBytes: number;
}

interface WriteControl {
    /** Called after each chunk and each file; the object is the caller's own. */
    onProgress?: ((progress: SampleProgress) => void) | undefined;
    signal?: AbortSignal | undefined;
    /** The tool that writes the files; CICFlowMeter where none is given. */
    tool?: Tool | undefined;
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
 * Writes each of the sample's files to `<directory>/site=<site>/<its name>`, over what had that name before; folders are made as
 * needed. Writing again is safe: equal options give equal bytes. A file gets its name when it is complete; when the signal fires or writing
 * fails, the unfinished one is removed and the finished ones stay.
 * @returns what was written.
 * @throws UsageError for options that make no sample; StorageError where the folder cannot be written; the signal's reason.
 */
export async function writeSamples(
    directory: string,
    options: Partial<SampleOptions> = {},
    { onProgress = () => {}, signal, tool }: WriteControl = {},
): Promise<SampleProgress> {
    const progress: SampleProgress = { files: 0, flows: 0, sizeBytes: 0 };
    for (const file of sampleFiles(options, { tool })) {
        signal?.throwIfAborted();
        const path = join(directory, `site=${file.site}`, file.name);
        await writeWhole(path, {
            file,
            signal,
            onBytes: (sizeBytes) => {
                progress.sizeBytes += sizeBytes;
                onProgress({ ...progress });
            },
        });
        progress.files++;
        progress.flows += file.flows;
        onProgress({ ...progress });
    }
    return progress;
}

async function writeWhole(
    path: string,
    { file, onBytes, signal }: { file: SampleFile; onBytes: (sizeBytes: number) => void; signal: AbortSignal | undefined },
): Promise<void> {
    const folder = dirname(path);
    // Hidden, so that an upload of the folder meanwhile does not take it.
    const unfinished = join(folder, `.${file.name}.${randomUUID()}.part`);
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
