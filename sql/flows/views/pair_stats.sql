-- One row per pair: what are its totals, and how do its daily totals (_daily_) and its flows (_flow_) spread? Filter on src_ip, dst_ip or
-- site: every day is read, but only what can hold the pair.
-- Days without timed flows, of which no duration is known, are no days in the figures of the duration. A file of before format 3 has no
-- timed_flows; all its flows were timed.
with squares as (
    select
        *,
        coalesce(timed_flows, flows) as timed,
        cast(flow_duration_us_sum as decimal(19, 0)) * cast(flow_duration_us_sum as decimal(19, 0)) as duration_daily_sq,
        cast(fwd_pkts_sum as decimal(19, 0)) * cast(fwd_pkts_sum as decimal(19, 0)) as pkts_daily_sq
    from pair_days
),

-- A sum of squares may have more than 38 digits, so a large one is a multiple of 10^20 and the exact rest; which multiple does not matter.
parts as (
    select
        *,
        case
            when duration_daily_sq < cast(1e30 as decimal(38, 0)) then 0
            else cast(cast(duration_daily_sq as double) / 1e20 as bigint)
        end as duration_daily_sq_e20,
        case
            when flow_duration_us_sum_sq < cast(1e30 as decimal(38, 0)) then 0
            else cast(cast(flow_duration_us_sum_sq as double) / 1e20 as bigint)
        end as duration_flow_sq_e20,
        case
            when pkts_daily_sq < cast(1e30 as decimal(38, 0)) then 0
            else cast(cast(pkts_daily_sq as double) / 1e20 as bigint)
        end as pkts_daily_sq_e20,
        case
            when fwd_pkts_sum_sq < cast(1e30 as decimal(38, 0)) then 0
            else cast(cast(fwd_pkts_sum_sq as double) / 1e20 as bigint)
        end as pkts_flow_sq_e20
    from squares
),

sums as (
    select
        site,
        src_ip,
        dst_ip,
        count(*) as days,
        count(case when timed > 0 then 1 end) as timed_days,
        min(day) as first_day,
        max(day) as last_day,
        cast(sum(flows) as bigint) as flows,
        cast(sum(timed) as bigint) as timed_flows,
        sum(cast(flow_duration_us_sum as decimal(38, 0))) as flow_duration_us_sum,
        min(flow_duration_us_min) as flow_duration_us_min,
        max(flow_duration_us_max) as flow_duration_us_max,
        max(flow_duration_us_sum) as duration_daily_max,
        max_by(day, flow_duration_us_sum) as duration_day,
        sum(cast(duration_daily_sq_e20 as decimal(38, 0))) as duration_daily_sq_e20,
        sum(
            case
                when duration_daily_sq_e20 = 0 then duration_daily_sq
                else duration_daily_sq - duration_daily_sq_e20 * cast(1e20 as decimal(38, 0))
            end
        ) as duration_daily_sq_rest,
        sum(cast(duration_flow_sq_e20 as decimal(38, 0))) as duration_flow_sq_e20,
        sum(
            case
                when duration_flow_sq_e20 = 0 then flow_duration_us_sum_sq
                else flow_duration_us_sum_sq - duration_flow_sq_e20 * cast(1e20 as decimal(38, 0))
            end
        ) as duration_flow_sq_rest,
        sum(cast(fwd_pkts_sum as decimal(38, 0))) as fwd_pkts_sum,
        min(fwd_pkts_min) as fwd_pkts_min,
        max(fwd_pkts_max) as fwd_pkts_max,
        max(fwd_pkts_sum) as pkts_daily_max,
        max_by(day, fwd_pkts_sum) as pkts_day,
        sum(cast(pkts_daily_sq_e20 as decimal(38, 0))) as pkts_daily_sq_e20,
        sum(
            case
                when pkts_daily_sq_e20 = 0 then pkts_daily_sq
                else pkts_daily_sq - pkts_daily_sq_e20 * cast(1e20 as decimal(38, 0))
            end
        ) as pkts_daily_sq_rest,
        sum(cast(pkts_flow_sq_e20 as decimal(38, 0))) as pkts_flow_sq_e20,
        sum(
            case
                when pkts_flow_sq_e20 = 0 then fwd_pkts_sum_sq
                else fwd_pkts_sum_sq - pkts_flow_sq_e20 * cast(1e20 as decimal(38, 0))
            end
        ) as pkts_flow_sq_rest
    from parts
    group by site, src_ip, dst_ip
),

