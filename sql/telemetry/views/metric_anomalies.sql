-- One row per device, metric and hour whose average is unusual against that device's own past: which hours stand out? Filter on site, device or
-- metric: every day is read. A filter on day saves no reading, but most of the work.
-- The past of an hour: the same hour of day (UTC) on the workdays of the 42 days before it, or on the weekend days; fewer than 7 give no verdict, nor does
-- an hour that was read less than half as often as they were. The score is the distance from usual in standard deviations, by quartiles or deciles,
-- whichever are wider, and at least two steps of the last digit and a hundredth of the usual value: below zero where the value is low.
with classed as (
    select
        site,
        device,
        metric,
        day,
        hour,
        hour_ms,
        n,
        mean,
        step,
        cast(day as date) >= date_trunc('week', cast(day as date)) + interval '5' day as is_weekend
    from metric_hour_values
    where mean is not null
),

pasts as (
    select
        *,
        count(*) over past as past_hours,
        array_agg(mean) over past as past_means,
        array_agg(n) over past as past_n
    from classed
    window past as (
        partition by site, device, metric, hour, is_weekend
        order by hour_ms
        range between 3628800000 preceding and 1 preceding
    )
),

-- Left out here, and the join below keeps it so: within one step Spark may look for a median before it leaves out the row.
known_pasts as (
    select
        *,
        array_sort(past_means) as sorted_means,
        array_sort(past_n) as sorted_n
    from pasts
    where past_hours >= 7
),

-- Lower quantiles: values that really occurred.
quantiles as (
    select
        site,
        device,
        metric,
        day,
        hour,
        hour_ms,
        n,
        mean,
        step,
        past_hours,
        element_at(sorted_n, cast(floor((past_hours - 1) * median) as integer) + 1) as usual_n,
        element_at(sorted_means, cast(floor((past_hours - 1) * median) as integer) + 1) as usual,
        element_at(sorted_means, cast(floor((past_hours - 1) * quarter) as integer) + 1) as usual_low,
        element_at(sorted_means, cast(floor((past_hours - 1) * three_quarters) as integer) + 1) as usual_high,
        element_at(sorted_means, cast(floor((past_hours - 1) * tenth) as integer) + 1) as seldom_low,
        element_at(sorted_means, cast(floor((past_hours - 1) * nine_tenths) as integer) + 1) as seldom_high
    from known_pasts
    cross join (values (0.50, 0.25, 0.75, 0.10, 0.90)) as parts (median, quarter, three_quarters, tenth, nine_tenths)
),

-- Rounded, because engines differ in the last bit of a quotient's text.
final as (
    select
        site,
        device,
        metric,
        day,
        hour,
        hour_ms,
        n,
        mean,
        usual,
        usual_low,
        usual_high,
        round(
            (mean - usual)
            / greatest((usual_high - usual_low) / 1.349, (seldom_high - seldom_low) / 2.563, 2e0 * step, abs(usual) / 100),
            6
        ) as score
    from quantiles
    where 2 * n >= usual_n
)

select * from final where score >= 5 or score <= -5
