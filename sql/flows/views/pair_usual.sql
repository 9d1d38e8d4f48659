-- One row per pair, day and measure of which enough past is known: what was usual for the pair, and how far was the day from it? Filter on
-- src_ip, dst_ip or site: every day is read, but only what can hold the pair. A filter on day saves no reading, but most of the work.
-- The past of a day: the pair's last 28 days with traffic before it that are workdays like it, or weekend days like it; fewer than 5 of
-- them give no verdict. Of durations only days count on which some flow had one. The score is the distance from usual on a logarithmic scale, in standard deviations of steady traffic.
with classed_days as (
    select
        site,
        src_ip,
        dst_ip,
        day,
        cast(day as date) >= date_trunc('week', cast(day as date)) + interval '5' day as is_weekend,
        -- A file of before format 3 has no timed_flows; all its flows were timed.
        coalesce(timed_flows, flows) > 0 as is_timed,
        flows,
        flow_duration_us_sum,
        fwd_pkts_sum
    from pair_days
),

pasts as (
    select
        site,
        src_ip,
        dst_ip,
        day,
        is_timed,
        flows,
        flow_duration_us_sum,
        fwd_pkts_sum,
        count(*) over past as past_days,
        count(*) over past_alike as past_days_alike,
        array_agg(flows) over past as past_flows,
        array_agg(flow_duration_us_sum) over past_alike as past_durations,
        array_agg(fwd_pkts_sum) over past as past_pkts
    from classed_days
    window
        past as (partition by site, src_ip, dst_ip, is_weekend order by day rows between 28 preceding and 1 preceding),
        -- Of a timed day the timed ones.
        past_alike as (
            partition by site, src_ip, dst_ip, is_weekend, is_timed
            order by day
            rows between 28 preceding and 1 preceding
        )
),

-- Left out here, and each list below has 5 days or more: Spark may look for a median before it leaves out the row.
known_pasts as (
    select * from pasts where past_days >= 5
),

-- concat makes the measure plain text for Trino, which would call it varchar(20).
measured as (
    select
        site,
        src_ip,
        dst_ip,
        day,
        concat(measure, '') as measure,
        case measure
            when 'flows' then flows
            when 'flow_duration_us_sum' then flow_duration_us_sum
            else fwd_pkts_sum
        end as value,
        case when measure = 'flow_duration_us_sum' and past_days_alike >= 5 then past_days_alike else past_days end as past_days,
        array_sort(
            case
                when measure = 'flows' then past_flows
                when measure = 'flow_duration_us_sum' and past_days_alike >= 5 then past_durations
                else past_pkts
            end
        ) as past_values
    from known_pasts
    cross join (values ('flows'), ('flow_duration_us_sum'), ('fwd_pkts_sum')) as measures (measure)
    where measure <> 'flow_duration_us_sum' or (is_timed and past_days_alike >= 5)
),

-- Lower quartiles: values that really occurred, whole numbers.
quartiles as (
    select
        site,
        src_ip,
        dst_ip,
        day,
        measure,
        value,
        element_at(past_values, cast(floor((past_days - 1) * 0.50) as integer) + 1) as usual,
        element_at(past_values, cast(floor((past_days - 1) * 0.25) as integer) + 1) as usual_low,
        element_at(past_values, cast(floor((past_days - 1) * 0.75) as integer) + 1) as usual_high
    from measured
),

-- Rounded, because engines differ in the last bit of a logarithm.
final as (
    select
        site,
        src_ip,
        dst_ip,
        day,
        measure,
        value,
        usual,
        usual_low,
        usual_high,
        round(
            (ln(1 + cast(value as double)) - ln(1 + cast(usual as double)))
            / greatest(
                (ln(1 + cast(usual_high as double)) - ln(1 + cast(usual_low as double))) / 1.349,
                1 / sqrt(1 + cast(usual as double)),
                0.15
            ),
            6
        ) as score
    from quartiles
)

select * from final
