-- One row per site, metric and hour: what do its devices say together, and how many of them are in alert? Filter on day: only those days of
-- metric_hours are read. devices_alerted counts devices of which an alert of any rule began in the hour, alert_rate its share of all that
-- reported anything in it.
with reporting as (
    select site, day, hour_ms, count(distinct device) as devices
    from metric_hours
    group by site, day, hour_ms
),

alerted as (
    select site, began_ms - mod(began_ms, 3600000) as hour_ms, count(distinct device) as devices
    from all_episodes
    where kind = 'alert'
    group by site, began_ms - mod(began_ms, 3600000)
),

metrics as (
    select
        site,
        metric,
        day,
        hour,
        hour_ms,
        count(*) as devices,
        cast(sum(n) as bigint) as n,
        min(min) as min,
        max(max) as max,
        cast(cast(sum(units) as varchar(40)) as double) as units,
        sum(case when units is not null then n end) as values_n
    from metric_hour_values
    group by site, metric, day, hour, hour_ms
)

select
    m.site,
    m.metric,
    m.day,
    m.hour,
    m.devices,
    m.n,
    m.min,
    m.max,
    m.units / cast(m.values_n as double) / 1e9 as mean,
    coalesce(a.devices, 0) as devices_alerted,
    cast(coalesce(a.devices, 0) as double) / cast(r.devices as double) as alert_rate
from metrics as m
inner join reporting as r on r.site = m.site and r.day = m.day and r.hour_ms = m.hour_ms
left join alerted as a on a.site = m.site and a.hour_ms = m.hour_ms
