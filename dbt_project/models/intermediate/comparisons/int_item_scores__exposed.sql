-- One row per training run, score run of a model that it made, item and level of exposure: the summed score of the
-- item's directions whose two words the model had read together so often. Level 0 is never, level n at least 2^(n-1)
-- and below 2^n times.
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

exposed as (

    select
        checkpoints.run_id,
        checkpoints.score_run_id,
        item_scores.item_id,
        {{ to_units('item_scores.score') }} as score_units,
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

),

final as (

    select
        run_id,
        score_run_id,
        item_id,
        exposure_level,
        count(*) as n_words,
        {{ whole_sum('score_units') }} as score_units
    from exposed
    group by run_id, score_run_id, item_id, exposure_level

)

select * from final
