/** Finishes whatever is undone in a directory lake: what `reconcile` does, and an upload that finds a killed command's mark. */

import { findUnconsolidatedDays, findUnread, readAllRecords, removeDeadObjects, type UndoneWork } from '#lake/commit/reconcile';
import { pairDaysKey } from '#lake/layout';
import { openDirectoryStore } from '#lake/store/directory';
import { runTasks, type Task, type TaskEvents } from './local-work.ts';

/**
 * Finishes what `findUndoneWork` finds, and returns what was done and what failed. Dead objects go before the days are consolidated: a day that contains one is
 * built anew without it.
 */
export async function finishWork(
    directory: string,
    { now, ...events }: TaskEvents & { now: Date },
): Promise<UndoneWork & { errors: Error[] }> {
    const store = openDirectoryStore(directory);
    const records = await readAllRecords(store);
    const sources = await findUnread(store, records);
    const errors = await runAll(
        directory,
        sources.map((key) => ({ kind: 'summarize', key })),
        events,
    );
    const deadObjects = await removeDeadObjects(store, { records: await readAllRecords(store), now });
    const days = await findUnconsolidatedDays(store);
    return { sources, deadObjects, days, errors: [...errors, ...(await consolidateDays(directory, days, events))] };
}

/** To merge a byte of Parquet takes as long as to read so many of CSV. */
const CSV_BYTES_OF_PARQUET = 8;

/** Consolidates the days side by side; returns the errors of those that could not be. `totalBytes` is what was read of files of these days. */
export async function consolidateDays(
    directory: string,
    days: Iterable<string>,
    { totalBytes = 0, ...events }: TaskEvents & { totalBytes?: number },
): Promise<Error[]> {
    const store = openDirectoryStore(directory);
    const tasks = [...new Set(days)].sort().map((day): Task & { kind: 'consolidate' } => ({ kind: 'consolidate', day }));
    let dayBytes = 0;
    for (const { day } of tasks) {
        for await (const { sizeBytes } of store.list(pairDaysKey(day))) {
            dayBytes += sizeBytes;
        }
    }
    return runAll(directory, tasks, { ...events, totalBytes: totalBytes + dayBytes * CSV_BYTES_OF_PARQUET });
}

async function runAll(directory: string, tasks: readonly Task[], events: TaskEvents & { totalBytes?: number }): Promise<Error[]> {
    const errors: Error[] = [];
    for await (const outcome of runTasks(directory, tasks, events)) {
        if ('error' in outcome) {
            errors.push(outcome.error);
        }
    }
    return errors;
}
