-- One row per counted corpus and token of its tokenizer: in how many units it occurs, zero included.

with

counts as (

    select * from {{ ref('stg_counts') }}

),

corpora as (

    select * from {{ ref('stg_corpora') }}

),

tokens as (

    select * from {{ ref('stg_tokens') }}

),

token_units as (

    select
        corpus,
        token_id,
        cast(sum(n_docs) as bigint) as n_docs
    from {{ ref('stg_token_documents') }}
    group by corpus, token_id

),

final as (

    select
        counts.corpus,
        tokens.token_id,
        tokens.token,
        tokens.script,
        tokens.is_special,
        tokens.is_blank,
        coalesce(token_units.n_docs, 0) as n_docs,
        counts.n_units,
        {{ unit_rate('coalesce(token_units.n_docs, 0)', 'counts.n_units') }} as doc_rate
    from counts
    inner join corpora on counts.corpus = corpora.corpus
    inner join tokens on corpora.tokenizer_hash = tokens.tokenizer_hash
    left join token_units
        on
            counts.corpus = token_units.corpus
            and tokens.token_id = token_units.token_id

)

select * from final
