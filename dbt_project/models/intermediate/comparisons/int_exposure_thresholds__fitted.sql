-- One row per training run, bootstrap resample (0: every item once) and level of exposure that divides words of one
-- checkpoint: how much better words score from that level on than words below it, within checkpoints, and how much of
-- the scores' squared spread that explains. The same words' difference in the model that the training began with stands
-- beside it, where that model was scored on all of them.
with

item_scores as (

    select * from {{ ref('int_item_scores__exposed') }}

),

weights as (

    select
        item_id,
        resample,
        weight
    from {{ ref('int_item_weights__drawn') }}

    union all

    select distinct
        item_id,
        0 as resample,
        1 as weight
    from item_scores

),

levels as (

    select distinct
        run_id,
        exposure_level
    from item_scores
    where exposure_level > 0

),

celled as (

    select
        item_scores.run_id,
        item_scores.score_run_id,
        item_scores.exposure_level,
        weights.resample,
        cast(sum(weights.weight * item_scores.n_words) as double) as n_words,
        cast({{ whole_sum('weights.weight * item_scores.score_units') }} as double) / 1e15 as score,
        cast(sum(weights.weight * item_scores.n_start_words) as double) as n_start_words,
        cast({{ whole_sum('weights.weight * item_scores.start_score_units') }} as double) / 1e15 as start_score
    from item_scores
    inner join weights on item_scores.item_id = weights.item_id
    group by item_scores.run_id, item_scores.score_run_id, item_scores.exposure_level, weights.resample

),

totals as (

    select
        run_id,
        score_run_id,
        resample,
        sum(n_words) as n_words,
        {{ exact_sum('score') }} as score,
        sum(n_start_words) as n_start_words,
        {{ exact_sum('start_score') }} as start_score
    from celled
    group by run_id, score_run_id, resample

),

above as (

    select
        celled.run_id,
        celled.score_run_id,
        celled.resample,
        levels.exposure_level,
        sum(celled.n_words) as n_words,
        {{ exact_sum('celled.score') }} as score,
        {{ exact_sum('celled.start_score') }} as start_score
    from celled
    inner join levels
        on
            celled.run_id = levels.run_id
            and celled.exposure_level >= levels.exposure_level
    group by celled.run_id, celled.score_run_id, celled.resample, levels.exposure_level

),

-- each checkpoint against its own mean: later checkpoints are better and have read more, which is no effect of reading
-- two words together
checkpoints as (

    select
        above.run_id,
        above.resample,
        above.exposure_level,
        above.score - above.n_words * totals.score / totals.n_words as excess,
        case
            when totals.n_start_words = totals.n_words
                then above.start_score - above.n_words * totals.start_score / totals.n_words
        end as start_excess,
        above.n_words * (totals.n_words - above.n_words) / totals.n_words as spread
    from above
    inner join totals
        on
            above.run_id = totals.run_id
            and above.score_run_id = totals.score_run_id
            and above.resample = totals.resample

),

pooled as (

    select
        run_id,
        resample,
        exposure_level,
        {{ exact_sum('excess') }} as excess,
        case when count(start_excess) = count(*) then {{ exact_sum('start_excess') }} end as start_excess,
        {{ exact_sum('spread') }} as spread
    from checkpoints
    group by run_id, resample, exposure_level

),

final as (

    select
        run_id,
        resample,
        exposure_level,
        excess / spread as score_change,
        start_excess / spread as start_score_change,
        excess * excess / spread as explained_spread
    from pooled
    where spread > 0

)

select * from final
