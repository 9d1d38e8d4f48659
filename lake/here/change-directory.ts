/** How every command changes a lake in a directory: under a mark, after whatever killed commands left is finished. */
import { finishUndone, type WorkDone } from '#lake/commit/finish';
import { findUndoneWork } from '#lake/commit/reconcile';
import { openDirectoryStore } from '#lake/store/directory';
import { type Mark, withMark } from './marks.ts';
import type { TaskEvents } from './tasks.ts';
import { workInThreads } from './thread-workers.ts';

export interface ChangeOptions {
    signal: AbortSignal;
    now: () => Date;
    /** Called once where a command was cut off in this lake, before its work is finished. */
    onCutOff?: (() => Promise<void>) | undefined;
    /** Called with the reason where the work of a cut-off command is still undone after this command's own. */
    onUnfinished?: ((error: Error) => Promise<void>) | undefined;
}

/** Does `work`, which changes the lake, under a mark of its own; see `withMark`. */
export function changeDirectory<T>(
    directory: string,
    { signal, now, onCutOff, onUnfinished }: ChangeOptions,
    work: (mark: Mark) => Promise<T>,
): Promise<T> {
    let isTold = false;
    const finish = async (): Promise<void> => {
        if (!isTold) {
            isTold = true;
            await onCutOff?.();
        }
        const { errors } = await finishDirectory(directory, { now, signal });
        if (errors[0]) {
            throw errors[0];
        }
    };
    return withMark(directory, { signal, finish, onUnfinished }, work);
}

/** Finishes whatever is undone in a directory lake: what `reconcile` does, and a command that finds a killed one's mark. */
export function finishDirectory(directory: string, { now, ...events }: TaskEvents & { now: () => Date }): Promise<WorkDone> {
    return finishUndone(openDirectoryStore(directory), { now, workers: workInThreads(directory, events) });
}

/** Takes the mark away where a look at the whole lake proves that nothing is undone. @returns whether it did; a look that fails proves nothing */
export async function clearIfNothingIsLeft(directory: string, mark: Mark, { now }: { now: Date }): Promise<boolean> {
    try {
        const { sources, periods, derived } = await findUndoneWork(openDirectoryStore(directory), { now });
        if (sources.length + periods.length + derived.length > 0) {
            return false;
        }
    } catch {
        return false;
    }
    await mark.clear();
    return true;
}
