-- Does pivot-aware data beat the baselines, by more than words and seeds vary?
-- Read: difference of the score on evaluation words, mean over directions; two intervals, over words and over seeds.
-- The second is the honest one and needs at least two seeds. An interval that holds zero is no gain.
-- In short: against {baseline}: {score_delta} [{ci_low}, {ci_high}] over words, {n_seeds} seed(s).
select
    experiment,
    strategy,
    baseline,
    round(score_delta, 4) as score_delta,
    round(ci_low, 4) as ci_low,
    round(ci_high, 4) as ci_high,
    round(p_value, 3) as p_value,
    n_seeds,
    n_seeds_above,
    round(seed_ci_low, 4) as seed_ci_low,
    round(seed_ci_high, 4) as seed_ci_high
from {{ ref('fct_strategy_comparison') }}
where source_lang = 'all' and word_split = 'judge' and strategy = 'pivot_aware'
order by experiment, baseline
