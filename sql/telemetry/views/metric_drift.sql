-- One row per device, metric and week: how far has it moved from its own past, and how far beyond what its fleet has moved? Filter on site or
-- metric: every day is read. A week begins on Monday (UTC). The past is the median of the device's averages of up to 8 weeks before, at least 3; the
-- fleet's change is the median change of all devices of the site that have the metric and a past, 0 where there are fewer than 3. drift is what is
-- left; its score is in standard deviations of the device's own weeks, at least two steps of the last digit and a hundredth of the usual value.
with weeks as (
    select
        site,
        device,
        metric,
        cast(date_trunc('week', cast(day as date)) as date) as week,
        min(step) as step,
        cast(sum(n) as bigint) as n,
        cast(cast(sum(units) as varchar(40)) as double) / cast(sum(n) as double) / 1e9 as mean
    from metric_hour_values
    where units is not null
    group by site, device, metric, cast(date_trunc('week', cast(day as date)) as date)
),

pasts as (
    select
        *,
        count(*) over past as past_weeks,
        array_agg(mean) over past as past_means
    from weeks
    window past as (partition by site, device, metric order by week rows between 8 preceding and 1 preceding)
),

-- Left out here, and the join below keeps it so: within one step Spark may look for a median before it leaves out the row.
known_pasts as (
    select
        *,
        array_sort(past_means) as sorted_means
    from pasts
    where past_weeks >= 3
),

changes as (
    select
        site,
        device,
        metric,
        week,
        step,
        n,
        mean,
        element_at(sorted_means, cast(floor((past_weeks - 1) * median) as integer) + 1) as usual,
        element_at(sorted_means, cast(floor((past_weeks - 1) * quarter) as integer) + 1) as usual_low,
        element_at(sorted_means, cast(floor((past_weeks - 1) * three_quarters) as integer) + 1) as usual_high
    from known_pasts
    cross join (values (0.50, 0.25, 0.75)) as parts (median, quarter, three_quarters)
),

fleets as (
    select
        site,
        metric,
        week,
        count(*) as devices,
        array_sort(array_agg(mean - usual)) as sorted_changes
    from changes
    group by site, metric, week
),

beside as (
    select
        c.*,
        case
            when f.devices >= 3 then element_at(f.sorted_changes, cast(floor((f.devices - 1) * 0.50) as integer) + 1)
            else 0e0
        end as fleet_change
    from changes as c
    inner join fleets as f on f.site = c.site and f.metric = c.metric and f.week = c.week
)

select
    site,
    device,
    metric,
    cast(week as varchar(10)) as week,
    n,
    mean,
    usual,
    mean - usual as change,
    fleet_change,
    (mean - usual) - fleet_change as drift,
    round(
        ((mean - usual) - fleet_change) / greatest((usual_high - usual_low) / 1.349, 2e0 * step, abs(usual) / 100),
        6
    ) as score
from beside
