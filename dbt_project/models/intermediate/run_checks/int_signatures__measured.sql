-- One row per run and failure signature that applies to its kind: the measured value and whether it is a failure.
-- is_flagged is NULL where there is nothing to measure.
with

runs as (

    select * from {{ ref('stg_runs') }}

),

shapes as (

    select * from {{ ref('int_pivot_curves__shaped') }}

),

aucs as (

    select * from {{ ref('int_behaviour_aucs__measured') }}
    where source_lang = 'all' and definition = 'peak'

),

-- words without a layer that counts peak where the lens shows most: that is what the signature is for
peak_tokens as (

    select
        run_id,
        top_token_id,
        count(*) as n_words
    from {{ ref('int_behaviours__classified') }}
    where behaviour <> 'excluded'
    group by run_id, top_token_id

),

peak_answers as (

    select
        run_id,
        count(distinct concat(cast(item_id as string), ' ', target_lang)) as n_answers
    from {{ ref('int_behaviours__classified') }}
    where behaviour <> 'excluded'
    group by run_id

),

peaks as (

    select
        peak_tokens.run_id,
        cast(max(peak_tokens.n_words) as double) / sum(peak_tokens.n_words) as share
    from peak_tokens
    inner join peak_answers on peak_tokens.run_id = peak_answers.run_id
    where peak_answers.n_answers >= {{ var('signature_min_peak_answers') }}
    group by peak_tokens.run_id

),

losses as (

    select * from {{ ref('int_held_out_losses__compared') }}

),

scores as (

    select * from {{ ref('int_scores__averaged') }}
    where source_lang = 'all' and word_split = 'all'

),

by_resource as (

    select
        run_id,
        max(case when class_value = 'high' then score end) as high_score,
        max(case when class_value = 'low' then score end) as low_score
    from {{ ref('int_class_scores__averaged') }}
    where word_class = 'resource' and word_split = 'all'
    group by run_id

),

pairs as (

    select * from {{ ref('int_arms__paired') }}
    where kind = 'score' and baseline = 'base'

),

class_scores as (

    select * from {{ ref('int_class_scores__itemised') }}
    where word_class = 'kind' and class_value = 'unlinked'

),

concepts as (

    select * from {{ ref('stg_planted_concepts') }}

),

top_words as (

    select * from {{ ref('int_top_words__summed') }}

),

finiteness as (

    select * from {{ ref('int_results__checked') }}

),

-- directions of one item may stand or fall together, so an item counts once in the error of the rate
unlinked as (

    select
        class_scores.run_id,
        {{ exact_avg('cast(class_scores.n_first_ranks as double) / class_scores.n_directions') }} as first_rank_rate,
        {{ exact_avg('class_scores.expected_first_ranks / class_scores.n_directions') }} as chance_rate,
        count(*) as n_items
    from class_scores
    inner join runs on class_scores.run_id = runs.run_id
    inner join concepts
        on
            runs.corpus = concepts.corpus
            and class_scores.item_id = concepts.item_id
    where concepts.role <> 'train'
    group by class_scores.run_id

),

gains as (

    select
        pairs.run_id,
        tuned.high_score - untrained.high_score as high_gain,
        tuned.low_score - untrained.low_score as low_gain
    from pairs
    inner join by_resource as tuned on pairs.run_id = tuned.run_id
    inner join by_resource as untrained on pairs.baseline_run_id = untrained.run_id

),

