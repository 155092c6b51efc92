-- One row per experiment, strategy, baseline, item and direction: the paired difference, and when its last run ended.
with

deltas as (

    select * from {{ ref('int_deltas__itemised') }}

),

pairs as (

    select * from {{ ref('int_arms__paired') }}
    where kind = 'score'

),

runs as (

    select * from {{ ref('stg_runs') }}

),

compared as (

    select
        pairs.experiment,
        pairs.strategy,
        pairs.baseline,
        max(runs.finished_at) as compared_at
    from pairs
    inner join runs on pairs.run_id = runs.run_id or pairs.baseline_run_id = runs.run_id
    group by pairs.experiment, pairs.strategy, pairs.baseline

),

final as (

    select
        deltas.experiment,
        deltas.strategy,
        deltas.baseline,
        deltas.item_id,
        deltas.source_lang,
        deltas.target_lang,
        deltas.word_split,
        deltas.score_delta,
        compared.compared_at
    from deltas
    inner join compared
        on
            deltas.experiment = compared.experiment
            and deltas.strategy = compared.strategy
            and deltas.baseline = compared.baseline

)

select * from final
