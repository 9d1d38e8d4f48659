/** The days that a lake has figures of, by listing its objects: no figure is read, so that it costs nothing to speak of where reading is paid for. */
import { END_BYTES } from '#lake/commit/period-state';
import { kinds } from '#lake/kinds';
import { dayOfPeriod, mergedKey, periodOf } from '#lake/layout';
import { readFactsAtEnd } from '#lake/parquet';
import type { ObjectStore } from '#lake/store/object-store';

/** The days of one kind of data that have a merged object. */
export interface KindDays {
    /** Name of the kind. */
    kind: string;
    /** Days, ascending. The last one has rows; of those before it one may have lost all its rows since, as when its file was retracted. */
    days: readonly string[];
}

/** The days of every kind of data; empty for a kind that the lake has no figures of. */
export function listLakeDays(store: ObjectStore): Promise<KindDays[]> {
    return Promise.all(
        kinds.map(async ({ name, merged }) => {
            const periods: string[] = [];
            for await (const { key } of store.list(merged.prefix)) {
                const period = periodOf(merged, key);
                if (period !== undefined && key === mergedKey(merged, period)) {
                    periods.push(period);
                }
            }
            periods.sort();
            for (let period = periods.at(-1); period !== undefined && (await isEmpty(period)); period = periods.at(-1)) {
                periods.pop();
            }
            return { kind: name, days: [...new Set(periods.map(dayOfPeriod))] };

            /** An object that cannot be read is there: whoever reads its figures says what is wrong with it. */
            async function isEmpty(period: string): Promise<boolean> {
                try {
                    const end = await store.readEnd(mergedKey(merged, period), { lastBytes: END_BYTES });
                    // A footer that these bytes do not hold is one of many rows.
                    return !end || readFactsAtEnd(end.bytes, { sizeBytes: end.sizeBytes, table: merged })?.rowCount === 0;
                } catch {
                    return false;
                }
            }
        }),
    );
}

/** The newest day of any kind; undefined where the lake has no figures. */
export function newestOf(ofLake: readonly KindDays[]): string | undefined {
    return ofLake
        .flatMap(({ days }) => days.at(-1) ?? [])
        .sort()
        .at(-1);
}
