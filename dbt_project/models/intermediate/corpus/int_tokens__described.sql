-- One row per counted corpus and token of its tokenizer, tokens that never occur included.

with

tokens as (

    select * from {{ ref('int_tokens__counted') }}

),

token_languages as (

    select * from {{ ref('int_token_languages__assigned') }}

),

final as (

    select
        tokens.corpus,
        tokens.token_id,
        tokens.token,
        tokens.script,
        tokens.is_special,
        tokens.is_blank,
        tokens.n_docs,
        tokens.doc_rate,
        token_languages.lang,
        token_languages.language_share
    from tokens
    left join token_languages
        on
            tokens.corpus = token_languages.corpus
            and tokens.token_id = token_languages.token_id

)

select * from final
