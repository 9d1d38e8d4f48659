/** Tells whether the figures of one source are part of another one's: so they are where its rows are part of the other's rows. */
import { compareTexts, countRows, type Rows, valuesOf } from '#lake/rows';
import { keysOf, type MergedColumn, type MergedTable } from '#lake/tables';

/** Rows by period. */
type Periods = ReadonlyMap<string, Rows>;

/** True if every period and key of `part` is in `whole`, with figures that adding rows to `part` can come to. */
export function isPartOf(table: MergedTable, part: Periods, whole: Periods): boolean {
    return [...part].every(([period, rows]) => {
        const others = whole.get(period);
        return others !== undefined && areRowsPartOf(table, rows, others);
    });
}

function areRowsPartOf(table: MergedTable, part: Rows, whole: Rows): boolean {
    const keys = keysOf(table).map(({ name }) => name);
    const figures = table.columns.filter(({ merge }) => merge !== 'key');
    const wholeCount = countRows(table, whole);
    let at = 0;
    for (let row = 0; row < countRows(table, part); row += 1) {
        // Both are sorted by their keys.
        while (at < wholeCount && compareKeys(keys, [whole, at], [part, row]) < 0) {
            at += 1;
        }
        if (at === wholeCount || compareKeys(keys, [whole, at], [part, row]) !== 0) {
            return false;
        }
        if (!figures.every((column) => mayGrowTo(column, valuesOf(part, column.name)[row], valuesOf(whole, column.name)[at]))) {
            return false;
        }
    }
    return true;
}

function compareKeys(keys: readonly string[], [rows, at]: [Rows, number], [others, otherAt]: [Rows, number]): number {
    for (const name of keys) {
        const order = compareTexts(String(valuesOf(rows, name)[at]), String(valuesOf(others, name)[otherAt]));
        if (order !== 0) {
            return order;
        }
    }
    return 0;
}

/** True if more rows may make this value of the other. Sums are of values that are never below 0. */
function mayGrowTo({ merge }: MergedColumn, value: unknown, other: unknown): boolean {
    if (typeof value !== 'bigint' || typeof other !== 'bigint') {
        // A null says nothing: values may come to it, and never go.
        return typeof value !== 'bigint';
    }
    return merge === 'min' ? value >= other : value <= other;
}