measured as (

    select
        runs.run_id,
        'pivot_curve_flat' as signature,
        shapes.p_peak - shapes.p_lowest as value,
        {{ var('signature_min_curve_range') }} as threshold,
        shapes.p_peak - shapes.p_lowest < {{ var('signature_min_curve_range') }} as is_flagged
    from runs
    left join shapes on runs.run_id = shapes.run_id
    where runs.kind = 'trace'

    union all

    select
        runs.run_id,
        'pivot_curve_monotonic' as signature,
        1 - greatest(shapes.p_first, shapes.p_last) / nullif(shapes.p_peak, 0) as value,
        {{ var('signature_min_prominence') }} as threshold,
        1 - greatest(shapes.p_first, shapes.p_last) / nullif(shapes.p_peak, 0)
        < {{ var('signature_min_prominence') }} as is_flagged
    from runs
    left join shapes
        on
            runs.run_id = shapes.run_id
            and shapes.n_layers > 2
    where runs.kind = 'trace'

    union all

    select
        runs.run_id,
        'pivot_curve_like_control' as signature,
        shapes.p_control_at_peak / nullif(shapes.p_peak, 0) as value,
        {{ var('signature_max_control_share') }} as threshold,
        shapes.p_control_at_peak / nullif(shapes.p_peak, 0) > {{ var('signature_max_control_share') }} as is_flagged
    from runs
    left join shapes on runs.run_id = shapes.run_id
    where runs.kind = 'trace'

    union all

    select
        runs.run_id,
        'peaks_are_one_token' as signature,
        peaks.share as value,
        {{ var('signature_max_peak_share') }} as threshold,
        peaks.share > {{ var('signature_max_peak_share') }} as is_flagged
    from runs
    left join peaks on runs.run_id = peaks.run_id
    where runs.kind = 'trace'

    union all

    select
        runs.run_id,
        'auc_near_half' as signature,
        abs(aucs.auc - 0.5) as value,
        {{ var('signature_min_auc_distance') }} as threshold,
        abs(aucs.auc - 0.5) < {{ var('signature_min_auc_distance') }} as is_flagged
    from runs
    left join aucs on runs.run_id = aucs.run_id
    where runs.kind = 'trace'

    union all

    select
        losses.run_id,
        concat('forgetting_', losses.lang) as signature,
        losses.bits_per_byte_delta as value,
        {{ var('signature_max_forgetting') }} as threshold,
        losses.bits_per_byte_delta > {{ var('signature_max_forgetting') }} as is_flagged
    from losses
    where losses.strategy <> 'base'

    union all

    select
        runs.run_id,
        'gains_only_in_high_resource' as signature,
        case when gains.high_gain > 0 then gains.low_gain / gains.high_gain end as value,
        {{ var('signature_min_low_gain_share') }} as threshold,
        case when gains.high_gain > 0 then gains.low_gain / gains.high_gain end
        < {{ var('signature_min_low_gain_share') }} as is_flagged
    from runs
    left join gains on runs.run_id = gains.run_id
    where runs.kind = 'score' and runs.strategy <> 'base'

    union all

    select
        runs.run_id,
        'unlinked_above_chance' as signature,
        (unlinked.first_rank_rate - unlinked.chance_rate)
        / sqrt(unlinked.chance_rate * (1 - unlinked.chance_rate) / unlinked.n_items) as value,
        {{ var('signature_chance_z') }} as threshold,
        (unlinked.first_rank_rate - unlinked.chance_rate)
        / sqrt(unlinked.chance_rate * (1 - unlinked.chance_rate) / unlinked.n_items)
        > {{ var('signature_chance_z') }} as is_flagged
    from runs
    left join unlinked on runs.run_id = unlinked.run_id
    where runs.kind = 'score'

    union all

    select
        runs.run_id,
        'scores_at_chance' as signature,
        (scores.first_rank_rate - scores.chance_rate)
        / sqrt(scores.chance_rate * (1 - scores.chance_rate) / scores.n_items) as value,
        {{ var('signature_chance_z') }} as threshold,
        (scores.first_rank_rate - scores.chance_rate)
        / sqrt(scores.chance_rate * (1 - scores.chance_rate) / scores.n_items)
        < {{ var('signature_chance_z') }} as is_flagged
    from runs
    left join scores on runs.run_id = scores.run_id
    where runs.kind = 'score'

    union all

    -- of fewer words some must carry much: nothing to measure
    select
        runs.run_id,
        'score_rests_on_few_words' as signature,
        top_words.top_score / top_words.score as value,
        {{ var('signature_max_top_words_share') }} as threshold,
        top_words.top_score / top_words.score > {{ var('signature_max_top_words_share') }} as is_flagged
    from runs
    left join top_words
        on
            runs.run_id = top_words.run_id
            and top_words.score > 0
            and top_words.n_items >= 4 * {{ var('signature_top_words') }}
    where runs.kind = 'score'

    union all

    select
        finiteness.run_id,
        'non_finite_values' as signature,
        cast(finiteness.n_non_finite_rows as double) as value,
        0 as threshold,
        finiteness.n_non_finite_rows > 0 as is_flagged
    from finiteness

),

final as (

    select
        run_id,
        signature,
        cast(value as double) as value,
        cast(threshold as double) as threshold,
        is_flagged
    from measured

)

select * from final
