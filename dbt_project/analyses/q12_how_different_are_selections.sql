-- How different are the documents that two strategies choose?
-- Read: share of the tokens of pivot_aware that another strategy takes, too, within the summary's budget. Near 1 the
-- arms of an experiment train on the same text and cannot differ.
-- In short: strategy {strategy} takes {shared_share} of what pivot_aware takes.
select
    corpus,
    case when strategy_a = 'pivot_aware' then strategy_b else strategy_a end as strategy,
    n_docs_both,
    n_tokens_both,
    round(case when strategy_a = 'pivot_aware' then token_share_of_a else token_share_of_b end, 3) as shared_share
from {{ ref('fct_selection_overlap') }}
where
    (strategy_a = 'pivot_aware' or strategy_b = 'pivot_aware')
    -- the same selection under the name of its set
    and strategy_b <> 'pivot_aware_{{ var("default_pivot_set") }}'
order by corpus asc, shared_share desc, strategy asc
