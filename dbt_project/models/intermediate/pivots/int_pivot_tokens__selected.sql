-- One row per corpus, pivot set and token of the set.

with

pivot_sets as (

    select * from {{ ref('int_pivot_sets__listed') }}

),

adjacency as (

    select * from {{ ref('int_adjacency_tokens__ranked') }}

),

bridge as (

    select * from {{ ref('int_bridge_tokens__ranked') }}

),

maxz as (

    select * from {{ ref('int_maxz_tokens__ranked') }}

),

pairs as (

    select * from {{ ref('int_pair_tokens__ranked') }}

),

planted_pivots as (

    select
        corpus,
        token_id,
        count(distinct item_id) as n_items
    from {{ ref('stg_planted_pivots') }}
    where token_id is not null
    group by corpus, token_id

),

tokens as (

    select * from {{ ref('int_tokens__described') }}

),

vocabularies as (

    select
        corpus,
        count(*) as n_tokens
    from tokens
    where n_docs > 0
    group by corpus

),

members as (

    select
        adjacency.corpus,
        pivot_sets.pivot_set,
        adjacency.token_id,
        adjacency.token_rank,
        pivot_sets.max_size,
        pivot_sets.max_share,
        adjacency.degree,
        adjacency.weighted_degree,
        cast(null as bigint) as bridge_degree,
        cast(null as double) as bridge_z,
        cast(null as bigint) as n_pairs
    from adjacency
    inner join pivot_sets on pivot_sets.pivot_family = 'adjacency'

    union all

    select
        bridge.corpus,
        pivot_sets.pivot_set,
        bridge.token_id,
        bridge.token_rank,
        pivot_sets.max_size,
        pivot_sets.max_share,
        bridge.degree,
        bridge.weighted_degree,
        bridge.bridge_degree,
        cast(null as double) as bridge_z,
        cast(null as bigint) as n_pairs
    from bridge
    inner join pivot_sets on pivot_sets.pivot_family = 'bridge'

    union all

    select
        maxz.corpus,
        pivot_sets.pivot_set,
        maxz.token_id,
        maxz.token_rank,
        pivot_sets.max_size,
        pivot_sets.max_share,
        maxz.degree,
        maxz.weighted_degree,
        cast(null as bigint) as bridge_degree,
        maxz.bridge_z,
        cast(null as bigint) as n_pairs
    from maxz
    inner join pivot_sets on pivot_sets.pivot_family = 'maxz'

    union all

    select
        pairs.corpus,
        pivot_sets.pivot_set,
        pairs.token_id,
        pairs.token_rank,
        pivot_sets.max_size,
        pivot_sets.max_share,
        cast(null as bigint) as degree,
        cast(null as double) as weighted_degree,
        cast(null as bigint) as bridge_degree,
        cast(null as double) as bridge_z,
        pairs.n_pairs
    from pairs
    inner join pivot_sets on pairs.pivot_set = pivot_sets.pivot_set

),

limited as (

    select members.*
    from members
    inner join vocabularies on members.corpus = vocabularies.corpus
    where
        members.token_rank <= members.max_size
        and members.token_rank <= floor(members.max_share * vocabularies.n_tokens)

),

-- the truth is no estimate: all of it belongs to its set
truth as (

    select
        corpus,
        'planted_truth' as pivot_set,
        token_id,
        cast(row_number() over (
            partition by corpus
            order by n_items desc, token_id asc
        ) as bigint) as token_rank,
        cast(null as bigint) as degree,
        cast(null as double) as weighted_degree,
        cast(null as bigint) as bridge_degree,
        cast(null as double) as bridge_z,
        cast(null as bigint) as n_pairs
    from planted_pivots

),

combined as (

    select
        corpus,
        pivot_set,
        token_id,
        token_rank,
        degree,
        weighted_degree,
        bridge_degree,
        bridge_z,
        n_pairs
    from limited

    union all

    select
        corpus,
        pivot_set,
        token_id,
        token_rank,
        degree,
        weighted_degree,
        bridge_degree,
        bridge_z,
        n_pairs
    from truth

),

final as (

    select
        combined.corpus,
        combined.pivot_set,
        combined.token_id,
        tokens.token,
        combined.token_rank as rank,
        pivot_sets.is_default,
        combined.degree,
        combined.weighted_degree,
        combined.bridge_degree,
        combined.bridge_z,
        combined.n_pairs,
        tokens.lang,
        tokens.n_docs,
        tokens.doc_rate
    from combined
    inner join pivot_sets on combined.pivot_set = pivot_sets.pivot_set
    inner join tokens
        on
            combined.corpus = tokens.corpus
            and combined.token_id = tokens.token_id

)

select * from final
