/** The days that merged and derived tables have figures for, and what else lies among them. */
import { kinds } from '#lake/kinds';
import { dayOfPeriod, mergedKey, periodOf } from '#lake/layout';
import { readFactsAtEnd } from '#lake/parquet';
import { findOlderFigures, type OlderFigures } from '#lake/reports/older-figures';
import type { ObjectStore } from '#lake/store/object-store';
import type { Table } from '#lake/tables';
import { type Answer, ask } from './finding.ts';

export interface DayFacts {
    /** Days with figures, ascending; one whose sources were all taken back has an object without rows, and is none. */
    days: readonly string[];
    /** Objects that are no period's, and that Athena would read all the same. */
    strays: readonly string[];
    /** Time at which the newest object was written, by the store's clock. */
    newestAt: Date | undefined;
}

/** The answer of each merged and each derived table. */
export type DaysByTable = ReadonlyMap<Table, Answer<DayFacts>>;

/** Looks at the merged tables of all kinds and those derived from them, side by side. */
export async function gatherAllDays(store: ObjectStore): Promise<DaysByTable> {
    const built = kinds.flatMap(({ merged, derived = [] }): Table[] => [merged, ...derived.map(({ table }) => table)]);
    return new Map(await Promise.all(built.map(async (table) => [table, await gatherDays(store, table)] as const)));
}

/** Looks for days whose figures are due to be read anew. */
export function gatherOlderFigures(store: ObjectStore): Promise<Answer<OlderFigures>> {
    return ask(() => findOlderFigures(store), { doing: 'read what the figures say of themselves' });
}

export function gatherDays(store: ObjectStore, table: Table): Promise<Answer<DayFacts>> {
    return ask(
        async () => {
            const days = new Set<string>();
            const strays: string[] = [];
            let newestAt: Date | undefined;
            for await (const { key, modifiedAt, sizeBytes } of store.list(table.prefix)) {
                const period = periodOf(table, key);
                if (period !== undefined && key === mergedKey(table, period)) {
                    if (sizeBytes > MAX_EMPTY_BYTES || !(await isWithoutRows(store, key, table))) {
                        days.add(dayOfPeriod(period));
                    }
                    newestAt = newestAt !== undefined && newestAt > modifiedAt ? newestAt : modifiedAt;
                } else if (isVisible(key)) {
                    strays.push(key);
                }
            }
            return { days: [...days].sort(), strays, newestAt };
        },
        { doing: `list ${table.prefix}` },
    );
}

/** An object without rows has no row groups, and of the rest no more than this. */
const MAX_EMPTY_BYTES = 4096;

async function isWithoutRows(store: ObjectStore, key: string, table: Table): Promise<boolean> {
    const end = await store.readEnd(key, { lastBytes: MAX_EMPTY_BYTES });
    try {
        return end !== undefined && readFactsAtEnd(end.bytes, { sizeBytes: end.sizeBytes, table })?.rowCount === 0;
    } catch {
        // A damaged one is found by those who read it.
        return false;
    }
}

/**
 * True for objects that Athena reads: it passes over names that begin with `_` or `.`:
 * https://docs.aws.amazon.com/athena/latest/ug/tables-location-format.html. A key with a final slash is a folder of the S3 console.
 */
function isVisible(key: string): boolean {
    return !key.endsWith('/') && !key.split('/').some((part) => /^[_.]/.test(part));
}
