/** Reads a raw object of flows into its rows by day. */
import { OverflowError } from '#lake/errors';
import type { Found, ReadingOptions, ReadOutcome, SourceBytes } from '#lake/kind';
import type { Rows } from '#lake/rows';
import type { ReadFlowsOptions } from './flow-sink.ts';
import { DATE_ORDERS, DURATION_UNITS } from './options.ts';
import { pairRowsOf } from './pair-rows.ts';
import { type FlowsRead, type FlowsResult, readFlows } from './read-flows.ts';
import type { Reject } from './rejects.ts';

/** Reads the source once, or a second time where its dates are settled at its end only. */
export async function readSource(source: SourceBytes, options: ReadingOptions): Promise<ReadOutcome> {
    const flowOptions: ReadFlowsOptions = {
        ...toFlowOptions(options),
        onRejects: (rejects) => source.reject(rejects.map(columnsOf)),
        signal: source.signal,
    };
    let result = await readFlows(source.open(), flowOptions);
    if ('readAgainWith' in result) {
        result = await readFlows(source.open(), { ...flowOptions, settledDates: result.readAgainWith });
    }
    if (!result.ok) {
        return { ok: false, error: 'error' in result ? result.error : 'dates of both orders, in both readings', found: foundIn(result) };
    }
    const found = foundIn(result);
    try {
        const { rowsRead, rowsRejected } = result;
        return { ok: true, rowsRead, rowsRejected, found, periods: rowsByDay(result, source.site) };
    } catch (error) {
        if (error instanceof OverflowError) {
            return {
                ok: false,
                error: error.message,
                found: { ...foundIn(undefined), dialect: found.dialect ?? null, duration_unit: found.duration_unit ?? null },
            };
        }
        throw error;
    }
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

function rowsByDay(result: FlowsRead, site: string): Map<string, Rows> {
    return new Map([...result.days].map(([day, rows]) => [day, pairRowsOf(result.table, { rows, site, day })]));
}

function foundIn(result: FlowsResult | undefined): Found {
    const read = result?.ok ? result : undefined;
    return {
        dialect: read?.dialect ?? null,
        date_order: read?.dateOrder ?? null,
        duration_unit: read?.durationUnit ?? null,
        repeated_headers: read?.repeatedHeaders ?? 0,
        pairs: read?.pairs ?? 0,
    };
}
