/** Entry of a worker thread: does the tasks that it is given and says how far it is. */
import { parentPort, workerData } from 'node:worker_threads';
import { runTask } from './tasks.ts';
import type { FromThread, ToThread } from './threads.ts';

/** Bytes between two messages: telling about every chunk would keep the owner busy with them. */
const TELL_AFTER_BYTES = 1 << 22;

const aborted = new AbortController();

parentPort?.on('message', async (message: ToThread) => {
    if (message === 'abort') {
        aborted.abort();
        return;
    }
    const { id, task } = message;
    let untold = 0;
    const onBytes = (bytes: number): void => {
        untold += bytes;
        if (untold >= TELL_AFTER_BYTES) {
            tell({ bytes: untold });
            untold = 0;
        }
    };
    try {
        const result = await runTask(workerData.directory, task, { onBytes, signal: aborted.signal });
        if (untold > 0) {
            tell({ bytes: untold });
        }
        tell({ id, result });
    } catch (error) {
        const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
        tell({ id, error: { name, message, stack } });
    }
});

function tell(message: FromThread): void {
    parentPort?.postMessage(message);
}
