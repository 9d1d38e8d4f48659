/** Prints how the periods of a range came out: a row for each, and what all come to. */

import type { RunContext } from '#cli/command';
import { sayPeriod } from '#lake/kinds';
import { nameOfPeriod } from '#lake/layout';
import type { PeriodResult } from '#lake/work/period-results';
import { batchOf } from './batch-of.ts';
import { printRows } from './print-rows.ts';
import { countPeriods } from './quantity.ts';

const COLUMNS = [
    { name: 'period', type: 'varchar' },
    { name: 'table', type: 'varchar' },
    { name: 'what', type: 'varchar' },
    { name: 'sources', type: 'bigint' },
    { name: 'rows', type: 'bigint' },
];

/** Reasons that are said at most: many periods mostly fail for one reason. */
const MOST_REASONS = 10;

/** Prints the rows, by table and ascending, to stdout; why periods failed would make a table wide, and is said on stderr then. */
export async function printPeriods(
    results: readonly PeriodResult[],
    context: Pick<RunContext, 'stdout' | 'stderr' | 'signal' | 'output'>,
): Promise<void> {
    const isTable = context.output === 'table';
    const sorted = results.toSorted((a, b) => (nameOfPeriod(a) < nameOfPeriod(b) ? -1 : 1));
    const rows = sorted.map(({ table, period, what, sources, rows: rowCount, hasFailed }) => [
        period,
        table,
        isTable && hasFailed ? 'failed' : what,
        orNull(sources),
        orNull(rowCount),
    ]);
    if (rows.length > 0 || !isTable) {
        await printRows({ columns: COLUMNS, batches: batchOf(rows) }, context);
    }
    const failed = isTable ? sorted.filter(({ hasFailed }) => hasFailed) : [];
    for (const result of failed.slice(0, MOST_REASONS)) {
        await context.stderr.write(`${sayPeriod(result)} ${result.what}\n`);
    }
    if (failed.length > MOST_REASONS) {
        await context.stderr.write(`and ${failed.length - MOST_REASONS} more; --output json has all reasons\n`);
    }
}

/** The periods that failed and the next step, `1 of 31 days failed (2026-01-05)`; undefined where none did. */
export function sayFailures(results: readonly PeriodResult[]): string | undefined {
    const failed = results.filter(({ hasFailed }) => hasFailed).map(sayPeriod);
    if (failed.length === 0) {
        return undefined;
    }
    const named = failed.slice(0, 5).join(', ') + (failed.length > 5 ? ', ...' : '');
    const others = failed.length < results.length ? ', the others are done' : '';
    return `${failed.length} of ${countPeriods(results)} failed (${named})${others}; mend what is said there, then run it again`;
}

function orNull(number: number | null): bigint | null {
    return number === null ? null : BigInt(number);
}
