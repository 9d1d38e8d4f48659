/** Use case: what models are trained on, an object per day under exports/features/, as glue-jobs/export_features.py writes them. */

import { dayOf, FEATURES_PREFIX, featuresKey } from '#lake/layout';
import { writeParquetTable } from '#lake/parquet';
import type { QueryEngine, QueryResult, Value } from '#lake/query/query-engine';
import type { ObjectStore } from '#lake/store/object-store';
import type { PeriodResult } from '#lake/work/period-results';

/** Days of a range, both ends inclusive. */
export interface DayRange {
    from: string;
    to: string;
}

/**
 * Writes the rows of the range, each day's object as a whole, and says of each day what came of it, as soon as it is done. `rows` are those
 * of sql/flows/queries/features.sql, by day. Days that have no rows any more lose their object at the end.
 * @throws what `rows` does: the days that were told are done then, the others as they were
 */
export async function* exportFeatures(
    range: DayRange,
    { rows, store }: { rows: QueryResult; store: ObjectStore },
): AsyncGenerator<PeriodResult> {
    const gone = new Set(await listExported(store, range));
    const dayAt = rows.columns.findIndex(({ name }) => name === 'day');
    // The day stands in the key, as in the lake's tables.
    const columns = rows.columns.toSpliced(dayAt, 1);
    for await (const { day, ofDay } of byDay(rows.batches, dayAt)) {
        await store.put(featuresKey(day), writeParquetTable({ columns, rows: ofDay.map((row) => row.toSpliced(dayAt, 1)) }));
        gone.delete(day);
        yield { ...RESULT, period: day, what: 'written', rows: ofDay.length };
    }
    for (const day of gone) {
        await store.delete(featuresKey(day));
        yield { ...RESULT, period: day, what: 'has no pairs, its object was removed' };
    }
}

const PAIR_COUNTS = `
select day, count(*) as pairs
from pair_days
where day between cast(? as varchar) and cast(? as varchar)
group by day
`;

/** How many pairs each day of the range has; days without pairs are left out. @throws StorageError */
export async function readPairCounts(
    { from, to }: DayRange,
    { engine, signal }: { engine: QueryEngine; signal: AbortSignal },
): Promise<Map<string, number>> {
    const counts = new Map<string, number>();
    const { batches } = await engine.query(PAIR_COUNTS, { parameters: [from, to], signal });
    for await (const batch of batches) {
        for (const [day, pairs] of batch) {
            counts.set(String(day), Number(pairs));
        }
    }
    return counts;
}

/** What `exportFeatures` would do, ascending by day; `pairs` are those of each day that has some. */
export async function planFeatures(
    range: DayRange,
    { pairs, store }: { pairs: ReadonlyMap<string, number>; store: ObjectStore },
): Promise<PeriodResult[]> {
    const days = new Set([...pairs.keys(), ...(await listExported(store, range))]);
    return [...days].sort().map((day) => {
        const ofDay = pairs.get(day);
        return ofDay === undefined
            ? { ...RESULT, period: day, what: 'has no pairs, its object is to go' }
            : { ...RESULT, period: day, what: 'is to be written', rows: ofDay };
    });
}

/** What a result says of every day: features come from a view, whose rows are counted, and from no sources. */
const RESULT = { table: 'pair_features', sources: null, rows: null, hasFailed: false };

/** Days that have an object of features, ascending. */
async function listExported(store: ObjectStore, { from, to }: DayRange): Promise<string[]> {
    const days: string[] = [];
    for await (const { key } of store.list(FEATURES_PREFIX)) {
        const day = dayOf(key);
        if (day !== undefined && key === featuresKey(day) && day >= from && day <= to) {
            days.push(day);
        }
    }
    return days;
}

async function* byDay(batches: QueryResult['batches'], dayAt: number): AsyncGenerator<{ day: string; ofDay: Value[][] }> {
    let day: string | undefined;
    let ofDay: Value[][] = [];
    for await (const batch of batches) {
        for (const row of batch) {
            const next = String(row[dayAt]);
            if (day !== undefined && next !== day) {
                yield { day, ofDay };
                ofDay = [];
            }
            day = next;
            ofDay.push(row);
        }
    }
    if (day !== undefined) {
        yield { day, ofDay };
    }
}
