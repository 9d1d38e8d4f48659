/** Use case: compute a day of a derived table from the day's merged objects. docs/design.md ("Derived tables") has the reason for each rule. */
import { pMapIterable } from 'p-map';
import type { DerivedPart, Json } from '#lake/kind';
import { derivations, findDerivation } from '#lake/kinds';
import { mergedKey, type TablePeriod } from '#lake/layout';
import { readTyped, writeTyped } from '#lake/parquet';
import { type ObjectStore, tryPut } from '#lake/store/object-store';
import { withWords } from '#lake/tables';
import { joinRows, pickRows } from '#lake/typed-parts';
import type { TypedRows } from '#lake/typed-rows';
import {
    type DayLook,
    type DerivedDay,
    derivedKey,
    hashOfState,
    hasVersions,
    isMadeOf,
    listDays,
    lookAtDay,
    type MadeOf,
    type MadePart,
    NO_STATE,
    type OwnObject,
    openInputs,
    packState,
    type ReadInput,
    readMadeOf,
    readOwn,
    sayMadeOf,
    textOfState,
    unpackState,
    versionOf,
    withoutTrust,
} from './derive-state.ts';
import { readable } from './period-state.ts';

/** What was done for a day of a derived table. */
export interface DerivedOutcome {
    /** How many times the object was written: 0 where it was right already. */
    writes: number;
    /** Rows of the object as it was written last; undefined where it was not written. */
    rows: number | undefined;
    /** The next day that has an object, where that opened with another state than this day closes with: it must be told, or derived. */
    next: TablePeriod | undefined;
}

export interface DeriveOptions {
    store: ObjectStore;
    /** True writes the object once from what is there, whatever it says that it was made of. */
    anew?: boolean | undefined;
}

/**
 * Brings one day of a derived table up to the merged objects. Safe to call again at any time, and by several workers at once.
 * @throws StorageError where a merged object is damaged, or an input is
 */
export async function derive({ table, period }: TablePeriod, { store, anew = false }: DeriveOptions): Promise<DerivedOutcome> {
    const of = dayOfTable(table, period);
    const outcome: DerivedOutcome = { writes: 0, rows: undefined, next: undefined };
    let written: OwnObject | undefined;
    let isAnew = anew;
    for (;;) {
        // 1. The own object and its etag, before all that it is made of.
        const found = await readOwn(of, { store, written });
        const own = isAnew ? withoutTrust(found) : found;
        // 2. All that it would be made of.
        const input = openInputs(of, store);
        const look = await lookAtDay(of, { store, own, input });
        // 3. What it names is what is there.
        if (isMadeOf(of, own.madeOf, look)) {
            // 6. Who builds on it.
            outcome.next = own.madeOf && (await findStaleNext(of, own.madeOf, store));
            return outcome;
        }
        // 4. Read what is needed, and name it as it was read.
        const made = await makeObject(of, { store, own, look, input });
        // 5. Write.
        const object = made && (await tryPut(store, derivedKey(of), made.bytes, { ifMatch: own.etag }));
        if (made && object) {
            written = { ...made, etag: object.etag };
            isAnew = false;
            outcome.writes += 1;
            outcome.rows = made.rows;
        }
        // Won or lost, look at all of it again: what was read may have been overtaken, and who told of that may have found nothing to do yet.
    }
}

/** True if `derive` would find nothing to write; reads no more of objects than their ends. `days` as for `lookAtDay`. */
export async function isDerived(
    { table, period }: TablePeriod,
    { store, days }: { store: ObjectStore; days?: readonly string[] },
): Promise<boolean> {
    const of = dayOfTable(table, period);
    const madeOf = await readMadeOf(of, { store });
    const look = await lookAtDay(of, { store, own: { madeOf }, input: openInputs(of, store), days });
    return isMadeOf(of, madeOf, look);
}

