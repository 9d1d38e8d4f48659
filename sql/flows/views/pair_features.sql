-- One row per pair and day: what may a model know of the pair on that day? Filter on src_ip, dst_ip or site: every day is read, but only
-- what can hold the pair. A filter on day picks rows and saves no reading, because the figures count from the pair's first day.
-- A day without timed flows is no day in the figures of the duration: it leaves them as they were and gets no z-score.
-- No look into the future: _running_ counts the days up to the row's own, _past_ those before it, and nothing counts a later one.
with windows as (
    select
        *,
        cast(running_days - 1 as decimal(38, 0)) as exact_past_days,
        cast(case when timed_flows > 0 then running_timed_days - 1 end as decimal(38, 0)) as exact_past_timed_days,
        lag(day) over by_day as last_seen,
        min(day) over by_day as first_seen,
        lag(flow_duration_us_running_mean) over by_day as flow_duration_us_past_mean,
        lag(flow_duration_us_running_stddev_pop) over by_day as flow_duration_us_past_stddev_pop,
        sum(cast(flow_duration_us_sum as decimal(38, 0))) over past as exact_past_duration,
        lag(fwd_pkts_running_mean) over by_day as fwd_pkts_past_mean,
        lag(fwd_pkts_running_stddev_pop) over by_day as fwd_pkts_past_stddev_pop,
        sum(cast(fwd_pkts_sum as decimal(38, 0))) over past as exact_past_pkts,
        count(*) over past_week as past_7_days_active,
        sum(cast(flows as decimal(38, 0))) over past_week as exact_week_flows,
        sum(cast(flow_duration_us_sum as decimal(38, 0))) over past_week as exact_week_duration,
        sum(cast(fwd_pkts_sum as decimal(38, 0))) over past_week as exact_week_pkts
    from pair_running
    window
        by_day as (partition by site, src_ip, dst_ip order by day),
        past as (partition by site, src_ip, dst_ip order by day rows between unbounded preceding and 1 preceding),
        past_week as (
            partition by site, src_ip, dst_ip
            order by cast(day as timestamp)
            range between interval '7' day preceding and interval '1' day preceding
        )
),

-- Exact to here. By way of text, because DuckDB's own step from decimal to double is not always the nearest one. A distance is how far
-- the day is from the mean of the days before it, times their number. Seven days may be more than a bigint holds; a double holds them.
doubles as (
    select
        *,
        cast(cast(coalesce(exact_week_flows, 0) as varchar(40)) as double) as week_flows,
        cast(cast(coalesce(exact_week_duration, 0) as varchar(40)) as double) as week_duration,
        cast(cast(coalesce(exact_week_pkts, 0) as varchar(40)) as double) as week_pkts,
        cast(cast(exact_past_timed_days * flow_duration_us_sum - exact_past_duration as varchar(40)) as double) as duration_distance,
        cast(cast(exact_past_days * fwd_pkts_sum - exact_past_pkts as varchar(40)) as double) as pkts_distance
    from windows
),

-- Days are counted between timestamps, because the difference of two dates is another type on each engine. One day in the past, or many
-- that are equal, have no spread to measure a distance by, and give no z-score.
final as (
    select
        site,
        src_ip,
        dst_ip,
        day,
        cast(extract(day from cast(day as timestamp) - date_trunc('week', cast(day as timestamp))) as bigint) + 1 as day_of_week,
        cast(day as date) >= date_trunc('week', cast(day as date)) + interval '5' day as is_weekend,
        cast(extract(day from cast(day as timestamp) - cast(first_seen as timestamp)) as bigint) as days_since_first_seen,
        cast(extract(day from cast(day as timestamp) - cast(last_seen as timestamp)) as bigint) as days_since_last_seen,
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
        fwd_pkts_running_stddev_samp,
        past_7_days_active,
        week_flows as flows_past_7_days_sum,
        week_duration as flow_duration_us_past_7_days_sum,
        week_pkts as fwd_pkts_past_7_days_sum,
        flow_duration_us_past_mean,
        flow_duration_us_past_stddev_pop,
        duration_distance / nullif((running_timed_days - 1) * flow_duration_us_past_stddev_pop, 0) as flow_duration_us_past_z_score,
        fwd_pkts_past_mean,
        fwd_pkts_past_stddev_pop,
        pkts_distance / nullif((running_days - 1) * fwd_pkts_past_stddev_pop, 0) as fwd_pkts_past_z_score
    from doubles
)

select * from final
