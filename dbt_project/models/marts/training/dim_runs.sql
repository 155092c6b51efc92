-- One row per run of any kind that had ended when the marts were built.
with

runs as (

    select * from {{ ref('stg_runs') }}

),

final as (

    select
        run_id,
        kind,
        corpus,
        experiment,
        strategy,
        seed,
        model_id,
        export_id,
        git_commit,
        config_hash,
        config,
        inputs,
        tokenizer_hash,
        model_series,
        model_step,
        n_tokens_seen,
        versions,
        started_at,
        finished_at,
        {{ seconds_between('started_at', 'finished_at') }} as duration_s
    from runs

)

select * from final
