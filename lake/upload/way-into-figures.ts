/** Use case: how far a raw object is on its way into the figures, told by its ledger record and the days that it touches. */
import { containedOf } from '#lake/commit/consolidate';
import { needsReading } from '#lake/commit/summarize';
import { sourceId } from '#lake/layout';
import { type LedgerRecord, readLedger } from '#lake/ledger';
import type { ObjectStore } from '#lake/store/object-store';

export type WayIntoFigures =
    /** The raw object is there and the ledger does not know it yet, or knows it otherwise. */
    | { stage: 'stored' }
    /** Its summaries count, and these days do not contain them yet. */
    | { stage: 'summarized'; record: LedgerRecord; days: string[] }
    /** Every day that it touches contains it; a failed or retracted source touches none. */
    | { stage: 'in figures'; record: LedgerRecord }
    /** There is no raw object and no record of one. */
    | { stage: 'gone' };

/** One look at many sources: what a day contains is read once for all that wait for it. */
export function openLook(store: ObjectStore): (rawKey: string) => Promise<WayIntoFigures> {
    const contained = new Map<string, Promise<ReadonlySet<string>>>();
    const containedIn = (day: string): Promise<ReadonlySet<string>> => {
        const known = contained.get(day) ?? containedOf(day, { store }).then((names) => new Set(names));
        contained.set(day, known);
        return known;
    };
    return async (rawKey) => {
        const source = sourceId(rawKey);
        const [raw, { record }] = await Promise.all([store.head(rawKey), readLedger(store, source)]);
        if (raw && needsReading(raw, record)) {
            return { stage: 'stored' };
        }
        if (!record) {
            return { stage: 'gone' };
        }
        const days: string[] = [];
        for (const day of record.version === null ? [] : (record.versions[record.version] ?? [])) {
            if (!(await containedIn(day)).has(`${source}.${record.version}`)) {
                days.push(day);
            }
        }
        return days.length > 0 ? { stage: 'summarized', record, days } : { stage: 'in figures', record };
    };
}
