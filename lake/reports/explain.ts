/** Use case: where the figures of one pair on one day come from. Nothing is changed. */
import pMap from 'p-map';
import { containedOf, isConsolidated } from '#lake/commit/consolidate';
import { StorageError } from '#lake/errors';
import { pairDaysKey, summaryKey } from '#lake/layout';
import { type LedgerRecord, readLedger } from '#lake/ledger';
import { emptyPairRows, mergePairRows, type PairRows } from '#lake/rows';
import { CALLS_AT_ONCE, type ObjectStore } from '#lake/store/object-store';
import { findPairRows, type PairKey } from './row-lookup.ts';

export interface Explanation {
    /** The pair's rows of `pair_days`, one for each site; none where the day does not have the pair. */
    inLake: PairRows;
    /** What each source that the day contains contributes to the pair, by site and raw key. */
    parts: Part[];
    /** What the parts come to, one row for each site. */
    total: PairRows;
    /** Contributions that the day contains and whose summaries are gone, by their keys. */
    missing: string[];
    /** Whether the day contains just what counts; else it waits for consolidation. */
    isConsolidated: boolean;
}

export interface Part {
    /** The ledger record of the source, as it is now; undefined where there is none. */
    record: LedgerRecord | undefined;
    /** Id of the source, 16 hex digits. */
    source: string;
    version: string;
    /** One row for each site: one, as a source belongs to one site. */
    rows: PairRows;
}

export async function explainPairDay(
    pair: PairKey & { day: string },
    { store, signal }: { store: ObjectStore; signal?: AbortSignal | undefined },
): Promise<Explanation> {
    const { day } = pair;
    const object = await store.get(pairDaysKey(day));
    const names = await whole(pairDaysKey(day), () => containedOf(day, { store }));
    const found = await pMap(names, (name) => findPart(name, { pair, store }), { concurrency: CALLS_AT_ONCE, signal });
    const parts = found.flatMap((part) => (typeof part === 'string' || part.rows.site.length === 0 ? [] : [part]));
    const orderOf = ({ rows, record, source }: Part): string => `${rows.site[0]} ${record?.source ?? source}`;
    return {
        inLake: object ? await whole(pairDaysKey(day), () => findPairRows(object.bytes, pair)) : emptyPairRows(),
        parts: parts.sort((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1)),
        total: mergePairRows(
            parts.map(({ rows }) => rows),
            { day },
        ),
        missing: found.filter((part) => typeof part === 'string'),
        isConsolidated: await isConsolidated(day, { store }),
    };
}

/** The key of its summary where that is gone. */
async function findPart(name: string, { pair, store }: { pair: PairKey & { day: string }; store: ObjectStore }): Promise<Part | string> {
    const [source = '', version = ''] = name.split('.');
    const key = summaryKey({ day: pair.day, source, version });
    const object = await store.get(key);
    if (!object) {
        return key;
    }
    const rows = await whole(key, () => findPairRows(object.bytes, pair));
    const record = rows.site.length > 0 ? (await readLedger(store, source)).record : undefined;
    return { source, version, rows, record };
}

/** @throws StorageError for an object that cannot be taken apart */
async function whole<T>(key: string, read: () => Promise<T>): Promise<T> {
    try {
        return await read();
    } catch (error) {
        if (error instanceof StorageError || !(error instanceof Error)) {
            throw error;
        }
        throw new StorageError(`${key} is damaged (${error.message}): run flowlake verify --repair`, { cause: error });
    }
}
