-- One row per corpus and token whose neighbours reach far enough into languages: the degree into the third-best one.

with

edges as (

    select * from {{ ref('int_bridge_edges__weighed') }}

),

token_languages as (

    select * from {{ ref('int_token_languages__assigned') }}

),

ends as (

    select
        corpus,
        token_id_a as token_id,
        token_id_b as neighbour_id,
        edge_weight
    from edges

    union all

    select
        corpus,
        token_id_b as token_id,
        token_id_a as neighbour_id,
        edge_weight
    from edges

),

-- neighbours of no language count for the plain degree only
language_degrees as (

    select
        ends.corpus,
        ends.token_id,
        token_languages.lang,
        count(*) as degree,
        {{ exact_sum('ends.edge_weight') }} as weighted_degree
    from ends
    left join token_languages
        on
            ends.corpus = token_languages.corpus
            and ends.neighbour_id = token_languages.token_id
    group by ends.corpus, ends.token_id, token_languages.lang

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
