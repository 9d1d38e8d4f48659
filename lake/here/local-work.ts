/**
 * What queues and Lambdas do on AWS, for a directory lake: sources are put, summarized and consolidated by threads of this process,
 * and a command that was killed is known by the mark it leaves, so that the next one can finish its work.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { extname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { type DayOutcome, rebuildDay } from '#lake/commit/consolidate';
import { summarize } from '#lake/commit/summarize';
import * as errors from '#lake/errors';
import { sourceId } from '#lake/layout';
import { type LedgerRecord, readLedger } from '#lake/ledger';
import { openDirectoryStore, removeTemporary, temporaryFolder } from '#lake/store/directory';
import { WORK_FOLDER } from '#lake/store/directory-links';
import { isAlive, ownName } from '#lake/store/directory-lock';
import { ABSENT, type ObjectStore } from '#lake/store/object-store';
import { translated } from '#lake/store/system-errors';
import { readLocalFile } from './local-file.ts';

export type Task =
    /** Put a local file under a raw key, then summarize it. */
    | { kind: 'put'; path: string; key: string; ifMatch: string; metadata: Record<string, string> }
    | { kind: 'summarize'; key: string }
    /** `anew` as for `rebuildDay`. */
    | { kind: 'consolidate'; day: string; anew?: boolean };

export interface TaskResult {
    /** The source's record after it. */
    record?: LedgerRecord | undefined;
    /** Days that must be consolidated after it. */
    days: string[];
    /** What was done for the day, where that was the task. */
    outcome?: DayOutcome | undefined;
}

export interface TaskEvents {
    /** Bytes of the source read since the last call. */
    onBytes?: ((bytes: number) => void) | undefined;
    signal?: AbortSignal | undefined;
}

/** The start of a thread takes as long as reading so much, or as a few small tasks. */
const SMALL_BYTES = 1 << 24;
const FEW_TASKS = 16;

/** Rows and totals of a file are short-lived by the million; room for more of them only makes the process larger, not faster. */
const THREAD_LIMITS = { maxYoungGenerationSizeMb: 8 };

/** Does one task in this thread. */
export async function runTask(directory: string, task: Task, { onBytes, signal }: TaskEvents = {}): Promise<TaskResult> {
    const store = openDirectoryStore(directory);
    if (task.kind === 'consolidate') {
        return { days: [], outcome: await rebuildDay(task.day, { store, anew: task.anew ?? false }) };
    }
    if (task.kind === 'summarize') {
        // Nobody put anything: there is no message to be used up, and a process that is killed leaves a mark until its work is done.
        return summarizeSource(store, task.key, { onBytes, signal, mustFence: false });
    }
    // The file is read twice, once to put it and once to summarize it: each time counts half.
    const halved = { signal, onBytes: (bytes: number): void => onBytes?.(bytes / 2) };
    const { path, key, ifMatch, metadata } = task;
    const raw = await store.put(key, readLocalFile(path, halved), { ifMatch, metadata });
    try {
        return await summarizeSource(store, key, halved);
    } catch (error) {
        // Nothing of a new file is in the figures: leave the lake as it was. What it replaced cannot be brought back; then the next
        // upload or reconcile finishes the work.
        if (ifMatch === ABSENT && !(await readLedger(store, sourceId(key))).record) {
            await store.delete(key, { only: raw }).catch(() => undefined);
        }
        throw error;
    }
}

async function summarizeSource(
    store: ObjectStore,
    key: string,
    { onBytes, signal, mustFence = true }: TaskEvents & { mustFence?: boolean },
): Promise<TaskResult> {
    const days: string[] = [];
    const tellDay = async (day: string): Promise<void> => {
        days.push(day);
    };
    const record = await summarize(key, { store, now: () => new Date(), tellDay, onBytes, signal }, { mustFence });
    return { record, days };
}

/** How a task ended; an error belongs to its task and does not stop the others. */
export type Outcome = { task: Task; result: TaskResult } | { task: Task; error: Error };

/**
 * Does tasks side by side on the machine's cores and yields each outcome as it comes. Aborting stops every task at its next step;
 * the tasks that were stopped come out as errors. `totalBytes` is what there is to read, where that is known.
 */
export async function* runTasks(
    directory: string,
    tasks: readonly Task[],
    { totalBytes, ...events }: TaskEvents & { totalBytes?: number | undefined } = {},
): AsyncGenerator<Outcome> {
    // Of several tasks it must be known that there is little to do.
    const isFew = totalBytes === undefined ? tasks.length <= 1 : tasks.length <= FEW_TASKS && totalBytes < SMALL_BYTES;
    if (isFew) {
        for (const task of tasks) {
            if (events.signal?.aborted && task !== tasks[0]) {
                return;
            }
            yield await settled(task, runTask(directory, task, events));
        }
        return;
    }
    const waiting = [...tasks];
    const threads = Array.from({ length: Math.min(availableParallelism(), tasks.length) }, () => openThread(directory, events));
    try {
        const running = new Map<number, Promise<{ thread: number; outcome: Outcome }>>();
        const startNext = (thread: number): void => {
            const task = events.signal?.aborted ? undefined : waiting.shift();
            if (task) {
                const done = settled(task, threads[thread]?.run(task) ?? Promise.reject(new Error('no such thread')));
                running.set(
                    thread,
                    done.then((outcome) => ({ thread, outcome })),
                );
            }
        };
        for (const thread of threads.keys()) {
            startNext(thread);
        }
        while (running.size > 0) {
            const { thread, outcome } = await Promise.race(running.values());
            running.delete(thread);
            startNext(thread);
            yield outcome;
        }
    } finally {
        await Promise.all(threads.map((thread) => thread.close()));
    }
}

