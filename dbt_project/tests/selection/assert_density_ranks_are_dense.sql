-- Within corpus, set and language both ranks are 1 .. n without gap or repetition, and densities lie in [0, 1].
select
    corpus,
    pivot_set,
    lang
from {{ ref('fct_document_rankings') }}
group by corpus, pivot_set, lang
having
    max(density_rank_in_lang) <> count(*)
    or count(distinct density_rank_in_lang) <> count(*)
    or max(smoothed_rank_in_lang) <> count(*)
    or count(distinct smoothed_rank_in_lang) <> count(*)
    or min(pivot_density) < 0
    or max(pivot_density) > 1
