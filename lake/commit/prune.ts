/** Use case: free the bytes of raw objects that are safely in the figures. No figure changes. */

import { type Forwarded, readForwarded } from '#lake/forwarded';
import { lookAtInputs } from '#lake/inputs';
import { findKindOfSource, kindOfTable } from '#lake/kinds';
import {
    CHAIN_END_BELIEVED_MS,
    chainPlaceOf,
    contributionOf,
    contributionsPrefix,
    isOfSideChain,
    nameOfPeriod,
    RAW_PREFIX,
    type TablePeriod,
} from '#lake/layout';
import { fenceLedger, type HeldRecord, isStrangeInChain, type LedgerRecord, readLedger } from '#lake/ledger';
import { sourceId } from '#lake/source-id';
import { type ListedObject, type ObjectInfo, type ObjectStore, tryDelete } from '#lake/store/object-store';
import { containedOf } from './period-state.ts';
import { OLDER_THAN_ANY_WORKER_MS } from './reconcile.ts';
import { needsReading } from './summarize.ts';

export type PruneFinding =
    | { key: string; raw: ObjectInfo; canGo: true }
    /** Why the raw object stays. */
    | { key: string; raw: ObjectInfo; canGo: false; reason: string };

export interface PruneOptions {
    /** The first day whose raw objects stay. */
    before: string;
    now: Date;
    /** Who keeps what objects of chains held beyond their bytes; undefined where nobody does. */
    keeper?: ChainKeeper | undefined;
}

/** Keeps the first and last sequence of each chain object, which may be asked for when its bytes are gone: docs/design.md, R27. */
export interface ChainKeeper {
    /** Makes sure that it is kept what the object holds. @throws StorageError where it cannot: then the object stays */
    keep(key: string): Promise<void>;
    /** Notes that the object's bytes are gone. */
    tellFreed(key: string): Promise<void>;
}

/** Every raw object without a kept row on the day `before` or later, and whether it may go. */
export async function* findPrunable(store: ObjectStore, options: PruneOptions): AsyncGenerator<PruneFinding> {
    for await (const { key, raw, reason } of lookAt(store, options)) {
        yield reason === undefined ? { key, raw, canGo: true } : { key, raw, canGo: false, reason };
    }
}

/** Frees every raw object that may go, and tells of each as `findPrunable` does, once it is gone. What is uploaded again meanwhile stays. */
export async function* prune(store: ObjectStore, options: PruneOptions): AsyncGenerator<PruneFinding> {
    for await (const look of lookAt(store, options)) {
        const { key, raw } = look;
        const reason = look.reason ?? (await free(look, store, options));
        yield reason === undefined ? { key, raw, canGo: true } : { key, raw, canGo: false, reason };
    }
}

/** A raw object and its ledger record as they were when it was looked at. */
interface Look extends HeldRecord {
    key: string;
    raw: ObjectInfo;
    /** Why the raw object stays; undefined where it may go. */
    reason: string | undefined;
}

async function* lookAt(store: ObjectStore, { before, now }: PruneOptions): AsyncGenerator<Look> {
    const safeByPeriod = new Map<string, Promise<ReadonlySet<string>>>();
    const safeOf = (of: TablePeriod): Promise<ReadonlySet<string>> => {
        const name = nameOfPeriod(of);
        const known = safeByPeriod.get(name) ?? safeContributions(of, store);
        safeByPeriod.set(name, known);
        return known;
    };
    const forwarded = await readForwarded(store);
    for await (const { key, whyInChain } of listRaw(store, now)) {
        const raw = await store.head(key);
        const held = await readLedger(store, sourceId(key));
        if (raw && !(held.record?.last_day != null && held.record.last_day >= before)) {
            yield {
                key,
                raw,
                ...held,
                reason: whyInChain() ?? whyAwaited(key, forwarded) ?? (await whyItStays(raw, held.record, { store, safeOf })),
            };
        }
    }
}

