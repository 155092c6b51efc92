-- One row per corpus, graph, token and one of its strongest neighbours (at most var neighbours_kept of them).

with adjacency as (

    select
        'adjacency' as graph,
        *
    from {{ ref('int_token_edges_adjacency') }}

),

bridge as (

    select
        'bridge' as graph,
        *
    from {{ ref('int_token_edges_bridge') }}

),

edges as (

    select * from adjacency

    union all

    select * from bridge

),

tokens as (

    select * from {{ ref('dim_tokens') }}

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
        *,
        row_number() over (
            partition by corpus, graph, token_id
            order by edge_weight desc, neighbour_id asc
        ) as neighbour_rank
    from ends

),

final as (

    select
        ranked.corpus,
        ranked.graph,
        ranked.token_id,
        tokens.token,
        tokens.lang,
        ranked.neighbour_id,
        neighbours.token as neighbour,
        neighbours.lang as neighbour_lang,
        ranked.edge_weight,
        ranked.neighbour_rank,
        token_pairs.n_docs as n_docs_both,
        tokens.n_docs,
        neighbours.n_docs as neighbour_n_docs
    from ranked
    inner join tokens
        on
            ranked.corpus = tokens.corpus
            and ranked.token_id = tokens.token_id
    inner join tokens as neighbours
        on
            ranked.corpus = neighbours.corpus
            and ranked.neighbour_id = neighbours.token_id
    inner join token_pairs
        on
            ranked.corpus = token_pairs.corpus
            and token_pairs.token_id_a = least(ranked.token_id, ranked.neighbour_id)
            and token_pairs.token_id_b = greatest(ranked.token_id, ranked.neighbour_id)
    where ranked.neighbour_rank <= {{ var('neighbours_kept') }}

)

select * from final
