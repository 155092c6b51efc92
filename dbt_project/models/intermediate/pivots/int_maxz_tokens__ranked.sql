-- One row per corpus and token of no language that reaches far enough into languages: the z of the strongest edge into
-- the third-best one (method section 4). A token of many weak neighbours counts no more than one of a few strong ones.

with

language_degrees as (

    select * from {{ ref('int_token_bridges__summed') }}

),

token_languages as (

    select * from {{ ref('int_token_languages__assigned') }}

),

strongest as (

    select language_degrees.*
    from language_degrees
    left join token_languages
        on
            language_degrees.corpus = token_languages.corpus
            and language_degrees.token_id = token_languages.token_id
    where language_degrees.lang is not null and token_languages.lang is null

),

ordered as (

    select
        *,
        row_number() over (
            partition by corpus, token_id
            order by max_z desc, lang asc
        ) as language_rank
    from strongest

),

-- a corpus of two languages has no third-best one: there the second-best decides; one language alone has no bridges
deciding_ranks as (

    select
        corpus,
        greatest(2, least({{ var('bridge_language_rank') }}, count(distinct lang))) as deciding_rank
    from ordered
    group by corpus

),

summed as (

    select
        ordered.corpus,
        ordered.token_id,
        cast(sum(ordered.degree) as bigint) as degree,
        {{ exact_sum('ordered.weighted_degree') }} as weighted_degree,
        max(case when ordered.language_rank = deciding_ranks.deciding_rank then ordered.max_z end) as bridge_z
    from ordered
    inner join deciding_ranks on ordered.corpus = deciding_ranks.corpus
    group by ordered.corpus, ordered.token_id

),

final as (

    select
        *,
        cast(row_number() over (
            partition by corpus
            order by bridge_z desc, token_id asc
        ) as bigint) as token_rank
    from summed
    where bridge_z is not null

)

select * from final
