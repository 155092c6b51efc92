-- One row per corpus and token that occurs: the language in which its unit rate concentrates, NULL when in none.
-- A unit of a mixed language code such as en-fr counts for each of its languages; und and mul name none.

with

strata as (

    select * from {{ ref('stg_strata') }}

),

token_documents as (

    select * from {{ ref('stg_token_documents') }}

),

language_codes as (

    select distinct
        corpus,
        lang as mixed_lang,
        {{ split_languages('lang') }} as lang
    from strata
    where lang not in ('und', 'mul') -- unknown, and multiple languages: neither says where a token is at home

),

language_units as (

    select
        language_codes.corpus,
        language_codes.lang,
        sum(strata.n_docs) as n_units
    from strata
    inner join language_codes
        on
            strata.corpus = language_codes.corpus
            and strata.lang = language_codes.mixed_lang
    group by language_codes.corpus, language_codes.lang

),

token_units as (

    select
        language_codes.corpus,
        language_codes.lang,
        token_documents.token_id,
        sum(token_documents.n_docs) as n_docs
    from token_documents
    inner join language_codes
        on
            token_documents.corpus = language_codes.corpus
            and token_documents.lang = language_codes.mixed_lang
    group by language_codes.corpus, language_codes.lang, token_documents.token_id

),

-- in billionths, so that sums don't depend on the order of rows
rates as (

    select
        token_units.corpus,
        token_units.token_id,
        token_units.lang,
        cast(round(1.0e9 * token_units.n_docs / language_units.n_units) as bigint) as rate_billionths
    from token_units
    inner join language_units
        on
            token_units.corpus = language_units.corpus
            and token_units.lang = language_units.lang

),

shares as (

    select
        corpus,
        token_id,
        lang,
        cast(rate_billionths as double)
        / sum(rate_billionths) over (partition by corpus, token_id) as language_share,
        row_number() over (
            partition by corpus, token_id
            order by rate_billionths desc, lang asc
        ) as language_rank
    from rates

),

final as (

    select
        corpus,
        token_id,
        language_share,
        case
            when language_share >= {{ var('bridge_min_language_share') }} then lang
        end as lang
    from shares
    where language_rank = 1

)

select * from final
