/** What stands in a lake, as far as it is verified. An object that is not there and one that cannot be read are told apart. */
import pMap from 'p-map';
import type { Kind } from '#lake/kind';
import { findKindOfRecord, type KnownKinds, sayUnknownKind } from '#lake/kinds';
import { contributionKey, contributionOf, LEDGER_PREFIX, ledgerKey, mergedKey, periodOf, RAW_PREFIX, rejectsKey } from '#lake/layout';
import type { LedgerRecord } from '#lake/ledger';
import { sourceId } from '#lake/source-id';
import type { ListedObject, ObjectStore } from '#lake/store/object-store';
import type { Table } from '#lake/tables';

/** Records that are read at once: they are small, so the time to the first byte is what counts. */
const RECORDS_SIDE_BY_SIDE = 32;

/** The fields of a ledger record that are verified, and what is needed for it. */
export type SourceRecord = Pick<
    LedgerRecord,
    | 'source'
    | 'site'
    | 'state'
    | 'version'
    | 'options'
    | 'inputs'
    | 'etag'
    | 'size_bytes'
    | 'versions'
    | 'commits'
    | 'rows_read'
    | 'rows_kept'
    | 'rows_rejected'
    | 'first_day'
    | 'last_day'
> & {
    /** What the kind's reader found out: `Kind.found` and `Kind.nothingFound`. */
    readonly [found: string]: unknown;
};

/** Something that stood in the way, with the key of what it is about. */
export interface Unreadable {
    key: string;
    why: string;
    /** True if the object was read and is no record; else the store did not hand it out, or its kind is not known. */
    isDamaged: boolean;
}

export interface LedgerFound {
    /** Records, in the order of their sources. */
    records: SourceRecord[];
    /** Objects that could not be read as a record. */
    unreadable: Unreadable[];
    /** Keys below `ledger/` that are no record's. */
    strays: string[];
    /** A line for each record by its key, which differs where the record does, and the etag that the record had; none for one that could not be read. */
    states: ReadonlyMap<string, { etag: string | undefined; state: string }>;
}

const RECORD_KEY = /^ledger\/[0-9a-f]{16}\.json$/;

/** Every record of the ledger. @param kinds those that are known; a record of another one cannot be read */
export async function readRecords(store: ObjectStore, kinds: KnownKinds): Promise<LedgerFound> {
    const keys: string[] = [];
    const strays: string[] = [];
    for await (const { key } of store.list(LEDGER_PREFIX)) {
        (RECORD_KEY.test(key) ? keys : strays).push(key);
    }
    const found = (await pMap(keys, (key) => readRecord(store, key, kinds), { concurrency: RECORDS_SIDE_BY_SIDE })).filter(
        (outcome) => outcome !== undefined,
    );
    const records = found.flatMap(({ record }) => record ?? []);
    return {
        records: records.sort((a, b) => (a.source < b.source ? -1 : 1)),
        unreadable: found.flatMap(({ key, why, isDamaged = false }) => (why === undefined ? [] : { key, why, isDamaged })),
        strays: strays.filter(isSeenByReaders),
        states: new Map(found.map((one) => [one.key, { etag: one.etag, state: stateOf(one) }])),
    };
}

/** What a record says that counts. Not the etag: a commit may say nothing new. */
function stateOf({ etag, record }: RecordFound): string {
    return record ? `${record.state} ${record.version}` : String(etag);
}

/**
 * True if any record says something else now, or is new, or gone. Of those whose etag a listing tells, only the changed ones are read: a lake of a million sources is not
 * read a second time.
 */
export async function hasLedgerChanged(store: ObjectStore, before: Pick<LedgerFound, 'states'>, kinds: KnownKinds): Promise<boolean> {
    const toRead: string[] = [];
    let listed = 0;
    for await (const { key, etag } of store.list(LEDGER_PREFIX)) {
        if (RECORD_KEY.test(key)) {
            listed += 1;
            const known = before.states.get(key);
            if (etag === undefined || known?.etag !== etag) {
                toRead.push(key);
            }
        }
    }
    if (listed !== before.states.size) {
        return true;
    }
    const now = await pMap(toRead, (key) => readRecord(store, key, kinds), { concurrency: RECORDS_SIDE_BY_SIDE });
    return now.some((one) => one === undefined || before.states.get(one.key)?.state !== stateOf(one));
}

interface RecordFound {
    key: string;
    etag?: string;
    record?: SourceRecord;
    why?: string;
    isDamaged?: boolean;
}

/** The record; undefined where it went since it was listed. */
async function readRecord(store: ObjectStore, key: string, kinds: KnownKinds): Promise<RecordFound | undefined> {
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
    const value = parseJson(Buffer.from(object.bytes).toString());
    const source = sourceOf(value);
    if (source === undefined) {
        return { key, etag, isDamaged: true, why: 'it is no ledger record' };
    }
    const kind = findKindOfRecord({ ...(typeof value === 'object' ? value : {}), source }, kinds);
    if (!kind) {
        return { key, etag, why: `it is ${sayUnknownKind(source, kinds)}` };
    }
    if (!isRecordOf(kind, value)) {
        return { key, etag, isDamaged: true, why: 'it is no ledger record' };
    }
    return ledgerKey(sourceId(source)) === key
        ? { key, etag, record: value }
        : { key, etag, isDamaged: true, why: `it is the record of ${source}` };
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
    /** What there is of each kind, by the kind's name. */
    ofKind: ReadonlyMap<string, KindObjects>;
    /** Objects that are none of the lake's, each with the kind below whose prefixes it lies. */
    strays: readonly { key: string; kind: Kind }[];
}

