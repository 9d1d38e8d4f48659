/** What the operating system's errors mean for people. */
import { StorageError } from '#lake/errors';

const MEANINGS: Record<string, string> = {
    ENOSPC: 'the disk is full; free some space and run the command again',
    EDQUOT: 'your disk quota is used up; free some space and run the command again',
    EACCES: 'no permission; check who owns the folder',
    EPERM: 'the system does not permit it; check who owns the folder',
    EROFS: 'the file system is read-only',
    ENOTDIR: 'a file stands where a folder is needed',
    EEXIST: 'a file stands where a folder is needed',
    EISDIR: 'a folder stands where a file is needed',
    EMFILE: 'too many open files; raise the limit (ulimit -n)',
    EFBIG: 'the file is larger than this system allows; check ulimit -f and the file system',
    EIO: 'the disk reports an input/output error',
};

/** Runs file work; what the system refuses becomes a StorageError that says what was done where, and what would help. */
export async function translated<T>(work: () => Promise<T>, { directory, doing }: { directory: string; doing: string }): Promise<T> {
    try {
        return await work();
    } catch (error) {
        throw translate(error, { directory, doing });
    }
}

/** The StorageError for what the system refused; any other error as it is. */
export function translate(error: unknown, { directory, doing }: { directory: string; doing: string }): unknown {
    const code = codeOf(error);
    return code !== undefined && error instanceof Error && 'syscall' in error
        ? new StorageError(`cannot ${doing} in ${directory}: ${meaningOf(code, error)} (${code})`, { cause: error })
        : error;
}

/** Errors of which the path tells more than the directory: it is not one that anybody has asked for. */
const IN_THE_WAY = ['ENOTDIR', 'EEXIST', 'EISDIR'];

function meaningOf(code: string, error: Error): string {
    const meaning = MEANINGS[code];
    const place = 'dest' in error ? error.dest : 'path' in error ? error.path : undefined;
    return meaning !== undefined && IN_THE_WAY.includes(code) && typeof place === 'string'
        ? `${meaning}: ${place}`
        : (meaning ?? error.message);
}

/** Code of an error of the system, `ENOENT` and the like; undefined for any other error. */
export function codeOf(error: unknown): string | undefined {
    return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
