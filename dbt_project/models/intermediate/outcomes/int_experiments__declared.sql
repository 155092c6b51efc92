-- One row per experiment: what it is judged by, as its preset declared it before the first training, or by default.
with

runs as (

    select * from {{ ref('stg_runs') }}

),

final as (

    select distinct
        experiment,
        -- an experiment is called <preset>-<hash of the request>
        regexp_replace(experiment, '-[^-]*$', '') as preset,
        '{{ var("primary_outcome") }}' as primary_outcome,
        '{{ var("primary_word_split") }}' as primary_word_split,
        cast(null as double) as smallest_effect
    from runs
    where experiment is not null

)

select * from final