export interface DeriveOnwardOptions {
    store: ObjectStore;
    /** Days whose objects are written once from what is there, whatever they say that they were made of. */
    anew?: ReadonlySet<string> | undefined;
    /** Called with a day that must be derived because one before it closes otherwise, before it is: where the work is lost, this is what is left of it. */
    tell?: ((of: TablePeriod) => Promise<void>) | undefined;
    /** Called with each day that is begun; what it throws ends the work. */
    onDay?: ((of: TablePeriod) => void) | undefined;
}

/** What came of a day; an error belongs to its day and does not stop the others. */
export type DayDone = { of: TablePeriod; outcome: DerivedOutcome } | { of: TablePeriod; error: Error };

/** Derives days of one table, the earliest first, and goes on to each day behind them that opened with another state. */
export async function* deriveOnward(
    table: string,
    days: readonly string[],
    { store, anew, tell, onDay }: DeriveOnwardOptions,
): AsyncGenerator<DayDone> {
    const waiting = new Set(days);
    const begun = new Set<string>();
    while (waiting.size > 0) {
        const [period = ''] = [...waiting].sort();
        waiting.delete(period);
        const of = { table, period };
        onDay?.(of);
        try {
            const outcome = await derive(of, { store, anew: begun.has(period) ? false : (anew?.has(period) ?? false) });
            begun.add(period);
            if (outcome.next) {
                await tell?.(outcome.next);
                waiting.add(outcome.next.period);
            }
            yield { of, outcome };
        } catch (error) {
            yield { of, error: error instanceof Error ? error : new Error(String(error)) };
        }
    }
}

function dayOfTable(table: string, day: string): DerivedDay {
    const derivation = findDerivation(table);
    if (!derivation) {
        const known = derivations().map(({ derived }) => derived.table.name);
        throw new TypeError(`there is no derived table ${table} among ${known.join(', ') || 'none'}`);
    }
    return { ...derivation, day };
}

/**
 * The next day that has an object, where it says another opening state than this day closes with. Listed anew: of a day that is new and the one behind
 * it, one sees the other.
 */
async function findStaleNext(of: DerivedDay, { closing }: MadeOf, store: ObjectStore): Promise<TablePeriod | undefined> {
    const next = of.derived.isChained ? (await listDays(of, store)).find((day) => day > of.day) : undefined;
    if (next === undefined || (await readMadeOf({ ...of, day: next }, { store }))?.opening === closing) {
        return undefined;
    }
    return { table: of.derived.table.name, period: next };
}

interface MakeOptions {
    store: ObjectStore;
    own: OwnObject;
    look: DayLook;
    input: ReadInput;
}

/** The object of what is there now; undefined where something is gone since it was looked at. */
async function makeObject(
    of: DerivedDay,
    { store, own, look, input }: MakeOptions,
): Promise<{ bytes: Uint8Array<ArrayBuffer>; madeOf: MadeOf; rows: number } | undefined> {
    const { derived } = of;
    const opening = derived.isChained ? await readOpening(of, look, store) : NO_STATE;
    if (opening === undefined) {
        return undefined;
    }
    const kept = await keptParts(of, own, look);
    const lists: TypedRows[] = [];
    const parts: MadePart[] = [];
    let state: Json = JSON.parse(opening);
    // One is read while the one before it is worked on.
    const read = pMapIterable(look.parts, async (part) => kept.get(part.period) ?? readPart(of, part.period, store), { concurrency: 2 });
    for await (const part of read) {
        if (part === undefined) {
            return undefined;
        }
        const made = 'merged' in part ? await derivePart(of, part, { opening: state, input }) : part;
        state = made.closing === undefined ? state : made.closing;
        lists.push(made.rows);
        parts.push({ ...made.part, rows: made.rows.count });
    }
    const closing = derived.isChained ? textOfState(state) : NO_STATE;
    const table = withWords(derived.table);
    const end = noting(input);
    if (derived.atEnd) {
        lists.push(await derived.atEnd(state, { input: end.input }));
    }
    const madeOf: MadeOf = {
        format: derived.format,
        parts,
        opening: derived.isChained ? hashOfState(opening) : null,
        closing: derived.isChained ? hashOfState(closing) : null,
        endInputs: end.versions,
    };
    const rows = joinRows(table, lists);
    const bytes = writeTyped(table, rows, {
        format: derived.format,
        madeOf: sayMadeOf(madeOf),
        state: derived.isChained ? packState(closing) : undefined,
    });
    return { bytes, madeOf, rows: rows.count };
}

