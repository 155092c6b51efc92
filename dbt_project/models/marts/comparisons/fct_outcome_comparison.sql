-- One row per experiment, strategy, baseline, outcome, class of words (and all words) and word split, all directions
-- together.
with

tested as (

    select * from {{ ref('int_outcome_deltas__tested') }}
    where null_round = 0 and source_lang = 'all'

),

experiments as (

    select * from {{ ref('int_experiments__declared') }}

),

{% set family = 'experiment, baseline, outcome, word_class, class_value, word_split' %}

ranked as (

    select
        *,
        {{ holm_factor('p_value', family, 'strategy') }} as holm_factor
    from tested

),

adjusted as (

    select
        *,
        {{ holm_p_value('p_value', 'holm_factor', family, 'strategy') }} as p_value_holm
    from ranked

),

final as (

    select
        adjusted.experiment,
        adjusted.strategy,
        adjusted.baseline,
        adjusted.outcome,
        adjusted.word_class,
        adjusted.class_value,
        adjusted.word_split,
        adjusted.outcome = experiments.primary_outcome
        and adjusted.word_split = experiments.primary_word_split
        and adjusted.word_class = 'all' as is_primary,
        adjusted.delta,
        adjusted.ci_low,
        adjusted.ci_high,
        adjusted.p_value,
        adjusted.p_value_holm,
        adjusted.n_items,
        adjusted.n_words,
        adjusted.n_seeds,
        adjusted.value,
        adjusted.baseline_value,
        adjusted.standard_error,
        adjusted.degrees,
        adjusted.smallest_effect,
        adjusted.is_equivalent,
        adjusted.detectable_effect,
        adjusted.n_seeds_needed,
        {{ verdict_of_test(
            'adjusted.delta', 'adjusted.is_higher_better', 'adjusted.p_value', 'adjusted.p_value_holm',
            'adjusted.n_seeds'
        ) }} as verdict,
        {{ is_summary(['adjusted.word_class', 'adjusted.class_value', 'adjusted.word_split']) }} as is_summary
    from adjusted
    inner join experiments on adjusted.experiment = experiments.experiment

)

select * from final
