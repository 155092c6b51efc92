-- One row per corpus and two words of one item that share a unit: n(s,t), word_id_a < word_id_b.
select
    corpus,
    word_id_a,
    word_id_b,
    n_docs
from {{ source('raw', 'word_pairs') }}
