-- One row per corpus and token whose unit rate concentrates in one language, by the units of one language alone.
-- Units of a mixed code such as en-fr hold both languages and say nothing about where a token is at home: in a corpus
-- of many of them, int_token_languages__assigned gives the words of the language that all of them share to none.
-- A count n of the language in question is taken as n - sqrt(n): what stands in a few units may stand there by chance.

with

strata as (

    select * from {{ ref('stg_strata') }}
    where lang not in ('und', 'mul') and lang not like '%-%'

),

token_documents as (

    select * from {{ ref('stg_token_documents') }}
    where lang not in ('und', 'mul') and lang not like '%-%'

),

language_units as (

    select
        corpus,
        lang,
        sum(n_docs) as n_units
    from strata
    group by corpus, lang

),

token_units as (

    select
        corpus,
        lang,
        token_id,
        sum(n_docs) as n_docs
    from token_documents
    group by corpus, lang, token_id

),

-- in billionths, so that sums don't depend on the order of rows
rates as (

    select
        token_units.corpus,
        token_units.token_id,
        token_units.lang,
        cast(round(1.0e9 * token_units.n_docs / language_units.n_units) as bigint) as rate_billionths,
        cast(round(1.0e9 * (token_units.n_docs - sqrt(token_units.n_docs)) / language_units.n_units) as bigint)
            as sure_billionths
    from token_units
    inner join language_units
        on
            token_units.corpus = language_units.corpus
            and token_units.lang = language_units.lang

),

summed as (

    select
        corpus,
        token_id,
        lang,
        sure_billionths,
        sum(rate_billionths) over (partition by corpus, token_id) - rate_billionths as other_billionths
    from rates

),

shares as (

    select
        corpus,
        token_id,
        lang,
        {{ unit_rate('sure_billionths', '(sure_billionths + other_billionths)') }} as language_share
    from summed

),

-- more than half of it, so that no token has two homes
final as (

    select
        corpus,
        token_id,
        lang,
        language_share
    from shares
    where language_share >= {{ var('bridge_min_language_share') }} and language_share > 0.5

)

select * from final
