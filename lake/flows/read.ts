/** Reads a raw object of flows into its rows by day. */
import { OverflowError } from '#lake/errors';
import type { ByRange, Found, ReadingOptions, ReadOutcome, SourceBytes } from '#lake/kind';
import type { TypedRows } from '#lake/typed-rows';
import type { ReadFlowsOptions } from './flow-sink.ts';
import { DATE_ORDERS, DURATION_UNITS } from './options.ts';
import { pairRowsOf } from './pair-rows.ts';
import { type FlowsRead, type FlowsResult, readBeginning, readFlows } from './read-flows.ts';
import type { Reject } from './rejects.ts';

/** Reads the source once, or more often where something of it is settled at its end only. */
export async function readSource(source: SourceBytes, options: ReadingOptions): Promise<ReadOutcome> {
    const rejected = new Map<string, number>();
    const flowOptions: ReadFlowsOptions = {
        ...toFlowOptions(options),
        onRejects: (rejects) => {
            for (const { reason } of rejects) {
                rejected.set(reason, (rejected.get(reason) ?? 0) + 1);
            }
            return source.reject(rejects.map(columnsOf));
        },
        ranges: source,
        signal: source.signal,
    };
    const open = () => {
        rejected.clear();
        return source.open();
    };
    const result = await readFlows(open, flowOptions);
    if (!result.ok) {
        return { ...result, found: foundIn(result) };
    }
    const found = foundIn(result, rejected);
    try {
        const { rowsRead, rowsRejected, beginning } = result;
        const isEmptyByRight = rowsRead === 0 && [...result.skipped.keys()].join() === 'no_data';
        return { ok: true, rowsRead, rowsRejected, found, beginning, isEmptyByRight, periods: rowsByDay(result, source.site) };
    } catch (error) {
        if (error instanceof OverflowError) {
            return {
                ok: false,
                error: error.message,
                found: { ...foundIn(undefined), ...pick(found, ['dialect', 'duration_unit', 'duration_unit_by']) },
            };
        }
        throw error;
    }
}

/** Hashes of the first kept flows; see `Kind.beginning`. */
export function readFirstFlows(
    source: ByRange & Pick<SourceBytes, 'open' | 'signal'>,
    options: ReadingOptions,
): Promise<readonly string[]> {
    return readBeginning(() => source.open(), { ...toFlowOptions(options), ranges: source, signal: source.signal });
}

/** The options by the reader's own types; a text that is none of its choices says nothing. */
export function toFlowOptions({ dateOrder, durationUnit }: ReadingOptions): Pick<ReadFlowsOptions, 'dateOrder' | 'durationUnit'> {
    return {
        dateOrder: DATE_ORDERS.find((order) => order === dateOrder),
        durationUnit: DURATION_UNITS.find((unit) => unit === durationUnit),
    };
}

function columnsOf({ lineNumber, reason, line }: Reject): Record<string, unknown> {
    return { line_number: lineNumber, reason, line };
}

function rowsByDay(result: FlowsRead, site: string): Map<string, TypedRows> {
    return new Map([...result.days].map(([day, rows]) => [day, pairRowsOf(result.table, { rows, site, day })]));
}

/** The reasons and how often each, the most frequent first; null where there are none. */
function sayReasons(reasons: ReadonlyMap<string, number>): string | null {
    const sorted = [...reasons].sort(([one, count], [other, otherCount]) => otherCount - count || (one < other ? -1 : 1));
    return sorted.map(([reason, count]) => `${reason} ${count}`).join(', ') || null;
}

function pick(found: Found, names: readonly string[]): Found {
    return Object.fromEntries(names.map((name) => [name, found[name] ?? null]));
}

function foundIn(result: FlowsResult | undefined, rejected: ReadonlyMap<string, number> = new Map()): Found {
    const read = result?.ok ? result : undefined;
    return {
        dialect: read?.dialect ?? null,
        date_order: read?.dateOrder ?? null,
        duration_unit: read?.durationUnit ?? null,
        duration_unit_by: read?.durationUnitBy ?? null,
        repeated_headers: read?.repeatedHeaders ?? 0,
        rows_skipped: [...(read?.skipped.values() ?? [])].reduce((sum, count) => sum + count, 0),
        skipped: read ? sayReasons(read.skipped) : null,
        rejected: sayReasons(rejected),
        announced: read?.announced ?? null,
        pairs: read?.pairs ?? 0,
    };
}
