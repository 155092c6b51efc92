-- One row per run and failure signature that applies to its kind.
with

measured as (

    select * from {{ ref('int_signatures__measured') }}

),

runs as (

    select * from {{ ref('stg_runs') }}

),

explained as (

    select
        *,
        case
            when signature = 'pivot_curve_flat'
                then
                    'Range over the layers of the mean pivot probability. Below the threshold the pivots play no '
                    || 'visible part: check that the exported pivots are single tokens of this model and that the '
                    || 'model translates at all (scores_at_chance) before reading the curves.'
            when signature = 'pivot_curve_monotonic'
                then
                    'Share of its peak by which the mean pivot probability stands above both ends of the depth. '
                    || 'Below the threshold it does not rise and fall: a peak at the last layer means that pivots '
                    || 'are answers, a peak at the first that they are echoes of the prompt. Look at the curves per '
                    || 'behaviour.'
            when signature = 'pivot_curve_like_control'
                then
                    'Probability of the pivots of another item (of the same topic where topics are known) over that of '
                    || 'the own ones, at the peak layer. Above the threshold the curve shows frequent tokens or those '
                    || 'of a subject, not links between words: use a stricter pivot set.'
            when signature = 'peaks_are_one_token'
                then
                    'Share of the traced words whose peak, the surest layer, shows the one most frequent token. Above '
                    || 'the threshold the lens shows an artefact of the model and not what it makes of the words: '
                    || 'behaviours mean nothing. Look at fct_lens_layers; with few words trace more, so that layers '
                    || 'can be told apart.'
            when signature = 'auc_near_half'
                then
                    'Distance from one half of the mean AUC (definition peak, predictor pair count). Below the '
                    || 'threshold co-occurrence does not predict the behaviour: compare definitions, thresholds and '
                    || 'class sizes in fct_behaviour_auc and fct_threshold_sensitivity.'
            when signature like 'forgetting_%'
                then
                    'Held-out bits per byte after training minus before, in the language that the name ends in. '
                    || 'Above the threshold training cost the model that language: lower the learning rate, or give '
                    || 'the language a larger share of the selection.'
            when signature = 'gains_only_in_high_resource'
                then
                    'Gain over the untrained model in directions with a low-resource language, as a share of the '
                    || 'gain in the others. Below the threshold the training helped only where there was data '
                    || 'already.'
            when signature = 'unlinked_above_chance'
                then
                    'Standard errors by which planted words without any link are ranked first above chance. Above'
                    || ' the threshold something other than the planted links gives the answer away: look for leaks '
                    || 'in documents, shots or distractors.'
            when signature = 'score_rests_on_few_words'
                then
                    'Share of the score on evaluation words that the five words with the most carry. Above the '
                    || 'threshold the mean is about those words, and intervals are wide: read normalised_log_p and '
                    || 'first_rank in fct_outcome_comparison beside it.'
            when signature = 'scores_at_chance'
                then
                    'Standard errors by which right words are ranked first above chance. Below the threshold the '
                    || 'model cannot do the task, and differences between strategies mean nothing: train the base '
                    || 'model longer.'
            when signature = 'non_finite_values'
                then
                    'Result rows that are NaN or infinite; they are left out of every mart. Above zero the model '
                    || 'diverged: look at fct_training_curves, lower the learning rate, check the data type.'
        end as meaning
    from measured

),

final as (

    select
        explained.run_id,
        explained.signature,
        runs.kind,
        runs.experiment,
        runs.strategy,
        runs.seed,
        runs.model_id,
        case
            when explained.is_flagged is null then 'not_applicable'
            when explained.is_flagged then 'flagged'
            else 'ok'
        end as status,
        explained.value,
        explained.threshold,
        explained.meaning as explanation
    from explained
    inner join runs on explained.run_id = runs.run_id

)

select * from final
