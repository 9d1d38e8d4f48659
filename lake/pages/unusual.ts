/** What was unusual on a day: pairs, hours of devices, and devices that have moved from their fleet in the week of the day. */
import { z } from '@hono/zod-openapi';
import { collectRows } from '#lake/collect-rows';
import { addDays, Day, daysLike } from './day.ts';
import { definePage, type Json, type PageContext, type Rows } from './page.ts';

interface UnusualParameters {
    of: 'pairs' | 'hours' | 'drift';
    day: string;
    limit: number;
}

/** Days that metric_anomalies looks back. */
const PAST_DAYS = 42;

export const unusualPage = definePage<UnusualParameters>({
    name: 'unusual',
    parameters: z.strictObject({
        of: z.enum(['pairs', 'hours', 'drift']),
        day: Day,
        limit: z.coerce.number().int().min(1).max(1_000).default(10),
    }),
    reads({ of, day }) {
        switch (of) {
            case 'pairs':
                return [{ table: 'pair_days', to: day }];
            case 'hours':
                return [{ table: 'metric_hours', from: addDays(day, -PAST_DAYS), to: day }];
            case 'drift':
                return [{ table: 'metric_hours' }];
        }
    },
    async answer({ of, day, limit }, context) {
        // One more than is shown tells that there are more.
        const found = await READERS[of]({ day, limit: limit + 1 }, context);
        return { of, day, hasMore: found.length > limit, rows: found.slice(0, limit) };
    },
});

interface Asked {
    day: string;
    limit: number;
}

const READERS: Readonly<Record<UnusualParameters['of'], (asked: Asked, context: PageContext) => Promise<Json[]>>> = {
    async pairs({ day, limit }, { lake }) {
        return toObjects(await collectRows(await lake.ask('anomalies', [null, day, day, BigInt(limit)])));
    },
    async hours({ day, limit }, { ask }) {
        return toObjects(await ask(unusualHoursSql(day), { parameters: [day, BigInt(limit)], maxRows: limit }));
    },
    async drift({ day, limit }, { ask }) {
        return toObjects(await ask(DRIFT_SQL, { parameters: [mondayOf(day), BigInt(limit)], maxRows: limit }));
    },
};

const DAYS_OF_A_WEEK = 7;

function mondayOf(day: string): string {
    return addDays(day, -((new Date(day).getUTCDay() + DAYS_OF_A_WEEK - 1) % DAYS_OF_A_WEEK));
}

/** Whole numbers are texts with all their digits; columns keep their names. */
function toObjects({ columns, rows }: Pick<Rows, 'columns' | 'rows'>): Json[] {
    return rows.map((row) =>
        Object.fromEntries(row.map((value, at) => [columns[at]?.name ?? '', typeof value === 'bigint' ? String(value) : value])),
    );
}

/**
 * The rows that metric_anomalies has of one day, the furthest from usual first. The view makes a list of the past for every hour that there is; here the past is
 * gathered once, for the hours of the day. Parameters: the day, number of rows.
 */
function unusualHoursSql(day: string): string {
    const alike = daysLike(day, { within: PAST_DAYS })
        .map((other) => `'${other}'`)
        .join(', ');
    return `with of_day as (
    select site, device, metric, day, hour, hour_ms, n, mean, step
    from metric_hour_values
    where day = cast(? as varchar) and mean is not null
),

pasts as (
    select
        site,
        device,
        metric,
        hour,
        count(*) as past_hours,
        array_sort(array_agg(mean)) as sorted_means,
        array_sort(array_agg(n)) as sorted_n
    from metric_hour_values
    where day in (${alike}) and mean is not null
    group by site, device, metric, hour
),

known_pasts as (
    select * from pasts where past_hours >= 7
),

quantiles as (
    select
        d.*,
        element_at(p.sorted_n, cast(floor((p.past_hours - 1) * median) as integer) + 1) as usual_n,
        element_at(p.sorted_means, cast(floor((p.past_hours - 1) * median) as integer) + 1) as usual,
        element_at(p.sorted_means, cast(floor((p.past_hours - 1) * quarter) as integer) + 1) as usual_low,
        element_at(p.sorted_means, cast(floor((p.past_hours - 1) * three_quarters) as integer) + 1) as usual_high,
        element_at(p.sorted_means, cast(floor((p.past_hours - 1) * tenth) as integer) + 1) as seldom_low,
        element_at(p.sorted_means, cast(floor((p.past_hours - 1) * nine_tenths) as integer) + 1) as seldom_high
    from of_day as d
    inner join known_pasts as p on p.site = d.site and p.device = d.device and p.metric = d.metric and p.hour = d.hour
    cross join (values (0.50, 0.25, 0.75, 0.10, 0.90)) as parts (median, quarter, three_quarters, tenth, nine_tenths)
),

scored as (
    select
        *,
        round(
            (mean - usual)
            / greatest((usual_high - usual_low) / 1.349, (seldom_high - seldom_low) / 2.563, 2e0 * step, abs(usual) / 100),
            6
        ) as score
    from quantiles
    where 2 * n >= usual_n
),

ranked as (
    select
        *,
        row_number() over (order by abs(score) desc, site, device, metric, hour) as place
    from scored
    where score >= 5 or score <= -5
)

select site, device, metric, day, hour, hour_ms, n, mean, usual, usual_low, usual_high, score
from ranked
where place <= cast(? as bigint)
order by place
`;
}

/** Devices whose week is as far from usual as an hour of metric_anomalies. Parameters: Monday of the week, number of rows. */
const DRIFT_SQL = `with ranked as (
    select
        *,
        row_number() over (order by abs(score) desc, site, device, metric) as place
    from metric_drift
    where week = cast(? as varchar) and (score >= 5 or score <= -5)
)

select site, device, metric, week, n, mean, usual, change, fleet_change, drift, score
from ranked
where place <= cast(? as bigint)
order by place
`;
