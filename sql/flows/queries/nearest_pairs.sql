-- One row per pair, the nearest first: which pairs that exist may be meant by one that does not? Takes the addresses of every day.
-- Parameters: source address, destination address, number of rows.
with pairs as (
    select
        site,
        src_ip,
        dst_ip,
        count(*) as days,
        cast(sum(flows) as bigint) as flows
    from pair_days
    group by site, src_ip, dst_ip
),

-- Two rows per pair, so that each parameter is compared in one place.
addresses as (
    select
        pairs.*,
        side,
        case side when 'source' then src_ip else dst_ip end as address
    from pairs
    cross join (values ('source'), ('destination')) as sides (side)
),

digits as (
    select digit
    from (values (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)) as one_digit (digit)
),

edit_counts as (
    select ones.digit + 10 * tens.digit + 100 * hundreds.digit as edits
    from digits as ones
    cross join digits as tens
    cross join digits as hundreds
),

-- A parameter may stand in a `where` only, so a distance is found as the number that it equals. From 999 edits on all are equally far.
distances as (
    select
        addresses.*,
        to_source.edits as edits_to_source,
        to_destination.edits as edits_to_destination
    from addresses
    cross join edit_counts as to_source
    cross join edit_counts as to_destination
    where
        to_source.edits = least(levenshtein_distance(address, cast(? as varchar)), 999)
        and to_destination.edits = least(levenshtein_distance(address, cast(? as varchar)), 999)
),

pair_distances as (
    select
        site,
        src_ip,
        dst_ip,
        max(days) as days,
        max(flows) as flows,
        max(case when side = 'source' then edits_to_source end) as src_to_source,
        max(case when side = 'source' then edits_to_destination end) as src_to_destination,
        max(case when side = 'destination' then edits_to_source end) as dst_to_source,
        max(case when side = 'destination' then edits_to_destination end) as dst_to_destination
    from distances
    group by site, src_ip, dst_ip
),

-- The likelier mistake first: turned round, then one address right, then a slip of the pen.
likenesses as (
    select
        *,
        case
            when src_to_destination = 0 and dst_to_source = 0 then 1
            when src_to_source = 0 or dst_to_destination = 0 then 2
            when src_to_destination = 0 or dst_to_source = 0 then 3
            else 4
        end as kind,
        least(src_to_source + dst_to_destination, src_to_destination + dst_to_source) as edits
    from pair_distances
),

ranked as (
    select
        *,
        row_number() over (order by kind, edits, flows desc, site, src_ip, dst_ip) as place
    from likenesses
)

select
    site,
    src_ip,
    dst_ip,
    case kind when 1 then 'reversed' when 2 then 'one address' when 3 then 'one address, reversed' else 'similar' end as likeness,
    days,
    flows
from ranked
where place <= cast(? as bigint)
order by place
