-- The languages that a strategy is due make a whole, and so do the tokens it takes.
select
    corpus,
    strategy
from {{ ref('fct_selection_summary') }}
group by corpus, strategy
having
    abs(sum(target_share) - 1) > 1e-9
    or abs(sum(token_share) - 1) > 1e-9
