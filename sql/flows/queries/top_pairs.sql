-- One row per pair, the largest first: which pairs move the most? Takes only the days asked for.
-- Parameters: site or null for all, first day or null, last day or null, what counts (duration, packets or flows), number of rows.
with totals as (
    select
        site,
        src_ip,
        dst_ip,
        count(*) as days,
        min(day) as first_day,
        max(day) as last_day,
        cast(sum(flows) as bigint) as flows,
        sum(cast(flow_duration_us_sum as decimal(38, 0))) as flow_duration_us_sum,
        sum(cast(fwd_pkts_sum as decimal(38, 0))) as fwd_pkts_sum
    from pair_days
    where
        site = coalesce(cast(? as varchar), site)
        and day >= coalesce(cast(? as varchar), '0001-01-01')
        and day <= coalesce(cast(? as varchar), '9999-12-31')
    group by site, src_ip, dst_ip
),

asked as (
    select measure
    from (values ('duration'), ('packets'), ('flows')) as measures (measure)
    where measure = cast(? as varchar)
),

ranked as (
    select
        totals.*,
        row_number() over (
            order by
                case measure
                    when 'duration' then flow_duration_us_sum
                    when 'packets' then fwd_pkts_sum
                    when 'flows' then cast(flows as decimal(38, 0))
                end desc,
                site,
                src_ip,
                dst_ip
        ) as place
    from totals
    cross join asked
)

select
    site,
    src_ip,
    dst_ip,
    days,
    first_day,
    last_day,
    flows,
    flow_duration_us_sum,
    fwd_pkts_sum
from ranked
where place <= cast(? as bigint)
order by place
