-- One row per experiment: what it is judged by, as its preset declared it before the first training, or by default.
with

runs as (

    select * from {{ ref('stg_runs') }}

),

declared as (

    select * from {{ ref('stg_experiments') }}

),

experiments as (

    select distinct experiment from runs
    where experiment is not null

),

final as (

    select
        experiments.experiment,
        -- an experiment is called <preset>-<hash of the request>
        coalesce(declared.preset, regexp_replace(experiments.experiment, '-[^-]*$', '')) as preset,
        coalesce(declared.primary_outcome, '{{ var("primary_outcome") }}') as primary_outcome,
        coalesce(declared.primary_word_split, '{{ var("primary_word_split") }}') as primary_word_split,
        declared.smallest_effect
    from experiments
    left join declared on experiments.experiment = declared.experiment

)

select * from final
