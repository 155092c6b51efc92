-- Rates lie in [0, 1], scores are positive, and the ranks of a pair run 1, 2, 3 ... along falling scores.
with

candidates as (

    select * from {{ ref('fct_pivot_candidates') }}

),

neighbours as (

    select
        corpus,
        score_method,
        item_id,
        source_lang,
        target_lang,
        token_id,
        pivot_score,
        pivot_rank,
        source_rate,
        target_rate,
        background_rate,
        source_deviance_root,
        target_deviance_root,
        lag(pivot_score) over pair_ranks as better_score,
        coalesce(lag(pivot_rank) over pair_ranks, 0) as better_rank
    from candidates
    window
        pair_ranks as (
            partition by corpus, score_method, item_id, source_lang, target_lang
            order by pivot_rank
        )

)

select * from neighbours
where
    pivot_rank <> better_rank + 1
    or pivot_score > better_score
    or pivot_score <= 0
    or not source_rate between 0 and 1
    or not target_rate between 0 and 1
    or not background_rate between 0 and 1
    or source_deviance_root is null
    or target_deviance_root is null
