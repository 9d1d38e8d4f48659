/** Use case: mend what `verifyLake` found, by the same commit rules as all other work; docs/design.md, "Commit rules". */
import { findDerivation, kindOfSource } from '#lake/kinds';
import { nameOfPeriod, type TablePeriod } from '#lake/layout';
import { toOptions } from '#lake/ledger';
import { sourceId } from '#lake/source-id';
import type { ObjectStore } from '#lake/store/object-store';
import type { Mends } from '#lake/verify/findings';
import type { VerifyResult } from '#lake/verify/verify';
import type { PendingSource } from '#lake/verify/verify-kind';
import { type WorkDone, type WorkOffOptions, workOff } from './finish.ts';
import { findDeadObjects, findUnread, readAllRecords } from './reconcile.ts';

/** What a repair would do; it changes nothing else. */
export interface RepairPlan {
    /** Raw keys that are not in the figures as they are now; `reconcile` reads them too. */
    toRead: string[];
    /** Keys of contributions and rejects that can never count. */
    toDelete: string[];
    /** Raw keys that are read once more though nothing of them changed, each with the version that must make way. */
    toReadAnew: ReadonlyMap<string, string>;
    /** Periods whose object is built anew from its contributions, whatever it says that it contains. */
    toBuild: TablePeriod[];
    /** Days of derived tables that are derived anew, whatever their objects say that they were made of. */
    toDerive: TablePeriod[];
    /** Raw keys of sources whose differences nothing but a backup mends. */
    beyondMending: string[];
    /** Periods that stay as they are: what they contain is the last trace of something. */
    lost: TablePeriod[];
}

/** Sources that a repair reads because their raw object is not what is live: `verifyLake` takes them as they will be. */
export async function findPending(store: ObjectStore): Promise<Map<string, PendingSource>> {
    const pending = new Map<string, PendingSource>();
    const records = await readAllRecords(store);
    for (const key of await findUnread(store, records)) {
        const raw = await store.head(key);
        if (raw) {
            pending.set(key, { etag: raw.etag, options: toOptions(kindOfSource(key, records.get(sourceId(key))), raw) });
        }
    }
    return pending;
}

/** What would mend the result's differences, and what is undone beside them. */
export async function planRepair(
    store: ObjectStore,
    { result, pending, now }: { result: Pick<VerifyResult, 'mends'>; pending: ReadonlyMap<string, unknown>; now: Date },
): Promise<RepairPlan> {
    const { readAnew, buildAnew, beyondMending, lost }: Mends = result.mends;
    const toMake = [...buildAnew].filter(([name]) => !lost.has(name)).map(([, of]) => of);
    return {
        toRead: [...pending.keys()],
        toDelete: await findDeadObjects(store, { records: await readAllRecords(store), now }),
        toReadAnew: readAnew,
        toBuild: toMake.filter((of) => !isDerivedDay(of)),
        toDerive: toMake.filter(isDerivedDay),
        beyondMending: [...beyondMending],
        lost: [...lost.values()],
    };
}

/** True if a repair has nothing to do. */
export function isEmptyPlan({ toRead, toDelete, toReadAnew, toBuild, toDerive }: RepairPlan): boolean {
    return toRead.length + toDelete.length + toReadAnew.size + toBuild.length + toDerive.length === 0;
}

function isDerivedDay({ table }: TablePeriod): boolean {
    return findDerivation(table) !== undefined;
}

/**
 * Does what the plan says; one failure does not stop the rest. Safe to repeat, to be killed anywhere, and beside workers: whatever they committed
 * since the plan was made is left as it is.
 */
export function repairLake(store: ObjectStore, plan: RepairPlan, options: Pick<WorkOffOptions, 'workers' | 'now'>): Promise<WorkDone> {
    const isLost = new Set(plan.lost.map(nameOfPeriod));
    const isToBuild = new Set(plan.toBuild.map(nameOfPeriod));
    const keys = new Set([...plan.toRead, ...plan.toReadAnew.keys()]);
    return workOff(store, {
        ...options,
        sources: [...keys].map((key) => ({ key, anew: plan.toReadAnew.get(key) })),
        periodsAfter: async (touched) =>
            [...new Map([...touched, ...plan.toBuild].map((of) => [nameOfPeriod(of), of]))]
                .filter(([name]) => !isLost.has(name))
                .sort(([a], [b]) => (a < b ? -1 : 1))
                // Whoever else may be at it: the figures in such an object are not to be trusted, so nothing is merged into them.
                .map(([name, of]) => ({ ...of, anew: isToBuild.has(name) })),
        derivedAfter: async () => plan.toDerive.map((of) => ({ ...of, anew: true })),
    });
}
