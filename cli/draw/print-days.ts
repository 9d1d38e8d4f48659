/** How the days of a range came out: a row each, and what it comes to. */

import type { Context } from '#cli/command';
import type { DayResult } from '#lake/work/day-results';
import { batchOf } from './batch-of.ts';
import { printRows } from './print-rows.ts';
import { sayCount } from './quantity.ts';

const COLUMNS = [
    { name: 'day', type: 'varchar' },
    { name: 'what', type: 'varchar' },
    { name: 'sources', type: 'bigint' },
    { name: 'pairs', type: 'bigint' },
];

/** Many days mostly fail for one reason. */
const MOST_REASONS = 10;

/** Prints the rows, ascending by day, to stdout; why days failed would make a table wide, and is said on stderr then. */
export async function printDays(
    results: readonly DayResult[],
    context: Pick<Context, 'stdout' | 'stderr' | 'signal' | 'output'>,
): Promise<void> {
    const isTable = context.output === 'table';
    const sorted = results.toSorted((a, b) => (a.day < b.day ? -1 : 1));
    const rows = sorted.map(({ day, what, sources, pairs, hasFailed }) => [
        day,
        isTable && hasFailed ? 'failed' : what,
        orNull(sources),
        orNull(pairs),
    ]);
    if (rows.length > 0 || !isTable) {
        await printRows({ columns: COLUMNS, batches: batchOf(rows) }, context);
    }
    const failed = isTable ? sorted.filter(({ hasFailed }) => hasFailed) : [];
    for (const { day, what } of failed.slice(0, MOST_REASONS)) {
        await context.stderr.write(`${day} ${what}\n`);
    }
    if (failed.length > MOST_REASONS) {
        await context.stderr.write(`and ${failed.length - MOST_REASONS} more; --output json has all reasons\n`);
    }
}

/** `1 of 31 days failed: 2026-01-05`, and the next step; undefined where none did. */
export function sayFailures(results: readonly DayResult[]): string | undefined {
    const failed = results.filter(({ hasFailed }) => hasFailed).map(({ day }) => day);
    if (failed.length === 0) {
        return undefined;
    }
    const named = failed.slice(0, 5).join(', ') + (failed.length > 5 ? ', ...' : '');
    return `${failed.length} of ${sayCount(results.length, 'day')} failed (${named}), the others are done; mend what is said there, then run it again`;
}

function orNull(number: number | null): bigint | null {
    return number === null ? null : BigInt(number);
}
