-- One row per pair, day and measure that is unusually large against that pair's own past: which days stand out? Filter on src_ip, dst_ip or
-- site: every day is read, but only what can hold the pair. A filter on day saves no reading, but most of the work.
-- What is usual, pair_usual says; beyond a score of 3.5 a day stands out.
with final as (
    select *
    from pair_usual
    where score >= 3.5
)

select * from final
