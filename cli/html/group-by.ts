/** Rows in groups, each in its order. */
import type { Row } from '#lake/reports/named-rows';

export function groupBy(rows: readonly Row[], keyOf: (row: Row) => string): Map<string, Row[]> {
    const groups = new Map<string, Row[]>();
    for (const row of rows) {
        const group = groups.get(keyOf(row)) ?? [];
        group.push(row);
        groups.set(keyOf(row), group);
    }
    return groups;
}
