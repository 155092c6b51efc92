-- One row per corpus, pivot set and token of the set.

with

adjacency as (

    select * from {{ ref('int_adjacency_tokens__ranked') }}

),

bridge as (

    select * from {{ ref('int_bridge_tokens__ranked') }}

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

-- a set that marks a large part of the vocabulary selects nothing
size_limits as (

    select
        corpus,
        cast(floor({{ var('pivot_set_max_share') }} * count(*)) as bigint) as max_tokens
    from tokens
    where n_docs > 0
    group by corpus

),

members as (

    {% for pivot_set in ['adjacency', 'adjacency_small'] %}
        select
            corpus,
            '{{ pivot_set }}' as pivot_set,
            token_id,
            token_rank,
            {{ var(pivot_set ~ '_size') }} as max_size,
            degree,
            weighted_degree,
            cast(null as bigint) as bridge_degree,
            cast(null as bigint) as n_pairs
        from adjacency

        union all
    {% endfor %}

    {% for pivot_set in ['bridge', 'bridge_small'] %}
        select
            corpus,
            '{{ pivot_set }}' as pivot_set,
            token_id,
            token_rank,
            {{ var(pivot_set ~ '_size') }} as max_size,
            degree,
            weighted_degree,
            bridge_degree,
            cast(null as bigint) as n_pairs
        from bridge

        union all
    {% endfor %}

    select
        corpus,
        pivot_set,
        token_id,
        token_rank,
        {{ var('pairs_size') }} as max_size,
        cast(null as bigint) as degree,
        cast(null as double) as weighted_degree,
        cast(null as bigint) as bridge_degree,
        n_pairs
    from pairs

),

limited as (

    select members.*
    from members
    inner join size_limits on members.corpus = size_limits.corpus
    where members.token_rank <= least(members.max_size, size_limits.max_tokens)

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
        combined.pivot_set = '{{ var('default_pivot_set') }}' as is_default,
        combined.degree,
        combined.weighted_degree,
        combined.bridge_degree,
        combined.n_pairs,
        tokens.lang,
        tokens.n_docs,
        tokens.doc_rate
    from combined
    inner join tokens
        on
            combined.corpus = tokens.corpus
            and combined.token_id = tokens.token_id

)

select * from final
