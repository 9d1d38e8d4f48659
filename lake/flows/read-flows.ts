/** Reads a file of flows, a stream of bytes, into exact totals per day and pair. */

import type { Inspection } from '#lake/kind';
import { decompress } from './decompress.ts';
import type { FlowSink, ReadFlowsOptions, Settled, SettledDates, SkipReason } from './flow-sink.ts';
import { readCsv, whyNoCsv } from './formats/csv.ts';
import type { FormatRead, UnitBy, Unusable } from './formats/format.ts';
import type { DateOrder, DurationUnit } from './options.ts';
import type { PairTable } from './pair-table.ts';
import { settleDates } from './settle-dates.ts';
import { DamagedFileError } from './zstd-frames.ts';

export interface FlowsRead {
    ok: true;
    dialect: string;
    dateOrder: SettledDates['dateOrder'];
    durationUnit: DurationUnit;
    durationUnitBy: UnitBy;
    rowsRead: number;
    rowsRejected: number;
    repeatedHeaders: number;
    /** Records that are no flows by right, by reason. */
    skipped: ReadonlyMap<SkipReason, number>;
    /** Distinct pairs of kept rows, whatever the day. */
    pairs: number;
    table: PairTable;
    /** The days of kept rows, ascending, with the rows of `table` that belong to each, in no order. */
    days: Map<string, number[]>;
}

export type FlowsResult = FlowsRead | Unusable;

/** Readings that one file may take: what the last one settles is what the next one is told. */
const MAX_READINGS = 6;

/**
 * Reads to the end of the stream, which `open` hands out from its beginning; once more where something that rules all rows was settled too late.
 * Rejects of a reading that is followed by another do not count. Memory grows with the pairs and days, not with the rows. Errors of the stream
 * itself pass through.
 */
export async function readFlows(open: () => AsyncIterable<Uint8Array>, options: ReadFlowsOptions = {}): Promise<FlowsResult> {
    let settled: Settled = options.settled ?? {};
    for (let reading = 1; reading <= MAX_READINGS; reading += 1) {
        const result = await readOnce(open(), { ...options, settled });
        if (!('readAgainWith' in result)) {
            return result;
        }
        settled = { ...settled, ...result.readAgainWith };
    }
    return { ok: false, error: 'what its rows say of dates and units changes with each reading' };
}

/** Reads once. @returns with `readAgainWith` what was settled too late */
export async function readOnce(
    source: AsyncIterable<Uint8Array>,
    options: ReadFlowsOptions = {},
): Promise<FlowsResult | (FormatRead & { readAgainWith: Settled })> {
    try {
        const read = await readCsv(decompress(source), options);
        return read.ok ? settle(read, options) : read;
    } catch (error) {
        if (error instanceof DamagedFileError) {
            return { ok: false, error: error.message };
        }
        throw error;
    }
}

/** The days of the kept rows, now that all witnesses of how the file writes its dates are there. */
function settle(
    { sink, ...read }: FormatRead & { ok: true },
    options: ReadFlowsOptions,
): FlowsRead | { ok: false; readAgainWith: Settled } {
    const { table } = sink;
    const { dates = settleDates(sink, options.dateOrder) } = options.settled ?? {};
    if ('isSplit' in dates && dates.isSplit) {
        const { isSplit, ...settled } = dates;
        return { ok: false, readAgainWith: { dates: settled } };
    }
    return {
        ...read,
        dateOrder: options.dateOrder ?? dates.dateOrder,
        rowsRead: sink.rowsRead,
        skipped: sink.skipped,
        pairs: table.countPairs(),
        table,
        days: groupByDay(sink, options.dateOrder ?? dates.slashOrder),
    };
}

function groupByDay({ table, dates }: FlowSink, order: DateOrder): Map<string, number[]> {
    const rowsOfDay = new Map<string, number[]>();
    for (let row = 0; row < table.rowCount; row += 1) {
        const slot = dates.all[table.groupOf(row) >> 2];
        const day = (order === 'mdy' ? slot?.mdy : slot?.dmy) ?? '';
        const rows = rowsOfDay.get(day);
        if (rows) {
            rows.push(row);
        } else {
            rowsOfDay.set(day, [row]);
        }
    }
    return new Map([...rowsOfDay].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What the beginning of a file tells: whether it is a file of flows at all. */
export async function inspectFlows(source: AsyncIterable<Uint8Array>): Promise<Inspection> {
    const chunks = decompress(source);
    try {
        const unusable = await whyNoCsv(chunks);
        return unusable ? inspectionOf(unusable) : { is: 'usable' };
    } catch (error) {
        if (error instanceof DamagedFileError) {
            return { is: 'unusable', why: error.message, what: 'damaged' };
        }
        throw error;
    } finally {
        await chunks.return(undefined);
    }
}

function inspectionOf({ error, what, isOther }: Unusable): Inspection {
    return isOther === true ? { is: 'other', what: error } : { is: 'unusable', why: error, what };
}
