/** Which days the lake has readings of, as pages of devices are asked by days. */
import { type PageState, usePage } from '../use-page.ts';

interface LakeDays {
    now: number;
    kinds: { kind: string; first: string | null; last: string | null; count: number }[];
}

/** The page of all days. */
export function useDays(): PageState<LakeDays> {
    return usePage<LakeDays>('days');
}

/** First and last day of readings; undefined where the lake has none. */
export function readingDays({ kinds }: LakeDays): { first: string; last: string } | undefined {
    const found = kinds.find(({ kind }) => kind === 'telemetry');
    return found?.first && found.last ? { first: found.first, last: found.last } : undefined;
}

const DAY_MS = 86_400_000;

/** The day so many days after this one; before it, where `count` is below 0. */
export function dayAfter(day: string, count: number): string {
    return new Date(Date.parse(day) + count * DAY_MS).toISOString().slice(0, 'yyyy-mm-dd'.length);
}
