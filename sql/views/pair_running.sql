-- One row per pair and day: how have the pair's daily totals developed up to that day? Filter on src_ip, dst_ip or site: every day is read,
-- but only what can hold the pair. A filter on day picks rows and saves no reading, because the figures count from the pair's first day.
with sums as (
    select
        site,
        src_ip,
        dst_ip,
        day,
        flows,
        flow_duration_us_sum,
        fwd_pkts_sum,
        count(*) over so_far as running_days,
        cast(count(*) over so_far as decimal(38, 0)) as exact_days,
        sum(cast(flow_duration_us_sum as decimal(38, 0))) over so_far as duration_sum,
        sum(cast(flow_duration_us_sum as decimal(19, 0)) * cast(flow_duration_us_sum as decimal(19, 0))) over so_far as duration_sum_sq,
        sum(cast(fwd_pkts_sum as decimal(38, 0))) over so_far as pkts_sum,
        sum(cast(fwd_pkts_sum as decimal(19, 0)) * cast(fwd_pkts_sum as decimal(19, 0))) over so_far as pkts_sum_sq
    from pair_days
    window so_far as (partition by site, src_ip, dst_ip order by day rows between unbounded preceding and current row)
),

-- Exact to here. By way of text, because DuckDB's own step from decimal to double is not always the nearest one.
-- With a length, because Spark wants one; 40 holds every decimal(38, 0).
doubles as (
    select
        *,
        cast(cast(duration_sum as varchar(40)) as double) as duration_total,
        cast(cast(exact_days * duration_sum_sq - duration_sum * duration_sum as varchar(40)) as double) as duration_spread,
        cast(cast(pkts_sum as varchar(40)) as double) as pkts_total,
        cast(cast(exact_days * pkts_sum_sq - pkts_sum * pkts_sum as varchar(40)) as double) as pkts_spread
    from sums
),

final as (
    select
        site,
        src_ip,
        dst_ip,
        day,
        flows,
        flow_duration_us_sum,
        fwd_pkts_sum,
        running_days,
        duration_total / running_days as flow_duration_us_running_mean,
        sqrt(duration_spread) / running_days as flow_duration_us_running_stddev_pop,
        sqrt(duration_spread / (cast(running_days as double) * nullif(running_days - 1, 0))) as flow_duration_us_running_stddev_samp,
        pkts_total / running_days as fwd_pkts_running_mean,
        sqrt(pkts_spread) / running_days as fwd_pkts_running_stddev_pop,
        sqrt(pkts_spread / (cast(running_days as double) * nullif(running_days - 1, 0))) as fwd_pkts_running_stddev_samp
    from doubles
)

select * from final
