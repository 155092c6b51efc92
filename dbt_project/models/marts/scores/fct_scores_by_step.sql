-- One row per checkpoint of a series, score run, direction (and all/all) and word split: scores by training step.
with

scores as (

    select * from {{ ref('int_scores__averaged') }}

),

runs as (

    select * from {{ ref('stg_runs') }}
    where model_step is not null

),

final as (

    select
        runs.model_series,
        runs.model_step,
        runs.n_tokens_seen,
        scores.run_id,
        scores.corpus,
        scores.model_id,
        scores.source_lang,
        scores.target_lang,
        scores.word_split,
        scores.n_items,
        scores.score,
        scores.ci_low,
        scores.ci_high,
        scores.first_rank_rate,
        scores.chance_rate,
        scores.is_summary
    from scores
    inner join runs on scores.run_id = runs.run_id

)

select * from final
