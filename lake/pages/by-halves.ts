/** Reads days of which some may be damaged: what can be read is, and of the others it is told why not. */
import { StorageError } from '#lake/errors';
import { addDays, daysBetween } from './day.ts';

/** First and last day, both inclusive. */
export interface DaySpan {
    from: string;
    to: string;
}

export type DaysRead<T> = { rows: readonly T[] } | { day: string; fault: string };

/** What `read` gives of the days. Where it fails for all of them its halves are read, down to the days that are damaged: one of a year takes some twenty questions. */
export async function* readByHalves<T>(
    span: DaySpan,
    { read, signal }: { read(span: DaySpan): Promise<readonly T[]>; signal: AbortSignal },
): AsyncGenerator<DaysRead<T>> {
    const { from, to } = span;
    try {
        yield { rows: await read(span) };
    } catch (error) {
        if (!(error instanceof StorageError)) {
            throw error;
        }
        signal.throwIfAborted();
        if (from === to) {
            yield { day: from, fault: error.message };
            return;
        }
        const middle = addDays(from, Math.floor(daysBetween(from, to).length / 2));
        yield* readByHalves({ from, to: addDays(middle, -1) }, { read, signal });
        yield* readByHalves({ from: middle, to }, { read, signal });
    }
}
