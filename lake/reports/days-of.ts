/** Ranges of days as reports have them: both ends are inclusive, a day is a text `YYYY-MM-DD`. */

const DAY_MS = 86_400_000;

export interface DayRange {
    from: string;
    to: string;
}

/** The day so many days after another, before it where `count` is negative. */
export function addDays(day: string, count: number): string {
    return new Date(Date.parse(day) + count * DAY_MS).toISOString().slice(0, 'yyyy-mm-dd'.length);
}

/** All days of the range, ascending. */
export function daysOf({ from, to }: DayRange): string[] {
    const count = (Date.parse(to) - Date.parse(from)) / DAY_MS + 1;
    return Array.from({ length: count }, (_, index) => addDays(from, index));
}
