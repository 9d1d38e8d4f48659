/** How days of a range came out, in the words that glue-jobs/consolidate_days.py has too; and what its report says of them. */
import type { DayOutcome, DayPlan } from '#lake/commit/consolidate';
import { StorageError } from '#lake/errors';

export interface DayResult {
    day: string;
    /** `written`, `was right`, `failed: ...` and the like. */
    what: string;
    /** How many the day has; null where it is not known. */
    sources: number | null;
    /** Of the day's object as it was written; null where it was not. */
    pairs: number | null;
    hasFailed: boolean;
}

/** What would be done for the day. */
export function plannedResult(day: string, { action, sources, missing }: DayPlan): DayResult {
    const words = {
        nothing: 'is right',
        merge: `needs ${count(missing)} merged into ${sources - missing}`,
        'build anew': `needs to be built anew from ${count(sources)}`,
    };
    return { day, what: words[action], sources, pairs: null, hasFailed: false };
}

/** What was done for the day. */
export function doneResult(day: string, { writes, sources, pairs }: DayOutcome): DayResult {
    return { day, what: writes === 0 ? 'was right' : 'written', sources, pairs: pairs ?? null, hasFailed: false };
}

export function failedResult(day: string, error: Error): DayResult {
    return { day, what: `failed: ${error.message}`, sources: null, pairs: null, hasFailed: true };
}

/** What a run of a job says of its days while it is at them, as glue-jobs/day_report.py writes it. */
export interface DayReport {
    daysTotal: number;
    /** Those that are over, ascending. */
    days: DayResult[];
}

/** @throws StorageError for what is no report */
export function parseDayReport(bytes: Uint8Array, { key }: { key: string }): DayReport {
    try {
        const report: unknown = JSON.parse(Buffer.from(bytes).toString());
        const { days_total, days } = entriesOf(report);
        if (typeof days_total === 'number' && Array.isArray(days)) {
            return { daysTotal: days_total, days: days.map(parseResult) };
        }
        throw new TypeError('days_total or days is missing');
    } catch (error) {
        throw new StorageError(`${key} is no report of a job (${error instanceof Error ? error.message : error}): start the job again`, {
            cause: error,
        });
    }
}

function parseResult(entry: unknown): DayResult {
    const { day, what, sources, pairs, failed } = entriesOf(entry);
    if (typeof day !== 'string' || typeof what !== 'string' || typeof failed !== 'boolean') {
        throw new TypeError('a day without day, what or failed');
    }
    return { day, what, sources: numberOrNull(sources), pairs: numberOrNull(pairs), hasFailed: failed };
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