export interface KindObjects {
    /** The objects of each version, by `<source>.<version>`. */
    contributions: Contributions;
    rejects: Contributions;
    /** The object of each period. */
    merged: ReadonlyMap<string, ListedObject>;
    /** The object of each day of each derived table, by the table's name. */
    derived: ReadonlyMap<string, ReadonlyMap<string, ListedObject>>;
}

export type Contributions = ReadonlyMap<string, readonly ListedObject[]>;

/** Everything that was computed. A key that is not the very one that the layout gives its object is a stray. */
export async function listObjects(store: ObjectStore, kinds: KnownKinds): Promise<LakeObjects> {
    const ofKind = new Map<string, KindObjects>();
    const strays: { key: string; kind: Kind }[] = [];
    for (const kind of kinds) {
        const { merged: table, contributions: contributed, rejects: rejected, derived = [] } = kind;
        const addStray = (key: string): void => void (isSeenByReaders(key) && strays.push({ key, kind }));
        const contributions = await listContributions(store, contributed.prefix, {
            addStray,
            keyOf: (key, id) => contributionKey(contributed, { ...id, period: periodOf(contributed, key) ?? '' }),
        });
        const rejects = await listContributions(store, rejected.prefix, { addStray, keyOf: (_, id) => rejectsKey(rejected, id) });
        const merged = await listPeriods(store, table, addStray);
        const days = new Map<string, ReadonlyMap<string, ListedObject>>();
        for (const { table: ofDays } of derived) {
            days.set(ofDays.name, await listPeriods(store, ofDays, addStray));
        }
        ofKind.set(kind.name, { contributions, rejects, merged, derived: days });
    }
    return { ofKind, strays };
}

/** The object of each period of a table. */
async function listPeriods(store: ObjectStore, table: Table, addStray: (key: string) => void): Promise<Map<string, ListedObject>> {
    const found = new Map<string, ListedObject>();
    for await (const object of store.list(table.prefix)) {
        const period = periodOf(table, object.key);
        if (period !== undefined && object.key === mergedKey(table, period)) {
            found.set(period, object);
        } else {
            addStray(object.key);
        }
    }
    return found;
}

interface ListContributionsOptions {
    addStray: (key: string) => void;
    /** The key that the object of a version has which is listed under `key`. */
    keyOf: (key: string, id: { source: string; version: string }) => string;
}

async function listContributions(
    store: ObjectStore,
    prefix: string,
    { addStray, keyOf }: ListContributionsOptions,
): Promise<Contributions> {
    const contributions = new Map<string, ListedObject[]>();
    for await (const object of store.list(prefix)) {
        const found = contributionOf(object.key);
        if (!found || keyOf(object.key, found) !== object.key) {
            addStray(object.key);
            continue;
        }
        const id = `${found.source}.${found.version}`;
        const objects = contributions.get(id) ?? [];
        objects.push(object);
        contributions.set(id, objects);
    }
    return contributions;
}

/** True for names that readers see: they pass over names that begin with a dot or an underscore, and what consoles make of folders. */
function isSeenByReaders(key: string): boolean {
    return /(^|\/)[^._/][^/]*$/.test(key);
}

export function messageOf(error: unknown): string {
    return error instanceof Error ? error.message : String(error);
}

function parseJson(text: string): unknown {
    try {
        return JSON.parse(text);
    } catch {
        return undefined;
    }
}

/** The raw key that a record names; undefined where the value is none. */
function sourceOf(value: unknown): string | undefined {
    const source: unknown = typeof value === 'object' && value !== null && 'source' in value ? value.source : undefined;
    return typeof source === 'string' && source.startsWith(RAW_PREFIX) && !source.split('/').includes('..') ? source : undefined;
}

/** The types of the fields that records of every kind have. */
const TYPES: Readonly<Record<string, readonly string[]>> = {
    source: ['string'],
    site: ['string'],
    state: ['string'],
    version: ['string', 'null'],
    options: ['object', 'undefined'],
    inputs: ['object', 'undefined'],
    etag: ['string', 'null'],
    size_bytes: ['number'],
    versions: ['object'],
    commits: ['number'],
    rows_read: ['number'],
    rows_kept: ['number'],
    rows_rejected: ['number'],
    first_day: ['string', 'null'],
    last_day: ['string', 'null'],
};

function isRecordOf(kind: Kind, value: unknown): value is SourceRecord {
    const found = new Map<string, unknown>(Object.entries(value ?? {}));
    const facts = typesOfFound(kind);
    const isOfType = ([name, types]: [string, readonly string[]]): boolean => types.includes(typeNameOf(found.get(name)));
    // A reading of an older format may not have looked for all that is a fact now.
    const isMissing = ([name]: [string, unknown]): boolean => found.get('summary_format') !== kind.format && found.get(name) === undefined;
    return Object.entries(TYPES).every(isOfType) && Object.entries(facts).every((fact) => isMissing(fact) || isOfType(fact));
}

/** The types of what the kind's reader found out. */
function typesOfFound({ found, nothingFound }: Kind): Record<string, readonly string[]> {
    const ofColumns = found.map(({ name, type, nullable }) => [
        name,
        [type === 'string' ? 'string' : 'number', ...(nullable || nothingFound[name] === null ? ['null'] : [])],
    ]);
    const ofOthers = Object.entries(nothingFound)
        .filter(([name]) => !found.some((column) => column.name === name))
        .map(([name, value]) => [name, value === null ? ['string', 'number', 'null'] : [typeNameOf(value)]]);
    return Object.fromEntries([...ofColumns, ...ofOthers]);
}

function typeNameOf(value: unknown): string {
    return value === null ? 'null' : typeof value;
}
