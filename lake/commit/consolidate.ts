/** Use case: merge what the sources contribute to a period into the period's object. docs/design.md has the reason for each rule. */
import pMap from 'p-map';
import { daysBuiltOn, kindOfTable } from '#lake/kinds';
import { contributionKey, type TablePeriod } from '#lake/layout';
import { openTyped } from '#lake/parquet';
import { mergeObjects, type ObjectToMerge } from '#lake/parquet/merge-objects';
import { CALLS_AT_ONCE, type ObjectStore, tryPut } from '#lake/store/object-store';
import type { MergedTable } from '#lake/tables';
import { formatOfBytes } from './format-of.ts';
import {
    isCurrent,
    isPartOfCounting,
    isWithoutAnything,
    keyOf,
    lookAnew,
    lookAt,
    lookAtEnd,
    type PeriodState,
    readable,
    type Written,
} from './period-state.ts';

/** What was done for a period. */
export interface PeriodOutcome {
    /** How many times the object was written: 0 where it was right already. */
    writes: number;
    /** How many sources the period has now. */
    sources: number;
    /** Rows of the object as it was written last; undefined where it was not written. */
    rows: number | undefined;
    /**
     * Days of derived tables that are built on the period. Each must be derived, or told to whoever does it, before this call counts as done: also where
     * it wrote nothing, for the worker that did may be dead.
     */
    derived: TablePeriod[];
}

export interface ConsolidateOptions {
    store: ObjectStore;
    /**
     * True writes the object once from the contributions, whatever it says that it contains: for one that is damaged, or of an older
     * layout.
     */
    anew?: boolean;
}

/**
 * Brings the merged object of one period up to what counts. Safe to call again at any time, and by several workers at once.
 * @throws StorageError where the object is damaged (not with `anew`), or a contribution is; OverflowError where a sum leaves its column
 */
export async function consolidate(of: TablePeriod, { store, anew = false }: ConsolidateOptions): Promise<PeriodOutcome> {
    const outcome: PeriodOutcome = { writes: 0, sources: 0, rows: undefined, derived: daysBuiltOn(of) };
    let written: Written | undefined;
    let isAnew = anew;
    for (;;) {
        const state = isAnew ? await lookAnew(of, { store }) : await lookAt(of, { store, written });
        outcome.sources = state.counting.length;
        if (isAnew ? isWithoutAnything(state) : isCurrent(state)) {
            return outcome;
        }
        const made = await mergedObject(of, state, store);
        const object = made && (await tryPut(store, keyOf(of), made.bytes, { ifMatch: state.etag }));
        if (made && object) {
            written = { etag: object.etag, contained: state.counting };
            isAnew = false;
            outcome.writes += 1;
            outcome.rows = made.rows;
        }
        // Won or lost, look again: a slower worker's write may rest on a listing that was overtaken.
    }
}

/** What `consolidate` would do for a period. */
export interface PeriodPlan {
    action: 'nothing' | 'merge' | 'build anew';
    /** How many sources the period should have. */
    sources: number;
    /** How many of their contributions would be read. */
    missing: number;
}

/**
 * What `consolidate` would do. Changes nothing, and reads no more of the period's object than its end.
 * @throws StorageError as `consolidate` does
 */
export async function planPeriod(of: TablePeriod, { store, anew = false }: ConsolidateOptions): Promise<PeriodPlan> {
    if (anew) {
        const state = await lookAnew(of, { store });
        const sources = state.counting.length;
        return { action: isWithoutAnything(state) ? 'nothing' : 'build anew', sources, missing: sources };
    }
    const state = await lookAtEnd(of, { store });
    const sources = state.counting.length;
    if (isCurrent(state)) {
        return { action: 'nothing', sources, missing: 0 };
    }
    return isPartOfCounting(state)
        ? { action: 'merge', sources, missing: sources - state.contained.length }
        : { action: 'build anew', sources, missing: sources };
}

/** True if `consolidate` would find nothing to write; reads no more of the period's object than its end. */
export async function isConsolidated(of: TablePeriod, { store }: { store: ObjectStore }): Promise<boolean> {
    return isCurrent(await lookAtEnd(of, { store }));
}

/**
 * The object with new contributions merged into what is there where that all counts still, else made anew; undefined where one is gone since
 * it was listed.
 */
async function mergedObject(
    of: TablePeriod,
    state: PeriodState,
    store: ObjectStore,
): Promise<{ bytes: Uint8Array<ArrayBuffer>; rows: number } | undefined> {
    const kind = kindOfTable(of.table);
    const { merged, contributions } = kind;
    const { bytes, contained, counting } = state;
    const mayMerge = bytes !== undefined && isPartOfCounting(state);
    const toMerge = async (
        key: string,
        table: MergedTable,
        object: Uint8Array<ArrayBuffer>,
    ): Promise<ObjectToMerge & { format: number }> => {
        const read = openTyped(table, object);
        return {
            bytes: object,
            format: await readable(key, async () => formatOfBytes(object, { kind, table }), of),
            read: (groups, isWhole) => readable(key, () => read({ groups, isWhole }), of),
        };
    };
    const objects = mayMerge ? [await toMerge(keyOf(of), merged, bytes)] : [];
    const isMerged = new Set(mayMerge ? contained : []);
    const read = await pMap(
        counting.filter((name) => !isMerged.has(name)),
        async (name) => {
            const [source = '', version = ''] = name.split('.');
            const key = contributionKey(contributions, { period: of.period, source, version });
            const object = await store.get(key);
            return object && toMerge(key, contributions, object.bytes);
        },
        { concurrency: CALLS_AT_ONCE },
    );
    for (const object of read) {
        if (object === undefined) {
            return undefined;
        }
        objects.push(object);
    }
    const format = Math.min(kind.format, ...objects.map((object) => object.format));
    return mergeObjects(objects, { table: merged, period: of.period, entries: { contains: counting, format } });
}
