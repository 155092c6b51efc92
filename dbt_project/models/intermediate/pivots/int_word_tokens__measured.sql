-- One row per corpus, word and token that any score could rank, with everything that the scores of a pair are made of.

with

word_tokens as (

    select * from {{ ref('stg_word_tokens') }}

),

words as (

    select * from {{ ref('int_words__counted') }}

),

tokens as (

    select * from {{ ref('int_tokens__counted') }}

),

own_tokens as (

    select * from {{ ref('int_own_tokens__unnested') }}

),

final as (

    select
        word_tokens.corpus,
        word_tokens.word_id,
        word_tokens.token_id,
        word_tokens.n_docs,
        {{ unit_rate('word_tokens.n_docs', 'words.n_docs') }} as word_rate,
        tokens.doc_rate as background_rate,
        {{ unit_rate('word_tokens.expected_n_docs', 'words.n_docs') }} as expected_rate,
        {{ signed_deviance_root('word_tokens.n_docs', 'word_tokens.expected_n_docs') }} as deviance_root,
        {{ stratified_z('word_tokens.n_docs', 'word_tokens.expected_n_docs', 'word_tokens.variance') }} as z,
        own_tokens.token_id is not null as is_own_token,
        tokens.is_special or tokens.is_blank as is_special_or_blank
    from word_tokens
    inner join words
        on
            word_tokens.corpus = words.corpus
            and word_tokens.word_id = words.word_id
    inner join tokens
        on
            word_tokens.corpus = tokens.corpus
            and word_tokens.token_id = tokens.token_id
    left join own_tokens
        on
            word_tokens.corpus = own_tokens.corpus
            and word_tokens.word_id = own_tokens.word_id
            and word_tokens.token_id = own_tokens.token_id

)

select * from final
