/** The alerts and silences that a day has seen: what began on it, and what was open. */
import { z } from '@hono/zod-openapi';
import { collectRows } from '#lake/collect-rows';
import { addDays, Day } from './day.ts';
import { definePage } from './page.ts';

interface AlertsOfDayParameters {
    day: string;
    limit: number;
}

/** Episodes of a day that are looked at; of more the newest. */
const MOST_EPISODES = 10_000;

export const alertsOfDayPage = definePage<AlertsOfDayParameters>({
    name: 'alerts-of-day',
    parameters: z.strictObject({ day: Day, limit: z.coerce.number().int().min(1).max(1_000).default(10) }),
    // An episode stands in the day that ended it, an open one in the last day.
    reads: ({ day }) => [{ table: 'episodes', from: day }, { table: 'metric_hours' }],
    async answer({ day, limit }, { lake, ask, now }) {
        const [fromMs, untilMs] = [Date.parse(day), Date.parse(addDays(day, 1))];
        const nowMs = now().getTime();
        // A silence that is foreseen for later has not begun on that day.
        const seenMs = Math.min(nowMs, untilMs - 1);
        const { rows: counts } = await ask(countsSql({ fromMs, untilMs, seenMs, nowMs }));
        const { columns, rows } = await collectRows(
            await lake.ask('alerts', [BigInt(seenMs), null, null, BigInt(fromMs), BigInt(untilMs), null, BigInt(MOST_EPISODES)]),
        );
        const at = new Map(columns.map(({ name }, index) => [name, index]));
        const cellOf = (row: (typeof rows)[number], name: string) => row[at.get(name) ?? -1] ?? null;
        const textOf = (value: unknown): string | null => (value === null ? null : String(value));
        const millisecondOf = (value: unknown): number | null => (value === null ? null : Number(value));
        const episodes = rows.map((row) => ({
            ...Object.fromEntries(
                ['state', 'severity', 'site', 'device', 'rule', 'worst', 'readings', 'why'].map((name) => [
                    name,
                    textOf(cellOf(row, name)),
                ]),
            ),
            kind: textOf(cellOf(row, 'kind')),
            beganMs: millisecondOf(cellOf(row, 'began_ms')),
            endedMs: millisecondOf(cellOf(row, 'ended_ms')),
        }));
        return {
            day,
            counts: counts.map(([kind, severity, episodes, open, began, openNow]) => ({
                kind: String(kind),
                severity: String(severity),
                episodes: Number(episodes),
                open: Number(open),
                began: Number(began),
                openNow: Number(openNow),
            })),
            // Alerts first: a fleet that has fallen silent hides none.
            rows: [...episodes.filter(({ kind }) => kind === 'alert'), ...episodes.filter(({ kind }) => kind !== 'alert')].slice(0, limit),
        };
    },
});

interface Instants {
    /** First millisecond of the day, and the first one behind it. */
    fromMs: number;
    untilMs: number;
    /** Last millisecond of the day that has passed. */
    seenMs: number;
    nowMs: number;
}

/** One row per kind and severity: how many episodes the day has seen, how many of these are open and began on it; and how many are open now, whatever day they are of. */
function countsSql({ fromMs, untilMs, seenMs, nowMs }: Instants): string {
    return `with seen as (
    select
        *,
        case
            when (ended_ms is not null or began_ms <= ${seenMs})
                and coalesce(ended_ms, ${untilMs}) >= ${fromMs} and began_ms < ${untilMs} then 1
        end as is_of_day,
        case when ended_ms is null and began_ms <= ${nowMs} then 1 end as is_open_now
    from all_episodes
)

select
    kind,
    severity,
    count(is_of_day) as episodes,
    count(case when is_of_day = 1 and ended_ms is null then 1 end) as open,
    count(case when is_of_day = 1 and began_ms >= ${fromMs} then 1 end) as began,
    count(is_open_now) as open_now
from seen
where is_of_day = 1 or is_open_now = 1
group by kind, severity
order by kind, severity
`;
}
