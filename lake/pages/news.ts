/** What came and what went on a day: pairs, or devices, that were not there in the four weeks before, and those that always were and are gone. */
import { z } from '@hono/zod-openapi';
import { addDays, Day, daysLike, USUAL_DAYS } from './day.ts';
import { definePage, type Json } from './page.ts';

interface NewsParameters {
    of: 'pairs' | 'devices';
    day: string;
    limit: number;
}

/** Who may come and go: the columns that name one at its site, and how much of it there was on a day. */
const SUBJECTS = {
    pairs: { table: 'pair_days', keys: ['src_ip', 'dst_ip'], amount: 'flows' },
    devices: { table: 'metric_hours', keys: ['device'], amount: 'n' },
} as const;

export const newsPage = definePage<NewsParameters>({
    name: 'news',
    parameters: z.strictObject({
        of: z.enum(['pairs', 'devices']),
        day: Day,
        limit: z.coerce.number().int().min(1).max(1_000).default(10),
    }),
    reads: ({ of, day }) => [{ table: SUBJECTS[of].table, from: addDays(day, -USUAL_DAYS), to: day }],
    async answer({ of, day, limit }, { ask }) {
        const { keys } = SUBJECTS[of];
        const { rows } = await ask(newsSql(of, day), { parameters: [addDays(day, -USUAL_DAYS), day, BigInt(limit)], maxRows: 2 * limit });
        const found = rows.map(([change, site, ...values]) => {
            const names = Object.fromEntries(keys.map((key, at) => [key, String(values[at])]));
            const [amount, seenDays, siteDays, lastDay, total] = values.slice(keys.length);
            return {
                change,
                total: Number(total),
                row: {
                    site: String(site),
                    ...names,
                    amount: String(amount),
                    seenDays: Number(seenDays),
                    siteDays: Number(siteDays),
                    lastDay: lastDay === null || lastDay === undefined ? null : String(lastDay),
                },
            };
        });
        const part = (wanted: string): Json => {
            const rowsOf = found.filter(({ change }) => change === wanted);
            return { total: rowsOf[0]?.total ?? 0, rows: rowsOf.map(({ row }) => row) };
        };
        return { of, day, new: part('new'), gone: part('gone') };
    },
});

/**
 * One row per subject that came or went on the day, the largest first: by what it had on the day, or had on the days like it before. Parameters: first day that
 * is looked at, the day, number of rows of each change.
 * New is what was at no day of four weeks, at a site that was. Gone is what was on four of five days of its site that are like the day (workdays, or weekend days),
 * five at least and the last one among them, at a site that has something on the day: a site that sent nothing at all is told as a whole.
 */
function newsSql(of: NewsParameters['of'], day: string): string {
    const { table, keys, amount } = SUBJECTS[of];
    const names = ['site', ...keys].join(', ');
    // A day is ten digits and dashes: the parameters were read as days.
    const alike = daysLike(day, { within: USUAL_DAYS })
        .map((other) => `'${other}'`)
        .join(', ');
    return `with amounts as (
    select ${names}, day, cast(sum(${amount}) as bigint) as amount
    from ${table}
    where day >= cast(? as varchar) and day <= cast(? as varchar)
    group by ${names}, day
),

site_days as (
    select
        site,
        day,
        row_number() over (partition by site order by day desc) as place
    from (select distinct site, day from amounts where day in (${alike})) as days_alike
),

sites as (
    select
        site,
        count(case when day < '${day}' then 1 end) as past_days,
        count(case when day = '${day}' then 1 end) as is_there
    from (select distinct site, day from amounts) as any_days
    group by site
),

subjects as (
    select
        ${names},
        max(case when day = '${day}' then amount end) as amount,
        count(case when day < '${day}' then 1 end) as past_days,
        count(case when day in (${alike}) then 1 end) as alike_days,
        min(case when day in (${alike}) then day end) as first_alike,
        max(case when day in (${alike}) then day end) as last_alike,
        max(case when day < '${day}' then day end) as last_day,
        cast(sum(case when day in (${alike}) then amount end) as bigint) as alike_amount
    from amounts
    group by ${names}
),

came as (
    select 'new' as change, ${prefixed('u', keys)}, u.amount, cast(0 as bigint) as seen_days, s.past_days as site_days, u.last_day
    from subjects as u
    inner join sites as s on s.site = u.site
    where u.amount is not null and u.past_days = 0 and s.past_days > 0
),

absent as (
    select
        ${prefixed('u', keys)},
        u.alike_amount,
        u.alike_days,
        u.last_day,
        u.last_alike,
        count(*) as site_days,
        max(case when d.place = 1 then d.day end) as last_site_day
    from subjects as u
    inner join sites as s on s.site = u.site
    inner join site_days as d on d.site = u.site and d.day >= u.first_alike
    where u.amount is null and s.is_there = 1 and u.alike_days >= 5
    group by ${prefixed('u', keys)}, u.alike_amount, u.alike_days, u.last_day, u.last_alike
),

went as (
    select 'gone' as change, ${prefixed('a', keys)}, a.alike_amount as amount, a.alike_days as seen_days, a.site_days, a.last_day
    from absent as a
    where 5 * a.alike_days >= 4 * a.site_days and a.last_alike = a.last_site_day
),

ranked as (
    select
        *,
        count(*) over (partition by change) as total,
        row_number() over (partition by change order by amount desc, ${names}) as place
    from (select * from came union all select * from went) as changes
)

select change, ${names}, amount, seen_days, site_days, last_day, total
from ranked
where place <= cast(? as bigint)
order by change, place
`;
}

function prefixed(alias: string, keys: readonly string[]): string {
    return ['site', ...keys].map((name) => `${alias}.${name}`).join(', ');
}
