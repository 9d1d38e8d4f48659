-- One row per device: when was it heard, how is its battery, how often was it silent or in alert? Filter on site or device. battery is the last
-- value of metric battery; an open silence or alert counts, and an open silence only once another reading has ended it or a reader compares its
-- began_ms of all_episodes with the clock.
with heard as (
    select
        site,
        device,
        min(first_ms) as first_ms,
        max(last_ms) as last_ms,
        count(distinct metric) as metrics,
        cast(sum(n) as bigint) as readings,
        max(longest_gap_ms) as longest_gap_ms
    from metric_hours
    group by site, device
),

batteries as (
    select site, device, max_by(last_value, last_ms) as battery, max(last_ms) as battery_ms
    from metric_hour_values
    where metric = 'battery' and last_value is not null
    group by site, device
),

spans as (
    select
        site,
        device,
        count(case when kind = 'silent' and ended_ms is not null then 1 end) as silences,
        cast(coalesce(sum(case when kind = 'silent' then ended_ms - began_ms end), 0) as bigint) as silent_ms,
        count(case when kind = 'alert' then 1 end) as alerts,
        count(case when kind = 'alert' and ended_ms is null then 1 end) as open_alerts
    from all_episodes
    group by site, device
)

select
    h.site,
    h.device,
    h.first_ms,
    h.last_ms,
    h.metrics,
    h.readings,
    h.longest_gap_ms,
    b.battery,
    b.battery_ms,
    coalesce(s.silences, 0) as silences,
    coalesce(s.silent_ms, 0) as silent_ms,
    coalesce(s.alerts, 0) as alerts,
    coalesce(s.open_alerts, 0) as open_alerts
from heard as h
left join batteries as b on b.site = h.site and b.device = h.device
left join spans as s on s.site = h.site and s.device = h.device
