/**
 * The fingerprint of what a source contributes: equal for equal figures of the same keys and periods. The site is no part of it, and neither are
 * the order of rows, the packing and the columns of the file, which leave no trace in the figures.
 */
import { createHash } from 'node:crypto';
import { countRows, type Rows, valuesOf } from '#lake/rows';
import type { MergedTable } from '#lake/tables';

/** 128 bits: equal fingerprints are taken for equal figures, and nothing else is looked at. */
const DIGITS = 32;

/** The fingerprint of the rows of a source's contributions, by period and ascending; null where there are none. */
export function fingerprintOf(table: MergedTable, periods: ReadonlyMap<string, Rows>): string | null {
    const hash = createHash('sha256');
    let rowCount = 0;
    for (const [period, rows] of periods) {
        hash.update(`\n${period} ${countRows(table, rows)}`);
        rowCount += countRows(table, rows);
        for (const { name, type } of table.columns.filter((column) => column.name !== 'site')) {
            const values = valuesOf(rows, name);
            hash.update(`\n${name} `);
            hash.update(values instanceof BigInt64Array ? values : type === 'string' ? JSON.stringify(values) : values.join());
        }
    }
    return rowCount === 0 ? null : hash.digest('hex').slice(0, DIGITS);
}
