-- One row per score run, item and direction: the score, and when the run ended.
with

item_scores as (

    select * from {{ ref('fct_item_scores') }}

),

runs as (

    select * from {{ ref('stg_runs') }}

),

final as (

    select
        item_scores.run_id,
        item_scores.item_id,
        item_scores.source_lang,
        item_scores.target_lang,
        item_scores.word_split,
        item_scores.corpus,
        item_scores.experiment,
        item_scores.strategy,
        item_scores.seed,
        item_scores.model_id,
        item_scores.score,
        runs.finished_at as scored_at
    from item_scores
    inner join runs on item_scores.run_id = runs.run_id

)

select * from final
