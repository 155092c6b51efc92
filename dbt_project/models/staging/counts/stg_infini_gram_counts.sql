-- One row per run and question that an infini-gram index answered: no word (its size), one word, two words of one item.
select
    corpus,
    run_id,
    index_name,
    engine,
    word_id_a,
    word_id_b,
    query,
    max_diff_tokens,
    max_clause_freq,
    n_occurrences,
    is_approx,
    n_docs
from {{ source('raw', 'infini_gram_counts') }}
