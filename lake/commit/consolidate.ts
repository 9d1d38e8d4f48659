/** Use case: one day's summaries into its pair days. DESIGN section 4; docs/design.md tells what each rule is for. */
import pMap from 'p-map';
import { ConflictError, StorageError } from '#lake/errors';
import { contributionOf, dayOf, dayPrefix, ledgerKey, PAIR_DAYS_PREFIX, pairDaysKey, SUMMARIES_PREFIX, summaryKey } from '#lake/layout';
import { readLedger } from '#lake/ledger';
import { readContains, readContainsAtEnd, readPairRows, writePairRows } from '#lake/parquet';
import { mergePairRows, type PairRows } from '#lake/rows';
import { ABSENT, CALLS_AT_ONCE, type ObjectStore } from '#lake/store/object-store';

/** A day as one look at the store shows it; contributions are `<source>.<version>`, ascending. */
interface DayState {
    etag: string;
    /** The day's object, where this look read it. */
    bytes?: Uint8Array<ArrayBuffer> | undefined;
    /** What it contains. */
    contained: string[];
    /** What should be in it. */
    counting: string[];
}

/** The day's object as this worker wrote it: so the look that follows a write need not read it again. */
type Written = Omit<DayState, 'counting'>;

/** What was done for a day. */
export interface DayOutcome {
    /** How many times the day's object was written: 0 where it was right already. */
    writes: number;
    /** How many sources the day has now. */
    sources: number;
    /** Of the object as it was written last; undefined where it was not written. */
    pairs: number | undefined;
}

/**
 * Brings `pair_days` of one day up to what counts. Safe to call again at any time, and by several workers at once.
 * Returns how many times the day's object was written: 0 where it was right already.
 */
export async function consolidate(day: string, { store }: { store: ObjectStore }): Promise<number> {
    return (await rebuildDay(day, { store })).writes;
}

/**
 * The same, and tells more of it. With `anew` the day is written once from its summaries, whatever its object says it contains: for one
 * that is damaged, or of an older layout.
 * @throws StorageError where the day's object is damaged (not with `anew`), or a summary is
 */
export async function rebuildDay(day: string, { store, anew = false }: { store: ObjectStore; anew?: boolean }): Promise<DayOutcome> {
    const outcome: DayOutcome = { writes: 0, sources: 0, pairs: undefined };
    let written: Written | undefined;
    let isAnew = anew;
    for (;;) {
        const state = isAnew ? await lookAnew(day, { store }) : await lookAtDay(day, { store, written });
        outcome.sources = state.counting.length;
        if (isAnew ? isWithoutAnything(state) : isCurrent(state)) {
            return outcome;
        }
        const rows = await mergedRows(day, state, store);
        if (rows) {
            try {
                const object = await store.put(pairDaysKey(day), writePairRows(rows, { contains: state.counting }), {
                    ifMatch: state.etag,
                });
                written = { etag: object.etag, contained: state.counting };
                isAnew = false;
                outcome.writes += 1;
                outcome.pairs = rows.flows.length;
            } catch (error) {
                if (!(error instanceof ConflictError)) {
                    throw error;
                }
            }
        }
        // Won or lost, look again: a slower worker's write may rest on a listing that was overtaken.
    }
}

/** What `rebuildDay` would do for a day. */
export interface DayPlan {
    action: 'nothing' | 'merge' | 'build anew';
    /** How many sources the day should have. */
    sources: number;
    /** How many of their summaries would be read. */
    missing: number;
}

/** Changes nothing, and reads no more of the day's object than its end. @throws StorageError as `rebuildDay` does */
export async function planDay(day: string, { store, anew = false }: { store: ObjectStore; anew?: boolean }): Promise<DayPlan> {
    if (anew) {
        const state = await lookAnew(day, { store });
        const sources = state.counting.length;
        return { action: isWithoutAnything(state) ? 'nothing' : 'build anew', sources, missing: sources };
    }
    const contained = await containedOf(day, { store });
    const state = { contained, counting: await countingOf(day, { store, contained }) };
    const sources = state.counting.length;
    if (isCurrent(state)) {
        return { action: 'nothing', sources, missing: 0 };
    }
    return isPartOfCounting(state)
        ? { action: 'merge', sources, missing: sources - contained.length }
        : { action: 'build anew', sources, missing: sources };
}

/** Whether `consolidate` would find nothing to write; reads no more of the day's object than its end. */
export async function isConsolidated(day: string, { store }: { store: ObjectStore }): Promise<boolean> {
    const contained = await containedOf(day, { store });
    return isCurrent({ contained, counting: await countingOf(day, { store, contained }) });
}

/** Enough for the footer of a day of 50 thousand pairs, and for the list of a thousand sources. */
const END_BYTES = 1 << 16;

/** What `pair_days` of a day contains now, as `<source>.<version>`, ascending. Reads no more of the day's object than its end. */
export async function containedOf(day: string, { store }: { store: ObjectStore }): Promise<string[]> {
    const end = await store.get(pairDaysKey(day), { lastBytes: END_BYTES });
    const contained = end ? await readable(pairDaysKey(day), async () => readContainsAtEnd(end.bytes, end.info)) : [];
    return contained ?? (await readDay(day, { store })).contained;
}

