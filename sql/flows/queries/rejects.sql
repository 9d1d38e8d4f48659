-- One row per rejected row of the versions that count, in the order of the files: what could not be used, where and why? Has no days to
-- filter on.
-- Parameters: source (raw key) or null for all, number of rows.
with ranked as (
    select
        rejects.source,
        rejects.line_number,
        rejects.reason,
        rejects.line,
        row_number() over (order by rejects.source, rejects.line_number) as place
    from rejects
    inner join sources on sources.source = rejects.source and sources.version = rejects.version
    where rejects.source = coalesce(cast(? as varchar), rejects.source)
)

select
    source,
    line_number,
    reason,
    line
from ranked
where place <= cast(? as bigint)
order by place
