-- One row per corpus with planted pivots, pivot set, kind of concept and role: how many of the pivots planted for such
-- concepts the set holds. A set that finds the pivots of one kind only shows here, not in a total.

with

planted_pivots as (

    select distinct
        corpus,
        item_id,
        token_id
    from {{ ref('stg_planted_pivots') }}
    where token_id is not null

),

concepts as (

    select * from {{ ref('stg_planted_concepts') }}

),

pivot_sets as (

    select * from {{ ref('int_pivot_sets__listed') }}

),

pivot_tokens as (

    select * from {{ ref('int_pivot_tokens__selected') }}

),

-- a token that is planted for concepts of several kinds counts for each of them, and once in all
classed as (

    select distinct
        planted_pivots.corpus,
        concepts.kind,
        concepts.role,
        planted_pivots.token_id
    from planted_pivots
    inner join concepts
        on
            planted_pivots.corpus = concepts.corpus
            and planted_pivots.item_id = concepts.item_id

    union all

    select distinct
        corpus,
        'all' as kind,
        'all' as role,
        token_id
    from planted_pivots

),

set_sizes as (

    select
        pivot_tokens.corpus,
        pivot_tokens.pivot_set,
        count(*) as n_tokens,
        count(classed.token_id) as n_planted_tokens
    from pivot_tokens
    left join classed
        on
            pivot_tokens.corpus = classed.corpus
            and pivot_tokens.token_id = classed.token_id
            and classed.kind = 'all'
    group by pivot_tokens.corpus, pivot_tokens.pivot_set

),

-- every set has its rows, an empty one with nothing found
counted as (

    select
        classed.corpus,
        pivot_sets.pivot_set,
        classed.kind,
        classed.role,
        count(*) as n_planted,
        count(pivot_tokens.token_id) as n_found
    from classed
    cross join pivot_sets
    left join pivot_tokens
        on
            classed.corpus = pivot_tokens.corpus
            and pivot_sets.pivot_set = pivot_tokens.pivot_set
            and classed.token_id = pivot_tokens.token_id
    group by classed.corpus, pivot_sets.pivot_set, classed.kind, classed.role

),

final as (

    select
        counted.corpus,
        counted.pivot_set,
        counted.kind,
        counted.role,
        counted.n_planted,
        counted.n_found,
        {{ unit_rate('counted.n_found', 'counted.n_planted') }} as recall,
        coalesce(set_sizes.n_tokens, 0) as n_tokens,
        {{ unit_rate('set_sizes.n_planted_tokens', 'set_sizes.n_tokens') }} as set_precision,
        {{ is_summary(['counted.kind']) }} as is_summary
    from counted
    left join set_sizes
        on
            counted.corpus = set_sizes.corpus
            and counted.pivot_set = set_sizes.pivot_set

)

select * from final
