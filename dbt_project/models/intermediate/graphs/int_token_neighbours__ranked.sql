-- One row per corpus, graph, token and one of its strongest neighbours: of all, or of the neighbour's own language.

with

adjacency as (

    select
        'adjacency' as graph,
        *
    from {{ ref('int_adjacency_edges__weighed') }}

),

bridge as (

    select
        'bridge' as graph,
        *
    from {{ ref('int_bridge_edges__weighed') }}

),

edges as (

    select * from adjacency

    union all

    select * from bridge

),

tokens as (

    select * from {{ ref('int_tokens__described') }}

),

token_pairs as (

    select * from {{ ref('stg_token_pairs') }}

),

ends as (

    select
        corpus,
        graph,
        token_id_a as token_id,
        token_id_b as neighbour_id,
        edge_weight
    from edges

    union all

    select
        corpus,
        graph,
        token_id_b as token_id,
        token_id_a as neighbour_id,
        edge_weight
    from edges

),

ranked as (

    select
        ends.*,
        neighbours.token as neighbour,
        neighbours.lang as neighbour_lang,
        neighbours.n_docs as neighbour_n_docs,
        cast(row_number() over (
            partition by ends.corpus, ends.graph, ends.token_id
            order by ends.edge_weight desc, ends.neighbour_id asc
        ) as bigint) as neighbour_rank,
        cast(row_number() over (
            partition by ends.corpus, ends.graph, ends.token_id, neighbours.lang
            order by ends.edge_weight desc, ends.neighbour_id asc
        ) as bigint) as neighbour_rank_in_lang
    from ends
    inner join tokens as neighbours
        on
            ends.corpus = neighbours.corpus
            and ends.neighbour_id = neighbours.token_id

),

final as (

    select
        ranked.corpus,
        ranked.graph,
        ranked.token_id,
        tokens.token,
        tokens.lang,
        ranked.neighbour_id,
        ranked.neighbour,
        ranked.neighbour_lang,
        ranked.edge_weight,
        ranked.neighbour_rank,
        ranked.neighbour_rank_in_lang,
        token_pairs.n_docs as n_docs_both,
        tokens.n_docs,
        ranked.neighbour_n_docs
    from ranked
    inner join tokens
        on
            ranked.corpus = tokens.corpus
            and ranked.token_id = tokens.token_id
    inner join token_pairs
        on
            ranked.corpus = token_pairs.corpus
            and token_pairs.token_id_a = least(ranked.token_id, ranked.neighbour_id)
            and token_pairs.token_id_b = greatest(ranked.token_id, ranked.neighbour_id)
    where
        ranked.neighbour_rank <= {{ var('neighbours_kept') }}
        or (
            ranked.neighbour_lang is not null
            and ranked.neighbour_rank_in_lang <= {{ var('neighbours_kept_per_language') }}
        )

)

select * from final
