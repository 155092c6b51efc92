-- Are the right tokens among the ten best candidates, and by which score?
-- Read: recall is the share of pairs whose translation into the third language is among the ten best; planted_recall
-- and planted_precision are about true pivots, where they are known. Means over directions and third languages.
-- In short: score {score_method} finds {planted_recall} of the planted pivots and {recall} of the translations.
select
    corpus,
    score_method,
    cast(sum(n_pairs) as bigint) as n_pairs,
    round({{ exact_avg('recall') }}, 3) as recall,
    round({{ exact_avg('mean_reciprocal_rank') }}, 3) as mean_reciprocal_rank,
    round({{ exact_avg('planted_recall') }}, 3) as planted_recall,
    round({{ exact_avg('planted_precision') }}, 3) as planted_precision
from {{ ref('fct_pivot_quality') }}
where top_k = 10
group by corpus, score_method
order by corpus asc, planted_recall desc nulls last, recall desc
