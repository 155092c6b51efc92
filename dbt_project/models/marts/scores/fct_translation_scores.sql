-- One row per score run, direction (and all/all, the mean over directions) and word split.
with

scores as (

    select * from {{ ref('int_scores__averaged') }}

),

final as (

    select
        run_id,
        source_lang,
        target_lang,
        word_split,
        corpus,
        experiment,
        strategy,
        seed,
        model_id,
        n_items,
        n_pairs,
        score,
        ci_low,
        ci_high,
        score_without_space,
        first_rank_rate,
        chance_rate,
        is_summary
    from scores

)

select * from final
