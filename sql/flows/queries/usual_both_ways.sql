-- One row per site, direction, day and measure of two addresses: what was usual on that day, and how far was the day from it? Takes every
-- day up to the last one asked for, because a day is judged by the days before it, but of each only what can hold the two.
-- Parameters: one address, the other address, the other address once more, the one once more, site or null for all, last day or null, first day or null.
with asked_days as (
    select *
    from pair_days
    where
        (
            (src_ip = cast(? as varchar) and dst_ip = cast(? as varchar))
            or (src_ip = cast(? as varchar) and dst_ip = cast(? as varchar))
        )
        and site = coalesce(cast(? as varchar), site)
        and day <= coalesce(cast(? as varchar), '9999-12-31')
),

judged as (
    view pair_usual over asked_days
)

select
    site,
    src_ip,
    dst_ip,
    day,
    measure,
    value,
    usual,
    usual_low,
    usual_high,
    score
from judged
where day >= coalesce(cast(? as varchar), '0001-01-01')
order by site, src_ip, dst_ip, day, measure
