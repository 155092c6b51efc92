-- One row per training run, item, pair of languages and step that showed one of the two words: what was read by then.
with

pair_reads as (

    select * from {{ ref('int_pair_reads__cumulated') }}

)

-- the contract names the columns
select * from pair_reads -- noqa: AM04
