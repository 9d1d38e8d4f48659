/** Threads of this process that do tasks side by side on the machine's cores: what Lambdas are on AWS, for a lake in a directory. */
import { availableParallelism } from 'node:os';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import * as errors from '#lake/errors';
import { nameOf, runTask, type Task, type TaskEvents, type TaskResult } from './tasks.ts';

/** The start of a thread takes as long as reading 16 MiB, or as a few small tasks. */
const SMALL_BYTES = 1 << 24;
const FEW_TASKS = 16;

/** Tasks that a thread has under way at once where they are small: while one waits for the disk, others go on, and the disk does with one wait for several. */
const SMALL_AT_ONCE = 4;
const SMALL_TASK_BYTES = 1 << 20;

/** Rows and totals of a file are short-lived by the million; room for more of them only makes the process larger, not faster. */
const THREAD_LIMITS = { maxYoungGenerationSizeMb: 8 };

/** How a task ended; an error belongs to its task and does not stop the others. */
export type Outcome = { task: Task; result: TaskResult } | { task: Task; error: Error };

/** Threads that are started when they are needed, and stay until they are closed: what comes next finds them warm. */
export interface Threads {
    /**
     * Does tasks side by side on the machine's cores and yields each outcome as it comes. Aborting stops every task at its next step;
     * the tasks that were stopped come out as errors. `totalBytes` is what there is to read, where that is known.
     */
    run(tasks: readonly Task[], options?: { totalBytes?: number | undefined }): AsyncGenerator<Outcome>;
    close(): Promise<void>;
}

/** `isServing` says that this thread has others to answer: then it does no task itself, and a core is left for it. */
export function openThreads(directory: string, { isServing = false, ...events }: TaskEvents & { isServing?: boolean } = {}): Threads {
    const count = Math.max(1, availableParallelism() - (isServing ? 1 : 0));
    const threads = Array.from({ length: count }, () => openThread(directory, events));
    return {
        async *run(tasks, { totalBytes } = {}) {
            // Several tasks are few only where it is known that there is little to read.
            const isFew = isServing
                ? false
                : totalBytes === undefined
                  ? tasks.length <= 1
                  : tasks.length <= FEW_TASKS && totalBytes < SMALL_BYTES;
            if (isFew) {
                for (const task of tasks) {
                    if (events.signal?.aborted && task !== tasks[0]) {
                        return;
                    }
                    yield await settled(task, runTask(directory, task, events));
                }
                return;
            }
            const areSmall = totalBytes !== undefined && totalBytes / tasks.length < SMALL_TASK_BYTES;
            const places = threads.flatMap((thread) => Array.from({ length: areSmall ? SMALL_AT_ONCE : 1 }, () => thread));
            const waiting = [...tasks];
            const running = new Map<number, Promise<{ place: number; outcome: Outcome }>>();
            const startNext = (place: number): void => {
                const thread = places[place];
                const task = events.signal?.aborted ? undefined : waiting.shift();
                if (thread && task) {
                    const done = settled(task, thread.run(task));
                    running.set(
                        place,
                        done.then((outcome) => ({ place, outcome })),
                    );
                }
            };
            for (const place of places.keys()) {
                startNext(place);
            }
            while (running.size > 0) {
                const { place, outcome } = await Promise.race(running.values());
                running.delete(place);
                startNext(place);
                yield outcome;
            }
        },
        async close() {
            await Promise.all(threads.map((thread) => thread.close()));
        },
    };
}

/** Does tasks in threads that are there for these alone; see `Threads.run`. */
export async function* runTasks(
    directory: string,
    tasks: readonly Task[],
    { totalBytes, ...events }: TaskEvents & { totalBytes?: number | undefined } = {},
): AsyncGenerator<Outcome> {
    const threads = openThreads(directory, events);
    try {
        yield* threads.run(tasks, { totalBytes });
    } finally {
        await threads.close();
    }
}

async function settled(task: Task, result: Promise<TaskResult>): Promise<Outcome> {
    try {
        return { task, result: await result };
    } catch (error) {
        return { task, error: error instanceof Error ? error : new Error(String(error)) };
    }
}

/** What a thread and its owner say to each other; `id` names one of the tasks that are under way. */
export type ToThread = { id: number; task: Task } | 'abort';
export type FromThread =
    | { bytes: number }
    | { id: number; result: TaskResult }
    | { id: number; error: { name: string; message: string; stack?: string | undefined } };

/** A thread that is started with its first task, and anew where one was the end of it. */
function openThread(directory: string, { onBytes, signal }: TaskEvents) {
    let worker: Worker | undefined;
    let last = 0;
    const abort = (): void => worker?.postMessage('abort' satisfies ToThread);
    signal?.addEventListener('abort', abort);

    function start(): Worker {
        // In the sources this is worker.ts beside this file, in the built package worker.js beside the bundle.
        const url = new URL(`worker${extname(import.meta.url)}`, import.meta.url);
        const started = new Worker(url, { workerData: { directory }, resourceLimits: THREAD_LIMITS });
        // A task listens for each of three events.
        started.setMaxListeners(3 * SMALL_AT_ONCE);
        started.on('message', (message: FromThread) => {
            if ('bytes' in message) {
                onBytes?.(message.bytes);
            }
        });
        started.once('exit', () => {
            worker = undefined;
        });
        return started;
    }

    return {
        run(task: Task): Promise<TaskResult> {
            worker ??= start();
            const current = worker;
            last += 1;
            const id = last;
            return new Promise((resolve, reject) => {
                let failure = new Error('its thread has ended');
                // A thread that runs out of memory sends an error and then ends.
                const onError = (error: Error): void => {
                    failure = error;
                };
                const onExit = (): void => settle(() => reject(new Error(`${nameOf(task)}: ${failure.message}`, { cause: failure })));
                const onMessage = (message: FromThread): void => {
                    if ('bytes' in message || message.id !== id) {
                        return;
                    }
                    settle(() => ('result' in message ? resolve(message.result) : reject(revive(message.error))));
                };
                const settle = (end: () => void): void => {
                    current.off('message', onMessage).off('error', onError).off('exit', onExit);
                    end();
                };
                current.on('message', onMessage).on('error', onError).on('exit', onExit);
                current.postMessage({ id, task } satisfies ToThread);
            });
        },
        async close(): Promise<void> {
            signal?.removeEventListener('abort', abort);
            await worker?.terminate();
        },
    };
}

/** An error that came over from a thread, of the class that it had there. */
function revive({ name, message, stack }: { name: string; message: string; stack?: string | undefined }): Error {
    // Looked up by the names that they are exported under: a bundle gives classes shorter ones.
    const Class = Object.entries(errors).find(([exported]) => exported === name)?.[1] ?? Error;
    const error = new Class(message);
    error.stack = stack ?? error.stack ?? '';
    if (Class === Error) {
        error.name = name;
    }
    return error;
}
