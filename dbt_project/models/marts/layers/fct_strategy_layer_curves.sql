-- One row per experiment, strategy, direction (and all/all), behaviour and layer: the mean over the strategy's runs.
with

curves as (

    select * from {{ ref('int_layer_curves__averaged') }}

),

runs as (

    select * from {{ ref('stg_runs') }}
    where experiment is not null

),

final as (

    select
        runs.experiment,
        runs.strategy,
        curves.source_lang,
        curves.target_lang,
        curves.behaviour,
        curves.layer,
        {{ exact_avg('curves.p_pivot') }} as p_pivot,
        {{ exact_avg('curves.p_control') }} as p_control,
        {{ exact_avg('curves.p_source') }} as p_source,
        {{ exact_avg('curves.p_target') }} as p_target,
        cast(sum(curves.n_items) as bigint) as n_items,
        count(*) as n_runs,
        min(case when curves.is_read then 1 else 0 end) = 1 as is_read,
        {{ is_summary(['curves.source_lang']) }} as is_summary
    from curves
    inner join runs on curves.run_id = runs.run_id
    group by
        runs.experiment,
        runs.strategy,
        curves.source_lang,
        curves.target_lang,
        curves.behaviour,
        curves.layer

)

select * from final
