/** Use case: find whatever a crash, a lost message or a hand in the folders left undone, so that it can be finished. */
import pMap, { pMapIterable } from 'p-map';
import { StorageError } from '#lake/errors';
import { lookAtInputs } from '#lake/inputs';
import { derivations, findKind, findKindOfSource, kinds } from '#lake/kinds';
import { contributionOf, RAW_PREFIX, type TablePeriod } from '#lake/layout';
import { commitLedger, type LedgerRecord, listLedger, numberOfVersion, readLedger } from '#lake/ledger';
import { sourceId } from '#lake/source-id';
import { CALLS_AT_ONCE, type ObjectStore } from '#lake/store/object-store';
import { isDerived } from './derive.ts';
import { listDays } from './derive-state.ts';
import { isCurrent, lookAtEnd } from './period-state.ts';
import { listDerivedDays, listPeriods } from './periods.ts';
import { needsReading } from './summarize.ts';

export interface UndoneWork {
    /** Raw keys that are not in the figures, or not as they are now. */
    sources: string[];
    /** Keys of contributions and rejects that can never count. */
    deadObjects: string[];
    /** Periods whose merged object is not what counts; periods of `sources` may join them. */
    periods: TablePeriod[];
    /** Days of derived tables that do not name what they would be made of; days of `periods` may join them, and of a chained table those behind. */
    derived: TablePeriod[];
}

/** What is undone in the lake. Changes nothing. */
export async function findUndoneWork(store: ObjectStore, { now }: { now: Date }): Promise<UndoneWork> {
    const records = await readAllRecords(store);
    return {
        sources: await findUnread(store, records),
        deadObjects: await findDeadObjects(store, { records, now }),
        periods: await findUnconsolidated(store),
        derived: await findUnderived(store),
    };
}

/** No worker lives this long: what it wrote for a commit that never came is dead by then. */
export const OLDER_THAN_ANY_WORKER_MS = 24 * 60 * 60 * 1000;

/** Raw keys of sources whose raw object is not what the ledger says is live, or that were read with inputs that no longer hold. */
export async function findUnread(store: ObjectStore, records: ReadonlyMap<string, LedgerRecord>): Promise<string[]> {
    const keys: string[] = [];
    const inputs = lookAtInputs(store);
    for await (const raw of pMapIterable(store.list(RAW_PREFIX), ({ key }) => store.head(key), { concurrency: CALLS_AT_ONCE })) {
        const record = raw && records.get(sourceId(raw.key));
        if (raw && findKindOfSource(raw.key, record) && (await needsReading(raw, record, inputs))) {
            keys.push(raw.key);
        }
    }
    return keys;
}

/** Raw keys of kinds that this program does not know, ascending: whoever knows them reads them. */
export async function findUnknown(store: ObjectStore): Promise<string[]> {
    const keys: string[] = [];
    for await (const { key } of store.list(`${RAW_PREFIX}kind=`)) {
        if (!findKind(key) && !findKindOfSource(key, (await readLedger(store, sourceId(key))).record)) {
            keys.push(key);
        }
    }
    return keys;
}

/** Every ledger record by its source id. */
export async function readAllRecords(store: ObjectStore): Promise<Map<string, LedgerRecord>> {
    const records = new Map<string, LedgerRecord>();
    for await (const record of listLedger(store)) {
        records.set(sourceId(record.source), record);
    }
    return records;
}

/**
 * Keys of contributions and rejects that can never count again: versions that are not live with numbers up to the ledger's own, and
 * newer ones once they are older than any worker (a worker may be about to commit those).
 */
export async function findDeadObjects(
    store: ObjectStore,
    { records, now }: { records: ReadonlyMap<string, LedgerRecord>; now: Date },
): Promise<string[]> {
    const dead: string[] = [];
    for (const { prefix } of kinds.flatMap(({ contributions, rejects }) => [contributions, rejects])) {
        for await (const { key, modifiedAt } of store.list(prefix)) {
            const contribution = contributionOf(key);
            const record = contribution && records.get(contribution.source);
            if (!contribution || contribution.version === record?.version) {
                continue;
            }
            const isSuperseded = numberOfVersion(contribution.version) <= (record?.commits ?? 0);
            if (isSuperseded || now.getTime() - modifiedAt.getTime() > OLDER_THAN_ANY_WORKER_MS) {
                dead.push(key);
            }
        }
    }
    return dead;
}

