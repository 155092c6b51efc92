-- One row per counted corpus and token of its tokenizer, tokens that never occur included.
with

tokens as (

    select * from {{ ref('int_tokens__described') }}

),

final as (

    select
        corpus,
        token_id,
        token,
        script,
        is_special,
        is_blank,
        n_docs,
        doc_rate,
        lang,
        language_share
    from tokens

)

select * from final
