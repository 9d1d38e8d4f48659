-- One row per reading of a device, in the order of time: what did it measure? Filter on days: only those days are read.
-- Parameters: device, metric or null for all, site or null for all, first day or null, last day or null, from (epoch ms) or null, to (exclusive) or null, number of rows (the newest).
with found as (
    select
        *,
        row_number() over (order by at_ms desc, metric desc, message desc, site desc) as place
    from readings
    where
        device = cast(? as varchar)
        and metric = coalesce(cast(? as varchar), metric)
        and site = coalesce(cast(? as varchar), site)
        and day >= coalesce(cast(? as varchar), '0001-01-01')
        and day <= coalesce(cast(? as varchar), '9999-12-31')
        and at_ms >= coalesce(cast(? as bigint), at_ms)
        and at_ms < coalesce(cast(? as bigint), at_ms + 1)
)

select
    site,
    device,
    metric,
    measured_at,
    at_ms,
    value,
    text,
    clock,
    received_ms,
    message,
    copies
from found
where place <= cast(? as bigint)
order by at_ms, metric, message, site
