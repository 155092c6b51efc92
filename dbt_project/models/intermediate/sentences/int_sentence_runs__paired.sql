-- One row per sentence run of a trained model: the latest run of the model that its training started from, on the same
-- sentences with the same options.
with

sentence_runs as (

    select
        run_id,
        model_id,
        corpus,
        config_hash,
        finished_at,
        {{ json_text('inputs', 'sentence_set') }} as sentence_set_id
    from {{ ref('stg_runs') }}
    where kind = 'sentences'

),

trainings as (

    select distinct
        model_id,
        {{ json_text('inputs', 'model') }} as start_model_id
    from {{ ref('stg_runs') }}
    where kind = 'train'

),

paired as (

    select
        sentence_runs.run_id,
        starts.run_id as baseline_run_id,
        row_number() over (
            partition by sentence_runs.run_id
            order by starts.finished_at desc, starts.run_id desc
        ) as recency
    from sentence_runs
    inner join trainings on sentence_runs.model_id = trainings.model_id
    inner join sentence_runs as starts
        on
            trainings.start_model_id = starts.model_id
            and sentence_runs.sentence_set_id = starts.sentence_set_id
            and sentence_runs.config_hash = starts.config_hash
            and sentence_runs.corpus = starts.corpus

),

final as (

    select
        run_id,
        baseline_run_id
    from paired
    where recency = 1

)

select * from final
