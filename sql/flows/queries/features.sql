-- One row per pair and day of a range: what may a model know of the pair on that day? Takes every day up to the last one asked for, because
-- the figures count from the pair's first day, and none after it.
-- Parameters: last day, first day.
with days_so_far as (
    select *
    from pair_days
    where day <= cast(? as varchar)
),

-- The view of this name counts later days too; pair_features reads what has its name.
pair_running as (
    view pair_running over days_so_far
),

features as (
    view pair_features over days_so_far
)

select *
from features
where day >= cast(? as varchar)
order by day, site, src_ip, dst_ip
