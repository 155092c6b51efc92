-- One row per kind of run, experiment, corpus, strategy and seed: the arm's latest run of that kind.
-- The untrained model has a row per corpus of an experiment: its traces ask for that corpus's pivots.
with

runs as (

    select * from {{ ref('stg_runs') }}
    where
        kind in ('score', 'trace', 'held_out')
        and experiment is not null
        and strategy is not null

),

ordered as (

    select
        *,
        row_number() over (
            partition by kind, experiment, corpus, strategy, seed
            order by finished_at desc, run_id desc
        ) as recency
    from runs

),

final as (

    select
        kind,
        experiment,
        strategy,
        seed,
        run_id,
        model_id,
        corpus
    from ordered
    where recency = 1

)

select * from final