/** The state that the day opens with; undefined where the day before is gone since it was looked at. */
async function readOpening(of: DerivedDay, { before }: DayLook, store: ObjectStore): Promise<string | undefined> {
    if (before === undefined) {
        return NO_STATE;
    }
    const key = derivedKey({ ...of, day: before });
    const object = await store.get(key);
    return object && unpackState(key, object.bytes);
}

/** What came of a part, or is known of it still. */
interface PartMade {
    part: Omit<MadePart, 'rows'>;
    rows: TypedRows;
    closing?: Json | undefined;
}

/**
 * Rows that stay as they are, by period: they depend on their own merged object and its inputs alone, and those are what the own object names. In a
 * chained table they depend on what came before too.
 */
async function keptParts(of: DerivedDay, { bytes, madeOf }: OwnObject, { parts, versions }: DayLook): Promise<Map<string, PartMade>> {
    const kept = new Map<string, PartMade>();
    const { isChained, format, table, partOf } = of.derived;
    if (!bytes || !madeOf || isChained || !partOf || madeOf.format !== format) {
        return kept;
    }
    const etags = new Map(parts.map(({ period, etag }) => [period, etag]));
    const rows = await readTyped(withWords(table), bytes).catch(() => undefined);
    if (!rows) {
        // Damaged: all is read anew.
        return kept;
    }
    const rowsOf = new Map<string, number[]>(madeOf.parts.map(({ period }) => [period, []]));
    const periodOfRow = partOf(rows, { day: of.day });
    for (let row = 0; row < rows.count; row += 1) {
        rowsOf.get(periodOfRow(row))?.push(row);
    }
    for (const part of madeOf.parts) {
        const ofPart = rowsOf.get(part.period) ?? [];
        if (ofPart.length === part.rows && etags.get(part.period) === part.etag && hasVersions(part.inputs, versions)) {
            kept.set(part.period, { part, rows: pickRows(withWords(table), rows, Int32Array.from(ofPart)) });
        }
    }
    return kept;
}

/** A merged object as it was read. */
interface PartRead {
    period: string;
    etag: string;
    merged: TypedRows;
}

/** Reads a merged object with the etag that it has by now: that one is named. @returns undefined where it is gone */
async function readPart({ kind: { merged } }: DerivedDay, period: string, store: ObjectStore): Promise<PartRead | undefined> {
    const key = mergedKey(merged, period);
    const object = await store.get(key);
    return (
        object && {
            period,
            etag: object.info.etag,
            merged: await readable(key, () => readTyped(merged, object.bytes), { table: merged.name, period }),
        }
    );
}

/** What a merged object comes to: without rows to none, and to the state that was there before. */
async function derivePart(
    { derived }: DerivedDay,
    { period, etag, merged }: PartRead,
    { opening, input }: { opening: Json; input: ReadInput },
): Promise<PartMade> {
    const table = withWords(derived.table);
    const asked = noting(input);
    const nothing = (): DerivedPart => ({ rows: joinRows(table, []), ...(derived.isChained && { closing: opening }) });
    const made = merged.count === 0 ? nothing() : await derived.derive({ period, rows: merged, input: asked.input, opening });
    if (derived.isChained !== (made.closing !== undefined)) {
        throw new TypeError(`${table.name} is ${derived.isChained ? 'chained and gives no' : 'not chained and gives a'} closing state`);
    }
    return { part: { period, etag, inputs: asked.versions }, rows: made.rows, closing: made.closing };
}

/** The input, and the versions of all that was asked for. */
function noting(input: ReadInput): { input: ReadInput; versions: Record<string, number> } {
    const versions: Record<string, number> = {};
    return {
        versions,
        async input(name) {
            const found = await input(name);
            versions[name] = versionOf(found);
            return found;
        },
    };
}
