-- One row per trace run, direction (and all/all) and definition: does co-occurrence predict the behaviour.
with

problems as (

    select * from {{ ref('int_behaviour_aucs__measured') }}
    where definition <> 'threshold_sweep'

),

runs as (

    select * from {{ ref('stg_runs') }}

),

final as (

    select
        problems.run_id,
        problems.source_lang,
        problems.target_lang,
        problems.definition,
        runs.corpus,
        runs.experiment,
        runs.strategy,
        runs.seed,
        runs.model_id,
        case when problems.definition like 'peak%' then 'peak' else 'threshold' end as behaviour_definition,
        case
            when problems.definition like '%_target_frequency' then 'target_frequency'
            when problems.definition like '%_source_frequency' then 'source_frequency'
            else 'pair_count'
        end as predictor,
        problems.auc,
        -- least and greatest pass over NULL, which must stay NULL
        case
            when problems.standard_error is not null
                then greatest(problems.auc - 1.959963984540 * problems.standard_error, 0)
        end as ci_low,
        case
            when problems.standard_error is not null
                then least(problems.auc + 1.959963984540 * problems.standard_error, 1)
        end as ci_high,
        cast(problems.n_cooccurrence as bigint) as n_cooccurrence,
        cast(problems.n_pivot as bigint) as n_pivot,
        {{ is_summary(['problems.source_lang']) }} as is_summary
    from problems
    inner join runs on problems.run_id = runs.run_id

)

select * from final