async function settled(task: Task, result: Promise<TaskResult>): Promise<Outcome> {
    try {
        return { task, result: await result };
    } catch (error) {
        return { task, error: error instanceof Error ? error : new Error(String(error)) };
    }
}

/** What a thread and its owner say to each other. */
export type ToThread = { task: Task } | 'abort';
export type FromThread =
    | { bytes: number }
    | { result: TaskResult }
    | { error: { name: string; message: string; stack?: string | undefined } };

/** A thread that is started with its first task, and anew where one was the end of it. */
function openThread(directory: string, { onBytes, signal }: TaskEvents) {
    let worker: Worker | undefined;
    const abort = (): void => worker?.postMessage('abort' satisfies ToThread);
    signal?.addEventListener('abort', abort);

    function start(): Worker {
        // In the sources this is worker.ts beside this file, in the built package worker.js beside the bundle.
        const url = new URL(`worker${extname(import.meta.url)}`, import.meta.url);
        const started = new Worker(url, { workerData: { directory }, resourceLimits: THREAD_LIMITS });
        started.once('exit', () => {
            worker = undefined;
        });
        return started;
    }

    return {
        run(task: Task): Promise<TaskResult> {
            worker ??= start();
            const current = worker;
            return new Promise((resolve, reject) => {
                let failure = new Error('its thread has ended');
                // Where it runs out of memory, there is an error and then the end.
                const onError = (error: Error): void => {
                    failure = error;
                };
                const onExit = (): void => settle(() => reject(new Error(`${nameOf(task)}: ${failure.message}`, { cause: failure })));
                const onMessage = (message: FromThread): void => {
                    if ('bytes' in message) {
                        onBytes?.(message.bytes);
                    } else if ('result' in message) {
                        settle(() => resolve(message.result));
                    } else {
                        settle(() => reject(revive(message.error)));
                    }
                };
                const settle = (end: () => void): void => {
                    current.off('message', onMessage).off('error', onError).off('exit', onExit);
                    end();
                };
                current.on('message', onMessage).on('error', onError).on('exit', onExit);
                current.postMessage({ task } satisfies ToThread);
            });
        },
        async close(): Promise<void> {
            signal?.removeEventListener('abort', abort);
            await worker?.terminate();
        },
    };
}

function nameOf(task: Task): string {
    return task.kind === 'consolidate' ? task.day : task.key;
}

/** An error that came over from a thread, of the class that it had there. */
function revive({ name, message, stack }: { name: string; message: string; stack?: string | undefined }): Error {
    // By the names that they are exported under: a bundle gives classes shorter ones.
    const Class = Object.entries(errors).find(([exported]) => exported === name)?.[1] ?? Error;
    const error = new Class(message);
    error.stack = stack ?? error.stack ?? '';
    if (Class === Error) {
        error.name = name;
    }
    return error;
}

/** No command writes one file for so long. */
const UNKNOWN_FILES_STAY_MS = 24 * 60 * 60 * 1000;

/** The mark of a running command. */
export interface Mark {
    /** Marks of commands that were killed were there when this one was set: their work must be finished. */
    isWorkLeft: boolean;
    /** Takes the mark away, and those of killed commands; not called by a command that leaves work undone. */
    clear(): Promise<void>;
}

/** Sets the mark of a command that changes the lake; see `Mark`. Also removes the files that killed commands were writing. */
export async function markRunning(directory: string): Promise<Mark> {
    const folder = runningFolder(directory);
    return translated(
        async () => {
            await mkdir(folder, { recursive: true });
            await mkdir(temporaryFolder(directory), { recursive: true });
            const { left, ...processes } = await readMarks(folder);
            const own = `${process.pid}-${randomUUID()}`;
            const aside = join(temporaryFolder(directory), own);
            try {
                // Written aside: without its name in it, another command would take it for that of a dead one.
                await writeFile(aside, await ownName());
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
            };
        },
        { directory, doing: 'write' },
    );
}

/** How many commands were cut off, and their work not finished since. */
export async function findCutOff(directory: string): Promise<number> {
    return (await readMarks(runningFolder(directory))).left.length;
}

/** Ids of processes by what their marks say. */
interface Processes {
    /** Surely so; none of another machine has the same id. */
    gone: ReadonlySet<string>;
    /** Surely so. */
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
        const alive = await isAlive(owner);
        if (alive !== true) {
            left.push(name);
        }
        (alive === undefined ? unknown : alive ? living : gone).add(processOf(name));
    }
    return { left, alive: living, gone: new Set([...gone].filter((process) => !living.has(process) && !unknown.has(process))) };
}

/** Marks, and files being written, are named by their process first. */
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

/** Whether it is the mark of a command that was killed before the mark stood in its place. */
async function isMarkOfDead(path: string): Promise<boolean> {
    return (await isAlive(await readFile(path, 'utf8').catch(() => ''))) === false;
}
