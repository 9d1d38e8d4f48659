/** Use case: what models are trained on, an object per day under exports/, as glue-jobs/export_features.py writes them. */
import { dayOf, FEATURES_PREFIX, featuresKey, METRIC_FEATURES_PREFIX } from '#lake/layout';
import { writeParquetTable } from '#lake/parquet';
import type { QueryEngine, QueryResult, ResultColumn, Value } from '#lake/query/query-engine';
import type { ObjectStore } from '#lake/store/object-store';
import type { PeriodResult } from '#lake/work/period-results';
import { manifestFiles } from './feature-manifests.ts';

/** Days of a range, both ends inclusive. */
export interface DayRange {
    from: string;
    to: string;
}

/** Rows that models are trained on, an object a day. */
export interface FeatureSet {
    /** The view that an object has the rows of. */
    view: string;
    /** The query that gives the rows of a range by day; its parameters are the last and the first day. */
    query: string;
    /** The relation that has a row for each row of a day. */
    counted: string;
    prefix: string;
    /** Word for what a day has none of that has no rows. */
    noun: string;
}

/** The sets by what a row is of. */
export const FEATURE_SETS = {
    pairs: { view: 'pair_features', query: 'features', counted: 'pair_days', prefix: FEATURES_PREFIX, noun: 'pairs' },
    metrics: {
        view: 'metric_features',
        query: 'metric_features_of_days',
        counted: 'metric_features',
        prefix: METRIC_FEATURES_PREFIX,
        noun: 'metrics',
    },
} as const satisfies Record<string, FeatureSet>;

/**
 * Writes the rows of the range, each day's object as a whole, and says of each day what came of it, as soon as it is done. `rows` are those
 * of the set's query, by day. Days that have no rows any more lose their object at the end; then come the manifests of the range.
 * @throws what `rows` does: the days that were told are done then, the others as they were
 */
export async function* exportFeatures(
    range: DayRange,
    { set, rows, store }: { set: FeatureSet; rows: QueryResult; store: ObjectStore },
): AsyncGenerator<PeriodResult> {
    const gone = new Set(await listExported(store, set, range));
    const dayAt = rows.columns.findIndex(({ name }) => name === 'day');
    // The day stands in the key, as in the lake's tables.
    const columns = rows.columns.toSpliced(dayAt, 1);
    const counts = new Map<string, number>();
    for await (const { day, ofDay } of byDay(rows.batches, dayAt)) {
        await store.put(featuresKey(day, set.prefix), writeParquetTable({ columns, rows: ofDay.map((row) => row.toSpliced(dayAt, 1)) }));
        gone.delete(day);
        counts.set(day, ofDay.length);
        yield { ...resultOf(set), period: day, what: 'written', rows: ofDay.length };
    }
    for (const day of gone) {
        await store.delete(featuresKey(day, set.prefix));
        yield { ...resultOf(set), period: day, what: `has no ${set.noun}, its object was removed` };
    }
    await tellTraining(range, { set, columns, counts, store });
}

async function tellTraining(
    range: DayRange,
    {
        set,
        columns,
        counts,
        store,
    }: { set: FeatureSet; columns: readonly ResultColumn[]; counts: ReadonlyMap<string, number>; store: ObjectStore },
): Promise<void> {
    if (counts.size > 0) {
        for (const [key, text] of manifestFiles(range, { ...set, columns, counts })) {
            await store.put(key, Buffer.from(`${text}\n`));
        }
    }
}

/** How many rows each day of the range has; days without rows are left out. @throws StorageError */
export async function readRowCounts(
    { from, to }: DayRange,
    { set, engine, signal }: { set: FeatureSet; engine: QueryEngine; signal: AbortSignal },
): Promise<Map<string, number>> {
    const counts = new Map<string, number>();
    const sql = `select day, count(*) from ${set.counted} where day between cast(? as varchar) and cast(? as varchar) group by day`;
    const { batches } = await engine.query(sql, { parameters: [from, to], signal });
    for await (const batch of batches) {
        for (const [day, rows] of batch) {
            counts.set(String(day), Number(rows));
        }
    }
    return counts;
}

/** What `exportFeatures` would do, ascending by day; `counts` are the rows of each day that has some. */
export async function planFeatures(
    range: DayRange,
    { set, counts, store }: { set: FeatureSet; counts: ReadonlyMap<string, number>; store: ObjectStore },
): Promise<PeriodResult[]> {
    const days = new Set([...counts.keys(), ...(await listExported(store, set, range))]);
    return [...days].sort().map((day) => {
        const ofDay = counts.get(day);
        return ofDay === undefined
            ? { ...resultOf(set), period: day, what: `has no ${set.noun}, its object is to go` }
            : { ...resultOf(set), period: day, what: 'is to be written', rows: ofDay };
    });
}

/** The result as every day has it: features come from a view, whose rows are counted, and from no sources. */
function resultOf({ view }: FeatureSet) {
    return { table: view, sources: null, rows: null, hasFailed: false };
}

/** Days that have an object of features, ascending. */
async function listExported(store: ObjectStore, { prefix }: FeatureSet, { from, to }: DayRange): Promise<string[]> {
    const days: string[] = [];
    for await (const { key } of store.list(prefix)) {
        const day = dayOf(key);
        if (day !== undefined && key === featuresKey(day, prefix) && day >= from && day <= to) {
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
