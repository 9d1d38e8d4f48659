-- One row per pair, the nearest first: which pairs that exist may be meant by one that does not? Takes the addresses of every day.
-- Parameters: source address, destination address, number of rows.
with asked as (
    select cast(? as varchar) as asked_src, cast(? as varchar) as asked_dst
),

pairs as (
    select
        site,
        src_ip,
        dst_ip,
        count(*) as days,
        cast(sum(flows) as bigint) as flows
    from pair_days
    group by site, src_ip, dst_ip
),

-- The likelier mistake first: turned round, then one address right, then a slip of the pen.
ranked as (
    select
        site,
        src_ip,
        dst_ip,
        days,
        flows,
        case
            when src_ip = asked_dst and dst_ip = asked_src then 1
            when src_ip = asked_src or dst_ip = asked_dst then 2
            when src_ip = asked_dst or dst_ip = asked_src then 3
            else 4
        end as kind,
        levenshtein_distance(src_ip, asked_src) + levenshtein_distance(dst_ip, asked_dst) as edits,
        levenshtein_distance(src_ip, asked_dst) + levenshtein_distance(dst_ip, asked_src) as edits_turned
    from pairs
    cross join asked
)

select
    site,
    src_ip,
    dst_ip,
    case kind when 1 then 'reversed' when 2 then 'one address' when 3 then 'one address, reversed' else 'similar' end as likeness,
    days,
    flows
from ranked
order by kind, least(edits, edits_turned), flows desc, site, src_ip, dst_ip
limit ?
