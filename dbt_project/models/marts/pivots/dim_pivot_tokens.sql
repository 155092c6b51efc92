-- One row per corpus, pivot set and token of the set.
with

pivot_tokens as (

    select * from {{ ref('int_pivot_tokens__selected') }}

),

final as (

    select
        corpus,
        pivot_set,
        token_id,
        token,
        rank,
        is_default,
        degree,
        weighted_degree,
        bridge_degree,
        bridge_z,
        n_pairs,
        lang,
        n_docs,
        doc_rate
    from pivot_tokens

)

select * from final
