-- One row per site and day, the one with the most flows first: which days were the busiest? Takes only the days asked for.
-- Parameters: site or null for all, first day or null, last day or null, number of rows.
select
    site,
    day,
    flows,
    pairs,
    flow_duration_us_sum,
    fwd_pkts_sum
from day_totals
where
    site = coalesce(cast(? as varchar), site)
    and day >= coalesce(cast(? as varchar), day)
    and day <= coalesce(cast(? as varchar), day)
order by flows desc, day desc, site
limit ?
