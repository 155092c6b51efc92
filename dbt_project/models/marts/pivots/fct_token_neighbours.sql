-- One row per corpus, graph, token and one of its strongest neighbours: of all, or of the neighbour's own language.
with

token_neighbours as (

    select * from {{ ref('int_token_neighbours__ranked') }}

),

final as (

    select
        corpus,
        graph,
        token_id,
        token,
        lang,
        neighbour_id,
        neighbour,
        neighbour_lang,
        edge_weight,
        neighbour_rank,
        neighbour_rank_in_lang,
        n_docs_both,
        n_docs,
        neighbour_n_docs
    from token_neighbours

)

select * from final
