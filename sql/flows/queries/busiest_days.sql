-- One row per site and day, the one with the most flows first: which days were the busiest? Takes only the days asked for.
-- Parameters: site or null for all, first day or null, last day or null, number of rows.
with ranked as (
    select
        *,
        row_number() over (order by flows desc, day desc, site) as place
    from day_totals
    where
        site = coalesce(cast(? as varchar), site)
        and day >= coalesce(cast(? as varchar), '0001-01-01')
        and day <= coalesce(cast(? as varchar), '9999-12-31')
)

select
    site,
    day,
    flows,
    pairs,
    flow_duration_us_sum,
    fwd_pkts_sum
from ranked
where place <= cast(? as bigint)
order by place
