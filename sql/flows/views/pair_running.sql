-- One row per pair and day: how have the pair's daily totals developed up to that day? Filter on src_ip, dst_ip or site: every day is read,
-- but only what can hold the pair. A filter on day picks rows and saves no reading, because the figures count from the pair's first day.
-- Days without timed flows, of which no duration is known, are no days in the figures of the duration. A file of before format 3 has no
-- timed_flows; all its flows were timed.
with squares as (
    select
        *,
        coalesce(timed_flows, flows) as timed,
        cast(flow_duration_us_sum as decimal(19, 0)) * cast(flow_duration_us_sum as decimal(19, 0)) as duration_sq,
        cast(fwd_pkts_sum as decimal(19, 0)) * cast(fwd_pkts_sum as decimal(19, 0)) as pkts_sq
    from pair_days
),

-- A sum of squares may have more than 38 digits, so a large one is a multiple of 10^20 and the exact rest; which multiple does not matter.
parts as (
    select
        *,
        case
            when duration_sq < cast(1e30 as decimal(38, 0)) then 0
            else cast(cast(duration_sq as double) / 1e20 as bigint)
        end as duration_sq_e20,
        case
            when pkts_sq < cast(1e30 as decimal(38, 0)) then 0
            else cast(cast(pkts_sq as double) / 1e20 as bigint)
        end as pkts_sq_e20
    from squares
),

sums as (
    select
        site,
        src_ip,
        dst_ip,
        day,
        flows,
        timed as timed_flows,
        flow_duration_us_sum,
        fwd_pkts_sum,
        count(*) over so_far as running_days,
        count(case when timed > 0 then 1 end) over so_far as running_timed_days,
        cast(count(*) over so_far as decimal(38, 0)) as exact_days,
        cast(count(case when timed > 0 then 1 end) over so_far as decimal(38, 0)) as exact_timed_days,
        max(flow_duration_us_sum) over so_far as duration_max,
        sum(cast(flow_duration_us_sum as decimal(38, 0))) over so_far as duration_sum,
        sum(cast(duration_sq_e20 as decimal(38, 0))) over so_far as duration_sq_e20,
        sum(
            case
                when duration_sq_e20 = 0 then duration_sq
                else duration_sq - duration_sq_e20 * cast(1e20 as decimal(38, 0))
            end
        ) over so_far as duration_sq_rest,
        max(fwd_pkts_sum) over so_far as pkts_max,
        sum(cast(fwd_pkts_sum as decimal(38, 0))) over so_far as pkts_sum,
        sum(cast(pkts_sq_e20 as decimal(38, 0))) over so_far as pkts_sq_e20,
        sum(
            case
                when pkts_sq_e20 = 0 then pkts_sq
                else pkts_sq - pkts_sq_e20 * cast(1e20 as decimal(38, 0))
            end
        ) over so_far as pkts_sq_rest
    from parts
    window so_far as (partition by site, src_ip, dst_ip order by day rows between unbounded preceding and current row)
),

-- Exact to here. By way of text, because DuckDB's own step from decimal to double is not always the nearest one.
-- With a length, because Spark wants one; 40 holds every decimal(38, 0).
totals as (
    select
        *,
        cast(cast(duration_sum as varchar(40)) as double) as duration_total,
        cast(cast(pkts_sum as varchar(40)) as double) as pkts_total,
        concat(src_ip, ' to ', dst_ip, ' at site ', site, ' is too large for exact statistics on ', day) as overflow
    from sums
),

-- No sum of squares is above the largest total times the sum, so the limit tells whether all of this fits 38 digits. Where not, the cast
-- fails and says why: the one error with a text that every engine has.
spreads as (
    select
        *,
        case
            when running_timed_days * cast(duration_max as double) * duration_total < 9.9e37
                then
                    exact_timed_days * (duration_sq_e20 * cast(1e20 as decimal(38, 0)) + duration_sq_rest)
                    - duration_sum * duration_sum
            else cast(concat('flow_duration_us of ', overflow) as bigint)
        end as exact_duration_spread,
        case
            when running_days * cast(pkts_max as double) * pkts_total < 9.9e37
                then exact_days * (pkts_sq_e20 * cast(1e20 as decimal(38, 0)) + pkts_sq_rest) - pkts_sum * pkts_sum
            else cast(concat('fwd_pkts of ', overflow) as bigint)
        end as exact_pkts_spread
    from totals
),

doubles as (
    select
        *,
        cast(cast(exact_duration_spread as varchar(40)) as double) as duration_spread,
        cast(cast(exact_pkts_spread as varchar(40)) as double) as pkts_spread
    from spreads
),

final as (
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
        duration_total / nullif(running_timed_days, 0) as flow_duration_us_running_mean,
        sqrt(duration_spread) / nullif(running_timed_days, 0) as flow_duration_us_running_stddev_pop,
        sqrt(
            duration_spread / nullif(cast(running_timed_days as double) * (running_timed_days - 1), 0)
        ) as flow_duration_us_running_stddev_samp,
        pkts_total / running_days as fwd_pkts_running_mean,
        sqrt(pkts_spread) / running_days as fwd_pkts_running_stddev_pop,
        sqrt(pkts_spread / (cast(running_days as double) * nullif(running_days - 1, 0))) as fwd_pkts_running_stddev_samp
    from doubles
)

select * from final
