-- One row per corpus and two tokens (token_id_a < token_id_b) with an edge in the adjacency graph (method section 4).

with

token_pairs as (

    select * from {{ ref('stg_token_pairs') }}

),

tokens as (

    select * from {{ ref('int_tokens__counted') }}
    where not is_special and not is_blank

),

weighed as (

    select
        token_pairs.corpus,
        token_pairs.token_id_a,
        token_pairs.token_id_b,
        {{ edge_rate_difference('token_pairs.n_docs', 'tokens_a.n_docs', 'tokens_b.n_docs', 'tokens_a.n_units') }}
            as edge_weight
    from token_pairs
    inner join tokens as tokens_a
        on
            token_pairs.corpus = tokens_a.corpus
            and token_pairs.token_id_a = tokens_a.token_id
    inner join tokens as tokens_b
        on
            token_pairs.corpus = tokens_b.corpus
            and token_pairs.token_id_b = tokens_b.token_id

),

final as (

    select * from weighed
    where edge_weight >= {{ var('adjacency_threshold') }}

)

select * from final
