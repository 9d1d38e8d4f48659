/** The mark that a command leaves in a directory lake while it changes it: one that was killed is known by it, so that the next one can finish its work. */
import { randomUUID } from 'node:crypto';
import { readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { removeTemporary, temporaryFolder } from '#lake/store/directory';
import { WORK_FOLDER } from '#lake/store/directory-links';
import { isAlive, ownName } from '#lake/store/directory-lock';
import { makeFolder } from '#lake/store/make-folder';
import { translated } from '#lake/store/system-errors';

export interface WithMarkOptions {
    signal: AbortSignal;
    /** Finishes what killed commands left. @throws what could not be finished */
    finish: () => Promise<void>;
    /** Called with the reason where that could not be done, not even after `work`, which is done all the same. */
    onUnfinished?: ((error: Error) => Promise<void>) | undefined;
}

/**
 * Does `work` under the mark of a running command. First it finishes what killed commands left; where that fails it is tried once more after the
 * work, which may be what mends it, and their marks stay where it fails again. Its own mark goes only when the work ended without an error and was
 * not aborted: else it stays, and the next command finishes what this one left. `work` may clear it before, where it has looked and nothing is left.
 * @throws what `work` does, and the signal's reason
 */
export async function withMark<T>(
    directory: string,
    { signal, finish, onUnfinished }: WithMarkOptions,
    work: (mark: Mark) => Promise<T>,
): Promise<T> {
    const mark = await markRunning(directory);
    const isFinished = !mark.isWorkLeft || (await finished(finish, signal)) === undefined;
    const result = await work(mark);
    signal.throwIfAborted();
    const problem = isFinished ? undefined : await finished(finish, signal);
    if (problem) {
        await mark.clearOwn();
        await onUnfinished?.(problem);
    } else {
        await mark.clear();
    }
    return result;
}

/** Finishes, where that can be done. @returns why it could not. @throws the signal's reason */
async function finished(finish: () => Promise<void>, signal: AbortSignal): Promise<Error | undefined> {
    let problem: Error | undefined;
    try {
        await finish();
    } catch (error) {
        problem = error instanceof Error ? error : new Error(String(error));
    }
    signal.throwIfAborted();
    return problem;
}

/** A file this old is being written by no command: none takes so long for one. */
const UNKNOWN_FILES_STAY_MS = 24 * 60 * 60 * 1000;

/** The mark of a running command. */
export interface Mark {
    /** Marks of commands that were killed were there when this one was set: their work must be finished. */
    isWorkLeft: boolean;
    /** Takes the mark away, and those of killed commands; not called by a command that leaves work undone. */
    clear(): Promise<void>;
    /** Takes the mark away and leaves those of killed commands: their work is still undone. */
    clearOwn(): Promise<void>;
}

/** Sets the mark of a command that changes the lake; see `Mark`. Also removes the files that killed commands were writing. */
export async function markRunning(directory: string): Promise<Mark> {
    const folder = runningFolder(directory);
    return translated(
        async () => {
            makeFolder(folder);
            makeFolder(temporaryFolder(directory));
            const { left, ...processes } = await readMarks(folder);
            const own = `${process.pid}-${randomUUID()}`;
            const aside = join(temporaryFolder(directory), own);
            try {
                // Written aside: without its name in it, another command would take it for that of a dead one.
                await writeFile(aside, ownName());
                await rename(aside, join(folder, own));
            } catch (error) {
                await rm(aside, { force: true }).catch(() => undefined);
                throw error;
            }
            await removeLeftFiles(directory, processes);
            return {
                isWorkLeft: left.length > 0,
                async clear() {
                    await Promise.all([own, ...left].map((name) => rm(join(folder, name), { force: true })));
                },
                clearOwn: () => rm(join(folder, own), { force: true }),
            };
        },
        { directory, doing: 'write' },
    );
}

/** How many commands were cut off whose work is not finished since. */
export async function findCutOff(directory: string): Promise<number> {
    return (await readMarks(runningFolder(directory))).left.length;
}

/** Ids of processes by what their marks say. */
interface Processes {
    /** Ids that surely run no more; no process of another machine has such an id. */
    gone: ReadonlySet<string>;
    /** Ids that surely run. */
    alive: ReadonlySet<string>;
}

/**
 * Marks whose command does not run here any more, and what is known of processes. A command of another machine cannot be
 * asked: its work may be cut off, and is safe to do twice, but it may as well be writing.
 */
async function readMarks(folder: string): Promise<{ left: string[] } & Processes> {
    const left: string[] = [];
    const gone = new Set<string>();
    const living = new Set([String(process.pid)]);
    const unknown = new Set<string>();
    for (const name of await readdir(folder).catch(() => [])) {
        const owner = await readFile(join(folder, name), 'utf8').catch(() => undefined);
        if (owner === undefined) {
            // Its command ended since the folder was listed.
            continue;
        }
        const alive = isAlive(owner);
        if (alive !== true) {
            left.push(name);
        }
        (alive === undefined ? unknown : alive ? living : gone).add(processOf(name));
    }
    return { left, alive: living, gone: new Set([...gone].filter((process) => !living.has(process) && !unknown.has(process))) };
}

/** Process in the name of a mark, or of a file being written, in front of the first dash. */
function processOf(name: string): string {
    return name.split('-', 1)[0] ?? '';
}

function runningFolder(directory: string): string {
    return join(directory, WORK_FOLDER, 'running');
}

async function removeLeftFiles(directory: string, { gone, alive }: Processes): Promise<void> {
    const folder = temporaryFolder(directory);
    for (const name of await readdir(folder).catch(() => [])) {
        const path = join(folder, name);
        const { mtimeMs = 0, size = 0 } = (await stat(path).catch(() => undefined)) ?? {};
        // A clock that was set forward makes every file an old one.
        const isOld = Date.now() - mtimeMs > UNKNOWN_FILES_STAY_MS && !alive.has(processOf(name));
        if (gone.has(processOf(name)) || isOld || (size < MOST_OF_A_MARK && (await isMarkOfDead(path)))) {
            await removeTemporary(directory, name);
        }
    }
}

/** A host name has at most 253 characters; beside it stand two numbers. */
const MOST_OF_A_MARK = 512;

/** True if it is the mark of a command that was killed before the mark stood in its place. */
async function isMarkOfDead(path: string): Promise<boolean> {
    return isAlive(await readFile(path, 'utf8').catch(() => '')) === false;
}
