/** Use case: where the figures of one key in one period come from. Nothing is changed. */
import pMap from 'p-map';
import { isConsolidated } from '#lake/commit/consolidate';
import { containedOf } from '#lake/commit/period-state';
import { StorageError } from '#lake/errors';
import type { Kind } from '#lake/kind';
import { contributionKey, mergedKey, type TablePeriod } from '#lake/layout';
import { type LedgerRecord, readLedger } from '#lake/ledger';
import { mergeRows } from '#lake/merge-rows';
import { countRows, emptyRows, type Rows } from '#lake/rows';
import { CALLS_AT_ONCE, type ObjectStore } from '#lake/store/object-store';
import { findRows, type KeyValues } from './row-lookup.ts';

export interface Question {
    kind: Pick<Kind, 'merged' | 'contributions'>;
    /** Values of the key columns; all sites where `site` is left out. */
    key: KeyValues;
    period: string;
}

export interface Explanation {
    /** The key's rows of the merged table, one for each site; none where the period does not have the key. */
    inLake: Rows;
    /** What each source that the period contains contributes to the key, by site and raw key. */
    parts: Part[];
    /** What the parts come to, one row for each site. */
    total: Rows;
    /** Contributions that the period contains and whose objects are gone, by their keys. */
    missing: string[];
    /** True if the period contains just what counts; else it waits for consolidation. */
    isConsolidated: boolean;
}

export interface Part {
    /** The ledger record of the source, as it is now; undefined where there is none. */
    record: LedgerRecord | undefined;
    /** Id of the source, 16 hex digits. */
    source: string;
    version: string;
    /** One row for each site: one, as a source belongs to one site. */
    rows: Rows;
}

/** Origins of the key's figures in the period. @throws StorageError for an object that cannot be taken apart */
export async function explainRows(
    question: Question,
    { store, signal }: { store: ObjectStore; signal?: AbortSignal | undefined },
): Promise<Explanation> {
    const { kind, key, period } = question;
    const { merged: table } = kind;
    const of: TablePeriod = { table: table.name, period };
    const objectKey = mergedKey(table, period);
    const object = await store.get(objectKey);
    const names = await whole(objectKey, () => containedOf(of, { store }));
    const found = await pMap(names, (name) => findPart(name, { question, store }), { concurrency: CALLS_AT_ONCE, signal });
    const parts = found.flatMap((part) => (typeof part === 'string' || countRows(table, part.rows) === 0 ? [] : [part]));
    const orderOf = ({ rows, record, source }: Part): string => `${rows.site?.[0] ?? ''} ${record?.source ?? source}`;
    return {
        inLake: object ? await whole(objectKey, () => findRows(table, object.bytes, key)) : emptyRows(table),
        parts: parts.sort((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1)),
        total: mergeRows(
            parts.map(({ rows }) => rows),
            { table, period },
        ),
        missing: found.filter((part) => typeof part === 'string'),
        isConsolidated: await isConsolidated(of, { store }),
    };
}

/** What one source contributes; where its object is gone, that object's key. */
async function findPart(name: string, { question, store }: { question: Question; store: ObjectStore }): Promise<Part | string> {
    const { kind, key, period } = question;
    const [source = '', version = ''] = name.split('.');
    const objectKey = contributionKey(kind.contributions, { period, source, version });
    const object = await store.get(objectKey);
    if (!object) {
        return objectKey;
    }
    const rows = await whole(objectKey, () => findRows(kind.contributions, object.bytes, key));
    const record = countRows(kind.contributions, rows) > 0 ? (await readLedger(store, source)).record : undefined;
    return { source, version, rows, record };
}

/** What `read` makes of the object's bytes. @throws StorageError for an object that cannot be taken apart */
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
