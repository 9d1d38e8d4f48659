/** The workers of a lake in a directory: threads of this process. */
import { byTable, eachOnce, type PeriodWork, type Workers } from '#lake/commit/finish';
import { StorageError } from '#lake/errors';
import { findDerivation, kindOfTable } from '#lake/kinds';
import { mergedKey, type TablePeriod } from '#lake/layout';
import { openDirectoryStore } from '#lake/store/directory';
import type { Task, TaskEvents } from './tasks.ts';
import { type Outcome, openThreads, type Threads } from './threads.ts';

/**
 * Threads that do the lake's work side by side. `totalBytes` is what was read of files of the periods that are consolidated. Once it is aborted
 * each piece of work ends at its next step, and both jobs throw the signal's reason. `threads` are those of the caller, who closes them; without them
 * each job has its own.
 */
export function workInThreads(
    directory: string,
    { totalBytes = 0, threads, ...events }: TaskEvents & { totalBytes?: number; threads?: Threads } = {},
): Workers {
    async function runAll(tasks: readonly Task[], options: { totalBytes?: number } = {}): Promise<Outcome[]> {
        const open = threads ?? openThreads(directory, events);
        const outcomes: Outcome[] = [];
        try {
            for await (const outcome of open.run(tasks, options)) {
                outcomes.push(outcome);
            }
        } finally {
            await (threads ? undefined : open.close());
        }
        // Tasks that were not begun have no outcome.
        events.signal?.throwIfAborted();
        return outcomes;
    }
    return {
        async summarize(sources) {
            const tasks = sources.map(({ key, anew }): Task => ({ kind: 'summarize', key, anew }));
            const outcomes = await runAll(tasks);
            return { periods: outcomes.flatMap(touchedBy), errors: outcomes.flatMap(errorOf) };
        },
        async consolidate(periods) {
            const each = eachOnce(periods);
            const tasks = each.map(({ anew = false, ...of }): Task => ({ kind: 'consolidate', of, anew }));
            const mergedBytes = await sizeOf(directory, each);
            const outcomes = await runAll(tasks, { totalBytes: totalBytes + mergedBytes * CSV_BYTES_OF_PARQUET });
            return outcomes.flatMap(errorOf);
        },
        async derive(days) {
            const outcomes = await runAll(deriveTasks(days));
            return outcomes.flatMap(errorOf);
        },
    };
}

/** Tasks that derive the days: those of a chained table one after the other, the others side by side. */
export function deriveTasks(days: readonly PeriodWork[]): Task[] {
    const anew = byTable(days.filter((of) => of.anew));
    return [...byTable(days)].flatMap(([table, ofTable]): Task[] => {
        const parts = findDerivation(table)?.derived.isChained ? [ofTable] : ofTable.map((day) => [day]);
        return parts.map((some) => ({ kind: 'derive', table, days: some, anew: some.filter((day) => anew.get(table)?.includes(day)) }));
    });
}

/** Merging a byte of Parquet takes as long as reading eight of CSV. */
const CSV_BYTES_OF_PARQUET = 8;

async function sizeOf(directory: string, periods: readonly TablePeriod[]): Promise<number> {
    const store = openDirectoryStore(directory);
    let bytes = 0;
    for (const { table, period } of periods) {
        for await (const { sizeBytes } of store.list(mergedKey(kindOfTable(table).merged, period))) {
            bytes += sizeBytes;
        }
    }
    return bytes;
}

function touchedBy(outcome: Outcome): TablePeriod[] {
    return 'error' in outcome ? [] : (outcome.result.summarized?.periods ?? []);
}

function errorOf(outcome: Outcome): Error[] {
    if ('error' in outcome) {
        return [outcome.error];
    }
    return (outcome.result.derived ?? []).flatMap((done) => ('error' in done ? [new StorageError(done.error)] : []));
}
