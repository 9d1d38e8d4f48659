/**
 * Use case: finish what is undone in a lake: first sources that are not read, then dead objects, then periods whose object is not what
 * counts, then days of derived tables that are not made of what is there.
 * The caller gives the workers: this process in turn, its threads, or a deployment's workers by message.
 */
import { daysBuiltOn, sayPeriod } from '#lake/kinds';
import { nameOfPeriod, type TablePeriod } from '#lake/layout';
import type { ObjectStore } from '#lake/store/object-store';
import { consolidate } from './consolidate.ts';
import { deriveOnward } from './derive.ts';
import { findUnconsolidated, findUnderived, findUnread, readAllRecords, removeDeadObjects, type UndoneWork } from './reconcile.ts';
import { summarize } from './summarize.ts';

/** A source to be read, by its raw key; `anew` as for `summarize`. */
export interface SourceWork {
    key: string;
    anew?: string | undefined;
}

/** A period to be consolidated, or a day to be derived; `anew` as for `consolidate` and `derive`. */
export interface PeriodWork extends TablePeriod {
    anew?: boolean | undefined;
}

/** Does the three jobs of a lake. One failure does not stop the rest. */
export interface Workers {
    /** Summarizes the sources. @returns the periods that they touch, as far as they are known by then, and what failed */
    summarize(sources: readonly SourceWork[]): Promise<{ periods: TablePeriod[]; errors: Error[] }>;
    /** Consolidates the periods. @returns what failed */
    consolidate(periods: readonly PeriodWork[]): Promise<Error[]>;
    /** Derives the days, and those behind them that this leaves with another opening state. @returns what failed */
    derive(days: readonly PeriodWork[]): Promise<Error[]>;
}

/** Brings the periods up to what counts, and then what is built on them. @returns what failed */
export async function consolidateAll(workers: Workers, periods: readonly PeriodWork[]): Promise<Error[]> {
    return [...(await workers.consolidate(periods)), ...(await workers.derive(builtOn(periods)))];
}

/** The days of derived tables that are built on the periods, each once. */
export function builtOn(periods: readonly TablePeriod[]): TablePeriod[] {
    return eachOnce(periods.flatMap(daysBuiltOn));
}

/** The periods without repeats, by table and ascending. */
export function eachOnce<Period extends TablePeriod>(periods: readonly Period[]): Period[] {
    const byName = new Map(periods.map((of) => [nameOfPeriod(of), of]));
    return [...byName].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, of]) => of);
}

export interface WorkOffOptions {
    workers: Workers;
    now: () => Date;
    sources: readonly SourceWork[];
    /** Answers with the periods to consolidate once the sources are read and dead objects are gone; gets the periods that were touched. */
    periodsAfter: (touched: readonly TablePeriod[]) => Promise<readonly PeriodWork[]>;
    /** Answers with further days to derive once the periods are consolidated: beside those that are built on them. */
    derivedAfter?: (() => Promise<readonly PeriodWork[]>) | undefined;
}

/** What was done, and what failed. */
export interface WorkDone extends UndoneWork {
    errors: Error[];
}

/** Does the work in the one order that is right: a period that contains a dead object is built anew without it, so dead objects go first. */
export async function workOff(
    store: ObjectStore,
    { workers, now, sources, periodsAfter, derivedAfter }: WorkOffOptions,
): Promise<WorkDone> {
    const read = await workers.summarize(sources);
    const deadObjects = await removeDeadObjects(store, { records: await readAllRecords(store), now: now() });
    const periods = await periodsAfter(read.periods);
    const errors = [...read.errors, ...(await workers.consolidate(periods))];
    const derived = eachOnce<PeriodWork>([...builtOn(periods), ...((await derivedAfter?.()) ?? [])]);
    errors.push(...(await workers.derive(derived)));
    return {
        sources: sources.map(({ key }) => key),
        deadObjects,
        periods: periods.map(({ table, period }) => ({ table, period })),
        derived: derived.map(({ table, period }) => ({ table, period })),
        errors,
    };
}

/** Reads every source that is not read, then brings every period up to what counts, and every derived day up to the periods. Safe beside workers that do the same. */
export async function finishUndone(store: ObjectStore, options: Pick<WorkOffOptions, 'workers' | 'now'>): Promise<WorkDone> {
    const unread = await findUnread(store, await readAllRecords(store));
    return workOff(store, {
        ...options,
        sources: unread.map((key) => ({ key })),
        // Found anew, whatever was touched: a lost message may have left others.
        periodsAfter: () => findUnconsolidated(store),
        derivedAfter: () => findUnderived(store),
    });
}

export interface InTurnOptions {
    now: () => Date;
    signal: AbortSignal;
    /** Called with what is begun: a raw key, a period, or a day of a derived table. */
    onStep?: ((what: string) => void) | undefined;
    /** Called with the bytes of raw objects read since the last call. */
    onBytes?: ((bytes: number) => void) | undefined;
}

/** This process as the only worker, one thing after the other: it has no time limit, as a Lambda has. @throws the signal's reason */
export function workInTurn(store: ObjectStore, { now, signal, onStep, onBytes }: InTurnOptions): Workers {
    const attempt = async <T>(what: string, errors: Error[], work: () => Promise<T>): Promise<T | undefined> => {
        signal.throwIfAborted();
        onStep?.(what);
        try {
            return await work();
        } catch (error) {
            signal.throwIfAborted();
            errors.push(error instanceof Error ? error : new Error(String(error)));
            return undefined;
        }
    };
    return {
        async summarize(sources) {
            const errors: Error[] = [];
            const touched = new Map<string, TablePeriod>();
            for (const { key, anew } of sources) {
                const done = await attempt(key, errors, () => summarize(key, { store, now, signal, onBytes, anew }));
                for (const of of done?.periods ?? []) {
                    touched.set(nameOfPeriod(of), of);
                }
            }
            return { periods: [...touched.values()], errors };
        },
        async consolidate(periods) {
            const errors: Error[] = [];
            for (const { anew = false, ...of } of periods) {
                await attempt(sayPeriod(of), errors, () => consolidate(of, { store, anew }));
            }
            return errors;
        },
        async derive(days) {
            const errors: Error[] = [];
            const anewOf = byTable(days.filter(({ anew = false }) => anew));
            for (const [table, ofTable] of byTable(days)) {
                const anew = new Set(anewOf.get(table));
                const onDay = (of: TablePeriod): void => {
                    signal.throwIfAborted();
                    onStep?.(sayPeriod(of));
                };
                for await (const done of deriveOnward(table, ofTable, { store, anew, onDay })) {
                    signal.throwIfAborted();
                    errors.push(...('error' in done ? [done.error] : []));
                }
            }
            return errors;
        },
    };
}

/** The days of each table. */
export function byTable(days: readonly TablePeriod[]): Map<string, string[]> {
    const tables = new Map<string, string[]>();
    for (const { table, period } of days) {
        tables.set(table, [...(tables.get(table) ?? []), period]);
    }
    return tables;
}
