/** Use case: how far a raw object is on its way into the figures, told by its ledger record and the periods that it touches. */
import { containedOf } from '#lake/commit/period-state';
import { needsReading } from '#lake/commit/summarize';
import { lookAtInputs } from '#lake/inputs';
import { kindOfSource } from '#lake/kinds';
import { nameOfPeriod, type TablePeriod } from '#lake/layout';
import { type LedgerRecord, readLedger } from '#lake/ledger';
import { sourceId } from '#lake/source-id';
import type { ObjectStore } from '#lake/store/object-store';

export type WayIntoFigures =
    /** The raw object is there and the ledger does not know it yet, or knows it otherwise. */
    | { stage: 'stored' }
    /** What it contributes counts, and these periods do not contain it yet. */
    | { stage: 'summarized'; record: LedgerRecord; periods: TablePeriod[] }
    /** Every period that it touches contains it; a failed or retracted source touches none. */
    | { stage: 'in figures'; record: LedgerRecord }
    /** There is no raw object and no record of one. */
    | { stage: 'gone' };

/** One look at many sources: what a period contains is read once for all that wait for it. */
export function openLook(store: ObjectStore): (rawKey: string) => Promise<WayIntoFigures> {
    const contained = new Map<string, Promise<ReadonlySet<string>>>();
    const inputs = lookAtInputs(store);
    const containedIn = (of: TablePeriod): Promise<ReadonlySet<string>> => {
        const known = contained.get(nameOfPeriod(of)) ?? containedOf(of, { store }).then((names) => new Set(names));
        contained.set(nameOfPeriod(of), known);
        return known;
    };
    return async (rawKey) => {
        const source = sourceId(rawKey);
        const [raw, { record }] = await Promise.all([store.head(rawKey), readLedger(store, source)]);
        if (raw && (await needsReading(raw, record, inputs))) {
            return { stage: 'stored' };
        }
        if (!record) {
            return { stage: 'gone' };
        }
        const periods: TablePeriod[] = [];
        const table = kindOfSource(rawKey, record).merged.name;
        for (const period of record.version === null ? [] : (record.versions[record.version] ?? [])) {
            if (!(await containedIn({ table, period })).has(`${source}.${record.version}`)) {
                periods.push({ table, period });
            }
        }
        return periods.length > 0 ? { stage: 'summarized', record, periods } : { stage: 'in figures', record };
    };
}
