/** The days that a lake has figures for, and what else lies among them. */
import { dayOf, PAIR_DAYS_PREFIX, pairDaysKey } from '#lake/layout';
import type { ObjectStore } from '#lake/store/object-store';
import { type Answer, ask } from './finding.ts';

export interface DayFacts {
    /** Ascending. */
    days: readonly string[];
    /** Objects that are no day's, and that Athena would read all the same. */
    strays: readonly string[];
    /** When the newest day's object was written, by the store's clock. */
    newestAt: Date | undefined;
}

export function gatherDays(store: ObjectStore): Promise<Answer<DayFacts>> {
    return ask(
        async () => {
            const days: string[] = [];
            const strays: string[] = [];
            let newestAt: Date | undefined;
            for await (const { key, modifiedAt } of store.list(PAIR_DAYS_PREFIX)) {
                const day = dayOf(key);
                if (day !== undefined && key === pairDaysKey(day)) {
                    days.push(day);
                    newestAt = newestAt !== undefined && newestAt > modifiedAt ? newestAt : modifiedAt;
                } else if (isVisible(key)) {
                    strays.push(key);
                }
            }
            return { days: days.sort(), strays, newestAt };
        },
        { doing: `list ${PAIR_DAYS_PREFIX}` },
    );
}

/** Athena passes over names that begin with `_` or `.`: https://docs.aws.amazon.com/athena/latest/ug/tables-location-format.html. A key with a final slash is a folder of the S3 console. */
function isVisible(key: string): boolean {
    return !key.endsWith('/') && !key.split('/').some((part) => /^[_.]/.test(part));
}
