/** Use case: free the bytes of raw objects that are safely in the figures. No figure changes. */

import { ConflictError } from '#lake/errors';
import { contributionOf, dayPrefix, RAW_PREFIX, SUMMARIES_PREFIX, sourceId } from '#lake/layout';
import { fenceLedger, type HeldRecord, type LedgerRecord, readLedger } from '#lake/ledger';
import type { ObjectInfo, ObjectStore } from '#lake/store/object-store';
import { containedOf } from './consolidate.ts';
import { needsReading } from './summarize.ts';

export type PruneFinding =
    | { key: string; raw: ObjectInfo; canGo: true }
    /** Why it stays. */
    | { key: string; raw: ObjectInfo; canGo: false; reason: string };

/** Every raw object of which no kept row is of `before` or later, and whether it may go. `before` is a day, exclusive. */
export async function* findPrunable(store: ObjectStore, { before }: { before: string }): AsyncGenerator<PruneFinding> {
    for await (const { key, raw, reason } of lookAt(store, { before })) {
        yield reason === undefined ? { key, raw, canGo: true } : { key, raw, canGo: false, reason };
    }
}

/** Frees every raw object that may go, and tells of each as `findPrunable` does, once it is gone. What is uploaded again meanwhile stays. */
export async function* prune(store: ObjectStore, { before }: { before: string }): AsyncGenerator<PruneFinding> {
    for await (const look of lookAt(store, { before })) {
        const { key, raw } = look;
        const reason = look.reason ?? (await free(look, store));
        yield reason === undefined ? { key, raw, canGo: true } : { key, raw, canGo: false, reason };
    }
}

/** A raw object and its ledger record as they were when it was looked at. */
interface Look extends HeldRecord {
    key: string;
    raw: ObjectInfo;
    /** Why it stays; undefined where it may go. */
    reason: string | undefined;
}

async function* lookAt(store: ObjectStore, { before }: { before: string }): AsyncGenerator<Look> {
    const safeByDay = new Map<string, Promise<ReadonlySet<string>>>();
    const safeOf = (day: string): Promise<ReadonlySet<string>> => {
        const known = safeByDay.get(day) ?? safeContributions(day, store);
        safeByDay.set(day, known);
        return known;
    };
    for await (const { key } of store.list(RAW_PREFIX)) {
        const raw = await store.head(key);
        const held = await readLedger(store, sourceId(key));
        if (raw && !(held.record?.last_day != null && held.record.last_day >= before)) {
            yield { key, raw, ...held, reason: await whyItStays(raw, held.record, safeOf) };
        }
    }
}

/** @returns why it stays after all, or undefined where it is gone */
async function free({ key, raw, record, etag }: Look, store: ObjectStore): Promise<string | undefined> {
    if (!record) {
        return 'it is not in the figures yet; run flowlake reconcile first';
    }
    try {
        // The fence of `summarize`: whoever has read older bytes and is yet to commit them loses. Later nobody could read the last ones again.
        await fenceLedger(store, { source: sourceId(key), record, etag });
        await store.delete(key, { only: raw });
        return undefined;
    } catch (error) {
        if (error instanceof ConflictError) {
            return 'it was uploaded again just now';
        }
        throw error;
    }
}

/** What the day contains and would contain again if it were built anew. */
async function safeContributions(day: string, store: ObjectStore): Promise<ReadonlySet<string>> {
    const contained = new Set(await containedOf(day, { store }));
    const safe = new Set<string>();
    for await (const { key } of store.list(dayPrefix(SUMMARIES_PREFIX, day))) {
        const { source, version } = contributionOf(key) ?? {};
        if (contained.has(`${source}.${version}`)) {
            safe.add(`${source}.${version}`);
        }
    }
    return safe;
}

async function whyItStays(
    raw: ObjectInfo,
    record: LedgerRecord | undefined,
    safeOf: (day: string) => Promise<ReadonlySet<string>>,
): Promise<string | undefined> {
    if (!record || needsReading(raw, record)) {
        return 'it is not in the figures yet; run flowlake reconcile first';
    }
    if (record.state !== 'done' || record.version === null || record.last_day === null) {
        return record.state === 'failed' ? 'it could not be read, so nothing of it is in the figures' : 'nothing of it is in the figures';
    }
    for (const day of record.versions[record.version] ?? []) {
        if (!(await safeOf(day)).has(`${sourceId(record.source)}.${record.version}`)) {
            return `its flows of ${day} are not in the figures yet; run flowlake reconcile first`;
        }
    }
    return undefined;
}
