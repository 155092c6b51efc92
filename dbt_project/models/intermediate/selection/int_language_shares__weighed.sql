-- One row per corpus, share scheme and language: the share of a token budget that the language is due.
-- Schemes: natural (the language's share of the tokens) and multilingual (tokens^temperature, equal shares by default).
-- Documents of several languages or of none that is known (mul, en-fr, und) keep their natural share in both schemes: a
-- multilingual mixture is about languages, and a share for 'mul' like a language's would be an effect of its own. So do
-- languages of hardly any tokens, which a detector finds in every large corpus.
-- Scheme monolingual is the multilingual one of documents in one language alone.
-- A language that runs out leaves its part to the others, in their proportions.

{%- set unshared = "'" ~ var('unshared_languages') | join("', '") ~ "'" %}

with

documents as (

    select * from {{ ref('int_documents__deduplicated') }}
    where is_eligible

),

document_kinds as (

    select * from {{ ref('int_document_kinds__classified') }}
    where is_eligible and document_kind = 'monolingual'

),

pools as (

    select
        corpus,
        'multilingual' as share_scheme,
        lang,
        cast(sum(n_tokens) as bigint) as n_pool_tokens
    from documents
    group by corpus, lang

    union all

    select
        corpus,
        'monolingual' as share_scheme,
        lang,
        cast(sum(n_tokens) as bigint) as n_pool_tokens
    from document_kinds
    group by corpus, lang

),

grouped as (

    select
        *,
        case
            when
                lang in ({{ unshared }})
                or lang like '%-%'
                or n_pool_tokens
                < {{ var('multilingual_min_share') }} * sum(n_pool_tokens) over (partition by corpus, share_scheme)
                then 'unshared'
            else 'languages'
        end as share_group
    from pools

),

weighed as (

    select
        corpus,
        'natural' as share_scheme,
        lang,
        n_pool_tokens,
        n_pool_tokens as weight,
        'all' as share_group
    from grouped
    where share_scheme = 'multilingual'

    union all

    select
        corpus,
        share_scheme,
        lang,
        n_pool_tokens,
        -- whole millionths: sums of them don't depend on the order of rows
        case
            when share_group = 'unshared' then n_pool_tokens
            else cast(round(1000000 * power(n_pool_tokens, {{ var('language_temperature') }})) as bigint)
        end as weight,
        share_group
    from grouped

),

shares as (

    select
        corpus,
        share_scheme,
        lang,
        n_pool_tokens,
        -- a group is due what it holds of all tokens; its members share that by weight
        {{ rounded(
            'cast(weight as double) / sum(weight) over (partition by corpus, share_scheme, share_group) * ('
            'cast(sum(n_pool_tokens) over (partition by corpus, share_scheme, share_group) as double)'
            ' / sum(n_pool_tokens) over (partition by corpus, share_scheme))',
            12
        ) }} as target_share
    from weighed

),

-- with the budget as water level, a language is full at level n_pool_tokens / target_share
levels as (

    select
        *,
        n_pool_tokens / target_share as full_level
    from shares

),

final as (

    select
        corpus,
        share_scheme,
        lang,
        n_pool_tokens,
        target_share,
        full_level,
        coalesce(max(full_level) over lower_levels, 0) as segment_start_level,
        cast(coalesce(sum(n_pool_tokens) over lower_levels, 0) as bigint) as n_full_tokens,
        cast(sum(cast(round(target_share * 1e12) as bigint)) over upper_levels as double) / 1e12 as open_share
    from levels
    window
        lower_levels as (
            partition by corpus, share_scheme
            order by full_level, lang
            rows between unbounded preceding and 1 preceding
        ),
        upper_levels as (
            partition by corpus, share_scheme
            order by full_level, lang
            rows between current row and unbounded following
        )

)

select * from final
