/** The tables of flows as tests about them speak of them: by the day alone. */
import { flows } from '#lake/flows/kind';
import type { PairRows } from '#lake/flows/pair-rows';
import { flowSummaries, pairDays, rejects } from '#lake/flows/tables';
import type { ReadingOptions } from '#lake/kind';
import { contributionKey, mergedKey, rejectsKey as rejectsKeyOf, type TablePeriod } from '#lake/layout';
import { toMetadata } from '#lake/ledger';
import { mergeRows } from '#lake/merge-rows';
import { readRows, writeRows } from '#lake/parquet';
import type { Rows } from '#lake/rows';
import type { MergedTable } from '#lake/tables';

export const SUMMARIES_PREFIX = flowSummaries.prefix;
export const PAIR_DAYS_TABLE: MergedTable = pairDays;
export const PAIR_DAYS_PREFIX = pairDays.prefix;
export const REJECTS_PREFIX = rejects.prefix;

/** `pair_days` as programs wrote it that took a row without a duration for a reject: summary format 2. */
export const PAIR_DAYS_OF_FORMAT_2: MergedTable = {
    ...pairDays,
    columns: pairDays.columns.filter(({ name }) => name !== 'timed_flows').map((column) => ({ ...column, nullable: false })),
};

/** The number of the format that this program reads files of flows in. */
export const FLOWS_FORMAT = flows.format;

/** A period of `pair_days`: the day. */
export function ofDay(day: string): TablePeriod {
    return { table: pairDays.name, period: day };
}

/** The days of these periods, which all are `pair_days`'. */
export function daysOf(periods: readonly TablePeriod[]): string[] {
    return periods.map(({ table, period }) => {
        // The world of the histories runs outside of jest, which has no `expect`.
        if (table !== pairDays.name) {
            throw new Error(`${table} ${period} is no day of ${pairDays.name}`);
        }
        return period;
    });
}

export function pairDaysKey(day: string): string {
    return mergedKey(pairDays, day);
}

export function summaryKey({ day, ...version }: { day: string; source: string; version: string }): string {
    return contributionKey(flowSummaries, { period: day, ...version });
}

export function rejectsKey(version: { source: string; version: string }): string {
    return rejectsKeyOf(rejects, version);
}

/** What an upload keeps of these options as metadata of the raw object. */
export function metadataOf(options: ReadingOptions): Record<string, string> {
    return toMetadata(flows, options);
}

export async function readPairRows(bytes: Uint8Array<ArrayBuffer>): Promise<PairRows> {
    return (await readRows(pairDays, bytes)) as PairRows;
}

export function writePairRows(rows: Rows, options?: { contains?: readonly string[] }): Uint8Array<ArrayBuffer> {
    return writeRows(pairDays, rows, options);
}

export function mergePairRows(lists: readonly Rows[], { day }: { day: string }): PairRows {
    return mergeRows(lists, { table: pairDays, period: day }) as PairRows;
}

/** The facts of a reading that a record has, but for why it failed and what only a commit tells. */
const FACTS = [
    'dialect',
    'date_order',
    'duration_unit',
    'duration_unit_by',
    'rows_read',
    'rows_kept',
    'rows_rejected',
    'repeated_headers',
    'rows_skipped',
    'skipped',
    'first_day',
    'last_day',
    'pairs',
] as const;

/** The facts of a reading out of a record, or of a recount. */
export function factsOf(record: Readonly<Record<string, unknown>>): Record<string, unknown> {
    return Object.fromEntries(FACTS.map((name) => [name, record[name]]));
}
