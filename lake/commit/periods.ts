/** Which periods the merged tables of a lake have. */
import { kinds } from '#lake/kinds';
import { dayOfPeriod, periodOf, type TablePeriod } from '#lake/layout';
import type { ObjectStore } from '#lake/store/object-store';

/** Every period that has contributions or an object of its own, by table and then ascending; of a range of days (both ends inclusive) where one is given. */
export async function listPeriods(store: ObjectStore, { from, to }: { from?: string; to?: string } = {}): Promise<TablePeriod[]> {
    const found: TablePeriod[] = [];
    for (const { merged, contributions } of kinds) {
        const periods = new Set<string>();
        for (const table of [contributions, merged]) {
            for await (const { key } of store.list(table.prefix)) {
                const period = periodOf(table, key);
                const day = dayOfPeriod(period ?? '');
                if (period !== undefined && (from === undefined || day >= from) && (to === undefined || day <= to)) {
                    periods.add(period);
                }
            }
        }
        found.push(...[...periods].sort().map((period) => ({ table: merged.name, period })));
    }
    return found;
}
