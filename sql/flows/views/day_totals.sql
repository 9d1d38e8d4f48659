-- One row per site and day: how much traffic was there? Filter on day: only those days are read.
select
    site,
    day,
    cast(sum(flows) as bigint) as flows,
    cast(sum(coalesce(timed_flows, flows)) as bigint) as timed_flows,
    count(*) as pairs,
    sum(cast(flow_duration_us_sum as decimal(38, 0))) as flow_duration_us_sum,
    sum(cast(fwd_pkts_sum as decimal(38, 0))) as fwd_pkts_sum
from pair_days
group by site, day
