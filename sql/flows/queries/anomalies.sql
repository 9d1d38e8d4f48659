-- One row per pair, day and measure that stands out, the newest day and then the largest score first: what was unusual? Takes every day up
-- to the last one asked for, because a day is judged by the pair's days before it.
-- Parameters: site or null for all, last day or null, first day or null, number of rows.
with asked_days as (
    select *
    from pair_days
    where
        site = coalesce(cast(? as varchar), site)
        and day <= coalesce(cast(? as varchar), '9999-12-31')
),

-- The view of this name reads every day; pair_anomalies reads what has its name.
pair_usual as (
    view pair_usual over asked_days
),

unusual as (
    view pair_anomalies over asked_days
),

ranked as (
    select
        *,
        row_number() over (order by day desc, score desc, site, src_ip, dst_ip, measure) as place
    from unusual
    where day >= coalesce(cast(? as varchar), '0001-01-01')
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
from ranked
where place <= cast(? as bigint)
order by place