/** Deletes what `findDeadObjects` finds, but for what a worker has taken up again meanwhile; returns the keys. */
export async function removeDeadObjects(
    store: ObjectStore,
    { records, now }: { records: ReadonlyMap<string, LedgerRecord>; now: Date },
): Promise<string[]> {
    const removed: string[] = [];
    const dead = await findDeadObjects(store, { records, now });
    const waiting = new Set<string>();
    for await (const { key } of dead.length > 0 ? store.list(RAW_PREFIX) : []) {
        waiting.add(sourceId(key));
    }
    for (const key of dead) {
        const contribution = contributionOf(key);
        if (contribution && (await isDeadForEver(store, { ...contribution, waiting }))) {
            await store.delete(key);
            removed.push(key);
        }
    }
    return removed;
}

/**
 * True if the version can never count. Old age alone is no proof: the worker that wrote it may be about to commit, however slow it is. So
 * the ledger uses the commit's number up first; then nobody can commit it any more. A source that has no record yet must wait for its first
 * one, if it has a raw object to come from.
 */
async function isDeadForEver(
    store: ObjectStore,
    { source, version, waiting }: { source: string; version: string; waiting: ReadonlySet<string> },
): Promise<boolean> {
    const { etag, record } = await readLedger(store, source);
    if (!record) {
        return !waiting.has(source);
    }
    if (record.version === version || numberOfVersion(version) <= record.commits) {
        return record.version !== version;
    }
    return commitLedger(store, { source, record: { ...record, commits: numberOfVersion(version) }, etag });
}

/** What a look at a period, or at a day of a derived table, finds. */
export interface PeriodLook {
    of: TablePeriod;
    /** True if nothing is left to be done. */
    isDone: boolean;
    /** True if nothing counts to the period: its object, if there is one, has no rows. */
    isEmpty: boolean;
    /** Why the object cannot be read, or could not be looked at; undefined where it could. */
    fault?: Error | undefined;
}

/** Looks at every period of the merged tables, by table and ascending. One that cannot be read hides no other one. */
export async function lookAtPeriods(store: ObjectStore): Promise<PeriodLook[]> {
    return pMap(
        await listPeriods(store),
        (of) =>
            orFault(of, async () => {
                const { contained, counting } = await lookAtEnd(of, { store });
                return { of, isDone: isCurrent({ contained, counting }), isEmpty: contained.length === 0 && counting.length === 0 };
            }),
        { concurrency: CALLS_AT_ONCE },
    );
}

/** Looks at every day of the derived tables, and at days of merged objects that have none; by table and ascending. */
export async function lookAtDerivedDays(store: ObjectStore): Promise<PeriodLook[]> {
    const all = await listDerivedDays(store);
    const looks: PeriodLook[] = [];
    for (const derivation of derivations()) {
        const ofTable = all.filter(({ table }) => table === derivation.derived.table.name);
        const days = await listDays(derivation, store);
        const look = (of: TablePeriod): Promise<PeriodLook> =>
            orFault(of, async () => ({ of, isDone: await isDerived(of, { store, days }), isEmpty: false }));
        looks.push(...(await pMap(ofTable, look, { concurrency: CALLS_AT_ONCE })));
    }
    return looks;
}

/** What `look` finds, or the fault that it ends in: what is damaged, or out of reach, is surely not done. */
async function orFault(of: TablePeriod, look: () => Promise<PeriodLook>): Promise<PeriodLook> {
    try {
        return await look();
    } catch (error) {
        if (error instanceof StorageError) {
            return { of, isDone: false, isEmpty: false, fault: error };
        }
        throw error;
    }
}

/** Periods whose merged objects do not contain just what counts, or cannot be read; by table and ascending. */
export async function findUnconsolidated(store: ObjectStore): Promise<TablePeriod[]> {
    return (await lookAtPeriods(store)).filter(({ isDone }) => !isDone).map(({ of }) => of);
}

/** Days of derived tables whose objects do not name just what a look finds, and days of merged objects without one; by table and ascending. */
export async function findUnderived(store: ObjectStore): Promise<TablePeriod[]> {
    return (await lookAtDerivedDays(store)).filter(({ isDone }) => !isDone).map(({ of }) => of);
}