-- Exact to here. By way of text, because DuckDB's own step from decimal to double is not always the nearest one.
-- With a length, because Spark wants one; 40 holds every decimal(38, 0).
totals as (
    select
        *,
        cast(days as decimal(38, 0)) as exact_days,
        cast(timed_days as decimal(38, 0)) as exact_timed_days,
        cast(flows as decimal(38, 0)) as exact_flows,
        cast(timed_flows as decimal(38, 0)) as exact_timed_flows,
        cast(cast(flow_duration_us_sum as varchar(40)) as double) as duration_total,
        cast(cast(fwd_pkts_sum as varchar(40)) as double) as pkts_total,
        concat(src_ip, ' to ', dst_ip, ' at site ', site, ' is too large for exact statistics on ') as overflow
    from sums
),

-- No sum of squares is above the largest value times the total, so the limit tells whether all of this fits 38 digits. Where not, the cast
-- fails and says why: the one error with a text that every engine has.
spreads as (
    select
        *,
        case
            when timed_days * cast(duration_daily_max as double) * duration_total < 9.9e37
                then
                    exact_timed_days * (duration_daily_sq_e20 * cast(1e20 as decimal(38, 0)) + duration_daily_sq_rest)
                    - flow_duration_us_sum * flow_duration_us_sum
            else cast(concat('flow_duration_us of ', overflow, duration_day) as bigint)
        end as exact_duration_daily_spread,
        case
            when timed_flows * cast(coalesce(flow_duration_us_max, 0) as double) * duration_total < 9.9e37
                then
                    exact_timed_flows * (duration_flow_sq_e20 * cast(1e20 as decimal(38, 0)) + duration_flow_sq_rest)
                    - flow_duration_us_sum * flow_duration_us_sum
            else cast(concat('flow_duration_us of ', overflow, duration_day) as bigint)
        end as exact_duration_flow_spread,
        case
            when days * cast(pkts_daily_max as double) * pkts_total < 9.9e37
                then
                    exact_days * (pkts_daily_sq_e20 * cast(1e20 as decimal(38, 0)) + pkts_daily_sq_rest)
                    - fwd_pkts_sum * fwd_pkts_sum
            else cast(concat('fwd_pkts of ', overflow, pkts_day) as bigint)
        end as exact_pkts_daily_spread,
        case
            when flows * cast(fwd_pkts_max as double) * pkts_total < 9.9e37
                then
                    exact_flows * (pkts_flow_sq_e20 * cast(1e20 as decimal(38, 0)) + pkts_flow_sq_rest)
                    - fwd_pkts_sum * fwd_pkts_sum
            else cast(concat('fwd_pkts of ', overflow, pkts_day) as bigint)
        end as exact_pkts_flow_spread
    from totals
),

doubles as (
    select
        *,
        cast(cast(exact_duration_daily_spread as varchar(40)) as double) as duration_daily_spread,
        cast(cast(exact_duration_flow_spread as varchar(40)) as double) as duration_flow_spread,
        cast(cast(exact_pkts_daily_spread as varchar(40)) as double) as pkts_daily_spread,
        cast(cast(exact_pkts_flow_spread as varchar(40)) as double) as pkts_flow_spread
    from spreads
),

final as (
    select
        site,
        src_ip,
        dst_ip,
        days,
        timed_days,
        first_day,
        last_day,
        flows,
        timed_flows,
        flow_duration_us_sum,
        flow_duration_us_min,
        flow_duration_us_max,
        duration_total / nullif(timed_days, 0) as flow_duration_us_daily_mean,
        sqrt(duration_daily_spread) / nullif(timed_days, 0) as flow_duration_us_daily_stddev_pop,
        sqrt(duration_daily_spread / nullif(cast(timed_days as double) * (timed_days - 1), 0)) as flow_duration_us_daily_stddev_samp,
        duration_total / nullif(timed_flows, 0) as flow_duration_us_flow_mean,
        sqrt(duration_flow_spread) / nullif(timed_flows, 0) as flow_duration_us_flow_stddev_pop,
        sqrt(duration_flow_spread / nullif(cast(timed_flows as double) * (timed_flows - 1), 0)) as flow_duration_us_flow_stddev_samp,
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
