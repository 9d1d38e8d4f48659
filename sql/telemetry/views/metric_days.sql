-- One row per device, metric and day: how much, between what, and on average? Filter on site, device or metric: every day is read, because the
-- time from a day's last reading to the next day's first belongs to the day before. Of a metric of texts there are n and times, all else is null.
-- time_mean weighs each value by how long it stood until the next one, gaps beyond the profile's limit left out.
with in_units as (
    select
        *,
        cast(power(10, coalesce(9 - digits, 9)) as decimal(10, 0)) as unit
    from metric_hours
),

-- Hours may differ in their digits, where the profile has changed: then the most count, which have the smallest unit.
hours as (
    select
        *,
        lead(first_ms) over (partition by site, device, metric order by hour_ms) as next_ms,
        min(unit) over (partition by site, device, metric, day) as day_unit
    from in_units
),

-- Quotients of powers of ten that are whole are doubles without loss.
pieces as (
    select
        site,
        device,
        metric,
        day,
        n,
        day_unit,
        sum,
        sum_sq,
        min,
        max,
        first_value,
        last_value,
        first_ms,
        last_ms,
        area,
        area_ms,
        greatest(longest_gap_ms, coalesce(next_ms - last_ms, 0)) as longest_gap_ms,
        case when next_ms - last_ms <= gap_limit_ms then next_ms - last_ms else 0 end as bridge_ms,
        cast(cast(unit as double) / cast(day_unit as double) as decimal(10, 0)) as factor
    from hours
),

days as (
    select
        site,
        device,
        metric,
        day,
        day_unit,
        cast(sum(n) as bigint) as n,
        sum(case when sum is not null then cast(n as decimal(38, 0)) end) as values_n,
        sum(sum * factor) as sum,
        case when count(sum_sq) = count(sum) then sum(sum_sq * factor * factor) end as sum_sq,
        min(min * factor) as min,
        max(max * factor) as max,
        max_by(first_value * factor, -first_ms) as first_value,
        max_by(last_value * factor, last_ms) as last_value,
        min(first_ms) as first_ms,
        max(last_ms) as last_ms,
        max(longest_gap_ms) as longest_gap_ms,
        sum((area + last_value * bridge_ms) * factor) as area,
        sum(case when sum is not null then cast(area_ms + bridge_ms as decimal(38, 0)) end) as area_ms
    from pieces
    group by site, device, metric, day, day_unit
),

-- Exact to here. By way of text, because not every engine takes the nearest double of a decimal. No stddev_pop where its squares do not fit 38
-- digits. A value has up to 28 digits in units of 10^-9, and times a decimal(9, 9) no engine drops one of them.
final as (
    select
        site,
        device,
        metric,
        day,
        n,
        cast(cast(min * unit as decimal(28, 0)) * cast(0.000000001 as decimal(9, 9)) as decimal(28, 9)) as min,
        cast(cast(max * unit as decimal(28, 0)) * cast(0.000000001 as decimal(9, 9)) as decimal(28, 9)) as max,
        cast(cast(sum as varchar(40)) as double) / cast(values_n as double) / per_value as mean,
        case
            when cast(values_n as double) * cast(values_n as double) * greatest(-least_value, most_value) * greatest(-least_value, most_value) < 9e37
                then sqrt(cast(cast(values_n * sum_sq - sum * sum as varchar(40)) as double)) / cast(values_n as double) / per_value
        end as stddev_pop,
        cast(cast(area as varchar(40)) as double) / nullif(cast(area_ms as double), 0) / per_value as time_mean,
        cast(cast(first_value * unit as decimal(28, 0)) * cast(0.000000001 as decimal(9, 9)) as decimal(28, 9)) as first_value,
        first_ms,
        cast(cast(last_value * unit as decimal(28, 0)) * cast(0.000000001 as decimal(9, 9)) as decimal(28, 9)) as last_value,
        last_ms,
        longest_gap_ms
    from (
        select
            *,
            cast(min as double) as least_value,
            cast(max as double) as most_value,
            day_unit as unit,
            1e9 / cast(day_unit as double) as per_value
        from days
    ) as scaled
)

select * from final
