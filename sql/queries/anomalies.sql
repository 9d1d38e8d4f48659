-- One row per pair, day and measure that stands out, the newest day and then the largest score first: what was unusual? Takes every day,
-- because a day is judged by the pair's days before it.
-- Parameters: site or null for all, first day or null, last day or null, number of rows.
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
from pair_anomalies
where
    site = coalesce(cast(? as varchar), site)
    and day >= coalesce(cast(? as varchar), day)
    and day <= coalesce(cast(? as varchar), day)
order by day desc, score desc, site, src_ip, dst_ip, measure
limit ?
