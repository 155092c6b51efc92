-- One row per corpus, word and token of any of its forms (w and " " + w): no such token can be the word's pivot.

with

corpora as (

    select * from {{ ref('stg_corpora') }}

),

forms as (

    select
        tokenizer_hash,
        word_id,
        {{ unnest_column('token_ids') }} as token_id
    from {{ ref('stg_word_token_forms') }}

),

final as (

    select distinct
        corpora.corpus,
        forms.word_id,
        forms.token_id
    from corpora
    inner join forms on corpora.tokenizer_hash = forms.tokenizer_hash

)

select * from final
