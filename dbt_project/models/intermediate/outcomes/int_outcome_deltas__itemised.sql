-- One row per pair of arms (experiment, strategy, baseline, round), outcome, item, direction and seed.
with

pairs as (

    select * from {{ ref('int_replications__paired') }}

),

item_outcomes as (

    select * from {{ ref('int_item_outcomes__listed') }}

),

final as (

    select
        pairs.experiment,
        pairs.strategy,
        pairs.baseline,
        pairs.null_round,
        pairs.corpus,
        pairs.seed,
        scored.outcome,
        scored.item_id,
        scored.source_lang,
        scored.target_lang,
        scored.word_split,
        scored.value,
        base_scored.value as baseline_value,
        scored.value - base_scored.value as delta
    from pairs
    inner join item_outcomes as scored on pairs.run_id = scored.run_id
    inner join item_outcomes as base_scored
        on
            pairs.baseline_run_id = base_scored.run_id
            and scored.item_id = base_scored.item_id
            and scored.source_lang = base_scored.source_lang
            and scored.target_lang = base_scored.target_lang
            and scored.outcome = base_scored.outcome

)

select * from final
