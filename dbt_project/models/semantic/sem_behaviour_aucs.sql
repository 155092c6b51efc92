-- One row per trace run, direction and definition: the area, and when the run ended.
with

aucs as (

    select * from {{ ref('fct_behaviour_auc') }}
    where source_lang <> 'all'

),

runs as (

    select * from {{ ref('stg_runs') }}

),

final as (

    select
        aucs.run_id,
        aucs.source_lang,
        aucs.target_lang,
        aucs.definition,
        aucs.corpus,
        aucs.experiment,
        aucs.strategy,
        aucs.seed,
        aucs.model_id,
        aucs.auc,
        runs.finished_at as traced_at
    from aucs
    inner join runs on aucs.run_id = runs.run_id

)

select * from final
