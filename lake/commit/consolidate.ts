/** Use case: merge what the sources contribute to a period into the period's object. docs/design.md has the reason for each rule. */
import pMap from 'p-map';
import { OverflowError, StorageError } from '#lake/errors';
import { daysBuiltOn, kindOfTable, sayPeriod } from '#lake/kinds';
import { contributionKey, ledgerKey, type TablePeriod } from '#lake/layout';
import { readLedger } from '#lake/ledger';
import { openTyped } from '#lake/parquet';
import { mergeObjects, type ObjectToMerge } from '#lake/parquet/merge-objects';
import { CALLS_AT_ONCE, type ObjectStore, tryPut } from '#lake/store/object-store';
import type { MergedTable } from '#lake/tables';
import { formatOfBytes } from './format-of.ts';
import {
    DamagedError,
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
 * @throws StorageError where the object is damaged (not with `anew`), or a contribution is; OverflowError where a sum leaves its column. What a
 * contribution is the cause of holds up no other: the object has all the others by then.
 */
export async function consolidate(of: TablePeriod, options: ConsolidateOptions): Promise<PeriodOutcome> {
    const { leftOut, ...outcome } = await consolidateWhatCan(of, options);
    if (leftOut) {
        throw leftOut;
    }
    return outcome;
}

/**
 * Does what `consolidate` does, for callers that have to do something about what was written before they throw. `leftOut` says which contributions are not in the
 * object though they count, and why: they are damaged, or a sum would leave its column with them.
 * @throws StorageError where the object is damaged (not with `anew`)
 */
export async function consolidateWhatCan(
    of: TablePeriod,
    { store, anew = false }: ConsolidateOptions,
): Promise<PeriodOutcome & { leftOut: Error | undefined }> {
    const outcome: PeriodOutcome = { writes: 0, sources: 0, rows: undefined, derived: daysBuiltOn(of) };
    const leftOut = new Map<string, Error>();
    let written: Written | undefined;
    let isAnew = anew;
    for (;;) {
        const look = isAnew ? await lookAnew(of, { store }) : await lookAt(of, { store, written });
        const state = { ...look, counting: look.counting.filter((name) => !leftOut.has(name)) };
        outcome.sources = state.counting.length;
        if (isAnew ? isWithoutAnything(state) : isCurrent(state)) {
            const still = look.counting.filter((name) => leftOut.has(name));
            return {
                ...outcome,
                leftOut: await sayLeftOut(of, { store, errors: new Map(still.map((name) => [name, leftOut.get(name)])) }),
            };
        }
        const made = await mergeWhatCan(of, state, { store, leftOut });
        const object = made && (await tryPut(store, keyOf(of), made.bytes, { ifMatch: state.etag }));
        if (made && object) {
            written = { etag: object.etag, contained: made.contained };
            isAnew = false;
            outcome.writes += 1;
            outcome.rows = made.rows;
        }
        // Won or lost, look again: a slower worker's write may rest on a listing that was overtaken.
    }
}

/** One error for all that is left out of the period; undefined where nothing is. */
async function sayLeftOut(
    of: TablePeriod,
    { store, errors }: { store: ObjectStore; errors: ReadonlyMap<string, Error | undefined> },
): Promise<Error | undefined> {
    const [first] = errors;
    if (!first) {
        return undefined;
    }
    const [name, cause] = first;
    const [id = ''] = name.split('.');
    const { record } = await readLedger(store, id);
    const more = errors.size > 1 ? `, and ${errors.size - 1} more` : '';
    const source = record?.source ?? ledgerKey(id);
    const message = `${source} is left out of ${sayPeriod(of)}${more}: ${cause?.message}`;
    return cause instanceof OverflowError
        ? new OverflowError(`${message}: flowlake retract ${source} takes it out, until a corrected file is uploaded`, { cause })
        : new StorageError(message, { cause });
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

type Made = { bytes: Uint8Array<ArrayBuffer>; rows: number; contained: string[] };

/**
 * The object with all that counts but for contributions that cannot be merged, which go into `leftOut` with the reason; undefined where one is gone
 * since it was listed, or nothing can be added to what is there.
 * @throws StorageError where the object itself is damaged
 */
async function mergeWhatCan(
    of: TablePeriod,
    state: PeriodState,
    { store, leftOut }: { store: ObjectStore; leftOut: Map<string, Error> },
): Promise<Made | undefined> {
    let made: Made | undefined;
    let included: readonly string[] = mayMerge(state) ? state.contained : [];
    async function add(candidates: readonly string[]): Promise<void> {
        const counting = [...included, ...candidates].sort();
        try {
            const merged = await mergedObject(of, { ...state, counting }, store);
            [made, included] = merged ? [merged, counting] : [made, included];
        } catch (error) {
            if (error instanceof DamagedError && error.key !== keyOf(of)) {
                const isGood = (name: string): boolean => keyOfContribution(of, name) !== error.key;
                leftOut.set(counting.find((name) => !isGood(name)) ?? '', error);
                // One that was taken along so far, its row groups copied and not read, is in what was made of it.
                made = included.every(isGood) ? made : undefined;
                included = included.filter(isGood);
                return add(candidates.filter(isGood));
            }
            if (!(error instanceof OverflowError)) {
                throw error;
            }
            const [only = '', second] = candidates;
            if (second === undefined) {
                leftOut.set(only, error);
                return;
            }
            // By halves: one among many costs few merges.
            const middle = candidates.length >> 1;
            await add(candidates.slice(0, middle));
            await add(candidates.slice(middle));
        }
    }
    const isIncluded = new Set(included);
    await add(state.counting.filter((name) => !isIncluded.has(name)));
    return made;
}

/** True if contributions can be merged into what is there. */
function mayMerge(state: PeriodState): boolean {
    return state.bytes !== undefined && isPartOfCounting(state);
}

/**
 * The object with new contributions merged into what is there where that all counts still, else made anew; undefined where one is gone since
 * it was listed.
 */
async function mergedObject(of: TablePeriod, state: PeriodState, store: ObjectStore): Promise<Made | undefined> {
    const kind = kindOfTable(of.table);
    const { merged, contributions } = kind;
    const { bytes, contained, counting } = state;
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
    const objects = bytes && mayMerge(state) ? [await toMerge(keyOf(of), merged, bytes)] : [];
    const isMerged = new Set(mayMerge(state) ? contained : []);
    const read = await pMap(
        counting.filter((name) => !isMerged.has(name)),
        async (name) => {
            const key = keyOfContribution(of, name);
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
    const made = await mergeObjects(objects, { table: merged, period: of.period, entries: { contains: counting, format } });
    return { ...made, contained: counting };
}

/** The key of a contribution to the period, by its name. */
function keyOfContribution({ table, period }: TablePeriod, name: string): string {
    const [source = '', version = ''] = name.split('.');
    return contributionKey(kindOfTable(table).contributions, { period, source, version });
}
