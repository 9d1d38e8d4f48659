-- One row per device, metric and hour, in the metric's own unit: how much, between what, and on average? Filter on day: only those days are read.
-- Of a metric of texts there is n, all else is null. time_mean weighs each value by how long it stood until the next one in the hour; units is the
-- exact sum in units of 10^-9, for averages over more than an hour; step is one in the last digit.
with in_units as (
    select
        *,
        cast(power(10, coalesce(9 - digits, 9)) as decimal(10, 0)) as unit
    from metric_hours
),

-- Powers of ten up to 10^9 are doubles without loss, and so are their quotients that are whole.
scaled as (
    select *, 1e9 / cast(unit as double) as per_value
    from in_units
)

-- By way of text, because not every engine takes the nearest double of a decimal. A value has up to 28 digits in units of 10^-9, and times a
-- decimal(9, 9) no engine drops one of them.
select
    site,
    device,
    metric,
    day,
    hour,
    hour_ms,
    digits,
    n,
    cast(cast(min * unit as decimal(28, 0)) * cast(0.000000001 as decimal(9, 9)) as decimal(28, 9)) as min,
    cast(cast(max * unit as decimal(28, 0)) * cast(0.000000001 as decimal(9, 9)) as decimal(28, 9)) as max,
    cast(cast(sum as varchar(40)) as double) / cast(n as double) / per_value as mean,
    cast(cast(area as varchar(40)) as double) / nullif(cast(area_ms as double), 0) / per_value as time_mean,
    cast(cast(first_value * unit as decimal(28, 0)) * cast(0.000000001 as decimal(9, 9)) as decimal(28, 9)) as first_value,
    cast(cast(last_value * unit as decimal(28, 0)) * cast(0.000000001 as decimal(9, 9)) as decimal(28, 9)) as last_value,
    first_ms,
    last_ms,
    longest_gap_ms,
    sum * unit as units,
    case when digits is not null then 1e0 / per_value end as step
from scaled
