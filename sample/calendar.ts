/** The days that a sample covers. */

const MS_PER_DAY = 86_400_000;

export interface SampleDay {
    /** Day as `yyyy-mm-dd`. */
    day: string;
    isWeekend: boolean;
}

/** The given number of days from `firstDay` (`yyyy-mm-dd`, a day that exists) on. */
export function createCalendar(firstDay: string, days: number): SampleDay[] {
    const first = Date.parse(`${firstDay}T00:00:00Z`);
    return Array.from({ length: days }, (_, place) => {
        const date = new Date(first + place * MS_PER_DAY);
        return { day: date.toISOString().slice(0, 10), isWeekend: date.getUTCDay() % 6 === 0 };
    });
}

/** True if the text is a day that the calendar has, `yyyy-mm-dd`, from 1900 to 2199. */
export function isDay(text: string): boolean {
    const at = /^(19|2[01])\d\d-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
    return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text);
}
