-- One row per experiment, strategy, baseline, direction (and all/all, the mean over directions) and word split: the
-- difference, its intervals, and what may be said.
with

strategies as (

    select * from {{ ref('int_strategies__listed') }}

),

comparisons as (

    select * from {{ ref('int_deltas__averaged') }}

),

exposure_controls as (

    select strategy from {{ ref('int_strategies__listed') }}
    where is_exposure_control

),

{% set key = ['experiment', 'strategy', 'baseline', 'source_lang', 'target_lang', 'word_split'] %}
{% set family = 'experiment, baseline, source_lang, target_lang, word_split' %}

-- items and seeds together, which the verdict is made of
tested as (

    select
        *,
        {{ holm_factor('p_value', family, 'strategy') }} as holm_factor
    from {{ ref('int_outcome_deltas__tested') }}
    where outcome = 'score' and word_class = 'all' and null_round = 0

),

adjusted as (

    select
        *,
        {{ holm_p_value('p_value', 'holm_factor', family, 'strategy') }} as p_value_holm
    from tested

),

judged as (

    select
        comparisons.*,
        adjusted.ci_low as crossed_ci_low,
        adjusted.ci_high as crossed_ci_high,
        adjusted.p_value,
        adjusted.p_value_holm,
        adjusted.is_equivalent,
        adjusted.detectable_effect,
        adjusted.n_seeds_needed,
        {{ verdict_of_test(
            'comparisons.score_delta', 'true', 'adjusted.p_value', 'adjusted.p_value_holm', 'comparisons.n_seeds'
        ) }} as verdict
    from comparisons
    left join adjusted
        on
            {% for column in key %}
                comparisons.{{ column }} = adjusted.{{ column }}
                {% if not loop.last %}and{% endif %}
            {% endfor %}

),

against_exposure as (

    select judged.*
    from judged
    inner join exposure_controls on judged.baseline = exposure_controls.strategy

),

final as (

    select
        judged.experiment,
        judged.strategy,
        judged.baseline,
        judged.source_lang,
        judged.target_lang,
        judged.word_split,
        judged.score_delta,
        judged.ci_low,
        judged.ci_high,
        judged.p_value,
        judged.n_seeds,
        judged.n_seeds_above,
        judged.seed_ci_low,
        judged.seed_ci_high,
        judged.n_items,
        judged.score,
        judged.baseline_score,
        judged.crossed_ci_low,
        judged.crossed_ci_high,
        judged.p_value_holm,
        judged.is_equivalent,
        judged.detectable_effect,
        judged.n_seeds_needed,
        judged.verdict,
        case
            when judged.verdict in ('better', 'leaning_better')
                then against_exposure.verdict in ('better', 'leaning_better')
        end as is_beyond_exposure,
        {{ is_summary(['judged.source_lang', 'judged.word_split']) }} as is_summary,
        -- a strategy that is no longer listed is nobody's baseline
        coalesce(
            strategies.is_baseline and strategies.display_order < baselines.display_order, false
        ) as is_mirrored
    from judged
    left join strategies on judged.strategy = strategies.strategy
    left join strategies as baselines on judged.baseline = baselines.strategy
    left join against_exposure
        on
            judged.experiment = against_exposure.experiment
            and judged.strategy = against_exposure.strategy
            and judged.source_lang = against_exposure.source_lang
            and judged.target_lang = against_exposure.target_lang
            and judged.word_split = against_exposure.word_split

)

select * from final
