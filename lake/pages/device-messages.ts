/** The messages behind a point: readings of an hour or of a moment, and the lines of the very files that they came in. */
import { z } from '@hono/zod-openapi';
import { UsageError } from '#lake/errors';
import { readQuery } from '#lake/query/sql-files';
import { explainRows, type Part } from '#lake/reports/explain';
import { findLines } from '#lake/reports/explain-lines';
import { countRows } from '#lake/rows';
import { telemetry } from '#lake/telemetry/kind';
import { namedRows, numberIn, plainDecimal, textIn } from './named-rows.ts';
import { definePage, type PageContext } from './page.ts';
import { dayOf } from './time-range.ts';

const HOUR_MS = 3_600_000;

const MAX_READINGS = 500;
const MAX_LINES = 50;

/** A file is read whole to find lines: of larger ones the command is told that does. */
const MAX_SOURCE_BYTES = 128 * 1024 * 1024;

const Parameters = z.strictObject({
    id: z.string(),
    site: z.string(),
    metric: z.string(),
    /** Epoch milliseconds; of one reading its time, else the first that counts. */
    at: z.coerce.number().int(),
    /** Exclusive, and in the same hour; left out it means the one millisecond. */
    until: z.coerce.number().int().optional(),
    /** Identity of the message, where one is meant. */
    message: z.string().optional(),
});

/** The answer of the page, as its reader gets it. */
export type DeviceMessages = Awaited<ReturnType<typeof answer>>;

export const deviceMessagesPage = definePage({
    name: 'device-messages',
    parameters: Parameters,
    reads: ({ at }) => [{ table: 'readings', from: dayOf(at), to: dayOf(at) }],
    answer,
});

async function answer({ id, site, metric, at, until = at + 1, message }: z.output<typeof Parameters>, context: PageContext) {
    if (until <= at || Math.floor((until - 1) / HOUR_MS) !== Math.floor(at / HOUR_MS)) {
        throw new UsageError('at and until lie in one hour, until behind at');
    }
    const period = new Date(at).toISOString().slice(0, 'yyyy-mm-ddThh'.length);
    const day = dayOf(at);
    const parameters = [id, metric, site, day, day, BigInt(at), BigInt(until), BigInt(MAX_READINGS)];
    const rows = namedRows(await context.ask(readQuery('readings'), { parameters })).filter(
        (row) => row.message === (message ?? row.message),
    );
    const readings = rows.map((row) => ({
        atMs: numberIn(row, 'at_ms') ?? 0,
        value: plainDecimal(textIn(row, 'value')),
        text: textIn(row, 'text'),
        clock: textIn(row, 'clock'),
        receivedMs: numberIn(row, 'received_ms'),
        message: String(row.message),
        copies: textIn(row, 'copies'),
    }));
    const store = await context.lake.store();
    const one = readings.length === 1 ? readings[0] : undefined;
    const key = { site, device: id, metric, ...(one && { at_ms: String(one.atMs), message: one.message }) };
    const { parts, missing, isConsolidated } = await explainRows({ kind: telemetry, key, period }, { store, signal: context.signal });
    const sources = [];
    let left = MAX_LINES;
    for (const part of parts.filter(({ rows: own }) => hasOne(own, { at, until }))) {
        const lines = await linesOf(part);
        left -= lines.lines.length;
        sources.push({ source: part.record?.source ?? part.source, readings: countOf(part, { at, until }), ...lines });
    }
    const command = `flowlake explain --kind telemetry ${id} ${metric} ${period} --lines`;
    return { period, readings, sources, missing, isConsolidated, command };

    async function linesOf({ record, version }: Part): Promise<{ lines: { lineNumber: number; line: string }[]; problem: string | null }> {
        if (record === undefined || record.version !== version) {
            return { lines: [], problem: 'another version of it is live by now' };
        }
        if (record.size_bytes > MAX_SOURCE_BYTES) {
            return { lines: [], problem: `it is too large to be looked through here: ${command}` };
        }
        const wanted = one ? [id, metric, String(one.atMs), one.message] : [id, metric];
        const found = await findLines(record, { store, kind: telemetry, key: wanted, period, maxLines: left, signal: context.signal });
        return { lines: found.lines.map(({ lineNumber, line }) => ({ lineNumber, line })), problem: found.problem ?? null };
    }
}

function countOf({ rows }: Part, { at, until }: { at: number; until: number }): number {
    return Array.from({ length: countRows(telemetry.contributions, rows) }, (_, place) => Number(rows.at_ms?.[place])).filter(
        (ms) => ms >= at && ms < until,
    ).length;
}

function hasOne(rows: Part['rows'], span: { at: number; until: number }): boolean {
    return countOf({ rows } as Part, span) > 0;
}
