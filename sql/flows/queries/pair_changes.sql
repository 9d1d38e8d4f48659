-- One row per pair that came or went, new ones first and then the largest: which pairs are new in a range of days, and which are gone? Takes the days
-- asked for and those before them that are compared with.
-- New is what has traffic in the range and had none on the days before, at a site that had some. Gone is what has none in the range, at a site that
-- has some, and had it on five of the days before at least, and on half of those of its site. total counts all pairs of the change.
-- Parameters: site or null for all, first day of those before, last day, first day, first day once more, number of rows of each change.
with looked as (
    select
        site,
        src_ip,
        dst_ip,
        day,
        flows,
        fwd_pkts_sum
    from pair_days
    where
        site = coalesce(cast(? as varchar), site)
        and day >= cast(? as varchar)
        and day <= cast(? as varchar)
),

asked as (
    select
        site,
        src_ip,
        dst_ip,
        count(*) as days,
        min(day) as first_day,
        max(day) as last_day,
        cast(sum(flows) as bigint) as flows,
        sum(cast(fwd_pkts_sum as decimal(38, 0))) as fwd_pkts_sum
    from looked
    where day >= cast(? as varchar)
    group by site, src_ip, dst_ip
),

past_days as (
    select * from looked where day < cast(? as varchar)
),

past as (
    select
        site,
        src_ip,
        dst_ip,
        count(*) as days,
        min(day) as first_day,
        max(day) as last_day,
        cast(sum(flows) as bigint) as flows,
        sum(cast(fwd_pkts_sum as decimal(38, 0))) as fwd_pkts_sum
    from past_days
    group by site, src_ip, dst_ip
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
    left join past as p on p.site = a.site and p.src_ip = a.src_ip and p.dst_ip = a.dst_ip
    where p.site is null
    union all
    select
        'gone' as change,
        p.*
    from past as p
    inner join past_sites as s on s.site = p.site
    inner join asked_sites as t on t.site = p.site
    left join asked as a on a.site = p.site and a.src_ip = p.src_ip and a.dst_ip = p.dst_ip
    where a.site is null and p.days >= 5 and 2 * p.days >= s.days
),

ranked as (
    select
        *,
        count(*) over (partition by change) as total,
        row_number() over (partition by change order by fwd_pkts_sum desc, site, src_ip, dst_ip) as place
    from changes
)

select
    change,
    total,
    site,
    src_ip,
    dst_ip,
    days,
    first_day,
    last_day,
    flows,
    fwd_pkts_sum
from ranked
where place <= cast(? as bigint)
order by change desc, place
