-- One row per pair: what are its totals, and how do its daily totals (_daily_) and its flows (_flow_) spread? Filter on src_ip, dst_ip or
-- site: every day is read, but only what can hold the pair.
with sums as (
    select
        site,
        src_ip,
        dst_ip,
        count(*) as days,
        min(day) as first_day,
        max(day) as last_day,
        cast(sum(flows) as bigint) as flows,
        sum(cast(flow_duration_us_sum as decimal(38, 0))) as flow_duration_us_sum,
        min(flow_duration_us_min) as flow_duration_us_min,
        max(flow_duration_us_max) as flow_duration_us_max,
        sum(cast(flow_duration_us_sum as decimal(19, 0)) * cast(flow_duration_us_sum as decimal(19, 0))) as duration_daily_sum_sq,
        sum(flow_duration_us_sum_sq) as duration_flow_sum_sq,
        sum(cast(fwd_pkts_sum as decimal(38, 0))) as fwd_pkts_sum,
        min(fwd_pkts_min) as fwd_pkts_min,
        max(fwd_pkts_max) as fwd_pkts_max,
        sum(cast(fwd_pkts_sum as decimal(19, 0)) * cast(fwd_pkts_sum as decimal(19, 0))) as pkts_daily_sum_sq,
        sum(fwd_pkts_sum_sq) as pkts_flow_sum_sq
    from pair_days
    group by site, src_ip, dst_ip
),

exact as (
    select
        *,
        cast(days as decimal(38, 0)) as exact_days,
        cast(flows as decimal(38, 0)) as exact_flows,
        flow_duration_us_sum * flow_duration_us_sum as duration_sum_squared,
        fwd_pkts_sum * fwd_pkts_sum as pkts_sum_squared
    from sums
),

-- Exact to here. By way of text, because DuckDB's own step from decimal to double is not always the nearest one.
-- With a length, because Spark wants one; 40 holds every decimal(38, 0).
doubles as (
    select
        *,
        cast(cast(flow_duration_us_sum as varchar(40)) as double) as duration_total,
        cast(cast(exact_days * duration_daily_sum_sq - duration_sum_squared as varchar(40)) as double) as duration_daily_spread,
        cast(cast(exact_flows * duration_flow_sum_sq - duration_sum_squared as varchar(40)) as double) as duration_flow_spread,
        cast(cast(fwd_pkts_sum as varchar(40)) as double) as pkts_total,
        cast(cast(exact_days * pkts_daily_sum_sq - pkts_sum_squared as varchar(40)) as double) as pkts_daily_spread,
        cast(cast(exact_flows * pkts_flow_sum_sq - pkts_sum_squared as varchar(40)) as double) as pkts_flow_spread
    from exact
),

final as (
    select
        site,
        src_ip,
        dst_ip,
        days,
        first_day,
        last_day,
        flows,
        flow_duration_us_sum,
        flow_duration_us_min,
        flow_duration_us_max,
        duration_total / days as flow_duration_us_daily_mean,
        sqrt(duration_daily_spread) / days as flow_duration_us_daily_stddev_pop,
        sqrt(duration_daily_spread / (cast(days as double) * nullif(days - 1, 0))) as flow_duration_us_daily_stddev_samp,
        duration_total / flows as flow_duration_us_flow_mean,
        sqrt(duration_flow_spread) / flows as flow_duration_us_flow_stddev_pop,
        sqrt(duration_flow_spread / (cast(flows as double) * nullif(flows - 1, 0))) as flow_duration_us_flow_stddev_samp,
        fwd_pkts_sum,
        fwd_pkts_min,
        fwd_pkts_max,
        pkts_total / days as fwd_pkts_daily_mean,
        sqrt(pkts_daily_spread) / days as fwd_pkts_daily_stddev_pop,
        sqrt(pkts_daily_spread / (cast(days as double) * nullif(days - 1, 0))) as fwd_pkts_daily_stddev_samp,
        pkts_total / flows as fwd_pkts_flow_mean,
        sqrt(pkts_flow_spread) / flows as fwd_pkts_flow_stddev_pop,
        sqrt(pkts_flow_spread / (cast(flows as double) * nullif(flows - 1, 0))) as fwd_pkts_flow_stddev_samp
    from doubles
)

select * from final
