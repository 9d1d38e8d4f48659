-- One row per device and day: what did it measure, and what did its address send and receive? Filter on site, device or day. The address is the
-- registry's on that day (table devices, valid_to exclusive). Two devices with one address on one day both have its traffic: totals of a fleet
-- come from pair_days.
with ends as (
    select
        site,
        day,
        src_ip as ip,
        flows as flows_out,
        fwd_pkts_sum as pkts_out,
        cast(0 as bigint) as flows_in,
        cast(0 as bigint) as pkts_in
    from pair_days
    union all
    select
        site,
        day,
        dst_ip as ip,
        cast(0 as bigint) as flows_out,
        cast(0 as bigint) as pkts_out,
        flows as flows_in,
        fwd_pkts_sum as pkts_in
    from pair_days
    where dst_ip <> src_ip
),

traffic as (
    select
        d.site,
        d.device,
        e.day,
        cast(sum(e.flows_out) as bigint) as flows_out,
        cast(sum(e.pkts_out) as bigint) as pkts_out,
        cast(sum(e.flows_in) as bigint) as flows_in,
        cast(sum(e.pkts_in) as bigint) as pkts_in
    from devices as d
    inner join ends as e
        on
            e.site = d.site
            and e.ip = d.ip
            and e.day >= coalesce(d.valid_from, '0001-01-01')
            and e.day < coalesce(d.valid_to, '9999-12-31')
    group by d.site, d.device, e.day
),

measured as (
    select
        site,
        device,
        day,
        cast(sum(n) as bigint) as readings,
        count(distinct metric) as metrics,
        max(longest_gap_ms) as longest_gap_ms
    from metric_hours
    group by site, device, day
)

select
    coalesce(m.site, t.site) as site,
    coalesce(m.device, t.device) as device,
    coalesce(m.day, t.day) as day,
    coalesce(m.readings, 0) as readings,
    coalesce(m.metrics, 0) as metrics,
    m.longest_gap_ms,
    coalesce(t.flows_out, 0) as flows_out,
    coalesce(t.pkts_out, 0) as pkts_out,
    coalesce(t.flows_in, 0) as flows_in,
    coalesce(t.pkts_in, 0) as pkts_in
from measured as m
full outer join traffic as t on t.site = m.site and t.device = m.device and t.day = m.day
