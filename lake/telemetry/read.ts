/** Reads a source of telemetry, a file of history or a chain object, into its readings by the hour. docs/reading-telemetry.md has the rules. */
import type { Found, Inspection, ReadingOptions, ReadOutcome, SourceBytes } from '#lake/kind';
import type { TypedRows } from '#lake/typed-rows';
import { orderOf, rowsOfHour } from './hour-rows.ts';
import { MessagesTaken, type Watch } from './messages/messages-taken.ts';
import { inspectMessages, readMessages } from './messages/read-messages.ts';
import { nothingFound } from './nothing-found.ts';
import { HOUR_MS } from './reading-table.ts';

/** Reads the source once to its end. */
export async function readTelemetry(source: SourceBytes, options: ReadingOptions): Promise<ReadOutcome> {
    const taken = new MessagesTaken();
    const result = await readMessages(source, { options, taken });
    if (!result.ok) {
        return { ...result, found: nothingFound };
    }
    const { table, rowsRead, rowsRejected, metricsRejected } = taken;
    const found: Found = {
        message_form: result.form,
        profiles: result.profiles.join(', ') || null,
        readings: table.readingCount,
        devices: table.deviceCount,
        metrics_rejected: metricsRejected,
        clock_arrival: table.byArrivalCount,
        unknown_fields: taken.sayUnknownFields(),
        rejected: sayReasons(taken.reasons),
    };
    return { ok: true, rowsRead, rowsRejected, found, beginning: taken.first.hashes, periods: rowsByHour(taken) };
}

/** Hashes of the first messages that are kept; see `Kind.beginning`. */
export async function readFirstMessages(
    source: Pick<SourceBytes, 'open' | 'signal' | 'name' | 'input'>,
    options: ReadingOptions,
): Promise<readonly string[]> {
    const taken = new MessagesTaken();
    const result = await readMessages(
        { ...source, site: '', reject: async () => undefined },
        { options, taken, isEnough: () => taken.first.isFull },
    );
    return result.ok ? taken.first.hashes : [];
}

/** Shows each reading. @returns why the source cannot be read, else undefined */
export async function watchReadings(
    source: SourceBytes,
    { options, watch }: { options: ReadingOptions; watch: Watch },
): Promise<string | undefined> {
    const result = await readMessages(source, { options, taken: new MessagesTaken({ watch }) });
    return result.ok ? undefined : result.error;
}

/** What the beginning of a file tells of it. */
export async function inspectTelemetry(bytes: AsyncIterable<Uint8Array>): Promise<Inspection> {
    const found = await inspectMessages(bytes);
    if (found.ok) {
        return found.form === 'chain' ? { is: 'usable', saysHow: true } : { is: 'usable' };
    }
    const { error, what } = found;
    return { is: 'unusable', why: error, what, isUnlike: found.isUnlike === true };
}

function rowsByHour({ table }: MessagesTaken): Map<string, TypedRows> {
    const order = orderOf(table);
    const periods = new Map<string, TypedRows>();
    for (const [hour, readings] of [...table.hours].sort(([a], [b]) => a - b)) {
        const period = new Date(hour * HOUR_MS).toISOString().slice(0, 'YYYY-MM-DDTHH'.length);
        periods.set(period, rowsOfHour(table, { hour, readings, order }));
        // What it was made of is not needed any more.
        table.hours.delete(hour);
    }
    return periods;
}

/** The reasons and how often each, the most frequent first; null where there are none. */
function sayReasons(reasons: ReadonlyMap<string, number>): string | null {
    const sorted = [...reasons].sort(([one, count], [other, otherCount]) => otherCount - count || (one < other ? -1 : 1));
    return sorted.map(([reason, count]) => `${reason} ${count}`).join(', ') || null;
}
