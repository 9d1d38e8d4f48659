/** How periods of a range came out, in the words that glue-jobs/consolidate_days.py has too; and what its report says of them. */
import type { PeriodOutcome, PeriodPlan } from '#lake/commit/consolidate';
import { StorageError } from '#lake/errors';
import { kinds } from '#lake/kinds';
import type { TablePeriod } from '#lake/layout';

export interface PeriodResult extends TablePeriod {
    /** What came of the period: `written`, `was right`, `failed: ...` and the like. */
    what: string;
    /** How many sources the period has; null where it is not known. */
    sources: number | null;
    /** Rows of the object as it was written; null where it was not. */
    rows: number | null;
    hasFailed: boolean;
}

/** What is said of a period that nothing would be done for. */
export const IS_RIGHT = 'is right';

/** The result that says what would be done for the period. */
export function plannedResult({ table, period }: TablePeriod, { action, sources, missing }: PeriodPlan): PeriodResult {
    const words = {
        nothing: IS_RIGHT,
        merge: `needs ${count(missing)} merged into ${sources - missing}`,
        'build anew': `needs to be built anew from ${count(sources)}`,
    };
    return { table, period, what: words[action], sources, rows: null, hasFailed: false };
}

/** The result that says what would be done for the day of a derived table. */
export function plannedDay({ table, period }: TablePeriod, { isRight }: { isRight: boolean }): PeriodResult {
    return { table, period, what: isRight ? IS_RIGHT : 'needs to be derived', sources: null, rows: null, hasFailed: false };
}

/** The result that says what was done for the period. */
export function doneResult(
    { table, period }: TablePeriod,
    { writes, sources, rows }: Pick<PeriodOutcome, 'writes' | 'rows'> & { sources: number | null },
): PeriodResult {
    return { table, period, what: writes === 0 ? 'was right' : 'written', sources, rows: rows ?? null, hasFailed: false };
}

/** The result that says why it could not be done. */
export function failedResult({ table, period }: TablePeriod, error: Error): PeriodResult {
    return { table, period, what: `failed: ${error.message}`, sources: null, rows: null, hasFailed: true };
}

/** What a run of a job says of its periods while it is at them, as glue-jobs/period_report.py writes it. */
export interface JobReport {
    total: number;
    /** Periods that are over, by table and ascending. */
    periods: PeriodResult[];
}

/** The report; one of a job of an earlier version counts days of the first kind's table. @throws StorageError for what is no report */
export function parseJobReport(bytes: Uint8Array, { key }: { key: string }): JobReport {
    try {
        const report: unknown = JSON.parse(Buffer.from(bytes).toString());
        const { total, periods, days_total, days } = entriesOf(report);
        const [count, results] = days === undefined ? [total, periods] : [days_total, days];
        if (typeof count === 'number' && Array.isArray(results)) {
            return { total: count, periods: results.map(parseResult) };
        }
        throw new TypeError('total or periods is missing');
    } catch (error) {
        throw new StorageError(`${key} is no report of a job (${error instanceof Error ? error.message : error}): start the job again`, {
            cause: error,
        });
    }
}

function parseResult(entry: unknown): PeriodResult {
    const { day, pairs, table = kinds[0].merged.name, period = day, what, sources, rows = pairs, failed } = entriesOf(entry);
    if (typeof table !== 'string' || typeof period !== 'string' || typeof what !== 'string' || typeof failed !== 'boolean') {
        throw new TypeError('a period without table, period, what or failed');
    }
    return { table, period, what, sources: numberOrNull(sources), rows: numberOrNull(rows), hasFailed: failed };
}

function entriesOf(value: unknown): Record<string, unknown> {
    return typeof value === 'object' && value !== null ? { ...value } : {};
}

function numberOrNull(value: unknown): number | null {
    return typeof value === 'number' ? value : null;
}

function count(sources: number): string {
    return sources === 1 ? '1 source' : `${sources} sources`;
}
