-- A pair has no more documents than either word, a word no more documents than places, and, unless the engine looked at
-- some places only, a pair no more places than its rarer word.
select
    run_id,
    item_id,
    source_lang,
    target_lang
from {{ ref('fct_infini_gram_cooccurrence') }}
where
    n_docs_both > least(n_docs_source, n_docs_target)
    or n_docs_source > n_occurrences_source
    or (not is_sampled and not is_approx and n_occurrences_both > least(n_occurrences_source, n_occurrences_target))
