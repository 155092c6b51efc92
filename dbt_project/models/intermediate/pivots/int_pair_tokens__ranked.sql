-- One row per corpus, set of the pairs family and token: how many pairs of the word list it serves as a candidate.

with

candidates as (

    select * from {{ ref('int_pivot_candidates__detailed') }}
    where
        is_kept
        and source_lang < target_lang -- every pair once
        and {{ may_find_pivots('word_split') }}

),

members as (

    select
        'pairs' as pivot_set,
        corpus,
        token_id,
        pivot_score
    from candidates
    where
        score_method = '{{ var('pivot_set_score_method') }}'
        and pivot_rank <= {{ var('pairs_top_k') }}

    union all

    select
        'pairs_top3' as pivot_set,
        corpus,
        token_id,
        pivot_score
    from candidates
    where
        score_method = '{{ var('pivot_set_score_method') }}'
        and pivot_rank <= 3

    union all

    select
        'pairs_threshold' as pivot_set,
        corpus,
        token_id,
        pivot_score
    from candidates
    where
        score_method = '{{ var('pivot_set_score_method') }}'
        and pivot_rank <= 3
        and pivot_score >= {{ var('pairs_min_score') }}

    union all

    select
        'pairs_paper' as pivot_set,
        corpus,
        token_id,
        pivot_score
    from candidates
    where
        score_method = 'paper'
        and pivot_rank <= {{ var('pairs_paper_top_k') }}

),

counted as (

    select
        corpus,
        pivot_set,
        token_id,
        count(*) as n_pairs,
        {{ exact_sum('pivot_score') }} as score_sum
    from members
    group by corpus, pivot_set, token_id

),

final as (

    select
        *,
        cast(row_number() over (
            partition by corpus, pivot_set
            order by n_pairs desc, score_sum desc, token_id asc
        ) as bigint) as token_rank
    from counted

)

select * from final
