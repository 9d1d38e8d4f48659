/** Which periods the merged tables of a lake have, and which days the tables derived from them. */
import { derivations, kinds } from '#lake/kinds';
import { dayOfPeriod, mergedKey, periodOf, type TablePeriod } from '#lake/layout';
import type { ObjectStore } from '#lake/store/object-store';
import type { Table } from '#lake/tables';

/** A range of days, both ends inclusive; one that is not given is open. */
export interface DayRange {
    from?: string;
    to?: string;
}

/** Every period that has contributions or an object of its own, by table and then ascending. */
export async function listPeriods(store: ObjectStore, range: DayRange = {}): Promise<TablePeriod[]> {
    const found: TablePeriod[] = [];
    for (const { merged, contributions } of kinds) {
        const periods = new Set<string>();
        for (const table of [contributions, merged]) {
            for await (const { key } of store.list(table.prefix)) {
                const period = periodOf(table, key);
                if (period !== undefined && isWithin(range, period)) {
                    periods.add(period);
                }
            }
        }
        found.push(...[...periods].sort().map((period) => ({ table: merged.name, period })));
    }
    return found;
}

/** Every day of a derived table that has merged objects or an object of its own, by table and then ascending. */
export async function listDerivedDays(store: ObjectStore, range: DayRange = {}): Promise<TablePeriod[]> {
    const found: TablePeriod[] = [];
    for (const { kind, derived } of derivations()) {
        const days = [...(await daysOfObjects(store, kind.merged)), ...(await daysOfObjects(store, derived.table))];
        const wanted = new Set(days.filter((day) => isWithin(range, day)));
        found.push(...[...wanted].sort().map((period) => ({ table: derived.table.name, period })));
    }
    return found;
}

/** The days of the table's objects, each as often as it has some. */
async function daysOfObjects(store: ObjectStore, table: Table): Promise<string[]> {
    const days: string[] = [];
    for await (const { key } of store.list(table.prefix)) {
        const period = periodOf(table, key);
        if (period !== undefined && key === mergedKey(table, period)) {
            days.push(dayOfPeriod(period));
        }
    }
    return days;
}

function isWithin({ from, to }: DayRange, period: string): boolean {
    const day = dayOfPeriod(period);
    return (from === undefined || day >= from) && (to === undefined || day <= to);
}
