-- One row per site and metric of a device: what does it measure, and from when to when? Reads the hours, not the readings.
-- Parameters: device.
select
    site,
    metric,
    min(first_ms) as first_ms,
    max(last_ms) as last_ms,
    cast(sum(n) as bigint) as readings
from metric_hours
where device = cast(? as varchar)
group by site, metric
order by site, metric
