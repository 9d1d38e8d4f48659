/** What stands in a lake, as far as it is verified. An object that is not there and one that cannot be read are told apart. */
import pMap from 'p-map';
import {
    contributionOf,
    dayOf,
    LEDGER_PREFIX,
    ledgerKey,
    PAIR_DAYS_PREFIX,
    pairDaysKey,
    RAW_PREFIX,
    REJECTS_PREFIX,
    SUMMARIES_PREFIX,
    sourceId,
} from '#lake/layout';
import type { LedgerRecord } from '#lake/ledger';
import type { ListedObject, ObjectStore } from '#lake/store/object-store';

/** Each is small: the time to the first byte is what counts. */
const RECORDS_SIDE_BY_SIDE = 32;

/** Straight below their day, or below the prefix of what has none. */
const CONTRIBUTION_KEYS = /^summaries\/day=\d{4}-\d{2}-\d{2}\/[^/]+\.parquet$|^rejects\/[^/]+\.jsonl\.gz$/;

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
    | 'commits'
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
    /** Whether it was read and is no record; else the store did not hand it out. */
    isDamaged: boolean;
}

export interface LedgerFound {
    /** In the order of their sources. */
    records: SourceRecord[];
    /** What could not be read as a record. */
    unreadable: Unreadable[];
    /** Keys below `ledger/` that are no record's. */
    strays: string[];
    /** Differs where any of it does. */
    state: string;
}

const RECORD_KEY = /^ledger\/[0-9a-f]{16}\.json$/;

export async function readRecords(store: ObjectStore): Promise<LedgerFound> {
    const keys: string[] = [];
    const strays: string[] = [];
    for await (const { key } of store.list(LEDGER_PREFIX)) {
        (RECORD_KEY.test(key) ? keys : strays).push(key);
    }
    const found = (await pMap(keys, (key) => readRecord(store, key), { concurrency: RECORDS_SIDE_BY_SIDE })).filter(
        (outcome) => outcome !== undefined,
    );
    const records = found.flatMap(({ record }) => record ?? []);
    return {
        records: records.sort((a, b) => (a.source < b.source ? -1 : 1)),
        unreadable: found.flatMap(({ key, why, isDamaged = false }) => (why === undefined ? [] : { key, why, isDamaged })),
        strays: strays.filter(isSeenByReaders),
        // Not the etag: a commit may say nothing new.
        state: found.map(({ key, etag, record }) => `${key} ${record ? `${record.state} ${record.version}` : etag}`).join('\n'),
    };
}

interface RecordFound {
    key: string;
    etag?: string;
    record?: SourceRecord;
    why?: string;
    isDamaged?: boolean;
}

/** Undefined where the record went since it was listed. */
async function readRecord(store: ObjectStore, key: string): Promise<RecordFound | undefined> {
    let object: Awaited<ReturnType<ObjectStore['get']>>;
    try {
        object = await store.get(key);
    } catch (error) {
        return { key, why: messageOf(error) };
    }
    if (!object) {
        return undefined;
    }
    const { etag } = object.info;
    const record = parseRecord(Buffer.from(object.bytes).toString());
    if (record && ledgerKey(sourceId(record.source)) === key) {
        return { key, etag, record };
    }
    return { key, etag, isDamaged: true, why: record ? `it is the record of ${record.source}` : 'it is no ledger record' };
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

/** What lies below the prefixes of what was computed. */
export interface LakeObjects {
    /** Of each `<source>.<version>`. */
    summaries: Contributions;
    rejects: Contributions;
    /** The object of each day. */
    pairDays: ReadonlyMap<string, ListedObject>;
    /** Keys that are none of the lake's. */
    strays: string[];
}

export type Contributions = ReadonlyMap<string, readonly ListedObject[]>;

export async function listObjects(store: ObjectStore): Promise<LakeObjects> {
    const strays: string[] = [];
    const summaries = await listContributions(store, SUMMARIES_PREFIX, strays);
    const rejects = await listContributions(store, REJECTS_PREFIX, strays);
    const pairDays = new Map<string, ListedObject>();
    for await (const object of store.list(PAIR_DAYS_PREFIX)) {
        const day = dayOf(object.key);
        if (day !== undefined && object.key === pairDaysKey(day)) {
            pairDays.set(day, object);
        } else {
            strays.push(object.key);
        }
    }
    return { summaries, rejects, pairDays, strays: strays.filter(isSeenByReaders) };
}

async function listContributions(store: ObjectStore, prefix: string, strays: string[]): Promise<Contributions> {
    const contributions = new Map<string, ListedObject[]>();
    for await (const object of store.list(prefix)) {
        const { source, version } = contributionOf(object.key) ?? {};
        if (source === undefined || version === undefined || !CONTRIBUTION_KEYS.test(object.key)) {
            strays.push(object.key);
            continue;
        }
        const id = `${source}.${version}`;
        const objects = contributions.get(id) ?? [];
        objects.push(object);
        contributions.set(id, objects);
    }
    return contributions;
}

/** Readers pass over names that begin with a dot or an underscore, and what consoles make of folders. */
function isSeenByReaders(key: string): boolean {
    return /(^|\/)[^._/][^/]*$/.test(key);
}

export function messageOf(error: unknown): string {
    return error instanceof Error ? error.message : String(error);
}

function parseRecord(text: string): SourceRecord | undefined {
    try {
        const value: unknown = JSON.parse(text);
        return isSourceRecord(value) ? value : undefined;
    } catch {
        return undefined;
    }
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
    commits: ['number'],
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
