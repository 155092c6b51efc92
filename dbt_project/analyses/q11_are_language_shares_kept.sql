-- Does every strategy take the language shares that it is due?
-- Read: tokens taken against tokens due, by language. Strategies differ in the documents, not in the mixture, so a
-- difference between two of them cannot come from more French; a language that runs out leaves its part to the others.
-- In short: the largest miss is {share_error}: {strategy}, {lang}.
select
    corpus,
    strategy,
    lang,
    n_tokens,
    round(token_share, 4) as token_share,
    round(target_share, 4) as target_share,
    round(token_share - target_share, 4) as share_error
from {{ ref('fct_selection_summary') }}
order by abs(token_share - target_share) desc nulls last, corpus, strategy asc, lang asc
limit 12