/** Every raw object, and why it stays for being one of a chain. */
async function* listRaw(store: ObjectStore, now: Date): AsyncGenerator<{ key: string; whyInChain: () => string | undefined }> {
    // Objects of a chain are listed one behind the other: the next one tells whether this is the last.
    let held: ListedObject | undefined;
    for await (const object of store.list(RAW_PREFIX)) {
        if (held) {
            yield withReason(held, { next: object, now });
        }
        held = object;
    }
    if (held) {
        yield withReason(held, { next: undefined, now });
    }
}

function withReason(object: ListedObject, { next, now }: { next: ListedObject | undefined; now: Date }) {
    const { key } = object;
    const whyInChain = (): string | undefined => {
        const place = chainPlaceOf(key);
        if (!place) {
            return undefined;
        }
        if (isOfSideChain(key)) {
            return 'it is of a side chain, where what was given up is looked up when it comes again';
        }
        if (chainPlaceOf(next?.key ?? '')?.prefix !== place.prefix) {
            return 'it is the last object of its chain, and the next one will be named after its end';
        }
        const isYoung = now.getTime() - object.modifiedAt.getTime() <= OLDER_THAN_ANY_WORKER_MS + CHAIN_END_BELIEVED_MS;
        return isYoung ? 'it is younger than 24 hours and 10 minutes: a slow writer may still take its name' : undefined;
    };
    return { key, whyInChain };
}

/** Why an object of a chain stays that is still to be handed on to another lake. */
function whyAwaited(key: string, forwarded: readonly Forwarded[]): string | undefined {
    const place = chainPlaceOf(key);
    const awaiting = place && forwarded.find(({ prefix, end }) => prefix === place.prefix && BigInt(place.predecessorEnd) >= BigInt(end));
    return awaiting && `it is not handed on to ${awaiting.to} yet; serve --forward does that`;
}

/** Frees the raw object. @returns why it stays after all, or undefined where it is gone */
async function free(
    { key, raw, record, etag }: Look,
    store: ObjectStore,
    { keeper }: Pick<PruneOptions, 'keeper'>,
): Promise<string | undefined> {
    if (!record) {
        return 'it is not in the figures yet; run flowlake reconcile first';
    }
    const kept = chainPlaceOf(key) ? keeper : undefined;
    await kept?.keep(key);
    // The fence of `summarize`: whoever has read older bytes and is yet to commit them loses. Later nobody could read the last ones again.
    const isFree = (await fenceLedger(store, { source: sourceId(key), record, etag })) && (await tryDelete(store, key, { only: raw }));
    if (isFree) {
        await kept?.tellFreed(key);
    }
    return isFree ? undefined : 'it was uploaded again just now';
}

/** What the period contains and would contain again if it were built anew. */
async function safeContributions(of: TablePeriod, store: ObjectStore): Promise<ReadonlySet<string>> {
    const contained = new Set(await containedOf(of, { store }));
    const safe = new Set<string>();
    for await (const { key } of store.list(contributionsPrefix(kindOfTable(of.table).contributions, of.period))) {
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
    { store, safeOf }: { store: ObjectStore; safeOf: (of: TablePeriod) => Promise<ReadonlySet<string>> },
): Promise<string | undefined> {
    const kind = findKindOfSource(raw.key, record);
    if (!kind) {
        return 'it is of a kind that this flowlake does not know';
    }
    if (isStrangeInChain(raw, record)) {
        return 'it is not the object of its chain that was read; see flowlake verify';
    }
    if (!record || (await needsReading(raw, record, lookAtInputs(store)))) {
        return 'it is not in the figures yet; run flowlake reconcile first';
    }
    if (record.state !== 'done' || record.version === null || record.last_day === null) {
        return record.state === 'failed' ? 'it could not be read, so nothing of it is in the figures' : 'nothing of it is in the figures';
    }
    const { name, merged } = kind;
    for (const period of record.versions[record.version] ?? []) {
        if (!(await safeOf({ table: merged.name, period })).has(`${sourceId(record.source)}.${record.version}`)) {
            return `its ${name} of ${period} are not in the figures yet; run flowlake reconcile first`;
        }
    }
    return undefined;
}
