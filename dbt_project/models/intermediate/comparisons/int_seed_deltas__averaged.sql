-- One row per experiment, strategy, baseline, seed, direction (and all/all) and word split: one paired replication.
with

pairs as (

    select * from {{ ref('int_arms__paired') }}
    where kind = 'score'

),

item_scores as (

    select * from {{ ref('int_items__scored') }}
    where score is not null

),

deltas as (

    select
        pairs.experiment,
        pairs.strategy,
        pairs.baseline,
        pairs.seed,
        scored.source_lang,
        scored.target_lang,
        scored.word_split,
        scored.score - base_scored.score as score_delta
    from pairs
    inner join item_scores as scored on pairs.run_id = scored.run_id
    inner join item_scores as base_scored
        on
            pairs.baseline_run_id = base_scored.run_id
            and scored.item_id = base_scored.item_id
            and scored.source_lang = base_scored.source_lang
            and scored.target_lang = base_scored.target_lang

),

of_pairs as (

    select
        experiment,
        strategy,
        baseline,
        seed,
        source_lang,
        target_lang,
        word_split,
        {{ exact_avg('score_delta') }} as score_delta
    from deltas
    where word_split is not null
    group by experiment, strategy, baseline, seed, source_lang, target_lang, word_split

    union all

    select
        experiment,
        strategy,
        baseline,
        seed,
        source_lang,
        target_lang,
        'all' as word_split,
        {{ exact_avg('score_delta') }} as score_delta
    from deltas
    group by experiment, strategy, baseline, seed, source_lang, target_lang

),

final as (

    select
        experiment,
        strategy,
        baseline,
        seed,
        source_lang,
        target_lang,
        word_split,
        score_delta
    from of_pairs

    union all

    select
        experiment,
        strategy,
        baseline,
        seed,
        'all' as source_lang,
        'all' as target_lang,
        word_split,
        {{ exact_avg('score_delta') }} as score_delta
    from of_pairs
    group by experiment, strategy, baseline, seed, word_split

)

select * from final
