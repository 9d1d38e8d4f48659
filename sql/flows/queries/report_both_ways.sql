-- One row per site, direction and day of two addresses: how have the daily totals developed there and back? Takes every day up to the last
-- one asked for, because the running figures count from the first day whatever days are asked for, but of each only what can hold the two.
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

running as (
    view pair_running over asked_days
)

select
    site,
    src_ip,
    dst_ip,
    day,
    flows,
    timed_flows,
    flow_duration_us_sum,
    fwd_pkts_sum,
    running_days,
    running_timed_days,
    flow_duration_us_running_mean,
    flow_duration_us_running_stddev_pop,
    flow_duration_us_running_stddev_samp,
    fwd_pkts_running_mean,
    fwd_pkts_running_stddev_pop,
    fwd_pkts_running_stddev_samp
from running
where day >= coalesce(cast(? as varchar), '0001-01-01')
order by site, src_ip, dst_ip, day
