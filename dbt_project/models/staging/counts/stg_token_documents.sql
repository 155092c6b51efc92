-- One row per corpus, stratum and token that occurs in it: n_k(x) units.
select
    corpus,
    lang,
    length_bin,
    token_id,
    n_docs
from {{ source('raw', 'token_documents') }}
