/** What stands in a lake, as far as it is verified. An object that is not there and one that cannot be read are told apart. */
import pMap from 'p-map';
import { contributionOf, dayOf, LEDGER_PREFIX, ledgerKey, PAIR_DAYS_PREFIX, pairDaysKey, RAW_PREFIX, sourceId } from '#lake/layout';
import type { LedgerRecord } from '#lake/ledger';
import type { ObjectStore } from '#lake/store/object-store';
import type { StoredObject } from './copies.ts';

/** Each is small: the time to the first byte is what counts. */
const RECORDS_SIDE_BY_SIDE = 32;

/** Straight below their day, or below the prefix of what has none. */
const CONTRIBUTION_KEYS = /^summaries\/day=[^/]+\/[^/]+\.parquet$|^rejects\/[^/]+\.jsonl\.gz$/;

/** What of a ledger record is verified, and what is needed for it. */
export type SourceRecord = Pick<
    LedgerRecord,
    | 'source'
    | 'site'
    | 'state'
    | 'version'
    | 'options'
    | 'etag'
    | 'size_bytes'
    | 'versions'
    | 'dialect'
    | 'date_order'
    | 'duration_unit'
    | 'rows_read'
    | 'rows_kept'
    | 'rows_rejected'
    | 'repeated_headers'
    | 'first_day'
    | 'last_day'
    | 'pairs'
>;

/** Something that stood in the way, with the key of what it is about. */
export interface Unreadable {
    key: string;
    why: string;
}

/** The records of the ledger in the order of their sources, and what could not be read as one; `state` differs where any of it does. */
export async function readRecords(store: ObjectStore): Promise<{ records: SourceRecord[]; unreadable: Unreadable[]; state: string }> {
    const keys: string[] = [];
    for await (const { key } of store.list(LEDGER_PREFIX)) {
        if (key.endsWith('.json') && !key.slice(LEDGER_PREFIX.length).includes('/')) {
            keys.push(key);
        }
    }
    const found = (await pMap(keys, (key) => readRecord(store, key), { concurrency: RECORDS_SIDE_BY_SIDE })).filter(
        (outcome) => outcome !== undefined,
    );
    const records = found.flatMap(({ record }) => record ?? []);
    return {
        records: records.sort((a, b) => (a.source < b.source ? -1 : 1)),
        unreadable: found.flatMap(({ key, why }) => (why === undefined ? [] : { key, why })),
        state: found.map(({ key, etag }) => `${key} ${etag}`).join('\n'),
    };
}

interface RecordFound {
    key: string;
    etag?: string;
    record?: SourceRecord;
    why?: string;
}

/** Undefined where the record went since it was listed. */
async function readRecord(store: ObjectStore, key: string): Promise<RecordFound | undefined> {
    let etag: string | undefined;
    try {
        const object = await store.get(key);
        if (!object) {
            return undefined;
        }
        etag = object.info.etag;
        const record = parseRecord(Buffer.from(object.bytes).toString());
        if (record && ledgerKey(sourceId(record.source)) === key) {
            return { key, etag, record };
        }
        return { key, etag, why: record ? `it is the record of ${record.source}` : 'it is no ledger record' };
    } catch (error) {
        return { key, ...(etag !== undefined && { etag }), why: messageOf(error) };
    }
}

/** Size of each raw object by its key. The S3 console makes objects of folders: they are no files. */
export async function listRaw(store: ObjectStore): Promise<Map<string, number>> {
    const sizes = new Map<string, number>();
    for await (const { key, sizeBytes } of store.list(RAW_PREFIX)) {
        if (!key.endsWith('/')) {
            sizes.set(key, sizeBytes);
        }
    }
    return sizes;
}

/** The summaries, or the rejects, of each `<source>.<version>`. */
export async function listContributions(store: ObjectStore, prefix: string): Promise<Map<string, StoredObject[]>> {
    const contributions = new Map<string, StoredObject[]>();
    for await (const { key, sizeBytes } of store.list(prefix)) {
        const { source, version } = contributionOf(key) ?? {};
        if (source === undefined || version === undefined || !CONTRIBUTION_KEYS.test(key)) {
            continue;
        }
        const id = `${source}.${version}`;
        const objects = contributions.get(id) ?? [];
        objects.push({ key, sizeBytes });
        contributions.set(id, objects);
    }
    return contributions;
}

/** The object of each day that has pair days, and the Parquet objects beside them that a reader would take for some. */
export async function listPairDays(store: ObjectStore): Promise<{ days: Map<string, StoredObject>; strays: string[] }> {
    const days = new Map<string, StoredObject>();
    const strays: string[] = [];
    for await (const { key, sizeBytes } of store.list(PAIR_DAYS_PREFIX)) {
        const day = dayOf(key);
        if (day !== undefined && key === pairDaysKey(day)) {
            days.set(day, { key, sizeBytes });
        } else if (/^[^/]+\/([^/]+\/)+[^._/][^/]*\.parquet$/.test(key)) {
            strays.push(key);
        }
    }
    return { days, strays };
}

export function messageOf(error: unknown): string {
    return error instanceof Error ? error.message : String(error);
}

function parseRecord(text: string): SourceRecord | undefined {
    const value: unknown = JSON.parse(text);
    return isSourceRecord(value) ? value : undefined;
}

const TYPES: Record<keyof SourceRecord, readonly string[]> = {
    source: ['string'],
    site: ['string'],
    state: ['string'],
    version: ['string', 'null'],
    options: ['object', 'undefined'],
    etag: ['string', 'null'],
    size_bytes: ['number'],
    versions: ['object'],
    dialect: ['string', 'null'],
    date_order: ['string', 'null'],
    duration_unit: ['string', 'null'],
    rows_read: ['number'],
    rows_kept: ['number'],
    rows_rejected: ['number'],
    repeated_headers: ['number'],
    first_day: ['string', 'null'],
    last_day: ['string', 'null'],
    pairs: ['number'],
};

function isSourceRecord(value: unknown): value is SourceRecord {
    if (typeof value !== 'object' || value === null) {
        return false;
    }
    const found = new Map<string, unknown>(Object.entries(value));
    const isTyped = Object.entries(TYPES).every(([name, types]) =>
        types.includes(found.get(name) === null ? 'null' : typeof found.get(name)),
    );
    const source = found.get('source');
    return isTyped && typeof source === 'string' && source.startsWith(RAW_PREFIX) && !source.split('/').includes('..');
}
