-- One row per device that came or went, new ones first and then those with most readings: which devices are new in a range of days, and which are
-- gone? Takes the days asked for and those before them that are compared with.
-- New is what has readings in the range and had none on the days before, at a site that had some. Gone is what has none in the range, at a site that
-- has some, and had them on five of the days before at least, and on half of those of its site. total counts all devices of the change.
-- Parameters: site or null for all, first day of those before, last day, first day, first day once more, number of rows of each change.
with looked as (
    select
        site,
        device,
        day,
        cast(sum(n) as bigint) as readings
    from metric_hours
    where
        site = coalesce(cast(? as varchar), site)
        and day >= cast(? as varchar)
        and day <= cast(? as varchar)
    group by site, device, day
),

asked as (
    select
        site,
        device,
        count(*) as days,
        min(day) as first_day,
        max(day) as last_day,
        cast(sum(readings) as bigint) as readings
    from looked
    where day >= cast(? as varchar)
    group by site, device
),

past_days as (
    select * from looked where day < cast(? as varchar)
),

past as (
    select
        site,
        device,
        count(*) as days,
        min(day) as first_day,
        max(day) as last_day,
        cast(sum(readings) as bigint) as readings
    from past_days
    group by site, device
),

asked_sites as (
    select site from asked group by site
),

past_sites as (
    select site, count(distinct day) as days from past_days group by site
),

changes as (
    select
        'new' as change,
        a.*
    from asked as a
    inner join past_sites as s on s.site = a.site
    left join past as p on p.site = a.site and p.device = a.device
    where p.site is null
    union all
    select
        'gone' as change,
        p.*
    from past as p
    inner join past_sites as s on s.site = p.site
    inner join asked_sites as t on t.site = p.site
    left join asked as a on a.site = p.site and a.device = p.device
    where a.site is null and p.days >= 5 and 2 * p.days >= s.days
),

ranked as (
    select
        *,
        count(*) over (partition by change) as total,
        row_number() over (partition by change order by readings desc, site, device) as place
    from changes
)

select
    change,
    total,
    site,
    device,
    days,
    first_day,
    last_day,
    readings
from ranked
where place <= cast(? as bigint)
order by change desc, place
