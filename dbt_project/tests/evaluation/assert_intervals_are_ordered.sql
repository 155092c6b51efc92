-- Lower bounds lie below upper bounds, p-values in (0, 1], areas and their bounds in [0, 1].
select
    'fct_translation_scores' as mart,
    run_id as subject,
    ci_low,
    ci_high
from {{ ref('fct_translation_scores') }}
where ci_low > ci_high or (ci_low is null) <> (ci_high is null)

union all

select
    'fct_translation_scores_by_class' as mart,
    run_id as subject,
    ci_low,
    ci_high
from {{ ref('fct_translation_scores_by_class') }}
where ci_low > ci_high or (ci_low is null) <> (ci_high is null)

union all

select
    'fct_strategy_comparison' as mart,
    concat(experiment, ' ', strategy, ' ', baseline) as subject,
    ci_low,
    ci_high
from {{ ref('fct_strategy_comparison') }}
where
    ci_low > ci_high
    or (ci_low is null) <> (ci_high is null)
    or seed_ci_low > score_delta + 1e-9
    or seed_ci_high < score_delta - 1e-9
    or p_value <= 0
    or p_value > 1

union all

select
    'fct_behaviour_auc' as mart,
    concat(run_id, ' ', definition) as subject,
    ci_low,
    ci_high
from {{ ref('fct_behaviour_auc') }}
where auc not between 0 and 1 or ci_low > auc + 1e-9 or ci_high < auc - 1e-9
