-- One row per corpus and document that holds a token at home in some language: its two most frequent languages, and
-- whether the second one is frequent enough for two languages to stand in it. What stands in one language alone, most
-- of a corpus, needs no windows.

with

token_homes as (

    select
        corpus,
        token_id,
        lang
    from {{ ref('int_token_homes__assigned') }}

),

tokens as (

    select
        corpus,
        doc_id,
        {{ unnest_column('token_ids') }} as token_id
    from {{ ref('stg_document_tokens') }}

),

languages as (

    select
        tokens.corpus,
        tokens.doc_id,
        token_homes.lang,
        count(*) as n_tokens
    from tokens
    inner join token_homes
        on
            tokens.corpus = token_homes.corpus
            and tokens.token_id = token_homes.token_id
    group by tokens.corpus, tokens.doc_id, token_homes.lang

),

ranked as (

    select
        *,
        row_number() over (partition by corpus, doc_id order by n_tokens desc, lang asc) as place
    from languages

),

documents as (

    select
        corpus,
        doc_id,
        max(case when place = 1 then lang end) as main_lang,
        max(case when place = 2 then lang end) as second_lang,
        cast(max(case when place = 1 then n_tokens end) as bigint) as n_main_tokens,
        cast(coalesce(max(case when place = 2 then n_tokens end), 0) as bigint) as n_second_tokens
    from ranked
    where place <= 2
    group by corpus, doc_id

),

final as (

    select
        *,
        n_second_tokens >= {{ var('kind_min_second_share') }} * (n_main_tokens + n_second_tokens) as has_two_languages
    from documents

)

select * from final
