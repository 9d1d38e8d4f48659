/** Sites by days as a table: the stronger the colour the more, and what is missing is hatched, never a zero. */
import { addDays, type DayRange, daysOf } from '#lake/reports/days-of';
import type { Row } from '#lake/reports/named-rows';
import { figure } from './figures.ts';
import { type Markup, markup } from './markup.ts';

interface CalendarOptions {
    /** One row per site and day. */
    rows: readonly Row[];
    /** The column that is shown. */
    column: string;
    range: DayRange;
    sites: readonly string[];
    what: string;
}

const DAYS_OF_A_WEEK = 7;
const SHADES = 4;
/** More sites make no table that anybody reads. */
const MOST_SITES = 40;
const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/** A table for every seven days. */
export function drawCalendar({ rows, column, range, sites, what }: CalendarOptions): Markup {
    const found = new Map(rows.map((row) => [JSON.stringify([String(row.site), String(row.day)]), row[column]]));
    const most = new Map<string, number>();
    for (const row of rows) {
        most.set(String(row.site), Math.max(most.get(String(row.site)) ?? 0, Number(row[column])));
    }
    const largest = sites.toSorted((a, b) => (most.get(b) ?? 0) - (most.get(a) ?? 0)).slice(0, MOST_SITES);
    const shown = sites.length > MOST_SITES ? largest.toSorted() : sites;
    const caption = sites.length > MOST_SITES ? `${what}; the ${MOST_SITES} largest of ${sites.length} sites` : what;
    const weeks = daysOf(range).flatMap((day, index) => (index % DAYS_OF_A_WEEK === 0 ? [day] : []));
    const cell = (site: string, day: string): Markup => {
        const value = found.get(JSON.stringify([site, day]));
        if (value === undefined) {
            return markup`<td class="missing"><span>none</span></td>`;
        }
        const shade = Math.max(1, Math.ceil((Number(value) / Math.max(1, most.get(site) ?? 1)) * SHADES));
        return markup`<td class="q${shade}">${figure(value)}</td>`;
    };
    return markup`${weeks.map((from, index) => {
        const days = daysOf({ from, to: addDays(from, DAYS_OF_A_WEEK - 1) }).filter((day) => day <= range.to);
        const said = weeks.length > 1 ? `${caption}, ${from} to ${days.at(-1)}` : caption;
        return markup`<div class="wide"><table class="calendar"><caption>${said}${index === 0 && '. The stronger the colour the more, of each site by itself; hatched: nothing was read, which is not zero'}</caption>
<thead><tr><th scope="col">site</th>${days.map((day) => markup`<th scope="col" class="${isWeekend(day) ? 'weekend' : 'workday'}">${WEEKDAYS[weekdayOf(day)]} ${day.slice('yyyy-'.length)}</th>`)}</tr></thead>
<tbody>${shown.map(
            (site) => markup`<tr><th scope="row"><bdi>${site}</bdi></th>${days.map((day) => cell(site, day))}</tr>
`,
        )}</tbody></table></div>
`;
    })}`;
}

function weekdayOf(day: string): number {
    return new Date(`${day}T00:00:00Z`).getUTCDay();
}

function isWeekend(day: string): boolean {
    return [0, 6].includes(weekdayOf(day));
}
