-- One row per device, metric and hour: what may a model know of the metric at the end of that hour? Filter on site, device or metric: every day is read,
-- because the figures count from the metric's first hour. Hours without a value have no row.
-- No look into the future: the row's own figures are of its hour, _past_ and _last_ of hours before it, and nothing counts a later one. Spans are of time,
-- not of rows: 24 hours and 7 days before the hour's beginning; past_same_hour_ is of the same hour of day (UTC) on those 7 days.
with hours as (
    select
        site,
        device,
        metric,
        day,
        hour,
        hour_ms,
        n,
        cast(n as decimal(38, 0)) as exact_n,
        min,
        max,
        mean,
        last_value,
        units
    from metric_hour_values
    where mean is not null
),

windows as (
    select
        *,
        min(hour_ms) over so_far as first_hour_ms,
        count(*) over so_far as running_hours,
        lag(hour_ms) over by_hour as last_hour_ms,
        lag(mean) over by_hour as last_mean,
        count(*) over past_day as past_24h_hours,
        sum(exact_n) over past_day as past_day_n,
        sum(units) over past_day as past_day_units,
        min(min) over past_day as past_24h_min,
        max(max) over past_day as past_24h_max,
        count(*) over past_week as past_7d_hours,
        sum(exact_n) over past_week as past_week_n,
        sum(units) over past_week as past_week_units,
        min(min) over past_week as past_7d_min,
        max(max) over past_week as past_7d_max,
        count(*) over same_hours as past_same_hour_days,
        min(mean) over same_hours as past_same_hour_min,
        max(mean) over same_hours as past_same_hour_max,
        array_agg(mean) over same_hours as past_same_hour_means
    from hours
    window
        by_hour as (partition by site, device, metric order by hour_ms),
        so_far as (partition by site, device, metric order by hour_ms rows between unbounded preceding and current row),
        past_day as (partition by site, device, metric order by hour_ms range between 86400000 preceding and 1 preceding),
        past_week as (partition by site, device, metric order by hour_ms range between 604800000 preceding and 1 preceding),
        same_hours as (partition by site, device, metric, hour order by hour_ms range between 604800000 preceding and 1 preceding)
),

-- Exact to here. By way of text, because not every engine takes the nearest double of a decimal.
doubles as (
    select
        *,
        cast(cast(past_day_units as varchar(40)) as double) / cast(cast(past_day_n as varchar(40)) as double) / 1e9 as past_24h_mean,
        cast(cast(past_week_units as varchar(40)) as double) / cast(cast(past_week_n as varchar(40)) as double) / 1e9 as past_7d_mean,
        case
            when past_same_hour_days >= 1
                then element_at(array_sort(past_same_hour_means), cast(floor((past_same_hour_days - 1) * 0.50) as integer) + 1)
        end as past_same_hour_median
    from windows
),

-- Days are counted between timestamps, because the difference of two dates is another type on each engine.
final as (
    select
        site,
        device,
        metric,
        day,
        hour,
        hour_ms,
        cast(extract(day from cast(day as timestamp) - date_trunc('week', cast(day as timestamp))) as bigint) + 1 as day_of_week,
        cast(day as date) >= date_trunc('week', cast(day as date)) + interval '5' day as is_weekend,
        n,
        cast(cast(min as varchar(40)) as double) as min,
        cast(cast(max as varchar(40)) as double) as max,
        mean,
        cast(cast(last_value as varchar(40)) as double) as last_value,
        running_hours,
        cast((hour_ms - first_hour_ms) / 3600000 as bigint) as hours_since_first_seen,
        cast((hour_ms - last_hour_ms) / 3600000 as bigint) as hours_since_last_seen,
        last_mean,
        mean - last_mean as change_from_last,
        past_24h_hours,
        past_24h_mean,
        cast(cast(past_24h_min as varchar(40)) as double) as past_24h_min,
        cast(cast(past_24h_max as varchar(40)) as double) as past_24h_max,
        mean - past_24h_mean as change_from_past_24h,
        past_7d_hours,
        past_7d_mean,
        cast(cast(past_7d_min as varchar(40)) as double) as past_7d_min,
        cast(cast(past_7d_max as varchar(40)) as double) as past_7d_max,
        mean - past_7d_mean as change_from_past_7d,
        past_same_hour_days,
        past_same_hour_median,
        past_same_hour_min,
        past_same_hour_max,
        mean - past_same_hour_median as change_from_past_same_hour
    from doubles
)

select * from final
