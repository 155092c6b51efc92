-- One row per score run, outcome and word split: the mean over directions.
with

averaged as (

    select * from {{ ref('int_outcomes__averaged') }}

),

runs as (

    select * from {{ ref('stg_runs') }}

),

final as (

    select
        averaged.run_id,
        averaged.outcome,
        averaged.word_split,
        runs.corpus,
        runs.experiment,
        runs.strategy,
        runs.seed,
        runs.model_id,
        averaged.n_items,
        averaged.value,
        {{ is_summary(['averaged.word_split']) }} as is_summary
    from averaged
    inner join runs on averaged.run_id = runs.run_id

)

select * from final
