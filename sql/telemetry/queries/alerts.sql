-- One row per episode, open ones first and then the newest: what was wrong, and what is? An open silence counts from its deadline on.
-- Parameters: now (epoch ms), site or null for all, device or null for all, from (leaves out what ended before) or null, to (exclusive) or null, state (`open`) or null, number of rows.
with found as (
    select
        *,
        case when ended_ms is null then 'open' else 'ended' end as state,
        coalesce(ended_ms, 9223372036854775807) as until_ms
    from all_episodes
),

ranked as (
    select
        *,
        row_number() over (
            order by case when ended_ms is null then 0 else 1 end, began_ms desc, site, device, rule
        ) as place
    from found
    where
        (ended_ms is not null or began_ms <= cast(? as bigint))
        and site = coalesce(cast(? as varchar), site)
        and device = coalesce(cast(? as varchar), device)
        and until_ms >= coalesce(cast(? as bigint), until_ms)
        and began_ms < coalesce(cast(? as bigint), began_ms + 1)
        and state = coalesce(cast(? as varchar), state)
)

select
    state,
    severity,
    site,
    device,
    rule,
    kind,
    began_ms,
    ended_ms,
    worst,
    readings,
    why
from ranked
where place <= cast(? as bigint)
order by place
