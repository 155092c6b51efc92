-- One row per experiment, strategy, baseline, item and direction: score and difference, meant over the paired seeds.
with

pairs as (

    select * from {{ ref('int_arms__paired') }}
    where kind = 'score'

),

item_scores as (

    select * from {{ ref('int_items__scored') }}
    where score is not null

),

final as (

    select
        pairs.experiment,
        pairs.strategy,
        pairs.baseline,
        scored.item_id,
        scored.source_lang,
        scored.target_lang,
        scored.word_split,
        max(pairs.corpus) as corpus,
        count(*) as n_seeds,
        {{ exact_avg('scored.score') }} as score,
        {{ exact_avg('base_scored.score') }} as baseline_score,
        {{ exact_avg('scored.score - base_scored.score') }} as score_delta
    from pairs
    inner join item_scores as scored on pairs.run_id = scored.run_id
    inner join item_scores as base_scored
        on
            pairs.baseline_run_id = base_scored.run_id
            and scored.item_id = base_scored.item_id
            and scored.source_lang = base_scored.source_lang
            and scored.target_lang = base_scored.target_lang
    group by
        pairs.experiment,
        pairs.strategy,
        pairs.baseline,
        scored.item_id,
        scored.source_lang,
        scored.target_lang,
        scored.word_split

)

select * from final
