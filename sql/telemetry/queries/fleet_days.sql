-- One row per site and day: how many devices reported, and how much? Takes only the days asked for.
-- Parameters: site or null for all, first day, last day.
select
    site,
    day,
    count(distinct device) as devices,
    count(distinct metric) as metrics,
    cast(sum(n) as bigint) as readings
from metric_hours
where
    site = coalesce(cast(? as varchar), site)
    and day >= cast(? as varchar)
    and day <= cast(? as varchar)
group by site, day
order by day, site
