/** Use case: one day's summaries into its pair days. DESIGN section 4; docs/design.md tells what each rule is for. */
import { ConflictError } from '#lake/errors';
import { contributionOf, dayPrefix, pairDaysKey, SUMMARIES_PREFIX, summaryKey } from '#lake/layout';
import { readLedger } from '#lake/ledger';
import { mergePairRows, type PairRows } from '#lake/pair-rows';
import { readContains, readContainsAtEnd, readPairRows, writePairRows } from '#lake/parquet';
import { ABSENT, type ObjectStore } from '#lake/store/object-store';

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

/**
 * Brings `pair_days` of one day up to what counts. Safe to call again at any time, and by several workers at once.
 * Returns how many times the day's object was written: 0 where it was right already.
 */
export async function consolidate(day: string, { store }: { store: ObjectStore }): Promise<number> {
    let written: Written | undefined;
    for (let writes = 0; ; ) {
        const state = await lookAtDay(day, { store, written });
        if (isCurrent(state)) {
            return writes;
        }
        const rows = await mergedRows(day, state, store);
        if (rows) {
            try {
                const object = await store.put(pairDaysKey(day), writePairRows(rows, { contains: state.counting }), {
                    ifMatch: state.etag,
                });
                written = { etag: object.etag, contained: state.counting };
                writes += 1;
            } catch (error) {
                if (!(error instanceof ConflictError)) {
                    throw error;
                }
            }
        }
        // Won or lost, look again: a slower worker's write may rest on a listing that was overtaken.
    }
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
    const contained = end ? readContainsAtEnd(end.bytes, end.info) : [];
    return contained ?? (await readDay(day, { store })).contained;
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
    const counting: string[] = [];
    for (const [source, versions] of listed) {
        const names = versions.map((version) => `${source}.${version}`);
        // A worker that died before its commit, or lost the race, leaves summaries that nobody may count; and one that has yet to
        // delete what it superseded leaves two versions, of which a reader must never see both.
        const isKnown = names.length === 1 && names.every((name) => isContained.has(name));
        const live = isKnown ? undefined : (await readLedger(store, source)).record?.version;
        counting.push(...names.filter((name) => isKnown || name === `${source}.${live}`));
    }
    return counting.sort();
}

async function readDay(day: string, { store, written }: { store: ObjectStore; written?: Written | undefined }): Promise<Written> {
    if (written && (await store.head(pairDaysKey(day)))?.etag === written.etag) {
        return written;
    }
    const object = await store.get(pairDaysKey(day));
    return object
        ? { etag: object.info.etag, bytes: object.bytes, contained: readContains(object.bytes) }
        : { etag: ABSENT, contained: [] };
}

function isCurrent({ contained, counting }: Pick<DayState, 'contained' | 'counting'>): boolean {
    return contained.length === counting.length && contained.every((name, at) => name === counting[at]);
}

/** New summaries merged into what is there where that all counts still, else everything anew; undefined where one is gone since it was listed. */
async function mergedRows(day: string, { bytes, contained, counting }: DayState, store: ObjectStore): Promise<PairRows | undefined> {
    const counts = new Set(counting);
    // An object without a list is none of ours: what it adds up to is not known.
    const mayMerge = bytes !== undefined && contained.length > 0 && contained.every((name) => counts.has(name));
    const lists: PairRows[] = mayMerge ? [await readPairRows(bytes)] : [];
    const isMerged = new Set(mayMerge ? contained : []);
    for (const name of counting.filter((name) => !isMerged.has(name))) {
        const [source = '', version = ''] = name.split('.');
        const object = await store.get(summaryKey({ day, source, version }));
        if (!object) {
            return undefined;
        }
        lists.push(await readPairRows(object.bytes));
    }
    return mergePairRows(lists, { day });
}
