-- Which tokens serve the most pairs of words?
-- Read: tokens of the set `pairs` by the number of pairs that have them among their best candidates. A handful that
-- serves everything is noise (punctuation, function words); a long flat list is what the theory expects.
-- In short: "{token}" serves {n_pairs} pairs and stands in {doc_rate} of the units.
select
    corpus,
    rank,
    token,
    lang,
    n_pairs,
    n_docs,
    round(doc_rate, 4) as doc_rate
from {{ ref('dim_pivot_tokens') }}
where pivot_set = 'pairs' and rank <= 12
order by corpus, rank
