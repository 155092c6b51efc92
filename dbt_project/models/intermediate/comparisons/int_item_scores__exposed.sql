-- One row per training run, score run of a model that it made, item and level of exposure: the summed score of the
-- item's directions whose two words the model had read together so often. Level 0 is never, level n at least 2^(n-1)
-- and below 2^n times. Beside it the same words' score in the model that the training began with, before it read any
-- of this: words that are read together may be easier for any model.
with

checkpoints as (

    select * from {{ ref('int_trained_checkpoints__matched') }}

),

pair_reads as (

    select * from {{ ref('int_pair_reads__cumulated') }}

),

item_scores as (

    select * from {{ ref('int_items__scored') }}
    where score is not null

),

-- counts only grow, so what had been read by a step is the largest count up to it
exposures as (

    select
        checkpoints.run_id,
        checkpoints.score_run_id,
        pair_reads.item_id,
        pair_reads.lang_a,
        pair_reads.lang_b,
        max(pair_reads.n_together) as n_together
    from checkpoints
    inner join pair_reads
        on
            checkpoints.run_id = pair_reads.run_id
            and checkpoints.model_step >= pair_reads.step
    group by
        checkpoints.run_id,
        checkpoints.score_run_id,
        pair_reads.item_id,
        pair_reads.lang_a,
        pair_reads.lang_b

),

trainings as (

    select distinct
        run_id,
        start_model_id
    from checkpoints

),

start_scores as (

    select
        trainings.run_id,
        item_scores.item_id,
        item_scores.source_lang,
        item_scores.target_lang,
        {{ exact_avg('item_scores.score') }} as score
    from trainings
    inner join item_scores on trainings.start_model_id = item_scores.model_id
    group by trainings.run_id, item_scores.item_id, item_scores.source_lang, item_scores.target_lang

),

exposed as (

    select
        checkpoints.run_id,
        checkpoints.score_run_id,
        item_scores.item_id,
        {{ to_units('item_scores.score') }} as score_units,
        {{ to_units('start_scores.score') }} as start_score_units,
        case
            when exposures.n_together > 0 then 1 + {{ power_of_two('exposures.n_together') }}
            else 0
        end as exposure_level
    from checkpoints
    inner join item_scores on checkpoints.score_run_id = item_scores.run_id
    left join exposures
        on
            checkpoints.run_id = exposures.run_id
            and checkpoints.score_run_id = exposures.score_run_id
            and item_scores.item_id = exposures.item_id
            and least(item_scores.source_lang, item_scores.target_lang) = exposures.lang_a
            and greatest(item_scores.source_lang, item_scores.target_lang) = exposures.lang_b
    left join start_scores
        on
            checkpoints.run_id = start_scores.run_id
            and item_scores.item_id = start_scores.item_id
            and item_scores.source_lang = start_scores.source_lang
            and item_scores.target_lang = start_scores.target_lang

),

final as (

    select
        run_id,
        score_run_id,
        item_id,
        exposure_level,
        count(*) as n_words,
        {{ whole_sum('score_units') }} as score_units,
        count(start_score_units) as n_start_words,
        coalesce({{ whole_sum('start_score_units') }}, 0) as start_score_units
    from exposed
    group by run_id, score_run_id, item_id, exposure_level

)

select * from final
