-- One row per preset and kind of run: how long the runs of its experiments took.
with

runs as (

    select * from {{ ref('stg_runs') }}
    where kind in ('train', 'score', 'trace', 'held_out')

),

experiments as (

    select * from {{ ref('int_experiments__declared') }}

),

final as (

    select
        experiments.preset,
        runs.kind,
        count(*) as n_runs,
        {{ exact_avg(seconds_between('runs.started_at', 'runs.finished_at')) }} as mean_run_s
    from runs
    inner join experiments on runs.experiment = experiments.experiment
    where runs.started_at is not null and runs.finished_at is not null
    group by experiments.preset, runs.kind

)

select * from final
