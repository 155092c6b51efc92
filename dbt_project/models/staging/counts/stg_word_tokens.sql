-- One row per corpus, word and token that any score could rank: n(w,x), E(w,x) and its variance.
select
    corpus,
    word_id,
    token_id,
    n_docs,
    expected_n_docs,
    variance
from {{ source('raw', 'word_tokens') }}
