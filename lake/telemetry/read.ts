/** Reads a source of telemetry, a file of history or a chain object, into its readings by the hour. docs/reading-telemetry.md has the rules. */
import type { Found, Inspection, ReadingOptions, ReadOutcome, SourceBytes } from '#lake/kind';
import { MessagesTaken, type Watch } from './messages/messages-taken.ts';
import { inspectMessages, type MessagesRead, readMessages } from './messages/read-messages.ts';
import { nothingFound } from './nothing-found.ts';

/** Reads the source once to its end. `mostHeld` is how many readings are in memory at most before they are merged. */
export async function readTelemetry(
    source: SourceBytes,
    options: ReadingOptions,
    { mostHeld }: { mostHeld?: number } = {},
): Promise<ReadOutcome> {
    const taken = new MessagesTaken({ openScratch: source.openScratch, mostHeld });
    try {
        const result = await readMessages(source, { options, taken });
        if (result.ok) {
            return outcomeOf(result, taken);
        }
        taken.close();
        return { ...result, found: nothingFound };
    } catch (error) {
        taken.close();
        throw error;
    }
}

function outcomeOf(result: MessagesRead & { ok: true }, taken: MessagesTaken): ReadOutcome {
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
    // An object of messages that the way in has put aside is as good as any: nobody can send it again, corrected.
    const isEmptyByRight = [...taken.reasons.keys()].join() === 'refused';
    return { ok: true, rowsRead, rowsRejected, found, beginning: taken.first.hashes, isEmptyByRight, periods: taken.periods() };
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

/** The reasons and how often each, the most frequent first; null where there are none. */
function sayReasons(reasons: ReadonlyMap<string, number>): string | null {
    const sorted = [...reasons].sort(([one, count], [other, otherCount]) => otherCount - count || (one < other ? -1 : 1));
    return sorted.map(([reason, count]) => `${reason} ${count}`).join(', ') || null;
}
