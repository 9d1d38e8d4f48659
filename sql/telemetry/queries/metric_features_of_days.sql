-- One row per device, metric and hour of a range of days: what may a model know of the metric at the end of that hour? The days before the range count in it.
-- Parameters: last day, first day.
select *
from metric_features
where day <= cast(? as varchar) and day >= cast(? as varchar)
order by day, site, device, metric, hour_ms