/** A look that trusts nothing of what is in the day's object, so that it may be anything. */
async function lookAnew(day: string, { store }: { store: ObjectStore }): Promise<DayState> {
    const { etag = ABSENT } = (await store.head(pairDaysKey(day))) ?? {};
    return { etag, contained: [], counting: await countingOf(day, { store, contained: [] }) };
}

async function lookAtDay(day: string, { store, written }: { store: ObjectStore; written?: Written | undefined }): Promise<DayState> {
    const object = await readDay(day, { store, written });
    return { ...object, counting: await countingOf(day, { store, contained: object.contained }) };
}

/** What should be in the day's object: the live summaries of the day. */
async function countingOf(day: string, { store, contained }: { store: ObjectStore; contained: readonly string[] }): Promise<string[]> {
    const isContained = new Set(contained);
    const listed = new Map<string, string[]>();
    for await (const { key } of store.list(dayPrefix(SUMMARIES_PREFIX, day))) {
        const { source, version } = contributionOf(key) ?? {};
        if (source !== undefined && version !== undefined) {
            listed.set(source, [...(listed.get(source) ?? []), version]);
        }
    }
    const counting = await pMap(
        listed,
        async ([source, versions]) => {
            const names = versions.map((version) => `${source}.${version}`);
            // A worker that died before its commit, or lost the race, leaves summaries that nobody may count; and one that has yet to
            // delete what it superseded leaves two versions, of which a reader must never see both.
            const isKnown = names.length === 1 && names.every((name) => isContained.has(name));
            const live = isKnown ? undefined : (await readLedger(store, source)).record?.version;
            return names.filter((name) => isKnown || name === `${source}.${live}`);
        },
        { concurrency: CALLS_AT_ONCE },
    );
    return counting.flat().sort();
}

async function readDay(day: string, { store, written }: { store: ObjectStore; written?: Written | undefined }): Promise<Written> {
    if (written && (await store.head(pairDaysKey(day)))?.etag === written.etag) {
        return written;
    }
    const object = await store.get(pairDaysKey(day));
    return object
        ? {
              etag: object.info.etag,
              bytes: object.bytes,
              contained: await readable(pairDaysKey(day), async () => readContains(object.bytes)),
          }
        : { etag: ABSENT, contained: [] };
}

/** What `read` makes of an object's bytes. @throws StorageError where it cannot: then they are no Parquet file, or a damaged one */
async function readable<T>(key: string, read: () => Promise<T>): Promise<T> {
    try {
        return await read();
    } catch (error) {
        const day = dayOf(key);
        const { source = '' } = contributionOf(key) ?? {};
        const nextStep = key.startsWith(PAIR_DAYS_PREFIX)
            ? `flowlake rebuild --from ${day} --to ${day} --anew writes it from the summaries of its day`
            : `${ledgerKey(source)} says which file it is of: flowlake retract, then upload that file again`;
        throw new StorageError(`${key} cannot be read as Parquet (${error instanceof Error ? error.message : error}): ${nextStep}`, {
            cause: error,
        });
    }
}

function isCurrent({ contained, counting }: Pick<DayState, 'contained' | 'counting'>): boolean {
    return contained.length === counting.length && contained.every((name, at) => name === counting[at]);
}

/** Whether all that is contained counts still. An object without a list is none of ours: what it adds up to is not known. */
function isPartOfCounting({ contained, counting }: Pick<DayState, 'contained' | 'counting'>): boolean {
    const counts = new Set(counting);
    return contained.length > 0 && contained.every((name) => counts.has(name));
}

/** A day that has neither an object nor summaries that count gets no object. */
function isWithoutAnything({ etag, counting }: DayState): boolean {
    return etag === ABSENT && counting.length === 0;
}

/** New summaries merged into what is there where that all counts still, else everything anew; undefined where one is gone since it was listed. */
async function mergedRows(day: string, state: DayState, store: ObjectStore): Promise<PairRows | undefined> {
    const { bytes, contained, counting } = state;
    const mayMerge = bytes !== undefined && isPartOfCounting(state);
    const lists: PairRows[] = mayMerge ? [await readable(pairDaysKey(day), () => readPairRows(bytes))] : [];
    const isMerged = new Set(mayMerge ? contained : []);
    const read = await pMap(
        counting.filter((name) => !isMerged.has(name)),
        async (name) => {
            const [source = '', version = ''] = name.split('.');
            const key = summaryKey({ day, source, version });
            const object = await store.get(key);
            return object ? readable(key, () => readPairRows(object.bytes)) : undefined;
        },
        { concurrency: CALLS_AT_ONCE },
    );
    for (const rows of read) {
        if (rows === undefined) {
            return undefined;
        }
        lists.push(rows);
    }
    const [only] = lists;
    // One list is merged already: another copy of a day of millions of pairs would be gigabytes.
    return only && lists.length === 1 ? only : mergePairRows(lists, { day });
}
