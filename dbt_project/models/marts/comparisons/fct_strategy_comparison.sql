-- One row per experiment, strategy, baseline, direction (and all/all, the mean over directions) and word split.
with

deltas as (

    select * from {{ ref('int_deltas__averaged') }}

),

final as (

    select
        experiment,
        strategy,
        baseline,
        source_lang,
        target_lang,
        word_split,
        score_delta,
        ci_low,
        ci_high,
        p_value,
        n_seeds,
        n_seeds_above,
        seed_ci_low,
        seed_ci_high,
        n_items,
        score,
        baseline_score
    from deltas

)

select * from final
