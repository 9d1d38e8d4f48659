-- One row per device that is registered or was heard: where is it, when was it heard, what is wrong? silent_from_ms is the time from which it is
-- silent unless it reports; null where its profile does not say how often it does.
-- Parameters: site or null for all, device or null for all, number of rows.
with registered as (
    select
        site,
        device,
        max_by(profile, coalesce(valid_from, '0001-01-01')) as profile,
        max_by(ip, coalesce(valid_from, '0001-01-01')) as ip,
        max_by(place, coalesce(valid_from, '0001-01-01')) as place
    from devices
    where valid_to is null
    group by site, device
),

silences as (
    select site, device, min(began_ms) as silent_from_ms
    from all_episodes
    where kind = 'silent' and ended_ms is null
    group by site, device
),

found as (
    select
        coalesce(h.site, r.site) as site,
        coalesce(h.device, r.device) as device,
        r.profile,
        r.ip,
        r.place,
        h.last_ms,
        h.readings,
        h.metrics,
        h.battery,
        h.open_alerts,
        h.silences
    from device_health as h
    full outer join registered as r on r.site = h.site and r.device = h.device
),

ranked as (
    select
        f.*,
        s.silent_from_ms,
        row_number() over (order by f.site, f.device) as position
    from found as f
    left join silences as s on s.site = f.site and s.device = f.device
    where
        f.site = coalesce(cast(? as varchar), f.site)
        and f.device = coalesce(cast(? as varchar), f.device)
)

select
    site,
    device,
    profile,
    place,
    ip,
    last_ms,
    silent_from_ms,
    readings,
    metrics,
    battery,
    open_alerts,
    silences
from ranked
where position <= cast(? as bigint)
order by position
