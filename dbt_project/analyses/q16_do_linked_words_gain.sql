-- Do words that only pivots link gain more than words that share documents, and do unlinked ones stay at chance?
-- Read: planted kinds of words: direct (share documents), pivot (only pivots link them), unlinked (nothing does; a
-- gain there would be a leak). Empty where nothing is planted.
-- In short: on {kind} words, {strategy} minus {baseline} is {score_delta} [{ci_low}, {ci_high}].
select
    experiment,
    class_value as kind,
    strategy,
    baseline,
    round(score_delta, 4) as score_delta,
    round(ci_low, 4) as ci_low,
    round(ci_high, 4) as ci_high,
    n_items
from {{ ref('fct_strategy_comparison_by_class') }}
where word_class = 'kind' and word_split = 'all' and baseline = 'random_multilingual'
order by experiment, case class_value when 'pivot' then 1 when 'direct' then 2 else 3 end, strategy
