/** The pieces of work of a lake in a directory, each done by one thread of this process: what a message is on AWS. */
import { consolidate, type PeriodOutcome } from '#lake/commit/consolidate';
import { type DerivedOutcome, deriveOnward } from '#lake/commit/derive';
import type { Reading } from '#lake/commit/read-source';
import { type Summarized, summarize } from '#lake/commit/summarize';
import { sayPeriod } from '#lake/kinds';
import type { TablePeriod } from '#lake/layout';
import { readLedger } from '#lake/ledger';
import { sourceId } from '#lake/source-id';
import { openDirectoryStore } from '#lake/store/directory';
import { ABSENT, type ObjectStore } from '#lake/store/object-store';
import { closeOutcome, putAndRead } from './put-and-read.ts';

export type Task =
    /** Put a local file under a raw key, then summarize it. */
    | { kind: 'put'; path: string; key: string; ifMatch: string; metadata: Record<string, string> }
    | { kind: 'summarize'; key: string; anew?: string | undefined }
    /** `anew` as for `consolidate`. */
    | { kind: 'consolidate'; of: TablePeriod; anew?: boolean }
    /** Derive days of one table, and those behind them that this leaves with another opening state; `anew` are days as for `deriveOnward`. */
    | { kind: 'derive'; table: string; days: readonly string[]; anew?: readonly string[] };

/** What came of a task. */
export interface TaskResult {
    /** What summarizing a source came to. */
    summarized?: Summarized | undefined;
    /** What consolidating a period came to. */
    outcome?: PeriodOutcome | undefined;
    /** What deriving days came to, one after the other; an error is told by its message. */
    derived?: readonly ({ of: TablePeriod; outcome: DerivedOutcome } | { of: TablePeriod; error: string })[] | undefined;
}

export interface TaskEvents {
    /** Called with the bytes of the source read since the last call. */
    onBytes?: ((bytes: number) => void) | undefined;
    signal?: AbortSignal | undefined;
}

/** Does one task in this thread. */
export async function runTask(directory: string, task: Task, { onBytes, signal }: TaskEvents = {}): Promise<TaskResult> {
    const store = openDirectoryStore(directory);
    if (task.kind === 'consolidate') {
        return { outcome: await consolidate(task.of, { store, anew: task.anew ?? false }) };
    }
    if (task.kind === 'derive') {
        return { derived: await deriveDays(store, task, signal) };
    }
    if (task.kind === 'summarize') {
        // Nobody put anything: there is no message to be used up, and a process that is killed leaves a mark until its work is done.
        return summarizeSource(store, task, { onBytes, signal, mustFence: false });
    }
    // A file that one pass is not enough for is read once to put it and once to summarize it: each time counts half.
    let untold = 0;
    const onPut = (bytes: number, isRead: boolean): void => {
        untold += isRead ? 0 : bytes / 2;
        onBytes?.(isRead ? bytes : bytes / 2);
    };
    const { path, key, ifMatch, metadata } = task;
    const { raw, reading } = await putAndRead(path, { store, key, ifMatch, metadata, onBytes: onPut, signal });
    const share = untold / raw.sizeBytes;
    const onRead = (bytes: number): void => {
        // Some formats are read in parts, and some parts more than once.
        const told = Math.min(untold, bytes);
        untold -= told;
        onBytes?.(told);
    };
    if (reading) {
        onRead(raw.sizeBytes);
    }
    try {
        return await summarizeSource(store, { key }, { signal, reading, onBytes: (bytes) => onRead(bytes * share) });
    } catch (error) {
        // Nothing of a new file is in the figures: leave the lake as it was. What it replaced cannot be brought back; then the next
        // upload or reconcile finishes the work.
        if (ifMatch === ABSENT && !(await readLedger(store, sourceId(key))).record) {
            await store.delete(key, { only: raw }).catch(() => undefined);
        }
        throw error;
    } finally {
        closeOutcome(reading?.outcome);
    }
}

async function deriveDays(
    store: ObjectStore,
    { table, days, anew = [] }: Extract<Task, { kind: 'derive' }>,
    signal: AbortSignal | undefined,
): Promise<TaskResult['derived']> {
    const derived: NonNullable<TaskResult['derived']>[number][] = [];
    for await (const done of deriveOnward(table, days, { store, anew: new Set(anew), onDay: () => signal?.throwIfAborted() })) {
        derived.push('error' in done ? { of: done.of, error: done.error.message } : done);
    }
    return derived;
}

async function summarizeSource(
    store: ObjectStore,
    { key, anew }: { key: string; anew?: string | undefined },
    { onBytes, signal, reading, mustFence = true }: TaskEvents & { reading?: Reading | undefined; mustFence?: boolean },
): Promise<TaskResult> {
    return { summarized: await summarize(key, { store, now: () => new Date(), onBytes, signal, anew, reading }, { mustFence }) };
}

/** The raw key or the period that the task is of; of several days the first. */
export function nameOf(task: Task): string {
    if (task.kind === 'derive') {
        return sayPeriod({ table: task.table, period: task.days[0] ?? '' });
    }
    return task.kind === 'consolidate' ? sayPeriod(task.of) : task.key;
}
