/** Use case: mend what `verifyLake` found, by the same commit rules as all other work; docs/design.md, "Repair". */

import { toOptions } from '#lake/ledger';
import type { ObjectStore } from '#lake/store/object-store';
import type { Mends } from '#lake/verify/findings';
import type { PendingSource, VerifyResult } from '#lake/verify/verify';
import { consolidate, rebuildDay } from './consolidate.ts';
import { findDeadObjects, findUnread, readAllRecords, removeDeadObjects } from './reconcile.ts';
import { summarize } from './summarize.ts';

/** What a repair would do; it changes nothing else. */
export interface RepairPlan {
    /** Raw keys that are not in the figures as they are now; with the next two, what `reconcile` does too. */
    toRead: string[];
    /** Keys of summaries and rejects that can never count. */
    toDelete: string[];
    /** Raw keys that are read once more though nothing of them changed, each with the version that must make way. */
    toReadAnew: ReadonlyMap<string, string>;
    /** Days whose object is built anew from its summaries, whatever it says that it contains. */
    toBuild: string[];
    /** Raw keys of sources whose differences nothing but a backup mends. */
    beyondMending: string[];
    /** Days that stay as they are: what they contain is the last trace of something. */
    lostDays: string[];
}

/** Sources that a repair reads because their raw object is not what is live: `verifyLake` takes them as they will be. */
export async function findPending(store: ObjectStore): Promise<Map<string, PendingSource>> {
    const pending = new Map<string, PendingSource>();
    for (const key of await findUnread(store, await readAllRecords(store))) {
        const raw = await store.head(key);
        if (raw) {
            pending.set(key, { etag: raw.etag, options: toOptions(raw.metadata) });
        }
    }
    return pending;
}

/** What would mend the result's differences, and what is undone beside them. */
export async function planRepair(
    store: ObjectStore,
    { result, pending, now }: { result: Pick<VerifyResult, 'mends'>; pending: ReadonlyMap<string, unknown>; now: Date },
): Promise<RepairPlan> {
    const { readAnew, buildAnew, beyondMending, lostDays }: Mends = result.mends;
    return {
        toRead: [...pending.keys()],
        toDelete: await findDeadObjects(store, { records: await readAllRecords(store), now }),
        toReadAnew: readAnew,
        toBuild: [...buildAnew].filter((day) => !lostDays.has(day)).sort(),
        beyondMending: [...beyondMending],
        lostDays: [...lostDays].sort(),
    };
}

/** Whether there is anything that a repair would do. */
export function isEmptyPlan({ toRead, toDelete, toReadAnew, toBuild }: RepairPlan): boolean {
    return toRead.length + toDelete.length + toReadAnew.size + toBuild.length === 0;
}

export interface RepairOptions {
    now: () => Date;
    signal: AbortSignal;
    /** Told what is begun. */
    onStep?: ((what: string) => void) | undefined;
    /** Bytes of raw objects read since the last call. */
    onBytes?: ((bytes: number) => void) | undefined;
}

export interface RepairDone {
    /** Raw keys that were read. */
    read: string[];
    deleted: string[];
    /** Days that were brought up to what counts. */
    days: string[];
    errors: Error[];
}

/**
 * Does what the plan says, one thing after the other; one failure does not stop the rest. Safe to repeat, to be killed anywhere, and beside
 * workers: whatever they committed since the plan was made is left as it is.
 */
export async function repairLake(
    store: ObjectStore,
    plan: RepairPlan,
    { now, signal, onStep, onBytes }: RepairOptions,
): Promise<RepairDone> {
    const errors: Error[] = [];
    const attempt = async (what: string, work: () => Promise<unknown>): Promise<void> => {
        signal.throwIfAborted();
        onStep?.(what);
        try {
            await work();
        } catch (error) {
            signal.throwIfAborted();
            errors.push(error instanceof Error ? error : new Error(String(error)));
        }
    };
    const told = new Set<string>();
    const tellDay = async (day: string): Promise<void> => void told.add(day);
    const read = [...new Set([...plan.toRead, ...plan.toReadAnew.keys()])];
    for (const key of read) {
        const anew = plan.toReadAnew.get(key);
        await attempt(key, () => summarize(key, { store, tellDay, now, signal, onBytes, anew }));
    }
    // Before the days: one that contains a dead object is built anew without it.
    const records = await readAllRecords(store);
    const deleted = await removeDeadObjects(store, { records, now: now() });
    const days = [...new Set([...told, ...plan.toBuild])].filter((day) => !plan.lostDays.includes(day)).sort();
    for (const day of days) {
        // Day by day, whoever else may be at it: the figures in its object are not to be trusted, so nothing is merged into them.
        await attempt(day, () => (plan.toBuild.includes(day) ? rebuildDay(day, { store, anew: true }) : consolidate(day, { store })));
    }
    return { read, deleted, days, errors };
}
