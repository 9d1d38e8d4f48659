/** Which days a lake has. */
import { dayOf, PAIR_DAYS_PREFIX, SUMMARIES_PREFIX } from '#lake/layout';
import type { ObjectStore } from '#lake/store/object-store';

/** Every day that has summaries or an object of its own, ascending; of a range (both ends inclusive) where one is given. */
export async function listDays(store: ObjectStore, { from, to }: { from?: string; to?: string } = {}): Promise<string[]> {
    const days = new Set<string>();
    for (const prefix of [SUMMARIES_PREFIX, PAIR_DAYS_PREFIX]) {
        for await (const { key } of store.list(prefix)) {
            const day = dayOf(key);
            if (day !== undefined && (from === undefined || day >= from) && (to === undefined || day <= to)) {
                days.add(day);
            }
        }
    }
    return [...days].sort();
}
