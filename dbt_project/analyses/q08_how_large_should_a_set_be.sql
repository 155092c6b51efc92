-- How large should a pivot set be, and how strict its threshold?
-- Read: every length and threshold of a family, whether it is used or not: a set that marks a third of the vocabulary
-- selects nothing, one of ten tokens finds few documents. Precision and recall are known on planted corpora only.
-- In short: family {pivot_family} with the top {top_k} marks {vocabulary_share} of the vocabulary.
select
    corpus,
    pivot_family,
    top_k,
    min_score,
    n_tokens,
    round(vocabulary_share, 3) as vocabulary_share,
    round(planted_precision, 3) as planted_precision,
    round(planted_recall, 3) as planted_recall
from {{ ref('fct_pivot_set_sensitivity') }}
where
    (pivot_family like 'pairs_%' and top_k in (3, 10, 50) and min_score in (0, 0.1, 5))
    or (pivot_family in ('adjacency', 'bridge', 'maxz') and top_k in (100, 200, 1000))
order by corpus, pivot_family, top_k, min_score
