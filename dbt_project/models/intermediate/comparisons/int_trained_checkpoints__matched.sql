-- One row per training of this home whose reads are known and score run of a model that it made: the step up to which
-- the model had read, and the model that the training began with. Models that it kept on its way are a series named by
-- its folder; the last one is named by its id.
with

runs as (

    select * from {{ ref('stg_runs') }}

),

last_steps as (

    select
        run_id,
        max(step) as last_step
    from {{ ref('stg_training_reads') }}
    group by run_id

),

trainings as (

    select
        runs.run_id,
        runs.model_id,
        {{ json_text('runs.inputs', 'model') }} as start_model_id,
        last_steps.last_step,
        concat('/', runs.run_id, '/models') as kept_models
    from runs
    inner join last_steps on runs.run_id = last_steps.run_id
    where runs.kind = 'train'

),

score_runs as (

    select * from runs
    where kind = 'score'

),

final as (

    select
        trainings.run_id,
        score_runs.run_id as score_run_id,
        coalesce(score_runs.model_step, trainings.last_step) as model_step,
        trainings.start_model_id
    from trainings
    inner join score_runs
        on
            right(score_runs.model_series, length(trainings.kept_models)) = trainings.kept_models
            or (score_runs.model_series is null and trainings.model_id = score_runs.model_id)

)

select * from final
