-- One row per corpus and scored direction: tokens of its rarer language, and whether that is high or low among them.
with

tokens_by_lang as (

    select
        corpus,
        lang,
        sum(n_tokens) as n_tokens
    from {{ ref('stg_documents') }}
    group by corpus, lang

),

directions as (

    select distinct
        source_lang,
        target_lang
    from {{ ref('int_items__scored') }}

),

resourced as (

    select
        source_tokens.corpus,
        directions.source_lang,
        directions.target_lang,
        cast(least(source_tokens.n_tokens, target_tokens.n_tokens) as bigint) as rarer_lang_n_tokens
    from directions
    inner join tokens_by_lang as source_tokens on directions.source_lang = source_tokens.lang
    inner join tokens_by_lang as target_tokens
        on
            directions.target_lang = target_tokens.lang
            and source_tokens.corpus = target_tokens.corpus

),

medians as (

    select
        corpus,
        {{ quantile('rarer_lang_n_tokens', 0.5) }} as median_n_tokens
    from resourced
    group by corpus

),

final as (

    select
        resourced.corpus,
        resourced.source_lang,
        resourced.target_lang,
        resourced.rarer_lang_n_tokens,
        case when resourced.rarer_lang_n_tokens > medians.median_n_tokens then 'high' else 'low' end as resource_level
    from resourced
    inner join medians on resourced.corpus = medians.corpus

)

select * from final
