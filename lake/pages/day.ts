/** Days as texts `YYYY-MM-DD`, as the addresses of pages and the tables of the lake have them. */
import { z } from '@hono/zod-openapi';

/** A day of an address. */
export const Day = z.iso.date();

const DAY_MS = 86_400_000;

/** The day so many days after this one; before it, where `count` is below 0. */
export function addDays(day: string, count: number): string {
    return new Date(Date.parse(day) + count * DAY_MS).toISOString().slice(0, 'yyyy-mm-dd'.length);
}

/** True for Saturdays and Sundays: what is usual on workdays is not what is usual then. */
function isWeekend(day: string): boolean {
    return [0, 6].includes(new Date(day).getUTCDay());
}

/** Every day from the first to the last, both inclusive. */
export function daysBetween(first: string, last: string): string[] {
    const days: string[] = [];
    for (let day = first; day <= last; day = addDays(day, 1)) {
        days.push(day);
    }
    return days;
}

/** The days of the same sort, workdays or weekend days, among so many before this one; ascending. */
export function daysLike(day: string, { within }: { within: number }): string[] {
    return daysBetween(addDays(day, -within), addDays(day, -1)).filter((other) => isWeekend(other) === isWeekend(day));
}

/** Days before a day that tell what is usual on it: as many as pair_anomalies looks back at most, were every day one of its sort. */
export const USUAL_DAYS = 28;
