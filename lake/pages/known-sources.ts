/** What the ledger says of every source, kept between questions: a record is read again when it was written anew, so that ten thousand sources stay quick. */
import pMap from 'p-map';
import { StorageError } from '#lake/errors';
import type { Found, ReadingOptions } from '#lake/kind';
import { findKind, findKindOfRecord } from '#lake/kinds';
import { isSourceName, kindNameOf, LEDGER_PREFIX, ledgerKey, RAW_PREFIX, siteOf } from '#lake/layout';
import { factsOf, type LedgerRecord, readLedger } from '#lake/ledger';
import { stateOf } from '#lake/reports/lake-status';
import { sourceId } from '#lake/source-id';
import { CALLS_AT_ONCE, type ListedObject, type ObjectStore } from '#lake/store/object-store';

/** A source as its ledger record has it, without its versions and commits. */
export interface KnownSource {
    source: string;
    site: string;
    /** Name of its kind; of one that this program does not know, as the key has it. */
    kind: string;
    /** `waiting`: a raw object that the ledger does not know yet. `unknown`: one of a kind that this program does not know; it is left alone. */
    state: LedgerRecord['state'] | 'waiting' | 'unknown';
    version: string | null;
    options: ReadingOptions;
    fingerprint: string | null;
    beginning: readonly string[] | null;
    /** All else that the record says in texts and numbers. */
    facts: Found;
}

export interface KnownSources {
    /** Sources by key, ascending. */
    sources: readonly KnownSource[];
    /** Records that could not be read: what they say of their sources is not known. */
    unreadable: readonly { key: string; why: string }[];
}

type Kept = { mark: string } & ({ source: KnownSource } | { why: string } | { gone: true });

const KEPT = new WeakMap<ObjectStore, Map<string, Kept>>();

/** An object that is younger may be written again within the tick of the clock that a listing tells it by. */
const SETTLED_AFTER_MS = 5_000;

/** Looks that are under way: several pages are asked for at once. */
const LOOKING = new WeakMap<ObjectStore, Promise<KnownSources>>();

/** Every source that the ledger knows, and every raw object that it does not. One that was changed since it was read is told as it was read. */
export function readKnownSources(store: ObjectStore, { now }: { now: Date }): Promise<KnownSources> {
    const looking = LOOKING.get(store) ?? look(store, { now }).finally(() => LOOKING.delete(store));
    LOOKING.set(store, looking);
    return looking;
}

async function look(store: ObjectStore, { now }: { now: Date }): Promise<KnownSources> {
    const before = KEPT.get(store) ?? new Map<string, Kept>();
    const listed: ListedObject[] = [];
    for await (const object of store.list(LEDGER_PREFIX)) {
        if (object.key.endsWith('.json')) {
            listed.push(object);
        }
    }
    const entries = await pMap(
        listed,
        async (object): Promise<[string, Kept]> => {
            const mark = markOf(object, { now });
            const kept = before.get(object.key);
            return [
                object.key,
                kept && mark !== undefined && kept.mark === mark ? kept : { mark: mark ?? '', ...(await readOne(store, object.key)) },
            ];
        },
        { concurrency: CALLS_AT_ONCE },
    );
    KEPT.set(store, new Map(entries));
    const read = entries.flatMap(([, kept]) => ('source' in kept ? kept.source : []));
    const sources = [...read, ...(await findUnread(store, new Set(entries.map(([key]) => key))))];
    const unreadable = entries.flatMap(([key, kept]) => ('why' in kept ? { key, why: kept.why } : []));
    return { sources: sources.sort((a, b) => (a.source < b.source ? -1 : 1)), unreadable };
}

/** Raw objects without a ledger record, whether or not it can be read. */
async function findUnread(store: ObjectStore, records: ReadonlySet<string>): Promise<KnownSource[]> {
    const unread: KnownSource[] = [];
    for await (const { key, sizeBytes } of store.list(RAW_PREFIX)) {
        if (isSourceName(key) && !records.has(ledgerKey(sourceId(key)))) {
            const kind = findKind(key)?.name;
            unread.push({
                source: key,
                site: siteOf(key),
                kind: kind ?? kindNameOf(key) ?? '',
                state: kind === undefined ? 'unknown' : 'waiting',
                version: null,
                options: {},
                fingerprint: null,
                beginning: null,
                facts: { size_bytes: sizeBytes },
            });
        }
    }
    return unread;
}

/** What tells an object from one of other bytes; undefined where it may have changed without another mark. */
function markOf({ etag, sizeBytes, modifiedAt }: ListedObject, { now }: { now: Date }): string | undefined {
    if (etag !== undefined) {
        return etag;
    }
    return now.getTime() - modifiedAt.getTime() < SETTLED_AFTER_MS ? undefined : `${modifiedAt.getTime()} ${sizeBytes}`;
}

async function readOne(store: ObjectStore, key: string): Promise<{ source: KnownSource } | { why: string } | { gone: true }> {
    try {
        const { record } = await readLedger(store, key.slice(LEDGER_PREFIX.length, -'.json'.length));
        return record ? { source: knownOf(record) } : { gone: true };
    } catch (error) {
        if (error instanceof StorageError) {
            return { why: error.message };
        }
        throw error;
    }
}

function knownOf(record: LedgerRecord): KnownSource {
    const { source, site, version, options, fingerprint, beginning } = record;
    return {
        source,
        site,
        kind: findKindOfRecord(record)?.name ?? kindNameOf(source) ?? '',
        state: stateOf(record),
        version,
        options,
        fingerprint: fingerprint ?? null,
        beginning: beginning ?? null,
        facts: factsOf(record),
    };
}
