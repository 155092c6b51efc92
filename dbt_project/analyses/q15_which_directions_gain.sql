-- Which directions gain most over the untrained model, and do poor languages gain as much as rich ones?
-- Read: gains by the resource level of a direction (its rarer language above or below the median), all words. A method
-- that helps only where there was data already is flagged as failure signature gains_only_in_high_resource.
-- In short: strategy {strategy} gains {score_delta} in {resource}-resource directions.
select
    experiment,
    strategy,
    class_value as resource,
    round(score_delta, 4) as score_delta,
    round(ci_low, 4) as ci_low,
    round(ci_high, 4) as ci_high,
    n_items,
    n_scored
from {{ ref('fct_strategy_comparison_by_class') }}
where word_class = 'resource' and word_split = 'all' and baseline = 'base'
order by experiment, strategy, resource
