-- One row per corpus and token with at least one adjacency edge: its degree and its place by degree.

with

edges as (

    select * from {{ ref('int_adjacency_edges__weighed') }}

),

ends as (

    select
        corpus,
        token_id_a as token_id,
        edge_weight
    from edges

    union all

    select
        corpus,
        token_id_b as token_id,
        edge_weight
    from edges

),

degrees as (

    select
        corpus,
        token_id,
        count(*) as degree,
        {{ exact_sum('edge_weight') }} as weighted_degree
    from ends
    group by corpus, token_id

),

final as (

    select
        *,
        cast(row_number() over (
            partition by corpus
            order by degree desc, weighted_degree desc, token_id asc
        ) as bigint) as token_rank
    from degrees

)

select * from final
