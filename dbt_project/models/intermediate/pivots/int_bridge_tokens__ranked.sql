-- One row per corpus and token whose neighbours reach far enough into languages: the degree into the third-best one.

with

-- neighbours of no language count for the plain degree only
language_degrees as (

    select * from {{ ref('int_token_bridges__summed') }}

),

ordered as (

    select
        corpus,
        token_id,
        lang,
        degree,
        weighted_degree,
        row_number() over (
            partition by corpus, token_id
            order by case when lang is null then 1 else 0 end, degree desc, weighted_degree desc, lang asc
        ) as language_rank
    from language_degrees

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
        max(case
            when ordered.language_rank = deciding_ranks.deciding_rank and ordered.lang is not null
                then ordered.degree
        end) as bridge_degree,
        max(case
            when ordered.language_rank = deciding_ranks.deciding_rank and ordered.lang is not null
                then ordered.weighted_degree
        end) as bridge_weighted_degree
    from ordered
    inner join deciding_ranks on ordered.corpus = deciding_ranks.corpus
    group by ordered.corpus, ordered.token_id

),

final as (

    select
        *,
        cast(row_number() over (
            partition by corpus
            order by bridge_degree desc, bridge_weighted_degree desc, token_id asc
        ) as bigint) as token_rank
    from summed
    where bridge_degree is not null

)

select * from final
