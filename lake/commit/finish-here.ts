/** Use case: what is undone in any lake, done by this process one thing after the other; it has no time limit, as a Lambda has. */

import type { ObjectStore } from '#lake/store/object-store';
import { consolidate } from './consolidate.ts';
import { findUnconsolidatedDays, findUnread, readAllRecords, removeDeadObjects, type UndoneWork } from './reconcile.ts';
import { summarize } from './summarize.ts';

export interface FinishHereOptions {
    now: () => Date;
    signal: AbortSignal;
    /** Told what is begun. */
    onStep?: (what: string) => void;
    /** Bytes of raw objects read since the last call. */
    onBytes?: (bytes: number) => void;
}

/** Returns what was done and what failed; one failure does not stop the rest. Safe beside workers that do the same. */
export async function finishHere(
    store: ObjectStore,
    { now, signal, onStep, onBytes }: FinishHereOptions,
): Promise<UndoneWork & { errors: Error[] }> {
    const errors: Error[] = [];
    const attempt = async (what: string, work: () => Promise<unknown>): Promise<void> => {
        signal.throwIfAborted();
        onStep?.(what);
        try {
            await work();
        } catch (error) {
            signal.throwIfAborted();
            errors.push(error instanceof Error ? error : new Error(String(error)));
        }
    };
    // The days are found anew below: whatever was told of them.
    const tellDay = async (): Promise<void> => undefined;
    const sources = await findUnread(store, await readAllRecords(store));
    for (const key of sources) {
        await attempt(key, () => summarize(key, { store, tellDay, now, signal, onBytes }));
    }
    const deadObjects = await removeDeadObjects(store, { records: await readAllRecords(store), now: now() });
    const days = await findUnconsolidatedDays(store);
    for (const day of days) {
        await attempt(day, () => consolidate(day, { store }));
    }
    return { sources, deadObjects, days, errors };
}
