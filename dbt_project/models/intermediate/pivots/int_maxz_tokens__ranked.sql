-- One row per corpus and token of no language that reaches far enough into languages: the z of the strongest edge into
-- the third-best one (method section 4). A token of many weak neighbours counts no more than one of a few strong ones.

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

strongest as (

    select
        ends.corpus,
        ends.token_id,
        neighbour_languages.lang,
        count(*) as degree,
        {{ exact_sum('ends.edge_weight') }} as weighted_degree,
        max(ends.edge_weight) as max_z
    from ends
    inner join token_languages as neighbour_languages
        on
            ends.corpus = neighbour_languages.corpus
            and ends.neighbour_id = neighbour_languages.token_id
    left join token_languages as own_languages
        on
            ends.corpus = own_languages.corpus
            and ends.token_id = own_languages.token_id
    where neighbour_languages.lang is not null and own_languages.lang is null
    group by ends.corpus, ends.token_id, neighbour_languages.lang

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
