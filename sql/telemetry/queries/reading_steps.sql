-- One row per metric of a device and step of time: how many readings, between what, on average? Filter on days: only those days are read.
-- Parameters: step in ms (60000, 300000, 900000, 3600000, 21600000 or 86400000), device, metric or null, site or null, first day or null, last day or null, from (epoch ms) or null, to (exclusive) or null.
with steps as (
    select step_ms
    from (values (60000), (300000), (900000), (3600000), (21600000), (86400000)) as known (step_ms)
    where step_ms = cast(? as bigint)
),

found as (
    select
        r.site,
        r.device,
        r.metric,
        r.at_ms - mod(r.at_ms, s.step_ms) as from_ms,
        r.value,
        cast(r.value * 1000000000 as decimal(38, 0)) as units,
        r.at_ms,
        r.message
    from readings as r
    cross join steps as s
    where
        r.device = cast(? as varchar)
        and r.metric = coalesce(cast(? as varchar), r.metric)
        and r.site = coalesce(cast(? as varchar), r.site)
        and r.day >= coalesce(cast(? as varchar), '0001-01-01')
        and r.day <= coalesce(cast(? as varchar), '9999-12-31')
        and r.at_ms >= coalesce(cast(? as bigint), r.at_ms)
        and r.at_ms < coalesce(cast(? as bigint), r.at_ms + 1)
)

-- By way of text, because not every engine takes the nearest double of a decimal.
select
    site,
    device,
    metric,
    from_ms,
    count(*) as n,
    min(value) as min,
    max(value) as max,
    cast(cast(sum(units) as varchar(40)) as double) / nullif(cast(count(value) as double), 0) / 1e9 as mean
from found
group by site, device, metric, from_ms
order by site, device, metric, from_ms
