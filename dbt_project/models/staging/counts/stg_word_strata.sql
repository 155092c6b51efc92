-- One row per corpus, stratum and word that occurs in it: n_k(w) units.
select
    corpus,
    lang,
    length_bin,
    word_id,
    n_docs
from {{ source('raw', 'word_strata') }}
