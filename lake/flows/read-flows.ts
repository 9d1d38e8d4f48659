/** Reads a file of flows, a stream of bytes, into exact totals per day and pair. */

import type { DateSlot } from './dates.ts';
import { decompress } from './decompress.ts';
import type { FlowSink, ReadFlowsOptions, SettledDates } from './flow-sink.ts';
import { type CsvRead, readCsv, whyNoCsv } from './formats/csv.ts';
import type { DateOrder } from './options.ts';
import type { PairTable } from './pair-table.ts';
import { DamagedFileError } from './zstd-frames.ts';

export interface FlowsRead {
    ok: true;
    dialect: (CsvRead & { ok: true })['dialect'];
    dateOrder: SettledDates['dateOrder'];
    durationUnit: 'us' | 's';
    rowsRead: number;
    rowsRejected: number;
    repeatedHeaders: number;
    /** Distinct pairs of kept rows, whatever the day. */
    pairs: number;
    table: PairTable;
    /** The days of kept rows, ascending, with the rows of `table` that belong to each, in no order. */
    days: Map<string, number[]>;
}

export type FlowsResult =
    | FlowsRead
    /** The file cannot be used at all; the error says what was looked for and what was found. */
    | { ok: false; error: string }
    /** Dates of both orders were met, and the order is known only now: read again with it. Rejects so far do not count. */
    | { ok: false; readAgainWith: SettledDates };

/** Reads to the end of the stream. Memory grows with the pairs and days, not with the rows. Errors of the stream itself pass through. */
export async function readFlows(source: AsyncIterable<Uint8Array>, options: ReadFlowsOptions = {}): Promise<FlowsResult> {
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

/** The days of the kept rows, now that all witnesses of the order of its dates are there. */
function settle(
    { sink, dialect, durationUnit, rowsRejected, repeatedHeaders }: CsvRead & { ok: true },
    options: ReadFlowsOptions,
): FlowsResult {
    const { table } = sink;
    const { isSplit, ...dates } = options.settledDates ? { ...options.settledDates, isSplit: false } : settleDates(sink);
    if (isSplit) {
        return { ok: false, readAgainWith: dates };
    }
    return {
        ok: true,
        dialect,
        dateOrder: options.dateOrder ?? dates.dateOrder,
        durationUnit,
        rowsRead: sink.rowsRead,
        rowsRejected,
        repeatedHeaders,
        pairs: table.countPairs(),
        table,
        days: groupByDay(sink, options.dateOrder ?? dates.slashOrder),
    };
}

/** The order with more witnesses: flows whose `a/b/yyyy` fits it only. Day first where they are as many, or none. */
function settleDates({ table, dates, rejectedDates }: FlowSink): SettledDates & { isSplit: boolean } {
    const witnesses = { dmy: 0, mdy: 0 };
    const kinds = new Set<DateSlot['kind'] | undefined>();
    for (let row = 0; row < table.rowCount; row += 1) {
        const slot = dates.all[table.groupOf(row) >> 2];
        kinds.add(slot?.kind);
        if (slot?.kind === 'slash' && slot.mdy === undefined) {
            witnesses.dmy += table.flowsOf(row);
        }
        if (slot?.kind === 'slash' && slot.dmy === undefined) {
            witnesses.mdy += table.flowsOf(row);
        }
    }
    const slashOrder = witnesses.mdy > witnesses.dmy ? 'mdy' : 'dmy';
    // Rows that were kept or named by a later fault in the light of the other order.
    const other = slashOrder === 'dmy' ? 'mdy' : 'dmy';
    const isSplit = witnesses[other] > 0 || rejectedDates[other];
    if (witnesses.dmy + witnesses.mdy > 0) {
        return { slashOrder, dateOrder: slashOrder, isSplit };
    }
    const unambiguous = kinds.has('dotted') ? 'dmy' : kinds.has('ymd') ? 'ymd' : kinds.has('epoch') ? 'epoch' : null;
    return { slashOrder, dateOrder: kinds.has('slash') ? 'assumed' : unambiguous, isSplit };
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

/** Why a file is no usable file of flows at all, from its header alone; undefined where it is one. */
export async function whyUnusable(source: AsyncIterable<Uint8Array>): Promise<string | undefined> {
    const chunks = decompress(source);
    try {
        return await whyNoCsv(chunks);
    } catch (error) {
        if (error instanceof DamagedFileError) {
            return error.message;
        }
        throw error;
    } finally {
        await chunks.return(undefined);
    }
}
