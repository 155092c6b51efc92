-- One row per run, layer, effect and class of pairs (and all): does the intervention hurt the answer?
with

averaged as (

    select * from {{ ref('int_interventions__averaged') }}

),

runs as (

    select * from {{ ref('stg_runs') }}

),

final as (

    select
        averaged.run_id,
        averaged.layer,
        averaged.effect,
        averaged.pair_class,
        runs.corpus,
        runs.model_id,
        averaged.n_items,
        cast(averaged.n_words as bigint) as n_words,
        averaged.change,
        averaged.change - {{ t_quantile_975('(averaged.n_items - 1)') }} * averaged.standard_error as ci_low,
        averaged.change + {{ t_quantile_975('(averaged.n_items - 1)') }} * averaged.standard_error as ci_high,
        averaged.changed_share,
        {{ is_summary(['averaged.pair_class']) }} as is_summary
    from averaged
    inner join runs on averaged.run_id = runs.run_id

)

select * from final
